/* The statistics as questions to SQLite; see questions.h.
 *
 * SQLite has every index that it can use, its statements are prepared, and it takes no JSON apart and makes none: the rows are
 * fetched and that is all. The union of sessions that overlap is one window function: a session is new from the latest end
 * of all before it. Days are those of UTC. Settings, signs of life and heartbeats that stopped are left out of its work. */
#include "questions.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define USER "(SELECT id FROM users WHERE name = :user)"
#define DAY "86400000"

/* The sessions: their starts a and ends b, cut at the range, and documents d. */
#define ALL \
	"s AS (SELECT start, start a, end b, document d, progress FROM sessions INDEXED BY by_time WHERE user = " USER \
	" AND end IS NOT NULL)"
#define SOME \
	"s AS (SELECT start, max(start, :from) a, min(end, :to) b, document d, progress FROM sessions INDEXED BY " \
	"by_time WHERE user = " USER \
	" AND start > :from - (SELECT longest FROM users WHERE name = :user) AND start < :to AND end > :from)"

#define LATEST_END "coalesce(max(b) OVER (ORDER BY start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"

#define SUMMARY(source) \
	"WITH " source " SELECT sum(max(b - max(a, f), 0)), sum(b - a), count(*), count(DISTINCT d)," \
	" sum(max((b - 1) / " DAY " - max(a / " DAY " - 1, (f - 1) / " DAY "), 0)), max(b - a), min(a), max(b)" \
	" FROM (SELECT a, b, d, " LATEST_END " f FROM s)"

/* Pieces of the sessions, each in one period of `length`, which begin `offset` after 1970: the period, the time that is new, the document. */
#define PIECES(source, length, offset) \
	"WITH RECURSIVE " source ", w AS MATERIALIZED (SELECT a + " offset " a, b + " offset \
	" b, d, max(a, " LATEST_END ") + " offset " f FROM s)," \
	" spill(p, b, d, f) AS (SELECT a / " length " + 1, b, d, f FROM w WHERE b > (a / " length " + 1) * " length \
	" UNION ALL SELECT p + 1, b, d, f FROM spill WHERE b > (p + 1) * " length ")," \
	" pieces AS (SELECT a / " length " p, max(min(b, (a / " length " + 1) * " length ") - f, 0) ms, d, 1 n FROM w" \
	" UNION ALL SELECT p, max(min(b, (p + 1) * " length ") - max(f, p * " length \
	"), 0), d, strftime('%d', p * 86400, 'unixepoch') = '01' FROM spill)"

#define PERIODS(source, length, offset) \
	PIECES(source, length, offset) \
	" SELECT p, sum(ms), count(*), count(DISTINCT d) FROM pieces GROUP BY p ORDER BY p"
#define MONTHS(source) \
	PIECES(source, DAY, "0") \
	", q AS (SELECT p, d, sum(ms) ms, sum(n) n FROM pieces GROUP BY p, d)" \
	" SELECT strftime('%Y-%m', p * 86400, 'unixepoch') month, sum(ms), sum(n), count(DISTINCT d) FROM q GROUP BY " \
	"month ORDER BY month"

#define HOURS(source) \
	"WITH " source ", w AS (SELECT a, b, max(a, " LATEST_END ") f FROM s)" \
	" SELECT (f / 3600000 + k + 72) % 168 h, sum(min(b, (f / 3600000 + k + 1) * 3600000) - max(f, (f / 3600000 + " \
	"k) * 3600000))" \
	" FROM w JOIN numbers ON k <= (b - 1) / 3600000 - f / 3600000 WHERE b > f GROUP BY h ORDER BY h"

/* What is left of a document is at the pace of those sessions that went beyond the report before. */
#define DOCUMENTS(source) \
	"WITH " source \
	", w AS (SELECT a, b, d, coalesce(max(b) OVER (PARTITION BY d ORDER BY start ROWS BETWEEN UNBOUNDED PRECEDING" \
	" AND 1 PRECEDING), 0) f FROM s)," \
	" t AS (SELECT d, sum(max(b - max(a, f), 0)) ms, count(*) n, min(a) first, max(b) last," \
	" sum(max((b - 1) / " DAY " - max(a / " DAY " - 1, (f - 1) / " DAY "), 0)) days FROM w GROUP BY d)," \
	" r AS (SELECT d, sum(ms) FILTER (WHERE progress > before) paced, sum(progress - before) FILTER (WHERE " \
	"progress > before) made" \
	" FROM (SELECT d, b - a ms, progress, lag(progress) OVER (PARTITION BY d ORDER BY start) before FROM s WHERE " \
	"progress IS NOT NULL) GROUP BY d)" \
	" SELECT name, title, authors, ms, n, days, first, last, latest, CASE WHEN latest >= 1 THEN 0 ELSE paced / " \
	"made * (1 - latest) END FROM (" \
	"SELECT name, title, authors, ms, n, days, first, last, CAST(paced AS REAL) paced, made, (SELECT progress " \
	"FROM sessions INDEXED BY reports" \
	" WHERE user = " USER " AND document = t.d AND progress IS NOT NULL ORDER BY start DESC LIMIT 1) latest" \
	" FROM t JOIN documents ON id = t.d LEFT JOIN r ON r.d = t.d) ORDER BY ms DESC, name"

