/* Exporting; see export.h. */
#include "tool/export.h"

#include "api/local.h"
#include "api/records.h"
#include "base/clock.h"
#include "base/names.h"
#include "domain/instant.h"
#include "tool/export_csv.h"
#include "tool/export_icalendar.h"
#include "tool/export_records.h"
#include "tool/members.h"
#include "tool/progress.h"
#include "tool/visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_USERS = 100, PAGE_SESSIONS = 500, DESCRIPTIONS_FIRST = 64 };

/* The descriptions of one user's documents, as the records that they are in the store. */
struct descriptions {
	struct names documents;
	struct buffer records;
	size_t *ends; /* of each document's, there */
	size_t capacity;
	struct description read;
};

struct walk {
	struct client *client;
	const struct export_format *format;
	struct buffer out;
	struct export_counts counts;
	struct descriptions descriptions;
	struct progress progress;
	bool unread;      /* the store did not answer the last question */
	uint64_t damaged; /* users */
};

static void forget(struct descriptions *descriptions)
{
	names_release(&descriptions->documents);
	names_init(&descriptions->documents);
	buffer_release(&descriptions->records);
}

static bool keep(struct descriptions *descriptions, const struct identifier *document,
		 const struct description *description)
{
	uint8_t value[DOCUMENT_VALUE_MAX];
	size_t count = descriptions->documents.count;

	if (count == descriptions->capacity) {
		size_t capacity = count > 0 ? 2 * count : DESCRIPTIONS_FIRST;
		size_t *ends = realloc(descriptions->ends, capacity * sizeof *ends);
		if (!ends)
			return false;
		descriptions->ends = ends;
		descriptions->capacity = capacity;
	}
	/* They come by id, each once. */
	if (names_number(&descriptions->documents, identifier_text(document)) == NAMES_FAILED)
		return false;
	buffer_append(&descriptions->records, value, record_encode_description(description, value));
	descriptions->ends[count] = descriptions->records.size;
	return !buffer_failed(&descriptions->records);
}

static const struct description *find(struct descriptions *descriptions, const struct identifier *document)
{
	int64_t number = names_find(&descriptions->documents, identifier_text(document));

	if (number == NAMES_FAILED)
		return NULL;
	size_t begin = number > 0 ? descriptions->ends[number - 1] : 0;
	return record_decode_description(descriptions->records.data + begin, descriptions->ends[number] - begin,
					 &descriptions->read)
		       ? &descriptions->read
		       : NULL;
}

static enum status out_of_memory(struct error *error)
{
	return error_set(error, STATUS_UNAVAILABLE, "out of memory");
}

static enum status write_out(struct walk *walk, struct error *error)
{
	if (buffer_failed(&walk->out))
		return out_of_memory(error);
	if (walk->out.size > 0 && fwrite(walk->out.data, 1, walk->out.size, stdout) != walk->out.size)
		return error_set(error, STATUS_UNAVAILABLE, "writing the output failed");
	walk->out.size = 0;
	return STATUS_OK;
}

static bool take_item(struct walk *walk, const struct record_item *item)
{
	const struct export_format *format = walk->format;

	switch (item->kind) {
	case RECORD_USER:
		walk->counts.users++;
		if (format->user)
			format->user(&walk->out, &item->user, &item->stats.id, &item->stats.settings);
		break;
	case RECORD_DOCUMENT:
		walk->counts.documents++;
		if (format->document)
			format->document(&walk->out, &item->user, &item->document, item->description);
		return !format->describes || keep(&walk->descriptions, &item->document, item->description);
	case RECORD_SESSION:
		walk->counts.sessions++;
		format->session(&walk->out, &item->session,
				format->describes ? find(&walk->descriptions, &item->session.document) : NULL);
		break;
	}
	return true;
}

/* Ask for records and hand them to the format; *last becomes the last session among them, *count how many records there were. */
static enum status take_page(struct walk *walk, const char *path, json_object *fields, struct session *last,
			     size_t *count, struct error *error)
{
	struct text body = text_of(json_object_to_json_string_ext(fields, JSON_C_TO_STRING_PLAIN));
	struct buffer answer = BUFFER_INIT;
	struct record_item item;

	*count = 0;
	walk->unread = client_send(walk->client, path, body, &answer, error) != STATUS_OK;
	struct text records = buffer_text(&answer);
	while (error->status == STATUS_OK && records.size > 0) {
		if (!records_take(&records, &item))
			error_set(error, STATUS_UNAVAILABLE, "the owner's answer to an export is none");
		else if (!take_item(walk, &item))
			out_of_memory(error);
		if (error->status == STATUS_OK && item.kind == RECORD_SESSION)
			*last = item.session;
		record_item_release(&item);
		++*count;
	}
	buffer_release(&answer);
	progress_show(&walk->progress, walk->counts.sessions);
	return error->status == STATUS_OK ? write_out(walk, error) : error->status;
}

