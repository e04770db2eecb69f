/* The columns of the CSV that holds sessions, a record each: how they are written, and what is read from them. doc/moving.md is
 * about them.
 */
#ifndef FOCUSSTATS_TOOL_CSV_SESSIONS_H
#define FOCUSSTATS_TOOL_CSV_SESSIONS_H

#include "base/buffer.h"
#include "domain/description.h"
#include "domain/session.h"

/* All columns, in the order in which they are written. */
enum csv_column {
	CSV_USER,
	CSV_SESSION,
	CSV_DOCUMENT,
	CSV_TITLE,
	CSV_AUTHORS,
	CSV_LIBRARY,
	CSV_START,
	CSV_END,
	CSV_SECONDS,
	CSV_PROGRESS,
	CSV_COLUMNS,
};

extern const char *const csv_column_names[CSV_COLUMNS];

/* Append the record of names, and that of a session. description is its document's, or NULL. */
void csv_put_header(struct buffer *buffer);
void csv_put_session(struct buffer *buffer, const struct session *session, const struct description *description);

/* What a record says where it does not say it itself. */
struct csv_defaults {
	struct identifier user; /* size 0: it has to */
	struct identifier library;
};

/* Read a session from the cells of the columns; those of columns that are not there are empty. Without an id it gets one derived from
 * its user, library, document and start (domain/derived.h), in the space eb9a9414-72df-465a-b550-c4f4a162b158. *described tells whether there is
 * a title or an author. STATUS_INVALID, with a text that begins with the column's name, for what is no session. */
enum status csv_read_session(const struct text cells[CSV_COLUMNS], const struct csv_defaults *defaults,
			     struct session *session, struct description *description, bool *described,
			     struct error *error);

#endif
