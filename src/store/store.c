/* The store as its callers see it; see store.h. It puts together the environment, the committer, the readers'
 * snapshots, and the thread that writes checkpoints so that recovery stays short. */
#include "store/store.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/committer.h"
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { CHECKPOINT_INTERVAL_MS = 500 };

struct store {
	struct environment environment;
	struct snapshots snapshots;
	struct committer committer;
	bool checkpoints; /* the thread below runs */
	pthread_t checkpointer;
	pthread_mutex_t mutex; /* guards stopping */
	pthread_cond_t wake;
	bool stopping;
};

/* Wait for the interval to pass. False when the store is being closed. */
static bool wait_interval(struct store *store)
{
	const struct timespec until = clock_monotonic_in(CHECKPOINT_INTERVAL_MS);

	pthread_mutex_lock(&store->mutex);
	while (!store->stopping && pthread_cond_timedwait(&store->wake, &store->mutex, &until) != ETIMEDOUT)
		continue;
	bool go_on = !store->stopping;
	pthread_mutex_unlock(&store->mutex);
	return go_on;
}

static void *write_checkpoints(void *context)
{
	struct store *store = context;
	struct error error;

	while (wait_interval(store)) {
		if (!atomic_exchange(&store->committer.dirty, false))
			continue;
		if (environment_checkpoint(&store->environment, &error) != STATUS_OK) {
			log_repeated("%s", error.detail);
			atomic_store(&store->committer.dirty, true);
		}
	}
	return NULL;
}

static enum status start_checkpointer(struct store *store, struct error *error)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&store->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&store->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	int result = pthread_create(&store->checkpointer, NULL, write_checkpoints, store);
	if (result != 0)
		return environment_error(error, result, "starting the checkpoints");
	store->checkpoints = true;
	return STATUS_OK;
}

static void stop_checkpointer(struct store *store)
{
	if (!store->checkpoints)
		return;
	pthread_mutex_lock(&store->mutex);
	store->stopping = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->mutex);
	pthread_join(store->checkpointer, NULL);
}

enum status store_open(const struct store_options *options, struct store **store, struct error *error)
{
	struct store *opened = calloc(1, sizeof *opened);
	struct error ignored;

	if (!opened)
		return environment_error(error, ENOMEM, "opening the store");
	if (environment_open(options, &opened->environment, error) != STATUS_OK) {
		free(opened);
		return error->status;
	}
	snapshots_init(&opened->snapshots, &opened->environment);
	if (committer_start(&opened->committer, &opened->environment, &opened->snapshots, error) != STATUS_OK) {
		environment_close(&opened->environment, &ignored);
		free(opened);
		return error->status;
	}
	if (!options->once && start_checkpointer(opened, error) != STATUS_OK) {
		store_close(opened);
		return error->status;
	}
	*store = opened;
	return STATUS_OK;
}

void store_close(struct store *store)
{
	struct error error;

	committer_stop(&store->committer);
	stop_checkpointer(store);
	if (environment_close(&store->environment, &error) != STATUS_OK)
		log_line("closing the store: %s", error.detail);
	snapshots_destroy(&store->snapshots);
	free(store);
}

enum status store_write(struct store *store, const struct operation *operation, const struct store_gate *gate,
			struct error *error)
{
	return committer_write(&store->committer, operation, gate, error);
}

enum status store_read_user(struct store *store, const struct identifier *user, struct stats *stats, store_visit *visit,
			    void *context, struct error *error)
{
	return query_user(&store->snapshots, user, stats, visit, context, error);
}

enum status store_ping(struct store *store, struct error *error)
{
	struct snapshot snapshot;
	int result = snapshot_begin(&store->snapshots, &snapshot);

	if (result == 0) {
		result = snapshot_touch(&store->environment, snapshot.txn);
		snapshot_end(&store->snapshots, &snapshot);
	}
	return result == 0 ? STATUS_OK : environment_error(error, result, "reading meta.db");
}
