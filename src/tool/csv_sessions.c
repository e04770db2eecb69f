/* Sessions as records of CSV; see csv_sessions.h. */
#include "tool/csv_sessions.h"

#include "api/output.h"
#include "domain/derived.h"
#include "domain/instant.h"
#include "tool/csv.h"
#include "tool/foreign_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MS_A_SECOND = 1000, NUMBER_MAX_BYTES = 40 };

/* The space of names for derived_uuid: sessions of (user, library, document, startTime as it is exported). */
static const struct uuid space = {
	{0xEB, 0x9A, 0x94, 0x14, 0x72, 0xDF, 0x46, 0x5A, 0xB5, 0x50, 0xC4, 0xF4, 0xA1, 0x62, 0xB1, 0x58},
};

const char *const csv_column_names[CSV_COLUMNS] = {
	[CSV_USER] = "user",       [CSV_SESSION] = "session",   [CSV_DOCUMENT] = "document", [CSV_TITLE] = "title",
	[CSV_AUTHORS] = "authors", [CSV_LIBRARY] = "library",   [CSV_START] = "startTime",   [CSV_END] = "endTime",
	[CSV_SECONDS] = "seconds", [CSV_PROGRESS] = "progress",
};

void csv_put_header(struct buffer *buffer)
{
	for (int column = 0; column < CSV_COLUMNS; column++)
		csv_put(buffer, column == 0, text_of(csv_column_names[column]));
	csv_end_record(buffer);
}

/* The authors, a semicolon and a blank between two; within a name a backslash stands before each semicolon and backslash. */
static void put_authors(struct buffer *cell, const struct description *description)
{
	for (size_t i = 0; i < description->author_count; i++) {
		struct text name = identifier_text(&description->authors[i]);
		if (i > 0)
			buffer_append_string(cell, "; ");
		for (size_t at = 0; at < name.size; at++) {
			if (name.data[at] == ';' || name.data[at] == '\\')
				buffer_append_string(cell, "\\");
			buffer_append(cell, name.data + at, 1);
		}
	}
}

static void put_instant(struct buffer *buffer, bool known, int64_t ms)
{
	char text[INSTANT_TEXT_SIZE];

	if (known)
		instant_format(ms, text);
	csv_put(buffer, false, (struct text){text, known ? sizeof text : 0});
}

static void put_numbers(struct buffer *buffer, const struct session_facts *facts)
{
	struct buffer cell = BUFFER_INIT;

	if (facts->ended)
		buffer_append_format(&cell, "%" PRId64, (facts->end_ms - facts->start_ms) / MS_A_SECOND);
	csv_put(buffer, false, buffer_text(&cell));
	cell.size = 0;
	if (facts->reported)
		output_portion(&cell, true, facts->progress);
	csv_put(buffer, false, buffer_text(&cell));
	buffer->failed |= buffer_failed(&cell);
	buffer_release(&cell);
}

void csv_put_session(struct buffer *buffer, const struct session *session, const struct description *description)
{
	struct buffer authors = BUFFER_INIT;
	char id[UUID_TEXT_SIZE];

	uuid_format(&session->id, id);
	csv_put(buffer, true, identifier_text(&session->user));
	csv_put(buffer, false, (struct text){id, sizeof id});
	csv_put(buffer, false, identifier_text(&session->document));
	if (description)
		put_authors(&authors, description);
	csv_put(buffer, false,
		description ? (struct text){description->title, description->title_size} : (struct text){NULL, 0});
	csv_put(buffer, false, buffer_text(&authors));
	csv_put(buffer, false, identifier_text(&session->library));
	put_instant(buffer, true, session->facts.start_ms);
	put_instant(buffer, session->facts.ended, session->facts.end_ms);
	put_numbers(buffer, &session->facts);
	csv_end_record(buffer);
	buffer->failed |= buffer_failed(&authors);
	buffer_release(&authors);
}

/* A number without exponent, with a point or a comma before its fraction. */
static bool read_number(struct text cell, double *number)
{
	char text[NUMBER_MAX_BYTES + 1];

	if (cell.size == 0 || cell.size > NUMBER_MAX_BYTES)
		return false;
	for (size_t i = 0; i < cell.size; i++)
		text[i] = cell.data[i] == ',' ? '.' : cell.data[i];
	text[cell.size] = '\0';
	if (strspn(text, "0123456789.eE+-") != cell.size)
		return false;
	char *end;
	*number = strtod(text, &end);
	return *end == '\0';
}

static enum status read_end(const struct text cells[CSV_COLUMNS], struct session_facts *facts, struct error *error)
{
	struct text seconds = text_trim(cells[CSV_SECONDS]);
	double number;

