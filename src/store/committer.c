/* The committer; see committer.h. */
#include "store/committer.h"

#include "base/clock.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 512 };

/* A queued write that a thread waits for. */
struct awaited {
	struct store_pending pending;
	sem_t *done; /* one for all that the thread waits for */
};

static void fail_all(struct store_pending *batch, int result, const char *doing)
{
	for (struct store_pending *one = batch; one; one = one->next)
		environment_error(one->error, result, doing);
}

static int apply_batch(struct committer *committer, DB_TXN *txn, struct store_pending *batch)
{
	struct tally tally = {0, 0};
	struct outcome untold;

	for (struct store_pending *one = batch; one; one = one->next) {
		if (one->gate && !one->gate->may_go_on(one->gate->context)) {
			error_set(one->error, STATUS_UNAVAILABLE, "the time for this request has run out");
			continue;
		}
		int result = apply_operation(committer->environment, txn, one->operation, &tally,
					     one->outcome ? one->outcome : &untold, one->error);
		if (result != 0)
			return result;
	}
	return apply_tally(committer->environment, txn, &tally);
}

static unsigned count(const struct store_pending *batch)
{
	unsigned size = 0;

	for (; batch; batch = batch->next)
		size++;
	return size;
}

/* Carry the batch out in one transaction. Returns 0, and every operation has its own outcome, or what the engine said,
 * and nothing of the batch is stored. */
static int commit_batch(struct committer *committer, struct store_pending *batch, const char **doing)
{
	DB_ENV *env = committer->environment->handle;
	DB_TXN *txn;

	*doing = "beginning a transaction";
	int result = env->txn_begin(env, NULL, &txn, 0);
	if (result != 0)
		return result;
	*doing = "writing records";
	if ((result = apply_batch(committer, txn, batch)) == 0) {
		*doing = "taking a snapshot before the commit";
		result = snapshots_publish(committer->snapshots);
	}
	if (result == 0) {
		*doing = "beginning a log file";
		result = environment_begin_commit(committer->environment);
	}
	if (result != 0) {
		txn->abort(txn);
		return result;
	}
	*doing = "committing";
	int64_t begun_ns = clock_monotonic_ns();
	result = txn->commit(txn, DB_TXN_SYNC);
	if (result == 0)
		environment_ensure_commit(committer->environment);
	metrics_count_commit(committer->metrics, count(batch), clock_monotonic_ns() - begun_ns, result == 0);
	atomic_store(&committer->dirty, true);
	return result;
}

static void hand_back(struct store_pending *batch)
{
	while (batch) {
		struct store_pending *next = batch->next; /* `done` may end the life of what it is in */
		batch->done(batch);
		batch = next;
	}
}

static bool disk_failed(int result)
{
	return result == ENOSPC || result == EDQUOT || result == EIO || result == DB_RUNRECOVERY;
}

static void carry_out(struct committer *committer, struct store_pending *batch)
{
	const char *doing;
	int result = commit_batch(committer, batch, &doing);

	snapshots_withdraw(committer->snapshots);
	if (result != 0 && (disk_failed(result) || !batch->next)) {
		fail_all(batch, result, doing);
	} else if (result != 0) {
		/* One of them may be what the engine could not do: each gets its own chance. */
		while (batch) {
			struct store_pending *next = batch->next;
			batch->next = NULL;
			carry_out(committer, batch);
			batch = next;
		}
		return;
	}
	hand_back(batch);
}

/* Wait for writes and take up to BATCH_MAX of them. NULL when there are none and the committer is stopping. */
static struct store_pending *take_batch(struct committer *committer)
{
	pthread_mutex_lock(&committer->mutex);
	while (!committer->first && !committer->stopping)
		pthread_cond_wait(&committer->wake, &committer->mutex);
	struct store_pending *batch = committer->first, **end = &committer->first;
	for (int size = 0; *end && size < BATCH_MAX; size++)
		end = &(*end)->next;
	committer->first = *end;
	*end = NULL;
	if (!committer->first)
		committer->last = &committer->first;
	pthread_mutex_unlock(&committer->mutex);
	return batch;
}

static void *run(void *context)
{
	struct committer *committer = context;

	for (struct store_pending *batch = take_batch(committer); batch; batch = take_batch(committer))
		carry_out(committer, batch);
	return NULL;
}

enum status committer_start(struct committer *committer, struct environment *environment, struct snapshots *snapshots,
			    struct metrics *metrics, struct error *error)
{
	*committer = (struct committer){
		.environment = environment,
		.snapshots = snapshots,
		.metrics = metrics,
	};
	committer->last = &committer->first;
	pthread_mutex_init(&committer->mutex, NULL);
	pthread_cond_init(&committer->wake, NULL);
	int result = pthread_create(&committer->thread, NULL, run, committer);
	return result == 0 ? STATUS_OK : environment_error(error, result, "starting the committer");
}

void committer_stop(struct committer *committer)
{
	pthread_mutex_lock(&committer->mutex);
	committer->stopping = true;
	pthread_cond_signal(&committer->wake);
	pthread_mutex_unlock(&committer->mutex);
	pthread_join(committer->thread, NULL);
	pthread_cond_destroy(&committer->wake);
	pthread_mutex_destroy(&committer->mutex);
}

void committer_queue(struct committer *committer, struct store_pending *chain)
{
	struct store_pending **end = &chain->next;

	while (*end)
		end = &(*end)->next;
	pthread_mutex_lock(&committer->mutex);
	bool idle = !committer->first;
	*committer->last = chain;
	committer->last = end;
	if (idle)
		pthread_cond_signal(&committer->wake);
	pthread_mutex_unlock(&committer->mutex);
}

static void wake(struct store_pending *pending)
{
	struct awaited *awaited = (struct awaited *)pending; /* its first member */

	sem_post(awaited->done);
}

enum status committer_write(struct committer *committer, const struct operation *operations, size_t count,
			    const struct store_gate *gate, struct outcome *outcomes, struct error *errors)
{
	struct awaited one = {0}, *awaited = count == 1 ? &one : calloc(count, sizeof *awaited);
	enum status worst = STATUS_OK;
	sem_t done;

	if (!awaited) {
		for (size_t i = 0; i < count; i++) {
			outcomes[i] = (struct outcome){0};
			environment_error(&errors[i], ENOMEM, "queueing writes");
		}
		return STATUS_UNAVAILABLE;
	}
	sem_init(&done, 0, 0);
	for (size_t i = 0; i < count; i++) {
		struct store_pending *next = i + 1 < count ? &awaited[i + 1].pending : NULL;
		outcomes[i] = (struct outcome){0};
		awaited[i] = (struct awaited){{&operations[i], gate, &errors[i], wake, &outcomes[i], next}, &done};
	}
	committer_queue(committer, &awaited[0].pending);
	for (size_t i = 0; i < count; i++)
		while (sem_wait(&done) != 0)
			continue;
	sem_destroy(&done);
	for (size_t i = 0; i < count; i++)
		if (errors[i].status > worst)
			worst = errors[i].status;
	if (awaited != &one)
		free(awaited);
	return worst;
}
