/* What a reader sees: the store as of the last commit that is on the disk.
 *
 * A snapshot transaction alone does not give that. Berkeley DB makes a commit visible to snapshots as soon as its record
 * has a place in the log (__log_put sets visible_lsn before it flushes), so a snapshot begun during the sync sees what
 * a power cut may still undo. So the committer takes a snapshot before each commit, and whoever reads while
 * that commit is being made durable reads through it; at other times a reader takes a snapshot of its own.
 */
#ifndef FOCUSSTATS_STORE_SNAPSHOT_H
#define FOCUSSTATS_STORE_SNAPSHOT_H

#include "store/environment.h"

#include <pthread.h>
#include <stdatomic.h>

/* A snapshot that readers share. The last who lets go of it ends it, so that nobody waits for a long read. */
struct standing {
	DB_TXN *txn;
	pthread_mutex_t mutex; /* a transaction serves one thread at a time */
	atomic_uint references;
};

struct snapshots {
	struct environment *environment;
	pthread_rwlock_t beginning; /* read: to begin a snapshot; write: to set `standing` */
	struct standing *standing;  /* while a commit is under way */
};

struct snapshot {
	DB_TXN *txn;
	struct standing *standing; /* NULL where the transaction is the reader's own */
};

void snapshots_init(struct snapshots *snapshots, struct environment *environment);
void snapshots_destroy(struct snapshots *snapshots);

/* For the committer, around each commit: publish the standing snapshot before it, and withdraw it after it, before anybody
 * is told of the commit: who was told sees it. Withdrawing is allowed where publishing failed. */
int snapshots_publish(struct snapshots *snapshots);
void snapshots_withdraw(struct snapshots *snapshots);

/* Around a read, which is short: an open snapshot holds old pages in the cache, a shared one holds other readers up. */
int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot);
void snapshot_end(struct snapshot *snapshot);

/* The smallest read that there is. */
int snapshot_touch(struct environment *environment, DB_TXN *txn);

#endif