#define ALL_BY_DOCUMENT \
	"s AS (SELECT start, start a, end b, document d, progress FROM sessions INDEXED BY by_document WHERE user " \
	"= " USER " AND end IS NOT NULL)"

/* Islands of days that are in a row. */
#define ISLANDS \
	"SELECT count(*), min(p), max(p) FROM (SELECT p, p - row_number() OVER (ORDER BY p) g FROM days) GROUP BY g " \
	"ORDER BY 2"
#define STREAKS(source) \
	"WITH RECURSIVE " source ", spill(p, b) AS (SELECT a / " DAY " + 1, b FROM s WHERE b > (a / " DAY \
	" + 1) * " DAY " UNION ALL SELECT p + 1, b FROM spill WHERE b > (p + 1) * " DAY ")," \
	" days AS (SELECT a / " DAY " p FROM s UNION SELECT p FROM spill) " ISLANDS
#define GOAL \
	PIECES(ALL, DAY, "0") \
	", days AS (SELECT p FROM pieces GROUP BY p HAVING sum(ms) >= (SELECT goal FROM users WHERE name = " \
	":user)) " ISLANDS

#define LISTED \
	"SELECT uuid, name, library, start, end, seen, progress FROM sessions INDEXED BY listing JOIN documents ON " \
	"id = document WHERE sessions.user = " USER

const struct question questions[] = {
	{"_getSummary", "_getSummary", "", SUMMARY(ALL)},
	{"_getPeriods day", "_getPeriods", ",\"unit\":\"day\"", PERIODS(ALL, DAY, "0")},
	{"_getPeriods week", "_getPeriods", ",\"unit\":\"week\"", PERIODS(ALL, "604800000", "259200000")},
	{"_getPeriods month", "_getPeriods", ",\"unit\":\"month\"", MONTHS(ALL)},
	{"_getHours", "_getHours", "", HOURS(ALL)},
	{"_getDocuments", "_getDocuments", "", DOCUMENTS(ALL_BY_DOCUMENT)},
	{"_getStreaks", "_getStreaks", "", STREAKS(ALL)},
	{"_getGoal", "_getGoal", "", GOAL},
	{"_viewStats", "_viewStats", "",
	 "SELECT uuid FROM sessions INDEXED BY listing WHERE user = " USER " AND end IS NOT NULL ORDER BY start"},
	{"_getSessions", "_getSessions", "",
	 "SELECT uuid, name, start, end FROM sessions INDEXED BY listing JOIN documents ON id = document WHERE "
	 "sessions.user = " USER " ORDER BY start"},
	{"_getSessions, the last 100", "_getSessions", ",\"order\":\"desc\",\"limit\":100",
	 LISTED " ORDER BY start DESC LIMIT 100"},
	{"_getActiveSessions", "_getActiveSessions", "",
	 "SELECT uuid, name, start, seen FROM sessions INDEXED BY active JOIN documents ON id = document WHERE "
	 "sessions.user = " USER " AND end IS NULL ORDER BY start"},
#define WEEK ",\"from\":\"" FROM "\",\"to\":\"" TO "\""
	{"_getSummary, a week", "_getSummary", WEEK, SUMMARY(SOME)},
	{"_getPeriods day, a week", "_getPeriods", ",\"unit\":\"day\"" WEEK, PERIODS(SOME, DAY, "0")},
	{"_getPeriods week, a week", "_getPeriods", ",\"unit\":\"week\"" WEEK, PERIODS(SOME, "604800000", "259200000")},
	{"_getPeriods month, a week", "_getPeriods", ",\"unit\":\"month\"" WEEK, MONTHS(SOME)},
	{"_getHours, a week", "_getHours", WEEK, HOURS(SOME)},
	{"_getDocuments, a week", "_getDocuments", WEEK, DOCUMENTS(SOME)},
	{"_getStreaks, a week", "_getStreaks", WEEK, STREAKS(SOME)},
	{"_getSessions, a week", "_getSessions", WEEK,
	 LISTED " AND start > :from - (SELECT longest FROM users WHERE name = :user) AND start < :to AND coalesce(end, "
		":now) > :from ORDER BY start"},
};
const size_t question_count = sizeof questions / sizeof questions[0];

