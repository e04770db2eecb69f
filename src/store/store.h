/* The store: everything that FocusStats keeps, in Berkeley DB files in one folder. One process at a time has it open;
 * the caller sees to that. Any thread may call.
 *
 * A write returns once it is on the disk, or refused, or failed: nothing is acknowledged before. A read waits for no
 * sync and sees exactly the writes that are on the disk.
 */
#ifndef FOCUSSTATS_STORE_STORE_H
#define FOCUSSTATS_STORE_STORE_H

#include "base/error.h"
#include "base/metrics.h"
#include "store/figures.h"
#include "store/operation.h"
#include "store/record.h"

/* Files that say that a folder is not a whole store: a copy that was not completed or not verified, and one into which a
 * backup is being restored. */
#define STORE_INCOMPLETE "incomplete"
#define STORE_RESTORING "restoring"

/* Whether that is the name of one of the store's files: a database, the log, the engine's settings. */
bool store_is_file(const char *name);

struct store;

struct store_options {
	const char *home; /* the folder, absolute; must exist and be this process's alone */
	const char *name; /* what the log calls it */
	bool once;        /* for one request: little cache, no checkpoints before the close */
	bool job;         /* for long work of one process alone: some cache, and checkpoints */
	bool copy;        /* the folder is a copy that nobody has opened yet: recover all of its log */
	uint32_t locks;   /* pages that one transaction may have to lock, where that is more than usual; otherwise 0 */
	struct metrics *metrics; /* where commits are counted, or NULL; outlives the store */
	/* Called, from any thread, where the process must not go on with this store: a sync failed, or the engine
	 * needs recovery. Must log `what` and end the process, without closing the store. */
	void (*fatal)(void *context, const char *what);
	void *context;
};

/* Asked right before an operation is carried out. False gives it up: STATUS_UNAVAILABLE, nothing is stored. */
struct store_gate {
	bool (*may_go_on)(void *context);
	void *context;
};

/* Open, after recovery; create what is missing. STATUS_UNAVAILABLE where it cannot be. */
enum status store_open(const struct store_options *options, struct store **store, struct error *error);

/* Carry out what is queued, write a checkpoint, close. No other call may be under way. */
void store_close(struct store *store);

/* Carry out a write; gate may be NULL. STATUS_OK when it is on the disk; the statuses of operation.h where its
 * requirements are not met; STATUS_UNAVAILABLE where the store failed, and then nothing of it is stored. */
enum status store_write(struct store *store, const struct operation *operation, const struct store_gate *gate,
			struct error *error);

/* A write that is under way: it and what it points to belong to the store from store_submit until `done` is called. */
struct store_pending {
	const struct operation *operation;
	const struct store_gate *gate; /* or NULL */
	struct error *error;           /* becomes what store_write returns */
	/* Called in a thread of the store that all writes wait for, so it must not wait for anything. */
	void (*done)(struct store_pending *pending);
	struct outcome *outcome; /* this and the next are the store's */
	struct store_pending *next;
};

/* Begin what store_write waits for. Not for OPERATION_INIT_USER, which may take several writes. */
void store_submit(struct store *store, struct store_pending *pending);

/* Carry out `count` writes in their order, each for itself; errors[i] is as of store_write for operations[i]. */
void store_write_all(struct store *store, const struct operation *operations, size_t count,
		     const struct store_gate *gate, struct error *errors);

/* What becomes of an imported record that is not refused. */
enum store_became {
	STORE_CREATED,
	STORE_THERE, /* it is there already */
	STORE_GROWN, /* it was there with an earlier end */
};

/* Carry out `count` imports as store_write_all does writes; became[i] is meaningful where errors[i] is STATUS_OK. */
void store_import(struct store *store, const struct operation *operations, size_t count, const struct store_gate *gate,
		  enum store_became *became, struct error *errors);

/* For each of `count` sessions the document that it was started with, as in struct session, which no reader sees; size 0 where
 * there is no such session any more. */
enum status store_look_up(struct store *store, const struct uuid *ids, size_t count, struct identifier *started,
			  struct error *error);

/* Whether the DB_CONFIG of a folder, if it has one, has lines that name folders elsewhere, as for the log. */
bool store_leads_elsewhere(int folder);

/* Carry out OPERATION_SETTLE_USER; *sessions becomes how many sessions were stored as ended. */
enum status store_settle_user(struct store *store, const struct operation *operation, const struct store_gate *gate,
			      uint64_t *sessions, struct error *error);