	if (text_trim(cells[CSV_END]).size > 0) {
		facts->ended = true;
		return foreign_time_read(text_trim(cells[CSV_END]), csv_column_names[CSV_END], &facts->end_ms, error);
	}
	if (seconds.size == 0)
		return STATUS_OK;
	if (!read_number(seconds, &number) || !(number >= 0) ||
	    number > (double)(INSTANT_MAX_MS - facts->start_ms) / MS_A_SECOND)
		return error_set(error, STATUS_INVALID, "seconds: must be a number, 0 or more");
	facts->ended = true;
	facts->end_ms = facts->start_ms + (int64_t)(number * MS_A_SECOND + 0.5);
	return STATUS_OK;
}

static enum status read_progress(struct text cell, struct session_facts *facts, struct error *error)
{
	if (cell.size == 0)
		return STATUS_OK;
	if (!read_number(cell, &facts->progress) || !(facts->progress >= 0 && facts->progress <= 1))
		return error_set(error, STATUS_INVALID, "progress: must be a number from 0 to 1");
	facts->reported = true;
	facts->progress_ms = facts->ended ? facts->end_ms : facts->start_ms;
	return STATUS_OK;
}

/* Take the next author off: *rest becomes what follows the semicolon and a blank behind it. */
static enum status take_author(struct text *rest, struct description *description, struct error *error)
{
	char name[IDENTIFIER_MAX_BYTES];
	size_t size = 0, at = 0;

	for (; at < rest->size && rest->data[at] != ';'; at++) {
		if (rest->data[at] == '\\' && at + 1 < rest->size &&
		    (rest->data[at + 1] == ';' || rest->data[at + 1] == '\\'))
			at++;
		if (size == sizeof name)
			return error_set(error, STATUS_INVALID, "authors: has a name of more than %zu bytes",
					 sizeof name);
		name[size++] = rest->data[at];
	}
	at += at < rest->size;
	at += at < rest->size && rest->data[at] == ' ';
	*rest = (struct text){rest->data + at, rest->size - at};
	if (size == 0)
		return STATUS_OK;
	if (description->author_count == AUTHORS_MAX)
		return error_set(error, STATUS_INVALID, "authors: has more than %d names", AUTHORS_MAX);
	return identifier_set(&description->authors[description->author_count++], (struct text){name, size}, "authors",
			      error);
}

static enum status read_description(const struct text cells[CSV_COLUMNS], struct description *description,
				    struct error *error)
{
	struct text title = cells[CSV_TITLE], authors = cells[CSV_AUTHORS];

	description->author_count = 0;
	if (identifier_check(title, 0, TITLE_MAX_BYTES, "title", error) != STATUS_OK)
		return error->status;
	description->title_size = (uint16_t)title.size;
	if (title.size > 0)
		memcpy(description->title, title.data, title.size);
	while (authors.size > 0)
		if (take_author(&authors, description, error) != STATUS_OK)
			return error->status;
	return STATUS_OK;
}

static enum status read_or(struct text cell, const struct identifier *otherwise, const char *name,
			   struct identifier *identifier, struct error *error)
{
	if (cell.size > 0 || otherwise->size == 0)
		return identifier_set(identifier, cell, name, error);
	*identifier = *otherwise;
	return STATUS_OK;
}

static enum status read_id(struct text cell, struct session *session, struct error *error)
{
	char start[INSTANT_TEXT_SIZE];

	if (cell.size == 0) {
		instant_format(session->facts.start_ms, start);
		const struct text parts[] = {identifier_text(&session->user),
					     identifier_text(&session->library),
					     identifier_text(&session->document),
					     {start, sizeof start}};
		session->id = derived_uuid(&space, parts, sizeof parts / sizeof parts[0]);
		return STATUS_OK;
	}
	if (!uuid_parse(cell, &session->id))
		return error_set(error, STATUS_INVALID, "session: must be a UUID, or empty");
	return STATUS_OK;
}

enum status csv_read_session(const struct text cells[CSV_COLUMNS], const struct csv_defaults *defaults,
			     struct session *session, struct description *description, bool *described,
			     struct error *error)
{
	struct session_facts *facts = &session->facts;

	memset(session, 0, sizeof *session);
	if (cells[CSV_USER].size == 0 && defaults->user.size == 0)
		return error_set(error, STATUS_INVALID, "user: must not be empty, or --user be given");
	if (read_or(cells[CSV_USER], &defaults->user, "user", &session->user, error) != STATUS_OK ||
	    identifier_set(&session->document, cells[CSV_DOCUMENT], "document", error) != STATUS_OK ||
	    read_or(cells[CSV_LIBRARY], &defaults->library, "library", &session->library, error) != STATUS_OK ||
	    foreign_time_read(text_trim(cells[CSV_START]), "startTime", &facts->start_ms, error) != STATUS_OK ||
	    read_end(cells, facts, error) != STATUS_OK ||
	    read_progress(text_trim(cells[CSV_PROGRESS]), facts, error) != STATUS_OK ||
	    read_id(text_trim(cells[CSV_SESSION]), session, error) != STATUS_OK ||
	    read_description(cells, description, error) != STATUS_OK)
		return error->status;
	*described = description->title_size > 0 || description->author_count > 0;
	return STATUS_OK;
}