static const char schema[] =
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;"
	"CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, uuid BLOB NOT NULL, longest INTEGER NOT "
	"NULL, goal INTEGER NOT NULL);"
	"CREATE TABLE documents(id INTEGER PRIMARY KEY, user INTEGER NOT NULL, name TEXT NOT NULL, title TEXT, authors "
	"TEXT, UNIQUE(user, name));"
	"CREATE TABLE sessions(uuid BLOB NOT NULL UNIQUE, user INTEGER NOT NULL, document INTEGER NOT NULL, library "
	"TEXT NOT NULL,"
	" start INTEGER NOT NULL, end INTEGER, seen INTEGER, progress REAL);"
	"CREATE TABLE numbers(k INTEGER PRIMARY KEY);"
	"WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n WHERE k < 1000) INSERT INTO numbers SELECT k "
	"FROM n;"
	"CREATE INDEX by_time ON sessions(user, start, end, document, progress);"
	"CREATE INDEX by_document ON sessions(user, document, start, end, progress);"
	"CREATE INDEX reports ON sessions(user, document, start, progress) WHERE progress IS NOT NULL;"
	"CREATE INDEX listing ON sessions(user, start, end, uuid, document, library, seen, progress);"
	"CREATE INDEX active ON sessions(user, start, uuid, document, seen) WHERE end IS NULL;";

struct sql {
	sqlite3 *db;
	sqlite3_stmt *add_user, *add_document, *add_session;
	sqlite3_stmt **asked;  /* by question */
	volatile int64_t sink; /* what was fetched goes somewhere */
};

static void expect(struct sql *sql, int result, int expected)
{
	if (result == expected)
		return;
	fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(sql->db));
	exit(1);
}

