/* Readers' snapshots; see snapshot.h. */
#include "store/snapshot.h"

void snapshots_init(struct snapshots *snapshots, struct environment *environment)
{
	*snapshots = (struct snapshots){
		.environment = environment,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.freed = PTHREAD_COND_INITIALIZER,
		.places = SNAPSHOTS_MAX,
		.shared = PTHREAD_MUTEX_INITIALIZER,
		.unused = PTHREAD_COND_INITIALIZER,
	};
}

void snapshots_destroy(struct snapshots *snapshots)
{
	pthread_cond_destroy(&snapshots->freed);
	pthread_mutex_destroy(&snapshots->mutex);
	pthread_cond_destroy(&snapshots->unused);
	pthread_mutex_destroy(&snapshots->shared);
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

/* End what is kept. The caller has the mutex, or is the only one left. */
static void end_kept(struct snapshots *snapshots)
{
	while (snapshots->kept_count > 0) {
		DB_TXN *txn = snapshots->kept[--snapshots->kept_count];
		txn->abort(txn);
	}
}

void snapshots_end(struct snapshots *snapshots)
{
	end_kept(snapshots);
}

/* One that is kept, or a new one. The caller has the mutex: a commit would be visible to one that is begun after it was published. */
static int take(struct snapshots *snapshots, DB_TXN **txn)
{
	if (snapshots->kept_count == 0)
		return begin_at_this_moment(snapshots->environment, txn);
	*txn = snapshots->kept[--snapshots->kept_count];
	return 0;
}

int snapshots_publish(struct snapshots *snapshots)
{
	pthread_mutex_lock(&snapshots->mutex);
	int result = take(snapshots, &snapshots->standing);
	snapshots->commits++;
	end_kept(snapshots);
	pthread_mutex_unlock(&snapshots->mutex);
	return result;
}

DB_TXN *snapshots_withdraw(struct snapshots *snapshots)
{
	pthread_mutex_lock(&snapshots->mutex);
	DB_TXN *txn = snapshots->standing;
	snapshots->standing = NULL;
	pthread_mutex_unlock(&snapshots->mutex);
	return txn;
}

void snapshots_settle(struct snapshots *snapshots, DB_TXN *withdrawn)
{
	pthread_mutex_lock(&snapshots->shared);
	while (atomic_load(&snapshots->users) > 0)
		pthread_cond_wait(&snapshots->unused, &snapshots->shared);
	pthread_mutex_unlock(&snapshots->shared);
	withdrawn->abort(withdrawn);
}

int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot)
{
	int result = 0;

	pthread_mutex_lock(&snapshots->mutex);
	while (snapshots->places == 0)
		pthread_cond_wait(&snapshots->freed, &snapshots->mutex);
	snapshot->commits = snapshots->commits;
	snapshot->standing = snapshots->standing != NULL;
	if (snapshot->standing) {
		snapshot->txn = snapshots->standing;
		atomic_fetch_add(&snapshots->users, 1);
	} else {
		result = take(snapshots, &snapshot->txn);
	}
	snapshots->places -= result == 0;
	pthread_mutex_unlock(&snapshots->mutex);
	if (snapshot->standing)
		pthread_mutex_lock(&snapshots->shared);
	return result;
}

void snapshot_end(struct snapshots *snapshots, struct snapshot *snapshot)
{
	DB_TXN *old = NULL;

	if (snapshot->standing) {
		if (atomic_fetch_sub(&snapshots->users, 1) == 1)
			pthread_cond_signal(&snapshots->unused);
		pthread_mutex_unlock(&snapshots->shared);
	}
	pthread_mutex_lock(&snapshots->mutex);
	if (!snapshot->standing && snapshot->commits == snapshots->commits)
		snapshots->kept[snapshots->kept_count++] = snapshot->txn;
	else if (!snapshot->standing)
		old = snapshot->txn;
	snapshots->places++;
	pthread_cond_signal(&snapshots->freed);
	pthread_mutex_unlock(&snapshots->mutex);
	if (old)
		old->abort(old);
}
