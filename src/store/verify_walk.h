/* Walking through the records of an open store to verify them: cursors, and how what is found is named. */
#ifndef FOCUSSTATS_STORE_VERIFY_WALK_H
#define FOCUSSTATS_STORE_VERIFY_WALK_H

#include "store/environment.h"
#include "store/record.h"
#include "store/verify.h"

enum { WALK_HEX_SIZE = 2 * 24 + 4 };

struct walk {
	const struct environment *environment;
	const struct verify_watch *watch;
	struct verify_counts *counts;
	uint64_t records; /* looked at so far */
	uint64_t removed; /* users that are being removed, by stats.db */
};

/* One database, record by record. */
struct cursor {
	DBC *handle; /* NULL where it could not be had */
	DBT key, value;
	bool at_end;
};

/* Report what is wrong. */
void walk_found(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 0 or what the engine said. A cursor that was not opened, all 0, may be closed. */
int cursor_open(struct cursor *cursor, DB *db);
void cursor_close(struct cursor *cursor);

/* To the next record, or the end. */
int cursor_step(struct walk *walk, struct cursor *cursor);

struct text cursor_key(const struct cursor *cursor);

/* The order of the engine's keys. */
int walk_compare(struct text a, struct text b);

bool walk_is_identifier(struct text text);

/* How a key is named that is not what it should be: its first bytes. */
const char *walk_hex(struct text key, char text[WALK_HEX_SIZE]);
const char *walk_id(const struct uuid *id, char text[UUID_TEXT_SIZE + 1]);

#endif
