/* What bench/queries.c asks of the store and of SQLite: the history that both keep, and the questions. */
#ifndef FOCUSSTATS_BENCH_QUESTIONS_H
#define FOCUSSTATS_BENCH_QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The moment at which everything is asked, 2026-01-01T12:00Z, and the range of those that have one, a week before. */
#define NOW_MS INT64_C(1767268800000)
#define FROM "2025-12-22"
#define FROM_MS INT64_C(1766361600000)
#define TO "2025-12-29"
#define TO_MS INT64_C(1766966400000)

enum { GOAL_SECONDS = 1800, NAME_SIZE = 37, UUID_SIZE = 16 };

/* A session of the history. Those of a reader are in the order of their starts, and no two start at once. */
struct told {
	uint8_t id[UUID_SIZE];
	int64_t start_ms, end_ms; /* end_ms is 0 while it is open */
	unsigned document;        /* of the reader, from 0 */
	double progress;          /* below 0 where it was not reported; it was at the session's end */
};

struct reader {
	char name[NAME_SIZE];
	uint8_t id[UUID_SIZE];
	unsigned documents;
	size_t count;
	struct told *sessions; /* owned */
};

void document_name(const struct reader *reader, unsigned document, char name[NAME_SIZE]);
#define LIBRARY "5ddbb1f5-2d5c-4b14-9a37-c1b5b5a0f0a1"
#define TITLE "The Title of a Book"
#define AUTHOR "Somebody Who Writes"

struct question {
	const char *name;   /* in the table */
	const char *action; /* of the API */
	const char *fields; /* besides the user, as JSON, each with a comma before it */
	const char *sql;    /* the same of SQLite */
};

extern const struct question questions[];
extern const size_t question_count;

/* SQLite's side: bench/queries_sql.c. All of it ends the program where something fails. */
struct sql;

struct sql *sql_open(const char *path);
void sql_add(struct sql *sql, const struct reader *reader);
void sql_begin(struct sql *sql);
void sql_commit(struct sql *sql);
/* Once all is in: statistics for the planner, and every statement prepared. */
void sql_settle(struct sql *sql);
/* Ask, and fetch every column of every row; to `out`, where that is not NULL, as a JSON array of arrays. Returns the number of rows. */
size_t sql_ask(struct sql *sql, size_t question, const char *user, FILE *out);
void sql_close(struct sql *sql);

#endif
