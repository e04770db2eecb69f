/* Import of KOReader's statistics.sqlite3: page_stat_data has a row for each time that a page was open, book what the documents are
 * called (plugins/statistics.koplugin/main.lua of KOReader, createDB). Its view page_stat and its totals are not read:
 * they are reckoned from the same rows, rounded.
 *
 * A document is what has the same checksum (book.md5), whatever it was called when it was read: KOReader makes another book of
 * it when its title or authors change. All rows come sorted by document and time, so that nothing is kept but the
 * session that goes on. */
#include "tool/import_koreader.h"

#include "base/clock.h"
#include "domain/derived.h"
#include "domain/instant.h"
#include "domain/pages.h"
#include "tool/foreign.h"
#include "tool/naming.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	SCHEMA_OLDEST = 20201010, /* the first one with page_stat_data */
	SCHEMA_NEWEST = 20221111,
	NAME_MAX_BYTES = 4096,  /* of title and authors together, where the id of a document is made of them */
	VALUE_SHOWN_BYTES = 40, /* of a value that is refused */
	SECOND_MS = 1000,
};

/* The space of names for derived_uuid: sessions of (user, library, document, start_time), documents of (title, authors). */
static const struct uuid space = {
	{0x5D, 0x0F, 0x9B, 0x52, 0x7A, 0x0E, 0x4C, 0x39, 0x9C, 0x3E, 0x64, 0x11, 0xA8, 0xD2, 0x57, 0xE6}};

/* Rows of page_stat_data with the document that each is of, NULL where it has none. */
static const char pages_sql[] =
	"SELECT p.rowid, document_id(b.md5, b.title, b.authors) AS document, p.id_book, p.start_time,"
	" p.duration, p.page, p.total_pages, b.id"
	" FROM page_stat_data AS p LEFT JOIN book AS b ON b.id = p.id_book"
	" ORDER BY document, p.start_time, p.duration, p.rowid";
enum { ROW_ID, ROW_DOCUMENT, ROW_BOOK, ROW_START, ROW_DURATION, ROW_PAGE, ROW_PAGES, ROW_BOOK_FOUND };

static const char book_sql[] = "SELECT title, authors FROM book WHERE id = ?";

/* What is being read. */
struct statistics {
	struct import *import;
	struct foreign foreign;
	sqlite3_stmt *pages, *book;
	int64_t gap_ms, shift_s, now_ms;
	struct session session; /* the one that goes on; its document is of size 0 while there is none */
	int64_t start_s;        /* its start_time, as the file has it */
	import_place place;     /* its first row */
	int64_t last_book;      /* of its last row */
};

/* What a value has, in UTF-8; nothing for NULL. */
static struct text value_text(sqlite3_value *value)
{
	const unsigned char *data = sqlite3_value_text(value);

	return data ? (struct text){(const char *)data, (size_t)sqlite3_value_bytes(value)} : (struct text){"", 0};
}

static struct text column_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *data = sqlite3_column_text(statement, column);

	return data ? (struct text){(const char *)data, (size_t)sqlite3_column_bytes(statement, column)}
		    : (struct text){"", 0};
}

/* document_id(md5, title, authors): the checksum; where there is none, as of books from before KOReader had it, an id derived from
 * what the book is called; NULL where it is called nothing. */
static void document_id(sqlite3_context *context, int count, sqlite3_value **values)
{
	char title[NAME_MAX_BYTES], authors[NAME_MAX_BYTES], id[IDENTIFIER_MAX_BYTES];

	(void)count;
	size_t size = naming_clean(value_text(values[0]), id, sizeof id);
	if (size > 0) {
		sqlite3_result_text(context, id, (int)size, SQLITE_TRANSIENT);
		return;
	}
	struct text names[] = {
		{title, naming_clean(value_text(values[1]), title, sizeof title)},
		{authors, naming_clean(value_text(values[2]), authors, sizeof authors)},
	};
	if (names[0].size == 0)
		return;
	struct uuid uuid = derived_uuid(&space, names, 2);
	uuid_format(&uuid, id);
	sqlite3_result_text(context, id, UUID_TEXT_SIZE, SQLITE_TRANSIENT);
}