static void run(struct sql *sql, const char *text)
{
	expect(sql, sqlite3_exec(sql->db, text, NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3_stmt *prepare(struct sql *sql, const char *text)
{
	sqlite3_stmt *statement;

	expect(sql, sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), SQLITE_OK);
	return statement;
}

static void carry_out(struct sql *sql, sqlite3_stmt *statement)
{
	expect(sql, sqlite3_step(statement), SQLITE_DONE);
	sqlite3_reset(statement);
}

struct sql *sql_open(const char *path)
{
	struct sql *sql = calloc(1, sizeof *sql);

	if (!sql || !(sql->asked = calloc(question_count, sizeof(sqlite3_stmt *))))
		abort();
	/* One thread, as each of a server's would have a connection of its own. */
	expect(sql,
	       sqlite3_open_v2(path, &sql->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL),
	       SQLITE_OK);
	run(sql, schema);
	sql->add_user = prepare(sql, "INSERT INTO users(name, uuid, longest, goal) VALUES(?, ?, ?, ?)");
	sql->add_document = prepare(sql, "INSERT INTO documents(user, name, title, authors) VALUES(?, ?, '" TITLE
					 "', '[\"" AUTHOR "\"]')");
	sql->add_session = prepare(
		sql,
		"INSERT INTO sessions(uuid, user, document, library, start, end, progress) VALUES(?, ?, ?, '" LIBRARY
		"', ?, ?, ?)");
	return sql;
}

static void add_session(struct sql *sql, const struct told *told, int64_t user, int64_t first_document)
{
	sqlite3_stmt *statement = sql->add_session;

	sqlite3_clear_bindings(statement);
	sqlite3_bind_blob(statement, 1, told->id, UUID_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, user);
	sqlite3_bind_int64(statement, 3, first_document + told->document);
	sqlite3_bind_int64(statement, 4, told->start_ms);
	if (told->end_ms != 0)
		sqlite3_bind_int64(statement, 5, told->end_ms);
	if (told->progress >= 0)
		sqlite3_bind_double(statement, 6, told->progress);
	carry_out(sql, statement);
}

void sql_add(struct sql *sql, const struct reader *reader)
{
	int64_t longest_ms = 0, first_document = 0;
	char name[NAME_SIZE];

	for (size_t i = 0; i < reader->count; i++)
		if (reader->sessions[i].end_ms - reader->sessions[i].start_ms > longest_ms)
			longest_ms = reader->sessions[i].end_ms - reader->sessions[i].start_ms;
	sqlite3_bind_text(sql->add_user, 1, reader->name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(sql->add_user, 2, reader->id, UUID_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(sql->add_user, 3, longest_ms);
	sqlite3_bind_int64(sql->add_user, 4, GOAL_SECONDS * 1000);
	carry_out(sql, sql->add_user);
	int64_t user = sqlite3_last_insert_rowid(sql->db);
	for (unsigned i = 0; i < reader->documents; i++) {
		document_name(reader, i, name);
		sqlite3_bind_int64(sql->add_document, 1, user);
		sqlite3_bind_text(sql->add_document, 2, name, -1, SQLITE_TRANSIENT);
		carry_out(sql, sql->add_document);
		if (i == 0)
			first_document = sqlite3_last_insert_rowid(sql->db);
	}
	for (size_t i = 0; i < reader->count; i++)
		add_session(sql, &reader->sessions[i], user, first_document);
}

void sql_begin(struct sql *sql)
{
	run(sql, "BEGIN");
}

void sql_commit(struct sql *sql)
{
	run(sql, "COMMIT");
}

void sql_settle(struct sql *sql)
{
	run(sql, "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);");
	for (size_t i = 0; i < question_count; i++)
		sql->asked[i] = prepare(sql, questions[i].sql);
}

static void bind_integer(sqlite3_stmt *statement, const char *name, int64_t value)
{
	int place = sqlite3_bind_parameter_index(statement, name);

	if (place > 0)
		sqlite3_bind_int64(statement, place, value);
}

static void write_column(sqlite3_stmt *statement, int column, FILE *out)
{
	const uint8_t *bytes;

	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		fprintf(out, "%lld", (long long)sqlite3_column_int64(statement, column));
		break;
	case SQLITE_FLOAT:
		fprintf(out, "%.17g", sqlite3_column_double(statement, column));
		break;
	case SQLITE_TEXT:
		/* No text of these tables but the authors' needs quoting, and those are JSON. */
		fprintf(out, *sqlite3_column_text(statement, column) == '[' ? "%s" : "\"%s\"",
			(const char *)sqlite3_column_text(statement, column));
		break;
	case SQLITE_BLOB:
		bytes = sqlite3_column_blob(statement, column);
		fputc('"', out);
		for (int i = 0; i < sqlite3_column_bytes(statement, column); i++)
			fprintf(out, "%02x", bytes[i]);
		fputc('"', out);
		break;
	default:
		fputs("null", out);
	}
}

static void fetch_column(struct sql *sql, sqlite3_stmt *statement, int column)
{
	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		sql->sink += sqlite3_column_int64(statement, column);
		break;
	case SQLITE_FLOAT:
		sql->sink += sqlite3_column_double(statement, column) > 0;
		break;
	case SQLITE_TEXT:
		sql->sink += *sqlite3_column_text(statement, column);
		break;
	case SQLITE_BLOB:
		sql->sink += *(const uint8_t *)sqlite3_column_blob(statement, column);
		break;
	default:
		break;
	}
}

size_t sql_ask(struct sql *sql, size_t question, const char *user, FILE *out)
{
	sqlite3_stmt *statement = sql->asked[question];
	int columns = sqlite3_column_count(statement), result;
	size_t rows = 0;

	sqlite3_bind_text(statement, sqlite3_bind_parameter_index(statement, ":user"), user, -1, SQLITE_STATIC);
	bind_integer(statement, ":from", FROM_MS);
	bind_integer(statement, ":to", TO_MS);
	bind_integer(statement, ":now", NOW_MS);
	if (out)
		fputc('[', out);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		if (out)
			fputs(rows > 0 ? ",[" : "[", out);
		for (int i = 0; i < columns; i++) {
			if (!out) {
				fetch_column(sql, statement, i);
				continue;
			}
			if (i > 0)
				fputc(',', out);
			write_column(statement, i, out);
		}
		if (out)
			fputc(']', out);
		rows++;
	}
	expect(sql, result, SQLITE_DONE);
	sqlite3_reset(statement);
	if (out)
		fputc(']', out);
	return rows;
}

void sql_close(struct sql *sql)
{
	for (size_t i = 0; i < question_count; i++)
		sqlite3_finalize(sql->asked[i]);
	sqlite3_finalize(sql->add_user);
	sqlite3_finalize(sql->add_document);
	sqlite3_finalize(sql->add_session);
	sqlite3_close(sql->db);
	free(sql->asked);
	free(sql);
}
