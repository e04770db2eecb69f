/* What a reader sees: the store as of the last commit that is on the disk.
 *
 * A snapshot transaction alone does not give that. Berkeley DB makes a commit visible to snapshots as soon as its record
 * has a place in the log (__log_put sets visible_lsn before it flushes), so a snapshot begun during the sync sees what
 * a power cut may still undo. So the committer sees to it before each commit that there are snapshots, and while that commit is being made
 * durable none is begun: readers share these, each for itself while it reads. Those of readers that are done are kept for the
 * next ones until the next commit is on the disk: beginning one costs more than some reads do.
 */
#ifndef FOCUSSTATS_STORE_SNAPSHOT_H
#define FOCUSSTATS_STORE_SNAPSHOT_H

#include "store/environment.h"

#include <pthread.h>
#include <stdint.h>

enum {
	/* Readers at a time: more would only hold theirs open for longer, with all page versions since. */
	SNAPSHOTS_MAX = 4,
	SNAPSHOTS_STANDING = 2, /* to be had while a commit is under way */
};

struct snapshots {
	struct environment *environment;
	pthread_mutex_t mutex; /* guards what follows, and goes with `freed` */
	pthread_cond_t freed;
	unsigned waiting;                                 /* readers, for `freed` */
	unsigned readers;                                 /* that have one */
	bool committing;                                  /* none may be begun */
	uint64_t commits;                                 /* withdrawn */
	DB_TXN *free[SNAPSHOTS_MAX + SNAPSHOTS_STANDING]; /* of the time since the last of them */
	unsigned free_count;
};

struct snapshot {
	DB_TXN *txn;
	uint64_t commits; /* withdrawn before it */
};

void snapshots_init(struct snapshots *snapshots, struct environment *environment);
void snapshots_destroy(struct snapshots *snapshots);

/* Before the environment is closed. No reader is left. */
void snapshots_end(struct snapshots *snapshots);

/* For the committer, around each commit: publish what readers go by before it; withdraw it right after it, so that
 * who was told of the commit sees it. A failure of the first leaves nothing to do but the second. */
int snapshots_publish(struct snapshots *snapshots);
void snapshots_withdraw(struct snapshots *snapshots);

/* Around a read, which is short: an open snapshot holds old pages in the cache. */
int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot);
void snapshot_end(struct snapshots *snapshots, struct snapshot *snapshot);

/* The smallest read that there is. */
int snapshot_touch(struct environment *environment, DB_TXN *txn);

#endif
