/* Readers' snapshots; see snapshot.h. */
#include "store/snapshot.h"

void snapshots_init(struct snapshots *snapshots, struct environment *environment)
{
	pthread_rwlockattr_t attributes;

	*snapshots = (struct snapshots){.environment = environment};
	sem_init(&snapshots->places, 0, SNAPSHOTS_MAX);
	pthread_mutex_init(&snapshots->shared, NULL);
	pthread_cond_init(&snapshots->unused, NULL);
	/* The committer must not starve behind a stream of readers. */
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&snapshots->beginning, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

void snapshots_destroy(struct snapshots *snapshots)
{
	pthread_rwlock_destroy(&snapshots->beginning);
	sem_destroy(&snapshots->places);
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

/* One that is kept, or NULL. */
static DB_TXN *take(struct snapshots *snapshots)
{
	DB_TXN *txn = NULL;

	for (int i = 0; !txn && i < SNAPSHOTS_MAX; i++)
		if (atomic_load_explicit(&snapshots->kept[i], memory_order_relaxed))
			txn = atomic_exchange(&snapshots->kept[i], NULL);
	return txn;
}

/* There is a place for each that can be open. */
static bool keep(struct snapshots *snapshots, DB_TXN *txn)
{
	bool kept = false;

	for (int i = 0; !kept && i < SNAPSHOTS_MAX; i++) {
		DB_TXN *none = NULL;
		kept = atomic_compare_exchange_strong(&snapshots->kept[i], &none, txn);
	}
	return kept;
}

void snapshots_end(struct snapshots *snapshots)
{
	for (DB_TXN *txn = take(snapshots); txn; txn = take(snapshots))
		txn->abort(txn);
}

static int take_or_begin(struct snapshots *snapshots, DB_TXN **txn)
{
	DB_TXN *kept = take(snapshots);

	if (!kept)
		return begin_at_this_moment(snapshots->environment, txn);
	*txn = kept;
	return 0;
}

int snapshots_publish(struct snapshots *snapshots)
{
	pthread_rwlock_wrlock(&snapshots->beginning);
	int result = take_or_begin(snapshots, &snapshots->standing);
	snapshots->commits++;
	snapshots_end(snapshots);
	pthread_rwlock_unlock(&snapshots->beginning);
	return result;
}

DB_TXN *snapshots_withdraw(struct snapshots *snapshots)
{
	pthread_rwlock_wrlock(&snapshots->beginning);
	DB_TXN *txn = snapshots->standing;
	snapshots->standing = NULL;
	pthread_rwlock_unlock(&snapshots->beginning);
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

	while (sem_wait(&snapshots->places) != 0)
		continue;
	pthread_rwlock_rdlock(&snapshots->beginning);
	snapshot->commits = snapshots->commits;
	snapshot->standing = snapshots->standing != NULL;
	if (snapshot->standing) {
		snapshot->txn = snapshots->standing;
		atomic_fetch_add(&snapshots->users, 1);
	} else {
		result = take_or_begin(snapshots, &snapshot->txn);
	}
	pthread_rwlock_unlock(&snapshots->beginning);
	if (snapshot->standing)
		pthread_mutex_lock(&snapshots->shared);
	if (result != 0)
		sem_post(&snapshots->places);
	return result;
}

void snapshot_end(struct snapshots *snapshots, struct snapshot *snapshot)
{
	if (snapshot->standing) {
		if (atomic_fetch_sub(&snapshots->users, 1) == 1)
			pthread_cond_signal(&snapshots->unused);
		pthread_mutex_unlock(&snapshots->shared);
	} else {
		pthread_rwlock_rdlock(&snapshots->beginning);
		bool kept = snapshot->commits == snapshots->commits && keep(snapshots, snapshot->txn);
		pthread_rwlock_unlock(&snapshots->beginning);
		if (!kept)
			snapshot->txn->abort(snapshot->txn);
	}
	sem_post(&snapshots->places);
}
