/* Readers' snapshots; see snapshot.h. */
#include "store/snapshot.h"

#include <errno.h>
#include <stdlib.h>

void snapshots_init(struct snapshots *snapshots, struct environment *environment)
{
	pthread_rwlockattr_t attributes;

	snapshots->environment = environment;
	snapshots->standing = NULL;
	/* The committer must not starve behind a stream of readers. */
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&snapshots->beginning, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

void snapshots_destroy(struct snapshots *snapshots)
{
	pthread_rwlock_destroy(&snapshots->beginning);
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

int snapshots_publish(struct snapshots *snapshots)
{
	struct standing *standing = malloc(sizeof *standing);

	if (!standing)
		return ENOMEM;
	int result = begin_at_this_moment(snapshots->environment, &standing->txn);
	if (result != 0) {
		free(standing);
		return result;
	}
	pthread_mutex_init(&standing->mutex, NULL);
	atomic_init(&standing->references, 1);
	pthread_rwlock_wrlock(&snapshots->beginning);
	snapshots->standing = standing;
	pthread_rwlock_unlock(&snapshots->beginning);
	return 0;
}

static void let_go(struct standing *standing)
{
	if (atomic_fetch_sub(&standing->references, 1) > 1)
		return;
	standing->txn->abort(standing->txn);
	pthread_mutex_destroy(&standing->mutex);
	free(standing);
}

void snapshots_withdraw(struct snapshots *snapshots)
{
	pthread_rwlock_wrlock(&snapshots->beginning);
	struct standing *standing = snapshots->standing;
	snapshots->standing = NULL;
	pthread_rwlock_unlock(&snapshots->beginning);
	if (standing)
		let_go(standing);
}

int snapshot_begin(struct snapshots *snapshots, struct snapshot *snapshot)
{
	int result = 0;

	pthread_rwlock_rdlock(&snapshots->beginning);
	struct standing *standing = snapshots->standing;
	if (standing)
		atomic_fetch_add(&standing->references, 1);
	else
		result = begin_at_this_moment(snapshots->environment, &snapshot->txn);
	pthread_rwlock_unlock(&snapshots->beginning);
	if (standing) {
		pthread_mutex_lock(&standing->mutex);
		snapshot->txn = standing->txn;
	}
	snapshot->standing = standing;
	return result;
}

void snapshot_end(struct snapshot *snapshot)
{
	if (!snapshot->standing) {
		snapshot->txn->abort(snapshot->txn);
		return;
	}
	pthread_mutex_unlock(&snapshot->standing->mutex);
	let_go(snapshot->standing);
}
