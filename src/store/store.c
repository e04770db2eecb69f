/* The store as its callers see it; see store.h. It puts together the environment, the committer, the readers'
 * snapshots, and the thread that writes checkpoints so that recovery stays short, after it has completed what removals
 * of users the last owner left. */
#include "store/store.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/committer.h"
#include "store/copy.h"
#include "store/reader.h"
#include "store/table.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
	CHECKPOINT_INTERVAL_MS = 500,
	PURGE_PATIENCE_MS = 1000, /* how long a caller waits for what a removed user had to be deleted */
	PURGE_AT_CLOSE_MS = 100,  /* how long a process that serves one request goes on with that */
};

struct store {
	struct environment environment;
	struct snapshots snapshots;
	struct committer committer;
	struct copying copying;
	struct metrics *metrics; /* or NULL */
	int64_t opened_ms;       /* since 1970 */
	atomic_bool removals;    /* there is something left of removed users, for the thread below */
	bool checkpoints;        /* that thread runs */
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

/* Delete what a removed user had, in steps between which others write. True where nothing is left; what takes long, or
 * fails, is left to the checkpointer. */
static bool purge(struct store *store, const struct identifier *user)
{
	const struct operation operation = {.kind = OPERATION_PURGE_USER, .user = *user};
	int64_t until_ms = clock_boot_ms() + PURGE_PATIENCE_MS;
	struct outcome outcome = {.more = true};
	struct error error = {.status = STATUS_OK};

	while (outcome.more && error.status == STATUS_OK && clock_boot_ms() < until_ms)
		committer_write(&store->committer, &operation, 1, NULL, &outcome, &error);
	if (outcome.more || error.status != STATUS_OK)
		atomic_store(&store->removals, true);
	return !outcome.more && error.status == STATUS_OK;
}

static bool is_stopping(struct store *store)
{
	pthread_mutex_lock(&store->mutex);
	bool stopping = store->stopping;
	pthread_mutex_unlock(&store->mutex);
	return stopping;
}

/* Delete some of what users removed earlier still have. False where nothing is left of them, or it fails. */
static bool complete_removals(struct store *store, bool *failed)
{
	struct operation operation = {.kind = OPERATION_PURGE_USER};
	struct outcome outcome;
	struct error error;

	*failed = false;
	int result = table_first_removal(&store->environment, NULL, &operation.user);
	if (result == DB_NOTFOUND)
		return false;
	if (result != 0)
		environment_error(&error, result, "reading who was removed");
	else if (committer_write(&store->committer, &operation, 1, NULL, &outcome, &error) == STATUS_OK)
		return true;
	log_repeated("deleting what a removed user had: %s", error.detail);
	*failed = true;
	return false;
}

static void checkpoint(struct store *store)
{
	struct error error;

	if (!atomic_exchange(&store->committer.dirty, false))
		return;
	if (environment_checkpoint(&store->environment, &error) != STATUS_OK) {
		log_repeated("%s", error.detail);
		atomic_store(&store->committer.dirty, true);
	}
}

static void *write_checkpoints(void *context)
{
	struct store *store = context;
	bool failed;

	do {
		int64_t until_ms = clock_boot_ms() + CHECKPOINT_INTERVAL_MS;
		bool removals = atomic_exchange(&store->removals, false);
		failed = false;
		/* However short the life of this store, a step is done in it, so that what the process before left ends. */
		while (removals && (removals = complete_removals(store, &failed)) && clock_boot_ms() < until_ms &&
		       !is_stopping(store))
			continue;
		if (removals || failed)
			atomic_store(&store->removals, true);
		checkpoint(store);
	} while (atomic_load(&store->removals) && !failed ? !is_stopping(store) : wait_interval(store));
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
	if (copying_init(&opened->copying, &opened->environment, error) != STATUS_OK) {
		environment_close(&opened->environment, false, &ignored);
		free(opened);
		return error->status;
	}
	opened->metrics = options->metrics;
	atomic_init(&opened->removals, true); /* of the process before, it may be */
	snapshots_init(&opened->snapshots, &opened->environment);
	if (committer_start(&opened->committer, &opened->environment, &opened->snapshots, options->metrics, error) !=
	    STATUS_OK) {
		copying_destroy(&opened->copying);
		environment_close(&opened->environment, false, &ignored);
		free(opened);
		return error->status;
	}
	if (!options->once && start_checkpointer(opened, error) != STATUS_OK) {
		store_close(opened);
		return error->status;
	}
	opened->opened_ms = clock_wall_ms();
	*store = opened;
	return STATUS_OK;
}

void store_close(struct store *store)
{
	int64_t until_ms = clock_boot_ms() + PURGE_AT_CLOSE_MS;
	struct error error;
	bool failed;

	copying_destroy(&store->copying);
	if (store->checkpoints)
		stop_checkpointer(store);
	else
		while (complete_removals(store, &failed) && clock_boot_ms() < until_ms)
			continue;
	committer_stop(&store->committer);
	snapshots_end(&store->snapshots);
	bool written = atomic_load(&store->committer.dirty);
	if (environment_close(&store->environment, written, &error) != STATUS_OK)
		log_line("closing the store: %s", error.detail);
	snapshots_destroy(&store->snapshots);
	free(store);
}

enum status store_write(struct store *store, const struct operation *operation, const struct store_gate *gate,
			struct error *error)
{
	struct outcome outcome;

