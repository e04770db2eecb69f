/* Readers' snapshots; see snapshot.h. */
#include "store/snapshot.h"

#include <string.h>

void snapshots_init(struct snapshots *snapshots, struct environment *environment)
{
	*snapshots = (struct snapshots){
		.environment = environment,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.freed = PTHREAD_COND_INITIALIZER,
	};
}

void snapshots_destroy(struct snapshots *snapshots)
{
	pthread_cond_destroy(&snapshots->freed);
	pthread_mutex_destroy(&snapshots->mutex);
}

int snapshot_touch(struct environment *environment, DB_TXN *txn)
{
	static char name[] = "schema";
	char version[24];
	DBT key = {.data = name, .size = sizeof name - 1};
	DBT value = {.data = version, .ulen = sizeof version, .flags = DB_DBT_USERMEM};

	return environment->meta->get(environment->meta, txn, &key, &value, 0);
}

/* A snapshot is of the moment of its first read. */
static int begin_at_this_moment(struct environment *environment, DB_TXN **txn)
{
	DB_TXN *begun;

	int result = environment->handle->txn_begin(environment->handle, NULL, &begun, DB_TXN_SNAPSHOT);
	if (result != 0)
		return result;
	result = snapshot_touch(environment, begun);
	if (result != 0) {
		begun->abort(begun);
		return result;
	}
	*txn = begun;
	return 0;
}

static void abort_all(DB_TXN *const *txns, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		txns[i]->abort(txns[i]);
}

void snapshots_end(struct snapshots *snapshots)
{
	abort_all(snapshots->free, snapshots->free_count);
	snapshots->free_count = 0;
}

int snapshots_publish(struct snapshots *snapshots)
{
	int result = 0;

	pthread_mutex_lock(&snapshots->mutex);
	while (result == 0 && snapshots->free_count < SNAPSHOTS_STANDING) {
		result = begin_at_this_moment(snapshots->environment, &snapshots->free[snapshots->free_count]);
		snapshots->free_count += result == 0;
	}
	snapshots->committing = result == 0;
	pthread_mutex_unlock(&snapshots->mutex);
	return result;
}

void snapshots_withdraw(struct snapshots *snapshots)
{
	DB_TXN *old[SNAPSHOTS_MAX + SNAPSHOTS_STANDING];

	pthread_mutex_lock(&snapshots->mutex);
	unsigned count = snapshots->free_count;
	memcpy(old, snapshots->free, count * sizeof old[0]);
	snapshots->free_count = 0;
	snapshots->commits++;
	snapshots->committing = false;
	if (snapshots->waiting > 0)
		pthread_cond_broadcast(&snapshots->freed);
	pthread_mutex_unlock(&snapshots->mutex);
	abort_all(old, count);
}

int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot)
{
	int result = 0;

	pthread_mutex_lock(&snapshots->mutex);
	while (snapshots->readers == SNAPSHOTS_MAX || (snapshots->free_count == 0 && snapshots->committing)) {
		snapshots->waiting++;
		pthread_cond_wait(&snapshots->freed, &snapshots->mutex);
		snapshots->waiting--;
	}
	snapshot->commits = snapshots->commits;
	if (snapshots->free_count > 0)
		snapshot->txn = snapshots->free[--snapshots->free_count];
	else
		result = begin_at_this_moment(snapshots->environment, &snapshot->txn);
	snapshots->readers += result == 0;
	pthread_mutex_unlock(&snapshots->mutex);
	return result;
}

void snapshot_end(struct snapshots *snapshots, struct snapshot *snapshot)
{
	pthread_mutex_lock(&snapshots->mutex);
	bool keep = snapshot->commits == snapshots->commits;
	if (keep)
		snapshots->free[snapshots->free_count++] = snapshot->txn;
	snapshots->readers--;
	if (snapshots->waiting > 0)
		pthread_cond_signal(&snapshots->freed);
	pthread_mutex_unlock(&snapshots->mutex);
	if (!keep)
		snapshot->txn->abort(snapshot->txn);
}
