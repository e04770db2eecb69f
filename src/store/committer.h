/* The committer: one thread that carries out all writes. It takes everything that is queued, applies it in one
 * transaction and syncs once; meanwhile the next batch gathers. So the disk's sync rate does not bound the writes, and
 * there are no deadlocks: nobody else locks a page.
 */
#ifndef FOCUSSTATS_STORE_COMMITTER_H
#define FOCUSSTATS_STORE_COMMITTER_H

#include "store/apply.h"
#include "store/snapshot.h"

#include <stdatomic.h>

struct committer {
	struct environment *environment;
	struct snapshots *snapshots;
	struct metrics *metrics; /* or NULL */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards the queue and `stopping` */
	pthread_cond_t wake;
	struct store_pending *first, **last;
	bool stopping;
	atomic_bool dirty; /* committed something since this was last cleared; the checkpoints look at it */
};

enum status committer_start(struct committer *committer, struct environment *environment, struct snapshots *snapshots,
			    struct metrics *metrics, struct error *error);

/* Carry out what is queued and end the thread. */
void committer_stop(struct committer *committer);

/* Queue a chain of writes, linked by `next`. Each is handed back by its `done`, in their order. An outcome that is NULL is not told. */
void committer_queue(struct committer *committer, struct store_pending *chain);

/* Queue writes, `count` of them, and wait for what becomes of each; see store_write. outcomes and errors are theirs, in
 * the same order. Returns the error's status; of several the one that is last in enum status. */
enum status committer_write(struct committer *committer, const struct operation *operations, size_t count,
			    const struct store_gate *gate, struct outcome *outcomes, struct error *errors);

#endif
