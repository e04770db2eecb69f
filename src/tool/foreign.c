/* Other programs' SQLite databases; see foreign.h.
 *
 * A database is opened as immutable (https://www.sqlite.org/uri.html, "immutable"): SQLite then takes no locks and makes no -shm,
 * but does not look at a -wal or a -journal either. Where a -wal holds something, both are copied and opened for writing, so that
 * SQLite recovers them, and then the one file that is left is opened as immutable too. */
#include "tool/foreign.h"

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	COPY_BYTES = 1 << 16,
	VALUE_MAX_BYTES = 1 << 24, /* of one value or row: larger ones are no reader's names and numbers */
};

static const char *const suffixes[FOREIGN_FILES] = {"", "-wal", "-journal"};

/* A file's name with something behind it, the caller's; NULL where memory runs out. */
static char *joined(const char *name, const char *suffix)
{
	char *path = NULL;

	return asprintf(&path, "%s%s", name, suffix) < 0 ? NULL : path;
}

static enum status out_of_memory(struct error *error)
{
	return error_set(error, STATUS_UNAVAILABLE, "out of memory");
}

/* ---- the files ---- */

static enum status look_at(const struct foreign *foreign, struct foreign_stamp stamps[FOREIGN_FILES],
			   struct error *error)
{
	struct stat info;

	for (size_t i = 0; i < FOREIGN_FILES; i++) {
		char *path = joined(foreign->path, suffixes[i]);
		if (!path)
			return out_of_memory(error);
		stamps[i] = (struct foreign_stamp){.there = stat(path, &info) == 0};
		free(path);
		if (!stamps[i].there)
			continue;
		stamps[i].size = info.st_size;
		stamps[i].changed_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
	}
	return STATUS_OK;
}

/* Whether the file alone does not hold what was written last. */
static bool is_unfinished(const struct foreign *foreign)
{
	return foreign->stamps[1].size > 0;
}

/* A write that was cut off has left a journal that begins so (https://www.sqlite.org/fileformat.html, 3). It is not taken back here:
 * a journal may name another file, anywhere, that SQLite removes when it is done with it. */
static enum status check_journal(const struct foreign *foreign, struct error *error)
{
	static const uint8_t magic[] = {0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7};
	char *path = joined(foreign->path, suffixes[2]);
	uint8_t head[sizeof magic] = {0};
	ssize_t size = 0;

	if (!path)
		return out_of_memory(error);
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file >= 0) {
		size = read(file, head, sizeof head);
		close(file);
	}
	free(path);
	if (size != (ssize_t)sizeof head || memcmp(head, magic, sizeof magic) != 0)
		return STATUS_OK;
	return error_set(error, STATUS_INVALID,
			 "%s: a write to it was cut off, or goes on (%s%s): let the program that writes it open and "
			 "close it, and import it then",
			 foreign->file, foreign->file, suffixes[2]);
}

static enum status changed(const struct foreign *foreign, struct error *error)
{
	struct foreign_stamp now[FOREIGN_FILES] = {{.there = false}};

	if (look_at(foreign, now, error) != STATUS_OK)
		return error->status;
	for (size_t i = 0; i < FOREIGN_FILES; i++)
		if (now[i].there != foreign->stamps[i].there || now[i].size != foreign->stamps[i].size ||
		    now[i].changed_ns != foreign->stamps[i].changed_ns)
			return error_set(error, STATUS_UNAVAILABLE,
					 "%s: changed while it was read: close the program that writes to it, and "
					 "import it again",
					 foreign->file);
	return STATUS_OK;
}

/* A database begins with its name (https://www.sqlite.org/fileformat.html, 1.3.1); an encrypted one does not. */
static enum status check_head(struct foreign *foreign, struct error *error)
{
	static const char magic[16] = "SQLite format 3";
	char head[sizeof magic];
	struct stat info;
	ssize_t size = 0;

