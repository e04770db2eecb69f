/* Readers' snapshots; see snapshot.h. */
#include "store/snapshot.h"

void snapshots_init(struct snapshots *snapshots, struct environment *environment)
{
	*snapshots = (struct snapshots){
		.environment = environment,
		.mutex = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP,
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
	DB_TXN *begun = NULL;
	int result = 0;

	pthread_mutex_lock(&snapshots->mutex);
	bool none = snapshots->free_count == 0;
	pthread_mutex_unlock(&snapshots->mutex);
	if (none)
		result = begin_at_this_moment(snapshots->environment, &begun);
	pthread_mutex_lock(&snapshots->mutex);
	if (begun)
		snapshots->free[snapshots->free_count++] = begun;
	snapshots->published++;
	snapshots->committing = result == 0;
	pthread_mutex_unlock(&snapshots->mutex);
	return result;
}

void snapshots_withdraw(struct snapshots *snapshots)
{
	DB_TXN *old[SNAPSHOTS_MAX + 1], *begun[SNAPSHOTS_MAX + 1];
	unsigned count = 0;

	pthread_mutex_lock(&snapshots->mutex);
	unsigned wanted = snapshots->most_readers > 0 ? snapshots->most_readers + 1 : 0;
	snapshots->most_readers = snapshots->readers;
	pthread_mutex_unlock(&snapshots->mutex);
	while (count < wanted && begin_at_this_moment(snapshots->environment, &begun[count]) == 0)
		count++;
	pthread_mutex_lock(&snapshots->mutex);
	unsigned old_count = snapshots->free_count;
	for (unsigned i = 0; i < old_count; i++)
		old[i] = snapshots->free[i];
	for (unsigned i = 0; i < count; i++)
		snapshots->free[i] = begun[i];
	snapshots->free_count = count;
	snapshots->commits++;
	snapshots->committing = false;
	bool wake = snapshots->waiting > 0;
	pthread_mutex_unlock(&snapshots->mutex);
	if (wake)
		pthread_cond_broadcast(&snapshots->freed);
	abort_all(old, old_count);
}

static void wait_for_free(struct snapshots *snapshots)
{
	snapshots->waiting++;
	pthread_cond_wait(&snapshots->freed, &snapshots->mutex);
	snapshots->waiting--;
}

/* One reader less; lets go of the mutex before it wakes another one, which would have to wait for it. */
static void count_out(struct snapshots *snapshots)
{
	snapshots->readers--;
	bool wake = snapshots->waiting > 0;
	pthread_mutex_unlock(&snapshots->mutex);
	if (wake)
		pthread_cond_signal(&snapshots->freed);
}

/* Begin one, with the mutex held, which it lets go meanwhile. *txn stays as it is where a commit came in between, of which this one
 * might see something. */
static int begin_before_commit(struct snapshots *snapshots, DB_TXN **txn)
{
	uint64_t published = snapshots->published;
	DB_TXN *begun;

	pthread_mutex_unlock(&snapshots->mutex);
	int result = begin_at_this_moment(snapshots->environment, &begun);
	pthread_mutex_lock(&snapshots->mutex);
	if (result == 0 && snapshots->published == published)
		*txn = begun;
	else if (result == 0)
		begun->abort(begun);
	return result;
}

int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot)
{
	DB_TXN *txn = NULL;
	int result = 0;

	pthread_mutex_lock(&snapshots->mutex);
	while (snapshots->readers == SNAPSHOTS_MAX)
		wait_for_free(snapshots);
	snapshots->readers++;
	if (snapshots->readers > snapshots->most_readers)
		snapshots->most_readers = snapshots->readers;
	while (result == 0 && !txn) {
		snapshot->commits = snapshots->commits;
		if (snapshots->free_count > 0)
			txn = snapshots->free[--snapshots->free_count];
		else if (snapshots->committing)
			wait_for_free(snapshots);
		else
			result = begin_before_commit(snapshots, &txn);
	}
	if (result == 0)
		pthread_mutex_unlock(&snapshots->mutex);
	else
		count_out(snapshots);
	snapshot->txn = txn;
	return result;
}

void snapshot_end(struct snapshots *snapshots, struct snapshot *snapshot)
{
	pthread_mutex_lock(&snapshots->mutex);
	bool keep = snapshot->commits == snapshots->commits;
	if (keep)
		snapshots->free[snapshots->free_count++] = snapshot->txn;
	count_out(snapshots);
	if (!keep)
		snapshot->txn->abort(snapshot->txn);
}
