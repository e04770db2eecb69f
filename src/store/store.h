/* The store: everything that FocusStats keeps, in Berkeley DB files in one folder. One process at a time has it open;
 * the caller sees to that. Any thread may call.
 *
 * A write returns once it is on the disk, or refused, or failed: nothing is acknowledged before. A read waits for no
 * sync and sees exactly the writes that are on the disk.
 */
#ifndef FOCUSSTATS_STORE_STORE_H
#define FOCUSSTATS_STORE_STORE_H

#include "base/error.h"
#include "store/operation.h"
#include "store/record.h"

struct store;

struct store_options {
	const char *home; /* the folder, absolute; must exist and be this process's alone */
	const char *name; /* what the log calls it */
	bool once;        /* for one request: little cache, no checkpoints before the close */
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

/* Called for each session of a list, in order. entry's texts are valid only during the call. */
typedef void store_visit(void *context, const struct session_entry *entry);

/* Read a user's FocusStats object and visit all their sessions by start, then id, as of one moment. visit may be NULL.
 * STATUS_NOT_FOUND, and nothing visited, for a user without one; on any other failure some may have been visited. */
enum status store_read_user(struct store *store, const struct identifier *user, struct stats *stats, store_visit *visit,
			    void *context, struct error *error);

/* Read something. STATUS_UNAVAILABLE where that fails. */
enum status store_ping(struct store *store, struct error *error);

#endif
