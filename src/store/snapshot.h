/* What a reader sees: the store as of the last commit that is on the disk.
 *
 * A snapshot transaction alone does not give that. Berkeley DB makes a commit visible to snapshots as soon as its record
 * has a place in the log (__log_put sets visible_lsn before it flushes), so a snapshot begun during the sync sees what
 * a power cut may still undo. So while a commit is being made durable none is begun: readers share those that are there, each for itself
 * while it reads. The committer begins them, right after the commit before, one more than there were readers at a time since the one before
 * that: a reader that begins one may have to wait for the disk, as the engine holds the log's mutex while it begins a new log file.
 * Those of readers that are done are kept for the next ones until the next commit is on the disk. None is begun or ended, and nobody
 * woken, with the mutex held: where there are more threads than processors each wait for it costs a reader milliseconds.
 */
#ifndef FOCUSSTATS_STORE_SNAPSHOT_H
#define FOCUSSTATS_STORE_SNAPSHOT_H

#include "store/environment.h"

#include <pthread.h>
#include <stdint.h>

enum {
	/* Readers at a time: more would only hold theirs open for longer, with all page versions since. */
	SNAPSHOTS_MAX = 8,
};

struct snapshots {
	struct environment *environment;
	pthread_mutex_t mutex; /* guards what follows, and goes with `freed` */
	pthread_cond_t freed;
	unsigned waiting;            /* readers, for `freed` */
	unsigned readers;            /* that have one, or begin one */
	unsigned most_readers;       /* at a time, since the last commit: one more is begun after the next */
	bool committing;             /* none may be begun */
	uint64_t published, commits; /* commits that began, that were withdrawn */
	DB_TXN *free
		[2 *
		 SNAPSHOTS_MAX]; /* of the time since the last of the latter: what readers began, and what the committer did */
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

/* For the committer, around each commit: from the first on readers go by what was there before it, from the second on they see it,
 * so that who was told of it does. A failure of the first leaves nothing to do but the second. */
int snapshots_publish(struct snapshots *snapshots);
void snapshots_withdraw(struct snapshots *snapshots);

/* Around a read, which is short: an open snapshot holds old pages in the cache. */
int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot);
void snapshot_end(struct snapshots *snapshots, struct snapshot *snapshot);

/* The smallest read that there is. */
int snapshot_touch(struct environment *environment, DB_TXN *txn);

#endif
