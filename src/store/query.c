/* Reading for the API; see query.h. */
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Bulk reads take whole pages' worth past what was asked for, so few sessions get a small buffer. */
	FEW_SESSIONS = 32,
	BULK_FEW_BYTES = 8 << 10,
	BULK_MANY_BYTES = 256 << 10,
};

static int read_stats(struct environment *environment, DB_TXN *txn, const struct identifier *user, struct stats *stats)
{
	uint8_t bytes[STATS_VALUE_SIZE];
	DBT key = {.data = (void *)user->data, .size = user->size};
	DBT value = {.data = bytes, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};

	int result = environment->stats->get(environment->stats, txn, &key, &value, 0);
	if (result == 0 && !record_decode_stats(bytes, value.size, stats))
		return EBADMSG;
	return result;
}

/* Visit the entries of one bulk buffer. DB_NOTFOUND at the first key of another user: the list is complete. */
static int visit_bulk(DBT *bulk, const uint8_t *prefix, size_t prefix_size, store_visit *visit, void *context)
{
	struct session_entry entry;
	void *position;

	DB_MULTIPLE_INIT(position, bulk);
	for (;;) {
		const uint8_t *key;
		const void *id;
		size_t key_size, id_size;
		DB_MULTIPLE_KEY_NEXT(position, bulk, key, key_size, id, id_size);
		if (!position)
			return 0;
		(void)id;
		(void)id_size;
		if (key_size < prefix_size || memcmp(key, prefix, prefix_size) != 0)
			return DB_NOTFOUND;
		if (!record_decode_by_user(key + prefix_size, key_size - prefix_size, &entry))
			return EBADMSG;
		visit(context, &entry);
	}
}

static int visit_sessions(struct environment *environment, DB_TXN *txn, const struct identifier *user,
			  uint64_t sessions, store_visit *visit, void *context)
{
	uint8_t prefix[IDENTIFIER_MAX_BYTES + 1], from[BY_USER_KEY_MAX];
	size_t prefix_size = record_encode_by_user_prefix(identifier_text(user), prefix);
	DBT key = {.data = from, .size = (u_int32_t)prefix_size, .ulen = sizeof from, .flags = DB_DBT_USERMEM};
	DBT bulk = {.ulen = sessions <= FEW_SESSIONS ? BULK_FEW_BYTES : BULK_MANY_BYTES, .flags = DB_DBT_USERMEM};
	DBC *cursor;

	if (!(bulk.data = malloc(bulk.ulen)))
		return ENOMEM;
	memcpy(from, prefix, prefix_size);
	int result = environment->by_user_scan->cursor(environment->by_user_scan, txn, &cursor, 0);
	if (result != 0) {
		free(bulk.data);
		return result;
	}
	u_int32_t where = DB_SET_RANGE;
	while ((result = cursor->get(cursor, &key, &bulk, where | DB_MULTIPLE_KEY)) == 0 &&
	       (result = visit_bulk(&bulk, prefix, prefix_size, visit, context)) == 0)
		where = DB_NEXT;
	cursor->close(cursor);
	free(bulk.data);
	return result == DB_NOTFOUND ? 0 : result;
}

enum status query_user(struct snapshots *snapshots, const struct identifier *user, struct stats *stats,
		       store_visit *visit, void *context, struct error *error)
{
	struct snapshot snapshot;
	struct stats found;

	int result = snapshot_begin(snapshots, &snapshot);
	if (result != 0)
		return environment_error(error, result, "beginning a snapshot");
	result = read_stats(snapshots->environment, snapshot.txn, user, &found);
	bool known = result != DB_NOTFOUND;
	if (result == 0 && visit && found.sessions > 0)
		result = visit_sessions(snapshots->environment, snapshot.txn, user, found.sessions, visit, context);
	snapshot_end(snapshots, &snapshot);
	if (!known)
		return error_set(error, STATUS_NOT_FOUND, "there is no user '%.*s'", user->size, user->data);
	if (result != 0)
		return environment_error(error, result, "reading a user's sessions");
	*stats = found;
	return STATUS_OK;
}