/* Whether the file is KOReader's, and of a schema that is known here. */
static enum status check_schema(const struct foreign *foreign, struct error *error)
{
	static const char books[] = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'book'",
			  pages[] =
				  "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'page_stat_data'";
	int64_t has_books = 0, has_pages = 0, schema = 0;

	if (foreign_number(foreign, books, &has_books, error) != STATUS_OK ||
	    foreign_number(foreign, pages, &has_pages, error) != STATUS_OK ||
	    foreign_number(foreign, "PRAGMA user_version", &schema, error) != STATUS_OK)
		return error->status;
	if (has_books && schema < SCHEMA_OLDEST)
		return error_set(error, STATUS_INVALID,
				 "%s: has schema %lld of KOReader's statistics, and %d to %d can be read: "
				 "open it with a newer KOReader once, which brings it up",
				 foreign->file, (long long)schema, SCHEMA_OLDEST, SCHEMA_NEWEST);
	if (has_books && has_pages && schema > SCHEMA_NEWEST)
		return error_set(error, STATUS_INVALID,
				 "%s: has schema %lld of KOReader's statistics, and %d to %d can be read: "
				 "it is of a KOReader that is newer than this program",
				 foreign->file, (long long)schema, SCHEMA_OLDEST, SCHEMA_NEWEST);
	if (!has_books || !has_pages)
		return error_set(error, STATUS_INVALID, "%s: is not KOReader's statistics: there is no table %s",
				 foreign->file, has_books ? "page_stat_data" : "book");
	return STATUS_OK;
}

/* ---- one row ---- */

static void refuse(struct statistics *statistics, const char *name, int column, const char *why)
{
	char value[VALUE_SHOWN_BYTES + 1], reason[2 * VALUE_SHOWN_BYTES + 80];
	struct text found = {"NULL", 4};

	if (sqlite3_column_type(statistics->pages, column) != SQLITE_NULL)
		found = column_text(statistics->pages, column);
	value[naming_clean(found, value, VALUE_SHOWN_BYTES)] = '\0';
	snprintf(reason, sizeof reason, "%s: %s %s", name, value, why);
	import_refuse(statistics->import, (import_place)sqlite3_column_int64(statistics->pages, ROW_ID), reason);
}

/* A column that has a whole number from 0 on; -1, and refused, for anything else. */
static int64_t number_of(struct statistics *statistics, const char *name, int column)
{
	int64_t number = sqlite3_column_int64(statistics->pages, column);

	if (sqlite3_column_type(statistics->pages, column) == SQLITE_INTEGER && number >= 0 &&
	    number <= INSTANT_MAX_MS / SECOND_MS)
		return number;
	refuse(statistics, name, column, "is no number from 0 on that can be");
	return -1;
}

/* The row as a page. False, and refused, where it is none. */
static bool read_page(struct statistics *statistics, struct page *page)
{
	int64_t start_s, duration_s;

	if ((start_s = number_of(statistics, "start_time", ROW_START)) < 0 ||
	    (duration_s = number_of(statistics, "duration", ROW_DURATION)) < 0 ||
	    (page->number = number_of(statistics, "page", ROW_PAGE)) < 0 ||
	    (page->count = number_of(statistics, "total_pages", ROW_PAGES)) < 0)
		return false;
	page->start_ms = (start_s + statistics->shift_s) * SECOND_MS;
	page->end_ms = page->start_ms + duration_s * SECOND_MS;
	if (page->start_ms < 0) {
		refuse(statistics, "start_time", ROW_START, "is, with the shift, before 1970");
		return false;
	}
	if (page->end_ms > statistics->now_ms + SESSION_AHEAD_MAX_MS) {
		refuse(statistics, "start_time", ROW_START,
		       "is, with duration and shift, more than 5 minutes in the future");
		return false;
	}
	return true;
}

/* ---- sessions and documents ---- */

static enum status put_session(struct statistics *statistics, struct error *error)
{
	struct session *session = &statistics->session;
	char start[24];
	int size = snprintf(start, sizeof start, "%" PRId64, statistics->start_s);
	const struct text names[] = {identifier_text(&session->user),
				     identifier_text(&session->library),
				     identifier_text(&session->document),
				     {start, (size_t)size}};

	session->id = derived_uuid(&space, names, sizeof names / sizeof names[0]);
	return import_put_session(statistics->import, statistics->place, session, IMPORT_GROWS, error);
}

