/* SQLite databases of other programs, read without being touched: neither the file nor its folder is written to, whatever
 * state the other program left them in. What that had not moved into the file yet (FILE-wal) is carried out in a copy, in a folder of
 * its own in $TMPDIR or /tmp, which is gone when foreign_open returns. A write that was cut off (FILE-journal) is refused.
 */
#ifndef FOCUSSTATS_TOOL_FOREIGN_H
#define FOCUSSTATS_TOOL_FOREIGN_H

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { FOREIGN_FILES = 3 };

/* A file as it was when it was looked at. */
struct foreign_stamp {
	bool there;
	int64_t size, changed_ns;
};

struct foreign {
	const char *file; /* its name, as the caller wrote it: the caller's */
	char *path;       /* without symbolic links */
	sqlite3 *database;
	struct foreign_stamp
		stamps[FOREIGN_FILES]; /* of the file, its -wal and its -journal, before anything was read */
	int64_t size;                  /* in bytes, of what is open */
	bool copied;
};

/* Open a file, and check that all its pages hold together. STATUS_INVALID, with a text that begins with the file's name, for
 * what is no whole SQLite database or cannot be read; STATUS_UNAVAILABLE where it cannot be copied. */
enum status foreign_open(struct foreign *foreign, const char *file, struct error *error);
void foreign_close(struct foreign *foreign);

/* Check, when all is read, that nobody wrote to the file meanwhile. Otherwise STATUS_UNAVAILABLE: what was read may be torn. */
enum status foreign_check(const struct foreign *foreign, struct error *error);

/* Prepare a statement, the caller's (sqlite3_finalize). STATUS_INVALID where the database has no such tables or columns. */
enum status foreign_prepare(const struct foreign *foreign, const char *sql, sqlite3_stmt **statement,
			    struct error *error);

/* The next row of a statement; *row is false behind the last one. */
enum status foreign_step(const struct foreign *foreign, sqlite3_stmt *statement, bool *row, struct error *error);

/* The first column of a query's first row, as a number. */
enum status foreign_number(const struct foreign *foreign, const char *sql, int64_t *number, struct error *error);

#endif
