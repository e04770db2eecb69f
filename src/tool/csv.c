/* Records of cells; see csv.h. */
#include "tool/csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const formulas[] = {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"};

static bool begins_with(struct text text, const char *string)
{
	size_t size = strlen(string);

	return text.data && text.size >= size && text_equal((struct text){text.data, size}, text_of(string));
}

/* Whether a spreadsheet may take it for a formula, or would but for the apostrophes before it. */
static bool is_formula(struct text cell)
{
	while (begins_with(cell, "'") || begins_with(cell, " "))
		cell = (struct text){cell.data + 1, cell.size - 1};
	for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
		if (begins_with(cell, formulas[i]))
			return true;
	return false;
}

static bool needs_quotes(struct text cell)
{
	for (size_t i = 0; i < cell.size; i++)
		if (strchr("\",;\t\r\n", cell.data[i]))
			return true;
	return cell.size > 0 && (cell.data[0] == ' ' || cell.data[cell.size - 1] == ' ');
}

void csv_put(struct buffer *buffer, bool first, struct text cell)
{
	bool quoted = needs_quotes(cell);

	if (!first)
		buffer_append_string(buffer, ",");
	if (quoted)
		buffer_append_string(buffer, "\"");
	if (is_formula(cell))
		buffer_append_string(buffer, "'");
	for (size_t i = 0; i < cell.size; i++) {
		if (cell.data[i] == '"')
			buffer_append_string(buffer, "\"");
		buffer_append(buffer, cell.data + i, 1);
	}
	if (quoted)
		buffer_append_string(buffer, "\"");
}

void csv_end_record(struct buffer *buffer)
{
	buffer_append_string(buffer, "\r\n");
}

struct csv {
	FILE *from;
	const char *name; /* of the file, for people; the caller's */
	uint64_t line;    /* of the next character */
	int separator;    /* 0 until the first record told it */
	bool begun;
	struct buffer record; /* its cells, one behind the other */
	size_t ends[CSV_CELLS_MAX];
	struct text cells[CSV_CELLS_MAX];
	size_t count;
};

enum status csv_open(const char *file, struct csv **csv, struct error *error)
{
	bool standard = strcmp(file, "-") == 0;
	const char *name = standard ? "standard input" : file;
	FILE *from = standard ? stdin : fopen(file, "rbe");
	struct csv *made;

	if (!from)
		return error_set(error, STATUS_INVALID, "%s: %s", name, strerror(errno));
	made = calloc(1, sizeof *made);
	if (!made) {
		if (!standard)
			fclose(from);
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	}
	made->from = from;
	made->name = name;
	made->line = 1;
	*csv = made;
	return STATUS_OK;
}

void csv_close(struct csv *csv)
{
	if (csv->from != stdin)
		fclose(csv->from);
	buffer_release(&csv->record);
	free(csv);
}

/* The next byte, which stays the next. */
static int peek(struct csv *csv)
{
	int c = getc_unlocked(csv->from);

	if (c != EOF)
		ungetc(c, csv->from);
	return c;
}

/* The next byte, with CRLF as one LF. A CR alone is a byte like others. */
static int take(struct csv *csv)
{
	int c = getc_unlocked(csv->from);

	if (c == '\r' && peek(csv) == '\n')
		c = getc_unlocked(csv->from);
	csv->line += c == '\n';
	return c;
}

static bool is_separator(struct csv *csv, int c)
{
	if (csv->separator == 0 && (c == ',' || c == ';' || c == '\t'))
		csv->separator = c;
	return c == csv->separator && c != 0;
}

static bool ends_cell(struct csv *csv, int c)
{
	return c == EOF || c == '\n' || is_separator(csv, c);
}

/* Append a byte; those behind the first CSV_RECORD_MAX_BYTES only count. */
static void keep(struct csv *csv, int c, size_t *size)
{
	char byte = (char)c;

	if (++*size <= CSV_RECORD_MAX_BYTES)
		buffer_append(&csv->record, &byte, 1);
}

/* Read what stands between quotes, the first of which is taken; false where the file ends before the second. A CRLF within stays
 * what it is. */