/* Describe the document that was read as the book that was read last. */
static enum status put_document(struct statistics *statistics, struct error *error)
{
	struct description description = {.title_size = 0};
	const struct session *session = &statistics->session;
	bool row = false;

	sqlite3_reset(statistics->book);
	sqlite3_bind_int64(statistics->book, 1, statistics->last_book);
	if (foreign_step(&statistics->foreign, statistics->book, &row, error) != STATUS_OK || !row)
		return error->status;
	naming_set_title(&description, column_text(statistics->book, 0));
	/* One author a line. */
	for (struct text rest = column_text(statistics->book, 1); rest.data;)
		naming_add_author(&description, text_split(rest, '\n', &rest));
	if (description.title_size == 0 && description.author_count == 0)
		return STATUS_OK;
	return import_put_document(statistics->import, statistics->place, &session->user, &session->document,
				   &description, error);
}

/* Hand over the session that went on, and its document unless the next row is of the same. */
static enum status finish(struct statistics *statistics, bool same_document, struct error *error)
{
	if (statistics->session.document.size == 0)
		return STATUS_OK;
	if (put_session(statistics, error) == STATUS_OK && !same_document)
		put_document(statistics, error);
	return error->status;
}

static enum status take_page(struct statistics *statistics, const struct page *page, struct error *error)
{
	sqlite3_stmt *row = statistics->pages;
	struct session *session = &statistics->session;
	const struct text id = column_text(row, ROW_DOCUMENT);
	bool same = text_equal(id, identifier_text(&session->document));

	if (!same || !pages_join(&session->facts, page, statistics->gap_ms)) {
		if (finish(statistics, same, error) != STATUS_OK ||
		    identifier_set(&session->document, id, "md5", error) != STATUS_OK)
			return error->status;
		pages_begin(&session->facts, page);
		statistics->start_s = sqlite3_column_int64(row, ROW_START);
		statistics->place = (import_place)sqlite3_column_int64(row, ROW_ID);
	}
	statistics->last_book = sqlite3_column_int64(row, ROW_BOOK);
	return STATUS_OK;
}

static enum status read_pages(struct statistics *statistics, struct error *error)
{
	struct page page;
	bool row = true;

	while (foreign_step(&statistics->foreign, statistics->pages, &row, error) == STATUS_OK && row) {
		if (sqlite3_column_type(statistics->pages, ROW_BOOK_FOUND) == SQLITE_NULL)
			refuse(statistics, "id_book", ROW_BOOK, "is no book");
		else if (sqlite3_column_type(statistics->pages, ROW_DOCUMENT) == SQLITE_NULL)
			refuse(statistics, "id_book", ROW_BOOK, "is a book without checksum and title");
		else if (read_page(statistics, &page) && take_page(statistics, &page, error) != STATUS_OK)
			break;
	}
	return error->status == STATUS_OK ? finish(statistics, false, error) : error->status;
}

enum status import_koreader_read(struct import *import, const char *file, struct error *error)
{
	const struct options *options = import_options(import);
	struct statistics statistics = {
		.import = import,
		.gap_ms = options->gap_seconds * SECOND_MS,
		.shift_s = options->shift_seconds,
		.now_ms = clock_wall_ms(),
	};
	struct foreign *foreign = &statistics.foreign;

	if (identifier_set(&statistics.session.user, text_of(options->user), "--user", error) != STATUS_OK ||
	    identifier_set(&statistics.session.library, text_of(options->library ? options->library : "koreader"),
			   "--library", error) != STATUS_OK ||
	    foreign_open(foreign, file, error) != STATUS_OK)
		return error->status;
	if (check_schema(foreign, error) != STATUS_OK)
		goto out;
	if (sqlite3_create_function(foreign->database, "document_id", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
				    document_id, NULL, NULL) != SQLITE_OK) {
		error_set(error, STATUS_UNAVAILABLE, "out of memory");
		goto out;
	}
	if (foreign_prepare(foreign, pages_sql, &statistics.pages, error) == STATUS_OK &&
	    foreign_prepare(foreign, book_sql, &statistics.book, error) == STATUS_OK &&
	    read_pages(&statistics, error) == STATUS_OK)
		foreign_check(foreign, error);
	sqlite3_finalize(statistics.pages);
	sqlite3_finalize(statistics.book);
out:
	foreign_close(foreign);
	return error->status;
}
