/* CSV as RFC 4180 has it: records of cells, of which a quoted one may hold separators, line ends and doubled quotes. Read are also
 * files whose lines end with LF alone, whose separator is a semicolon or a tab (that of the first record tells), and that begin
 * with a byte order mark. Written are CRLF and commas.
 *
 * A spreadsheet runs a cell that begins like a formula: one that begins with =, +, -, @, their full-width forms, a tab or a line
 * end, also behind blanks and apostrophes. Such a cell is written with an apostrophe before it, and read without it.
 */
#ifndef FOCUSSTATS_TOOL_CSV_H
#define FOCUSSTATS_TOOL_CSV_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

enum {
	CSV_CELLS_MAX = 256,
	CSV_RECORD_MAX_BYTES = 1 << 20, /* of its cells together */
};

/* Append a cell; the first of a record without a separator before it. */
void csv_put(struct buffer *buffer, bool first, struct text cell);
void csv_end_record(struct buffer *buffer);

struct csv;

/* Open a file, "-" for standard input. STATUS_INVALID, with the file's name, where it cannot be read. */
enum status csv_open(const char *file, struct csv **csv, struct error *error);
void csv_close(struct csv *csv);

/* The next record that is not empty: *count cells, which are good until the next call; 0 at the end. *line (from 1) is where it
 * begins. STATUS_INVALID otherwise: with *go_on for what is no record, behind which another call goes on with the next line; without,
 * and with the file's name, where the file cannot be read on. */
enum status csv_next(struct csv *csv, const struct text **cells, size_t *count, uint64_t *line, bool *go_on,
		     struct error *error);

#endif
