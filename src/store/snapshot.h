/* What a reader sees: the store as of the last commit that is on the disk.
 *
 * A snapshot transaction alone does not give that. Berkeley DB makes a commit visible to snapshots as soon as its record
 * has a place in the log (__log_put sets visible_lsn before it flushes), so a snapshot begun during the sync sees what
 * a power cut may still undo. So the committer takes a snapshot before each commit, and whoever reads while
 * that commit is being made durable reads through it; at other times a reader has a snapshot to himself. Those of readers that are
 * done are kept for the next ones until the next commit: beginning one costs more than some reads do.
 */
#ifndef FOCUSSTATS_STORE_SNAPSHOT_H
#define FOCUSSTATS_STORE_SNAPSHOT_H

#include "store/environment.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
	SNAPSHOTS_MAX = 4
}; /* readers at a time: more would only hold theirs open for longer, with all page versions since */

struct snapshots {
	struct environment *environment;
	sem_t places; /* SNAPSHOTS_MAX of them */
	/* Read: to begin or to keep a snapshot; write: to set what follows, and to end what is kept. */
	pthread_rwlock_t beginning;
	DB_TXN *standing;                      /* while a commit is under way */
	uint64_t commits;                      /* published */
	_Atomic(DB_TXN *) kept[SNAPSHOTS_MAX]; /* of the time since the last of them, for the next reader; or NULL */
	pthread_mutex_t shared; /* a transaction serves one thread at a time: whoever reads through `standing` */
	pthread_cond_t unused;
	atomic_uint users; /* readers that hold or await the standing snapshot */
};

struct snapshot {
	DB_TXN *txn;
	uint64_t commits; /* published before it */
	bool standing;
};

void snapshots_init(struct snapshots *snapshots, struct environment *environment);
void snapshots_destroy(struct snapshots *snapshots);

/* Before the environment is closed. No reader is left. */
void snapshots_end(struct snapshots *snapshots);

/* For the committer, around each commit: publish the standing snapshot before it; withdraw it right after it, so that
 * who was told of the commit sees it; settle once all were told. A failure of the first leaves nothing to do. */
int snapshots_publish(struct snapshots *snapshots);
DB_TXN *snapshots_withdraw(struct snapshots *snapshots);
void snapshots_settle(struct snapshots *snapshots, DB_TXN *withdrawn);

/* Around a read, which is short: an open snapshot holds old pages in the cache, a shared one holds up other readers and the
 * next commit. */
int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot);
void snapshot_end(struct snapshots *snapshots, struct snapshot *snapshot);

/* The smallest read that there is. */
int snapshot_touch(struct environment *environment, DB_TXN *txn);

#endif
