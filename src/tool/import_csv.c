/* Reading CSV; see import_csv.h. */
#include "tool/import_csv.h"

#include "tool/csv.h"
#include "tool/csv_sessions.h"

#include <stdlib.h>
#include <string.h>

enum { REMEMBERED_ROWS = 1024, REMEMBERED_IN_A_ROW = 8 };

struct table {
	struct import *import;
	const char *file;
	struct csv_defaults defaults;
	size_t places[CSV_COLUMNS]; /* of the columns; CSV_CELLS_MAX where it is not there */
	size_t width;
	/* Hashes of the descriptions that were handed over last, so that not every record of a document hands it over anew: each
	 * in the row that it names, the latest first. */
	uint64_t remembered[REMEMBERED_ROWS][REMEMBERED_IN_A_ROW];
	struct description description;
};

static bool find_column(struct text name, int *column)
{
	for (*column = 0; *column < CSV_COLUMNS; ++*column)
		if (text_equal_ignoring_case(text_trim(name), text_of(csv_column_names[*column])))
			return true;
	return false;
}

/* Add to the list of names that nobody knows. */
static void note_unknown(struct buffer *unknown, struct text name)
{
	struct identifier id;
	struct error ignored;

	buffer_append_string(unknown, unknown->size > 0 ? ", " : "");
	if (identifier_set(&id, name, "", &ignored) == STATUS_OK)
		buffer_append_format(unknown, "'%.*s'", id.size, id.data);
	else
		buffer_append_string(unknown, "one without a name");
}

static void remark_unknown(const struct table *table, struct buffer *unknown)
{
	struct error remark;

	if (unknown->size > 0) {
		error_set(&remark, STATUS_OK, "columns that are not read: %.*s", (int)unknown->size, unknown->data);
		import_remark(table->import, remark.text);
	}
	buffer_release(unknown);
}

static enum status find_columns(struct table *table, const struct text *cells, size_t count, struct error *error)
{
	struct buffer unknown = BUFFER_INIT;
	int column;

	for (column = 0; column < CSV_COLUMNS; column++)
		table->places[column] = CSV_CELLS_MAX;
	table->width = count;
	error->status = STATUS_OK;
	for (size_t i = 0; i < count; i++) {
		if (!find_column(cells[i], &column))
			note_unknown(&unknown, cells[i]);
		else if (table->places[column] == CSV_CELLS_MAX)
			table->places[column] = i;
		else
			error_set(error, STATUS_INVALID, "%s: has two columns '%s'", table->file,
				  csv_column_names[column]);
	}
	remark_unknown(table, &unknown);
	return error->status;
}

static enum status read_header(struct table *table, const struct text *cells, size_t count, struct error *error)
{
	static const enum csv_column needed[] = {CSV_DOCUMENT, CSV_START};

	if (find_columns(table, cells, count, error) != STATUS_OK)
		return error->status;
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (table->places[needed[i]] == CSV_CELLS_MAX)
			return error_set(error, STATUS_INVALID, "%s: its first line names no column '%s'", table->file,
					 csv_column_names[needed[i]]);
	if (table->places[CSV_END] == CSV_CELLS_MAX && table->places[CSV_SECONDS] == CSV_CELLS_MAX)
		return error_set(error, STATUS_INVALID, "%s: its first line names no column 'endTime' or 'seconds'",
				 table->file);
	return STATUS_OK;
}

/* FNV-1a (RFC 9923); the byte behind each text, which no id or title holds, keeps neighbours apart. */
static uint64_t add_hash(uint64_t hash, struct text text)
{
	for (size_t i = 0; i <= text.size; i++)
		hash = (hash ^ (i < text.size ? (unsigned char)text.data[i] : 0)) * UINT64_C(0x100000001B3);
	return hash;
}

/* Whether that was handed over already. */
static bool remembers(struct table *table, const struct session *session, struct text title, struct text authors)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	hash = add_hash(hash, identifier_text(&session->user));
	hash = add_hash(hash, identifier_text(&session->document));
	hash = add_hash(add_hash(hash, title), authors);
	uint64_t *row = table->remembered[(hash >> 32) % REMEMBERED_ROWS]; /* its lower bits are not as well spread */
	for (size_t i = 0; i < REMEMBERED_IN_A_ROW; i++)
		if (row[i] == hash)
			return true;
	memmove(row + 1, row, (REMEMBERED_IN_A_ROW - 1) * sizeof *row);
	row[0] = hash;
	return false;
}

static enum status put(struct table *table, import_place place, const struct text *cells, size_t count,
		       struct error *error)
{
	struct text chosen[CSV_COLUMNS] = {{NULL, 0}};
	struct session session;
	bool described;

	if (count > table->width) {
		import_refuse(table->import, place, "the record has more cells than the first line has names");
		return STATUS_OK;
	}
	for (int column = 0; column < CSV_COLUMNS; column++)
		if (table->places[column] < count)
			chosen[column] = cells[table->places[column]];
	if (csv_read_session(chosen, &table->defaults, &session, &table->description, &described, error) != STATUS_OK) {
		import_refuse(table->import, place, error->text);
		return error->status = STATUS_OK;
	}
	if (described && !remembers(table, &session, chosen[CSV_TITLE], chosen[CSV_AUTHORS]) &&
	    import_put_document(table->import, place, &session.user, &session.document, &table->description, error) !=
		    STATUS_OK)
		return error->status;
	return import_put_session(table->import, place, &session, IMPORT_OUTLINE, error);
}

static enum status read_table(struct table *table, struct csv *csv, struct error *error)
{
	const struct text *cells;
	import_place line;
	size_t count;
	bool go_on;

	if (csv_next(csv, &cells, &count, &line, &go_on, error) != STATUS_OK)
		return error->status;
	if (count == 0)
		return error_set(error, STATUS_INVALID, "%s: is empty: the first line has to name the columns",
				 table->file);
	if (read_header(table, cells, count, error) != STATUS_OK)
		return error->status;
	for (;;) {
		enum status status = csv_next(csv, &cells, &count, &line, &go_on, error);
		if (status != STATUS_OK && !go_on)
			return status;
		if (status == STATUS_OK && count == 0)
			return status;
		if (status != STATUS_OK)
			import_refuse(table->import, line, error->text);
		else if (put(table, line, cells, count, error) != STATUS_OK)
			return error->status;
	}
}

enum status import_csv_read(struct import *import, const char *file, struct error *error)
{
	const struct options *options = import_options(import);
	struct table *table = calloc(1, sizeof *table);
	struct csv *csv;

	if (!table)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	table->import = import;
	table->file = strcmp(file, "-") == 0 ? "standard input" : file;
	error->status = STATUS_OK;
	if ((!options->user ||
	     identifier_set(&table->defaults.user, text_of(options->user), "--user", error) == STATUS_OK) &&
	    identifier_set(&table->defaults.library, text_of(options->library ? options->library : "csv"), "--library",
			   error) == STATUS_OK &&
	    csv_open(file, &csv, error) == STATUS_OK) {
		read_table(table, csv, error);
		csv_close(csv);
	}
	free(table);
	return error->status;
}