static bool take_quoted(struct csv *csv, size_t *size)
{
	for (int c = getc_unlocked(csv->from); c != EOF; c = getc_unlocked(csv->from)) {
		if (c == '"') {
			if (peek(csv) != '"')
				return true;
			c = getc_unlocked(csv->from);
		}
		csv->line += c == '\n';
		keep(csv, c, size);
	}
	return false;
}

static void skip_line(struct csv *csv)
{
	int c;

	do
		c = take(csv);
	while (c != EOF && c != '\n');
}

/* What is wrong with a record of so many bytes, whose cell ended with the character c; or NULL. */
static const char *fault_of(struct csv *csv, size_t size)
{
	if (size > CSV_RECORD_MAX_BYTES)
		return "is longer than 1 MiB";
	if (csv->count > CSV_CELLS_MAX)
		return "has more than 256 cells";
	return NULL;
}

/* Read one record, which may be empty. */
static const char *take_record(struct csv *csv, bool *go_on)
{
	size_t size = 0;
	int c;

	csv->count = 0;
	csv->record.size = 0;
	*go_on = true;
	do {
		c = take(csv);
		if (c == '"') {
			if (!take_quoted(csv, &size)) {
				*go_on = false;
				return "has a quote (\") that is not closed before the end of the file";
			}
			c = take(csv);
			if (!ends_cell(csv, c)) {
				skip_line(csv);
				return "has something behind a closing quote; a quote within a cell has to be doubled";
			}
		} else {
			for (; !ends_cell(csv, c); c = take(csv))
				keep(csv, c, &size);
		}
		if (csv->count < CSV_CELLS_MAX)
			csv->ends[csv->count] = csv->record.size;
		csv->count++;
	} while (c != EOF && c != '\n');
	return fault_of(csv, size);
}

static void cut_cells(struct csv *csv)
{
	size_t begin = 0;

	for (size_t i = 0; i < csv->count; i++) {
		struct text cell = {csv->record.data + begin, csv->ends[i] - begin};
		if (begins_with(cell, "'") && is_formula(cell))
			cell = (struct text){cell.data + 1, cell.size - 1};
		csv->cells[i] = cell;
		begin = csv->ends[i];
	}
}

/* U+FEFF in UTF-8; of UTF-16, which spreadsheets write as "Unicode text", it is told that it is none. */
static enum status take_mark(struct csv *csv, struct error *error)
{
	static const char mark[] = "\xEF\xBB\xBF";
	int c = peek(csv);

	csv->begun = true;
	if (c == 0xFF || c == 0xFE)
		return error_set(error, STATUS_INVALID, "%s: is UTF-16: save it as UTF-8", csv->name);
	if (c != (unsigned char)mark[0])
		return STATUS_OK;
	for (size_t i = 0; i < sizeof mark - 1; i++)
		if (getc_unlocked(csv->from) != (unsigned char)mark[i])
			return error_set(error, STATUS_INVALID, "%s: is not UTF-8", csv->name);
	return STATUS_OK;
}

enum status csv_next(struct csv *csv, const struct text **cells, size_t *count, uint64_t *line, bool *go_on,
		     struct error *error)
{
	const char *fault;

	*line = csv->line;
	*go_on = false;
	if (!csv->begun && take_mark(csv, error) != STATUS_OK)
		return error->status;
	do {
		*line = csv->line;
		*count = 0;
		if (peek(csv) == EOF && !ferror(csv->from))
			return STATUS_OK;
		fault = take_record(csv, go_on);
		if (ferror(csv->from)) {
			*go_on = false;
			return error_set(error, STATUS_INVALID, "%s: reading: %s", csv->name, strerror(errno));
		}
	} while (!fault && csv->record.size == 0);
	if (fault && !*go_on)
		return error_set(error, STATUS_INVALID, "%s:%llu: the record %s", csv->name, (unsigned long long)*line,
				 fault);
	if (fault)
		return error_set(error, STATUS_INVALID, "the record %s", fault);
	if (buffer_failed(&csv->record)) {
		*go_on = false;
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	}
	cut_cells(csv);
	*cells = csv->cells;
	*count = csv->count;
	return STATUS_OK;
}