/* Have the next page begin behind a session. */
static void set_position(json_object *fields, const struct session *last)
{
	char position[INSTANT_TEXT_SIZE + 1 + UUID_TEXT_SIZE];

	instant_format(last->facts.start_ms, position);
	position[INSTANT_TEXT_SIZE] = '/';
	uuid_format(&last->id, position + INSTANT_TEXT_SIZE + 1);
	json_object_object_add(fields, "after", json_object_new_string_len(position, sizeof position));
}

static enum status export_user(struct walk *walk, const char *user, struct error *error)
{
	json_object *fields = json_object_new_object();
	struct error unread = {.status = STATUS_OK};
	struct session last;
	size_t count;

	forget(&walk->descriptions);
	json_object_object_add(fields, "user", json_object_new_string(user));
	/* Where the descriptions are damaged the sessions may not be. */
	if (take_page(walk, LOCAL_EXPORT_USER, fields, &last, &count, error) == STATUS_UNAVAILABLE && walk->unread) {
		unread = *error;
		*error = (struct error){.status = STATUS_OK};
	}
	json_object_object_add(fields, "limit", json_object_new_int(PAGE_SESSIONS));
	do {
		if (error->status != STATUS_OK ||
		    take_page(walk, LOCAL_EXPORT, fields, &last, &count, error) != STATUS_OK)
			break;
		if (count == PAGE_SESSIONS)
			set_position(fields, &last);
	} while (count == PAGE_SESSIONS);
	json_object_put(fields);
	if (error->status == STATUS_OK && unread.status != STATUS_OK) {
		*error = unread;
		walk->unread = true;
	}
	return error->status;
}

static const char *name_of(json_object *page, size_t index)
{
	return json_object_get_string(members_get(members_get(json_object_array_get_idx(page, index), "user"), "user"));
}

/* What is damaged of one user is no reason to lose the others, where the store answers all the same. */
static void note_damage(struct walk *walk, const char *user, struct error *error)
{
	struct error still = {.status = STATUS_OK};
	json_object *answer = NULL;

	if (error->status != STATUS_UNAVAILABLE || !walk->unread ||
	    client_ask(walk->client, LOCAL_STATS, NULL, &answer, &still) != STATUS_OK)
		return;
	json_object_put(answer);
	progress_clear(&walk->progress);
	visible_line(stderr, "focusstats: user '%s' is not exported in full: %s", user,
		     error->detail[0] ? error->detail : error->text);
	walk->unread = false;
	walk->damaged++;
	*error = still;
}

static enum status export_all(struct walk *walk, struct error *error)
{
	json_object *fields = json_object_new_object(), *page;
	size_t count;

	json_object_object_add(fields, "limit", json_object_new_int(PAGE_USERS));
	do {
		if (client_ask(walk->client, LOCAL_USERS, fields, &page, error) != STATUS_OK)
			break;
		count = json_object_array_length(page);
		for (size_t i = 0; i < count && error->status == STATUS_OK; i++) {
			if (export_user(walk, name_of(page, i), error) == STATUS_NOT_FOUND)
				error->status = STATUS_OK; /* removed meanwhile */
			note_damage(walk, name_of(page, i), error);
		}
		if (count > 0)
			json_object_object_add(fields, "after", json_object_new_string(name_of(page, count - 1)));
		json_object_put(page);
	} while (error->status == STATUS_OK && count == PAGE_USERS);
	json_object_put(fields);
	return error->status;
}

const struct export_format *const export_formats[] = {&export_records, &export_csv, &export_icalendar, NULL};

static const struct export_format *find_format(const char *name)
{
	size_t i = 0;

	while (name && export_formats[i] && strcmp(export_formats[i]->name, name) != 0)
		i++;
	return export_formats[i];
}

enum status export_run(struct client *client, const struct options *options, char *const *operands, struct error *error)
{
	struct walk walk = {.client = client, .format = find_format(options->format)};

	(void)operands;
	if (!walk.format)
		return error_set(error, STATUS_INVALID, "export: there is no format %s (focusstats --help)",
				 options->format);
	names_init(&walk.descriptions.documents);
	walk.progress = progress_begin(options, "exporting", "sessions", 0);
	if (walk.format->begin)
		walk.format->begin(&walk.out, clock_wall_ms());
	if (options->user)
		export_user(&walk, options->user, error);
	else
		export_all(&walk, error);
	if (error->status == STATUS_OK && walk.format->end)
		walk.format->end(&walk.out, &walk.counts);
	if (error->status == STATUS_OK)
		write_out(&walk, error);
	if (error->status == STATUS_OK && walk.damaged > 0)
		error_set(error, STATUS_UNAVAILABLE,
			  "the export lacks what could not be read of the users above (%llu): see \"When something is "
			  "wrong\" in operation.md",
			  (unsigned long long)walk.damaged);
	progress_clear(&walk.progress);
	forget(&walk.descriptions);
	names_release(&walk.descriptions.documents);
	free(walk.descriptions.ends);
	buffer_release(&walk.out);
	return error->status;
}