	foreign->path = realpath(foreign->file, NULL);
	/* Without waiting, should it be a pipe that nobody writes to. */
	int file = foreign->path ? open(foreign->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (file < 0 || fstat(file, &info) != 0 ||
	    (S_ISREG(info.st_mode) && (size = read(file, head, sizeof head)) < 0))
		error_set(error, STATUS_INVALID, "%s: cannot be read: %s", foreign->file, strerror(errno));
	else if (!S_ISREG(info.st_mode))
		error_set(error, STATUS_INVALID, "%s: is %s, not a file", foreign->file,
			  S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
	else if (size != (ssize_t)sizeof head || memcmp(head, magic, sizeof magic) != 0)
		error_set(error, STATUS_INVALID, "%s: is not an SQLite database, or an encrypted one", foreign->file);
	if (file >= 0)
		close(file);
	return error->status;
}

/* ---- what SQLite says ---- */

static enum status failed(const struct foreign *foreign, sqlite3 *database, int result, struct error *error)
{
	const char *why = database ? sqlite3_errmsg(database) : sqlite3_errstr(result);

	switch (result & 0xFF) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(error, STATUS_INVALID, "%s: is damaged: %s", foreign->file, why);
	case SQLITE_NOMEM:
		return out_of_memory(error);
	case SQLITE_FULL:
		return error_set(error, STATUS_UNAVAILABLE, "%s: no space for temporary files: %s", foreign->file, why);
	default:
		return error_set(error, STATUS_INVALID, "%s: cannot be read: %s", foreign->file, why);
	}
}

enum status foreign_prepare(const struct foreign *foreign, const char *sql, sqlite3_stmt **statement,
			    struct error *error)
{
	sqlite3_stmt *prepared = NULL;
	int result = sqlite3_prepare_v2(foreign->database, sql, -1, &prepared, NULL);

	if (result == SQLITE_OK)
		*statement = prepared;
	else
		failed(foreign, foreign->database, result, error);
	return error->status;
}

enum status foreign_step(const struct foreign *foreign, sqlite3_stmt *statement, bool *row, struct error *error)
{
	int result = sqlite3_step(statement);

	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return failed(foreign, foreign->database, result, error);
	*row = result == SQLITE_ROW;
	return STATUS_OK;
}

enum status foreign_number(const struct foreign *foreign, const char *sql, int64_t *number, struct error *error)
{
	sqlite3_stmt *statement = NULL;
	bool row = false;

	if (foreign_prepare(foreign, sql, &statement, error) == STATUS_OK &&
	    foreign_step(foreign, statement, &row, error) == STATUS_OK)
		*number = row ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return error->status;
}

/* Whether all pages are there and hold together: nothing of a damaged file is to be stored, not even what could be read. */
static enum status check_pages(const struct foreign *foreign, struct error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t pages = 0, page_bytes = 0;
	bool row = false;

	/* Of a last page that is there in part SQLite takes the rest to be zeros. */
	if (foreign_number(foreign, "PRAGMA page_count", &pages, error) != STATUS_OK ||
	    foreign_number(foreign, "PRAGMA page_size", &page_bytes, error) != STATUS_OK)
		return error->status;
	if (foreign->size < pages * page_bytes)
		return error_set(error, STATUS_INVALID, "%s: is damaged: its end is missing", foreign->file);
	if (foreign_prepare(foreign, "PRAGMA quick_check(1)", &statement, error) == STATUS_OK &&
	    foreign_step(foreign, statement, &row, error) == STATUS_OK && row) {
		const char *found = (const char *)sqlite3_column_text(statement, 0);
		if (!found || strcmp(found, "ok") != 0)
			error_set(error, STATUS_INVALID, "%s: is damaged: %s", foreign->file, found ? found : "");
	}
	sqlite3_finalize(statement);
	return error->status;
}

/* ---- opening ---- */

/* The URI of a path (RFC 3986, 2.1: what could mean something in it is percent-encoded). */
static void append_uri(struct buffer *uri, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

	buffer_append_string(uri, "file:");
	for (; *path; path++) {
		if (strchr(plain, *path))
			buffer_append(uri, path, 1);
		else
			buffer_append_format(uri, "%%%02X", (unsigned)(unsigned char)*path);
	}
	buffer_append(uri, "?immutable=1", sizeof "?immutable=1"); /* its NUL, too */
}

static enum status open_immutable(struct foreign *foreign, const char *path, struct error *error)
{
	struct buffer uri = BUFFER_INIT;
	int result = SQLITE_NOMEM;
	struct stat info;

