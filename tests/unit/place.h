/* What the tests of the store share: a store on a folder of its own, operations, and what a reader finds in it. */
#ifndef FOCUSSTATS_TESTS_UNIT_PLACE_H
#define FOCUSSTATS_TESTS_UNIT_PLACE_H

#include "check.h"

#include "store/store.h"

struct place {
	char home[64];
	bool once; /* the next open is one for one request */
	struct store *store;
	struct uuid_source ids;
};

/* cmocka's set-up and tear-down: *state becomes a struct place with an open store. */
int place_set_up(void **state);
int place_tear_down(void **state);

void place_open(struct place *place);
void place_close(struct place *place);
void place_reopen(struct place *place);

struct identifier named(const char *name);

/* An operation with a new id, of document "d" in library "l". */
struct operation operation_of(struct place *place, enum operation_kind kind, const char *user, int64_t now_ms);

/* One on a session, by nobody in particular. */
struct operation on_session(enum operation_kind kind, const struct uuid *id, int64_t now_ms);

/* One that adds a session of the past. */
struct operation adding(struct place *place, const char *user, int64_t start_ms, int64_t end_ms);

/* Carry it out; the status that it ends with must be this one. */
void assert_carried_out(struct place *place, const struct operation *operation, enum status status);

/* Carry out many at once; all must end well. */
void carry_out_all(struct place *place, const struct operation *operations, size_t count);

/* Make a user. */
void init_user(struct place *place, const char *user);

/* Start a session of document "d"; returns its id. */
struct uuid start_session(struct place *place, const char *user, int64_t now_ms);

/* What a reader has visited; `items` are in the order in which they came, with texts that are their own. */
struct visited {
	struct visit {
		struct uuid id;
		struct session_facts facts;
		struct identifier document, library;
	} * items; /* owned */
	size_t count, capacity;
};

store_visit note_visit; /* context is a struct visited */
void visited_release(struct visited *visited);

/* The status and the stats of a user. */
enum status find_stats(struct place *place, const char *user, struct stats *stats);
struct stats stats_of(struct place *place, const char *user);

/* Read the user's sessions; scan's user and stats are set. */
struct visited read_sessions(struct place *place, const char *user, struct store_scan scan);
struct visited read_all(struct place *place, const char *user);
struct visited read_active(struct place *place, const char *user);

/* One session as it is stored; it must be there. */
struct visit find_one(struct place *place, const char *user, const struct uuid *id);

struct totals totals_of(struct place *place);

/* The user's stats and open sessions are what their sessions make of them, and the sessions are in their order. */
void assert_whole(struct place *place, const char *user);

/* The same with so many sessions, so many of them ended. */
void assert_counts(struct place *place, const char *user, uint64_t sessions, uint64_t ended);

#endif