/* Carry out OPERATION_REMOVE_USER, then delete what there was; *sessions becomes how many the user had. The user is gone
 * for good once the first is on the disk. The second takes its time where there was much: what is left after a second is
 * deleted in the background, and what is left when the store fails or closes after the next opens, of which each deletes
 * some at least. Until then a user of that name cannot be made: STATUS_UNAVAILABLE. */
enum status store_remove_user(struct store *store, const struct operation *operation, const struct store_gate *gate,
			      uint64_t *sessions, struct error *error);

/* Delete all that removed users still have, however long that takes. Only where nobody else does: struct store_options, once. */
void store_complete_removals(struct store *store);

/* A reader: the store as of one moment. It is short: it holds old pages in the cache, and there are few at a time. So
 * what is read is copied, and the reader closed, before anything is sent. One thread uses it. STATUS_UNAVAILABLE from
 * any of its functions where the store fails; then what was visited means nothing. */
struct store_reader;

enum status store_reader_open(struct store *store, struct store_reader **reader, struct error *error);
void store_reader_close(struct store_reader *reader);

/* STATUS_NOT_FOUND for a user without a FocusStats object. */
enum status store_reader_user(struct store_reader *reader, const struct identifier *user, struct stats *stats,
			      struct error *error);

/* Which of a user's sessions to visit, and in which order: by start, then id. */
struct store_scan {
	const struct identifier *user;
	const struct stats *stats; /* from store_reader_user */
	int64_t from_ms, to_ms;    /* INT64_MIN and INT64_MAX where open */
	bool descending;
	const struct session_entry *after; /* NULL, or where to begin: behind this one (start and id count) */
};

/* Called for each session. entry's texts are valid only during the call. False ends the visit. */
typedef bool store_visit(void *context, const struct session_entry *entry);

/* Visit at least all sessions that touch the range; who visits decides which ones those are. */
enum status store_reader_sessions(struct store_reader *reader, const struct store_scan *scan, store_visit *visit,
				  void *context, struct error *error);

/* Visit the sessions that are stored as open, oldest first. */
enum status store_reader_active(struct store_reader *reader, const struct store_scan *scan, store_visit *visit,
				void *context, struct error *error);

/* Visit the session of the user that has the id, if one has. */
enum status store_reader_find(struct store_reader *reader, const struct store_scan *scan, const struct uuid *id,
			      store_visit *visit, void *context, struct error *error);

/* Called for each document that has a description, by id. False ends the visit. */
typedef bool store_visit_document(void *context, struct text document, const struct description *description);

enum status store_reader_documents(struct store_reader *reader, const struct identifier *user,
				   store_visit_document *visit, void *context, struct error *error);

/* Called for each user, by id. False ends the visit. */
typedef bool store_visit_user(void *context, struct text user, const struct stats *stats);

/* Visit the users behind `after`, or all where that is NULL. */
enum status store_reader_users(struct store_reader *reader, const struct identifier *after, store_visit_user *visit,
			       void *context, struct error *error);

/* How many users and sessions there are. */
enum status store_reader_totals(struct store_reader *reader, struct totals *totals, struct error *error);

/* What there is, and what the engine tells of itself. */
struct store_figures {
	struct totals totals;
	struct engine_figures engine;
	int64_t opened_ms; /* since 1970 */
};

enum status store_figures(struct store *store, struct store_figures *figures, struct error *error);

/* A copy of the open store, made in a thread of its own while others read and write; store/copy.h. */
struct store_copy {
	struct uuid id;          /* all 0 where there was none yet */
	bool running;            /* otherwise error tells what became of it */
	uint64_t bytes;          /* copied so far */
	uint64_t expected_bytes; /* about how many there are */
	struct error error;
};

/* Begin a copy in the folder STORE_COPY of the home, which is there, and which the caller keeps to itself; so what is in it is
 * of somebody who waits for it no more, and goes. Begun with the same id again, it goes on. */
#define STORE_COPY "copy.new"
enum status store_begin_copy(struct store *store, const struct uuid *id, struct error *error);
void store_get_copy(struct store *store, struct store_copy *copy);

/* Where its commits are counted; NULL for nowhere. */
struct metrics *store_metrics(const struct store *store);

/* Read something. STATUS_UNAVAILABLE where that fails. */
enum status store_ping(struct store *store, struct error *error);

#endif