	if (stat(path, &info) != 0)
		return error_set(error, STATUS_INVALID, "%s: cannot be read: %s", foreign->file, strerror(errno));
	foreign->size = info.st_size;
	append_uri(&uri, path);
	if (!buffer_failed(&uri))
		result = sqlite3_open_v2(uri.data, &foreign->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	buffer_release(&uri);
	if (result != SQLITE_OK)
		return failed(foreign, foreign->database, result, error);
	/* What the file brings along, views and triggers, is not to do anything here. */
	sqlite3_db_config(foreign->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(foreign->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(foreign->database, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
	return STATUS_OK;
}

/* ---- the copy ---- */

static enum status copy_file(const struct foreign *foreign, const char *from, const char *to, struct error *error)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	char *bytes = malloc(COPY_BYTES);
	ssize_t size = -1;

	if (in < 0)
		error_set(error, STATUS_INVALID, "%s: cannot be read: %s", from, strerror(errno));
	else if (!bytes)
		out_of_memory(error);
	else if ((out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)) < 0)
		error_set(error, STATUS_UNAVAILABLE, "%s: cannot be copied to %s: %s", foreign->file, to,
			  strerror(errno));
	while (error->status == STATUS_OK && (size = read(in, bytes, COPY_BYTES)) > 0) {
		for (ssize_t done = 0, step; done < size && error->status == STATUS_OK; done += step)
			if ((step = write(out, bytes + done, (size_t)(size - done))) < 0)
				error_set(error, STATUS_UNAVAILABLE, "%s: cannot be copied to %s: %s", foreign->file,
					  to, strerror(errno));
	}
	if (error->status == STATUS_OK && size < 0)
		error_set(error, STATUS_INVALID, "%s: cannot be read: %s", from, strerror(errno));
	free(bytes);
	if (out >= 0)
		close(out);
	if (in >= 0)
		close(in);
	return error->status;
}

/* Let SQLite carry out what is in the -wal, which the first read does: with journal_mode DELETE one file is
 * left. */
static enum status settle_copy(const struct foreign *foreign, const char *path, struct error *error)
{
	sqlite3 *database = NULL;
	int result = sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL);

	if (result == SQLITE_OK) {
		sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		result = sqlite3_exec(database, "SELECT count(*) FROM sqlite_master; PRAGMA journal_mode=DELETE", NULL,
				      NULL, NULL);
	}
	if (result != SQLITE_OK)
		failed(foreign, database, result, error);
	sqlite3_close(database);
	return error->status;
}

/* Copy file and -wal to `copy`, and open it. */
static enum status open_copy_at(struct foreign *foreign, const char *copy, struct error *error)
{
	for (size_t i = 0; i < 2 && error->status == STATUS_OK; i++) {
		char *from = joined(foreign->path, suffixes[i]), *to = joined(copy, suffixes[i]);
		if (!from || !to)
			out_of_memory(error);
		else if (foreign->stamps[i].size > 0)
			copy_file(foreign, from, to, error);
		free(from);
		free(to);
	}
	if (error->status != STATUS_OK || changed(foreign, error) != STATUS_OK ||
	    settle_copy(foreign, copy, error) != STATUS_OK)
		return error->status;
	foreign->copied = true;
	return open_immutable(foreign, copy, error);
}

/* Remove what is at `copy`: SQLite has it open, and nobody needs its name. */
static void remove_copy(const char *folder, const char *copy)
{
	for (size_t i = 0; i < FOREIGN_FILES; i++) {
		char *path = joined(copy, suffixes[i]);
		if (path)
			unlink(path);
		free(path);
	}
	rmdir(folder);
}

static enum status open_copy(struct foreign *foreign, struct error *error)
{
	const char *place = getenv("TMPDIR");
	char *folder = joined(place && *place ? place : "/tmp", "/focusstats-XXXXXX"), *copy = NULL;

	if (!folder) {
		out_of_memory(error);
	} else if (!mkdtemp(folder)) {
		error_set(error, STATUS_UNAVAILABLE, "%s: cannot be copied to %s: %s", foreign->file, folder,
			  strerror(errno));
	} else if (!(copy = joined(folder, "/copy"))) {
		rmdir(folder);
		out_of_memory(error);
	} else {
		open_copy_at(foreign, copy, error);
		remove_copy(folder, copy);
	}
	free(copy);
	free(folder);
	return error->status;
}

enum status foreign_open(struct foreign *foreign, const char *file, struct error *error)
{
	*foreign = (struct foreign){.file = file};
	error->status = STATUS_OK;
	if (strcmp(file, "-") == 0)
		return error_set(error, STATUS_INVALID, "-: a database is read from a file, not from standard input");
	if (check_head(foreign, error) != STATUS_OK || look_at(foreign, foreign->stamps, error) != STATUS_OK ||
	    check_journal(foreign, error) != STATUS_OK)
		goto out;
	if (is_unfinished(foreign))
		open_copy(foreign, error);
	else
		open_immutable(foreign, foreign->path, error);
	if (error->status == STATUS_OK)
		check_pages(foreign, error);
out:
	if (error->status != STATUS_OK)
		foreign_close(foreign);
	return error->status;
}

void foreign_close(struct foreign *foreign)
{
	sqlite3_close(foreign->database);
	free(foreign->path);
	*foreign = (struct foreign){.file = NULL};
}

enum status foreign_check(const struct foreign *foreign, struct error *error)
{
	/* A copy was compared when it was made, and is nobody else's. */
	return foreign->copied ? STATUS_OK : changed(foreign, error);
}
