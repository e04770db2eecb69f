/* The committer: one thread that carries out all writes. It takes everything that is queued, applies it in one
 * transaction and syncs once; meanwhile the next batch gathers. So the disk's sync rate does not bound the writes, and
 * there are no deadlocks: nobody else locks a page.
 */
#ifndef FOCUSSTATS_STORE_COMMITTER_H
#define FOCUSSTATS_STORE_COMMITTER_H

#include "store/snapshot.h"

#include <stdatomic.h>

struct pending;

struct committer {
	struct environment *environment;
	struct snapshots *snapshots;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards the queue and `stopping` */
	pthread_cond_t wake;
	struct pending *first, **last;
	bool stopping;
	atomic_bool dirty; /* committed something since this was last cleared; the checkpoints look at it */
};

enum status committer_start(struct committer *committer, struct environment *environment, struct snapshots *snapshots,
			    struct error *error);

/* Carry out what is queued and end the thread. */
void committer_stop(struct committer *committer);

/* Queue a write and wait for what becomes of it; see store_write. */
enum status committer_write(struct committer *committer, const struct operation *operation,
			    const struct store_gate *gate, struct error *error);

#endif
