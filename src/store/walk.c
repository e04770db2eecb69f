/* From one key of a user to the next; see walk.h. */
#include "store/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Of a bulk read; it takes what comes behind what was asked for, too, so the first one is small, as few sessions may do. */
	BULK_FIRST_BYTES = 8 << 10,
	BULK_BYTES = 64 << 10,
};

/* Hand a key over. DB_NOTFOUND where it is another user's, or the visit has its end. */
static int visit_key(const struct walk *walk, const uint8_t *key, size_t size)
{
	struct session_entry entry;

	if (size < walk->prefix_size || memcmp(key, walk->prefix, walk->prefix_size) != 0)
		return DB_NOTFOUND;
	if (!record_decode_by_user(key + walk->prefix_size, size - walk->prefix_size, &entry))
		return EBADMSG;
	if (entry.facts.start_ms < walk->from_ms || entry.facts.start_ms >= walk->to_ms)
		return DB_NOTFOUND;
	return walk->visit(walk->context, &entry) ? 0 : DB_NOTFOUND;
}

static int visit_bulk(const struct walk *walk, DBT *bulk)
{
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
		int result = visit_key(walk, key, key_size);
		if (result != 0)
			return result;
	}
}

/* Key by key: a bulk read goes on into pages of the users behind this one, and where such a page is damaged it fails as a whole. */
static int walk_singly(DBC *cursor, const struct walk *walk, u_int32_t where)
{
	uint8_t bytes[BY_USER_KEY_MAX];
	DBT key = {.data = bytes, .size = (u_int32_t)walk->first_size, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */
	int result;

	memcpy(bytes, walk->first, walk->first_size);
	while ((result = cursor->get(cursor, &key, &value, where)) == 0 &&
	       (result = visit_key(walk, bytes, key.size)) == 0)
		where = DB_NEXT;
	return result;
}

static int walk_up(DBC *cursor, const struct walk *walk)
{
	uint8_t from[BY_USER_KEY_MAX];
	DBT key = {.data = from, .size = (u_int32_t)walk->first_size, .ulen = sizeof from, .flags = DB_DBT_USERMEM};
	DBT bulk = {.ulen = BULK_FIRST_BYTES, .flags = DB_DBT_USERMEM};
	u_int32_t where = DB_SET_RANGE;
	int result;

	if (!(bulk.data = malloc(BULK_BYTES)))
		return ENOMEM;
	memcpy(from, walk->first, walk->first_size);
	while ((result = cursor->get(cursor, &key, &bulk, where | DB_MULTIPLE_KEY)) == 0) {
		if ((result = visit_bulk(walk, &bulk)) != 0) {
			free(bulk.data);
			return result;
		}
		where = DB_NEXT;
		bulk.ulen = BULK_BYTES;
	}
	free(bulk.data);
	/* A failed read leaves the cursor where it was. */
	return result == EBADMSG || result == DB_PAGE_NOTFOUND ? walk_singly(cursor, walk, where) : result;
}

/* From the first key that is not before walk->first down; the engine has no bulk reads in that direction. */
static int walk_down(DBC *cursor, const struct walk *walk)
{
	uint8_t bytes[BY_USER_KEY_MAX];
	DBT key = {.data = bytes, .size = (u_int32_t)walk->first_size, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */

	memcpy(bytes, walk->first, walk->first_size);
	int result = cursor->get(cursor, &key, &value, DB_SET_RANGE);
	result = cursor->get(cursor, &key, &value, result == DB_NOTFOUND ? DB_LAST : DB_PREV);
	while (result == 0 && (result = visit_key(walk, bytes, key.size)) == 0)
		result = cursor->get(cursor, &key, &value, DB_PREV);
	return result;
}

int walk_keys(DB *db, DB_TXN *txn, const struct walk *walk, bool descending)
{
	DBC *cursor;
	int result = db->cursor(db, txn, &cursor, 0);

	if (result != 0)
		return result;
	result = descending ? walk_down(cursor, walk) : walk_up(cursor, walk);
	cursor->close(cursor);
	return result;
}