	committer_write(&store->committer, operation, 1, gate, &outcome, error);
	/* A user of that name is being removed: still so after a while, it stays at "not now". */
	if (operation->kind == OPERATION_INIT_USER && outcome.more && purge(store, &operation->user))
		committer_write(&store->committer, operation, 1, gate, &outcome, error);
	return error->status;
}

void store_submit(struct store *store, struct store_pending *pending)
{
	pending->outcome = NULL;
	pending->next = NULL;
	committer_queue(&store->committer, pending);
}

void store_write_all(struct store *store, const struct operation *operations, size_t count,
		     const struct store_gate *gate, struct error *errors)
{
	struct outcome *outcomes = calloc(count > 0 ? count : 1, sizeof *outcomes);

	if (outcomes && count > 0)
		committer_write(&store->committer, operations, count, gate, outcomes, errors);
	for (size_t i = 0; !outcomes && i < count; i++)
		environment_error(&errors[i], ENOMEM, "queueing writes");
	free(outcomes);
}

void store_import(struct store *store, const struct operation *operations, size_t count, const struct store_gate *gate,
		  enum store_became *became, struct error *errors)
{
	struct outcome *outcomes = calloc(count > 0 ? count : 1, sizeof *outcomes);

	if (outcomes && count > 0)
		committer_write(&store->committer, operations, count, gate, outcomes, errors);
	for (size_t i = 0; i < count; i++) {
		if (outcomes)
			became[i] = outcomes[i].became;
		else
			environment_error(&errors[i], ENOMEM, "queueing writes");
	}
	free(outcomes);
}

enum status store_look_up(struct store *store, const struct uuid *ids, size_t count, struct identifier *started,
			  struct error *error)
{
	size_t most = count > 0 ? count : 1;
	struct operation *operations = calloc(most, sizeof *operations);
	struct outcome *outcomes = calloc(most, sizeof *outcomes);
	struct error *errors = calloc(most, sizeof *errors);

	error->status = STATUS_OK;
	if (!operations || !outcomes || !errors) {
		environment_error(error, ENOMEM, "looking sessions up");
		goto out;
	}
	for (size_t i = 0; i < count; i++)
		operations[i] = (struct operation){.kind = OPERATION_LOOK_UP_SESSION, .id = ids[i]};
	if (count > 0)
		committer_write(&store->committer, operations, count, NULL, outcomes, errors);
	for (size_t i = 0; i < count; i++) {
		if (errors[i].status != STATUS_OK)
			*error = errors[i];
		started[i] = outcomes[i].started;
	}
out:
	free(operations);
	free(outcomes);
	free(errors);
	return error->status;
}

enum status store_settle_user(struct store *store, const struct operation *operation, const struct store_gate *gate,
			      uint64_t *sessions, struct error *error)
{
	struct outcome outcome;

	if (committer_write(&store->committer, operation, 1, gate, &outcome, error) == STATUS_OK)
		*sessions = outcome.sessions;
	return error->status;
}

enum status store_remove_user(struct store *store, const struct operation *operation, const struct store_gate *gate,
			      uint64_t *sessions, struct error *error)
{
	struct outcome outcome;

	if (committer_write(&store->committer, operation, 1, gate, &outcome, error) != STATUS_OK)
		return error->status;
	*sessions = outcome.sessions;
	purge(store, &operation->user);
	return STATUS_OK;
}

void store_complete_removals(struct store *store)
{
	enum { STEPS_A_CHECKPOINT = 50 };

	bool failed;
	for (unsigned step = 1; complete_removals(store, &failed); step++)
		if (step % STEPS_A_CHECKPOINT == 0)
			checkpoint(store);
}

enum status store_reader_open(struct store *store, struct store_reader **reader, struct error *error)
{
	return reader_open(&store->snapshots, reader, error);
}

enum status store_figures(struct store *store, struct store_figures *figures, struct error *error)
{
	struct store_figures read = {.opened_ms = store->opened_ms};
	struct store_reader *reader;

	if (store_reader_open(store, &reader, error) != STATUS_OK)
		return error->status;
	store_reader_totals(reader, &read.totals, error);
	store_reader_close(reader);
	if (error->status == STATUS_OK && figures_read(&store->environment, &read.engine, error) == STATUS_OK)
		*figures = read;
	return error->status;
}

enum status store_begin_copy(struct store *store, const struct uuid *id, struct error *error)
{
	return copying_begin(&store->copying, id, error);
}

void store_get_copy(struct store *store, struct store_copy *copy)
{
	copying_get(&store->copying, copy);
}

struct metrics *store_metrics(const struct store *store)
{
	return store->metrics;
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
