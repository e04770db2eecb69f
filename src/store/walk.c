/* From one key of a user to the next; see walk.h. */
#include "store/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Of a bulk read; it takes what comes behind what was asked for, too, so the first one is small, as few sessions may do. */
	BULK_FIRST_BYTES = 8 << 10,
	BULK_BYTES = 64 << 10,

	/* Downwards. */
	SINGLY = 8, /* sessions before the first bulk read; few are wanted now and then */
	EXPECTED_FIRST = 32,
	EXPECTED_MAX = 256,
	BYTES_PER_KEY = 256, /* twice what is usual, id and the engine's own included */
	BYTES_LEAST = 32,    /* a key takes more, the engine's part of it 16 */
	SPAN_CHANGES = 4,
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

/* The next key of a bulk read, without its value; NULL behind the last one. */
static const uint8_t *next_key(void **position, const DBT *bulk, size_t *size)
{
	const uint8_t *key;
	const void *id;
	size_t id_size;

	DB_MULTIPLE_KEY_NEXT(*position, bulk, key, *size, id, id_size);
	(void)id;
	(void)id_size;
	return *position ? key : NULL;
}

static int visit_bulk(const struct walk *walk, DBT *bulk)
{
	void *position;

	DB_MULTIPLE_INIT(position, bulk);
	for (;;) {
		size_t key_size;
		const uint8_t *key = next_key(&position, bulk, &key_size);
		if (!key)
			return 0;
		int result = visit_key(walk, key, key_size);
		if (result != 0)
			return result;
	}
}

/* Key by key, `where` from the cursor's place and `then` from each one, `most` of them or with 0 all. The last one stays in *key. */
static int visit_singly(DBC *cursor, const struct walk *walk, DBT *key, u_int32_t where, u_int32_t then, unsigned most)
{
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */
	unsigned count = 0;
	int result;

	do {
		if ((result = cursor->get(cursor, key, &value, where)) == 0)
			result = visit_key(walk, key->data, key->size);
		where = then;
	} while (result == 0 && ++count != most);
	return result;
}

static int walk_up(DBC *cursor, const struct walk *walk)
{
	uint8_t from[BY_USER_KEY_MAX];
	DBT key = {.data = from, .size = (u_int32_t)walk->first_size, .ulen = sizeof from, .flags = DB_DBT_USERMEM};
	DBT bulk = {.ulen = BULK_FIRST_BYTES, .flags = DB_DBT_USERMEM};
	u_int32_t where = DB_SET_RANGE;
	int result;

	if (!(bulk.data = malloc(BULK_FIRST_BYTES)))
		return ENOMEM;
	memcpy(from, walk->first, walk->first_size);
	while ((result = cursor->get(cursor, &key, &bulk, where | DB_MULTIPLE_KEY)) == 0) {
		result = visit_bulk(walk, &bulk);
		if (result != 0 || where == DB_SET_RANGE)
			free(bulk.data);
		if (result != 0)
			return result;
		if (where == DB_SET_RANGE && !(bulk.data = malloc(BULK_BYTES)))
			return ENOMEM;
		where = DB_NEXT;
		bulk.ulen = BULK_BYTES;
	}
	free(bulk.data);
	if (result != EBADMSG && result != DB_PAGE_NOTFOUND)
		return result;
	/* A bulk read goes on into pages of the users behind this one, and where such a page is damaged it fails as a whole. The cursor is
	 * where it was then. */
	memcpy(from, walk->first, walk->first_size);
	key.size = (u_int32_t)walk->first_size;
	return visit_singly(cursor, walk, &key, where, DB_NEXT, 0);
}

/* Going down in bulk. The engine only reads upwards so: a span of time below the last key is read upwards, as long as the keys
 * visited before let expect a number of sessions, and its keys are visited from the last one on. */
struct descent {
	const struct walk *walk;
	uint8_t above[BY_USER_KEY_MAX]; /* all keys from here on are visited */
	size_t above_size;
	int64_t low_ms;    /* all starts from here on are, but for those at it that are before `above` */
	int64_t span_ms;   /* the next one to be read */
	unsigned expected; /* sessions in it */
	unsigned room;     /* for which there is memory */
	void *buffer;
	struct text *keys; /* what a buffer may hold */
};

/* Memory for as many sessions as are expected, and no more, as few readers want many. */
static bool make_room(struct descent *descent)
{
	if (descent->room == descent->expected)
		return true;
	free(descent->buffer);
	free(descent->keys);
	descent->buffer = malloc(descent->expected * BYTES_PER_KEY);
	descent->keys = malloc(descent->expected * BYTES_PER_KEY / BYTES_LEAST * sizeof *descent->keys);
	descent->room = descent->buffer && descent->keys ? descent->expected : 0;
	return descent->room > 0;
}

static bool is_before(const uint8_t *key, size_t size, const uint8_t *other, size_t other_size)
{
	int order = memcmp(key, other, size < other_size ? size : other_size);

	return order < 0 || (order == 0 && size < other_size);
}

/* Whether the bulk read went to the end of all keys. */
static bool is_last(DBC *cursor)
{
	uint8_t bytes[BY_USER_KEY_MAX];
	DBT key = {.data = bytes, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL};

	return cursor->get(cursor, &key, &value, DB_NEXT) == DB_NOTFOUND;
}

/* The keys in the buffer that are before `above`. False where it ends before all of them are reached. */
static bool collect(DBC *cursor, const struct descent *descent, DBT *bulk, size_t *count)
{
	void *position;

	*count = 0;
	DB_MULTIPLE_INIT(position, bulk);
	while (*count < descent->room * BYTES_PER_KEY / BYTES_LEAST) {
		size_t key_size;
		const uint8_t *key = next_key(&position, bulk, &key_size);
		if (!key)
			return is_last(cursor);
		if (!is_before(key, key_size, descent->above, descent->above_size))
			return true;
		descent->keys[(*count)++] = (struct text){(const char *)key, key_size};
	}
	return false;
}

/* Visit one span. 0 with *more where the way goes on, 0 without it where it has to be gone key by key. */
static int descend_one(DBC *cursor, struct descent *descent, bool *more)
{
	const struct walk *walk = descent->walk;
	const struct text user = {(const char *)walk->prefix, walk->prefix_size - 1};
	const int64_t least_ms = walk->from_ms > 0 ? walk->from_ms : 0;
	const int64_t low_ms =
		descent->low_ms - least_ms > descent->span_ms ? descent->low_ms - descent->span_ms : least_ms;
	uint8_t low[BY_USER_KEY_MAX], found[BY_USER_KEY_MAX];
	const size_t low_size = record_encode_position(user, low_ms, NULL, low);
	DBT key = {.data = found, .size = (u_int32_t)low_size, .ulen = sizeof found, .flags = DB_DBT_USERMEM};
	DBT bulk = {.ulen = descent->expected * BYTES_PER_KEY, .flags = DB_DBT_USERMEM};
	size_t count;

	*more = false;
	if (!make_room(descent))
		return ENOMEM;
	bulk.data = descent->buffer;
	memcpy(found, low, low_size);
	if (cursor->get(cursor, &key, &bulk, DB_SET_RANGE | DB_MULTIPLE_KEY) != 0)
		return 0;
	if (!collect(cursor, descent, &bulk, &count)) {
		/* There are more than expected. */
		*more = descent->span_ms >= SPAN_CHANGES;
		descent->span_ms /= SPAN_CHANGES;
		return 0;
	}
	for (size_t i = count; i > 0; i--) {
		int result = visit_key(walk, (const uint8_t *)descent->keys[i - 1].data, descent->keys[i - 1].size);
		if (result != 0)
			return result;
	}
	if (low_ms == least_ms)
		return DB_NOTFOUND;
	memcpy(descent->above, low, low_size);
	descent->above_size = low_size;
	descent->low_ms = low_ms;
	if (descent->span_ms < INT64_MAX / SPAN_CHANGES && count < descent->expected / SPAN_CHANGES) {
		descent->span_ms *= SPAN_CHANGES;
	} else if (descent->span_ms < INT64_MAX / 2 && descent->expected < EXPECTED_MAX) {
		descent->span_ms *= 2;
		descent->expected *= 2;
	}
	*more = true;
	return 0;
}

/* Key by key down from the first one that is not before descent->above, `most` of them or with 0 all. The last one that was visited becomes
 * the new `above`; 0 is the result where there are more. */
static int descend_singly(DBC *cursor, struct descent *descent, unsigned most)
{
	DBT key = {.data = descent->above,
		   .size = (u_int32_t)descent->above_size,
		   .ulen = sizeof descent->above,
		   .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */

	int result = cursor->get(cursor, &key, &value, DB_SET_RANGE);
	if (result != 0 && result != DB_NOTFOUND)
		return result;
	result = visit_singly(cursor, descent->walk, &key, result == DB_NOTFOUND ? DB_LAST : DB_PREV, DB_PREV, most);
	descent->above_size = key.size;
	return result;
}

static int descend(DBC *cursor, struct descent *descent)
{
	bool more = true;
	int result = 0;

	while (result == 0 && more)
		result = descend_one(cursor, descent, &more);
	free(descent->buffer);
	free(descent->keys);
	return result == 0 ? descend_singly(cursor, descent, 0) : result;
}

static int64_t start_of(const struct walk *walk, const uint8_t *key, size_t size)
{
	struct session_entry entry;

	return record_decode_by_user(key + walk->prefix_size, size - walk->prefix_size, &entry) ? entry.facts.start_ms
												: 0;
}

static int walk_down(DBC *cursor, const struct walk *walk)
{
	struct descent descent = {.walk = walk, .above_size = walk->first_size, .expected = EXPECTED_FIRST};

	memcpy(descent.above, walk->first, walk->first_size);
	if (walk->sessions <= EXPECTED_FIRST) /* all at once, down from where nothing is below */
		return descend(cursor, &descent);
	int result = descend_singly(cursor, &descent, 1);
	if (result != 0)
		return result;
	int64_t last_ms = start_of(walk, descent.above, descent.above_size);
	result = descend_singly(cursor, &descent, SINGLY);
	if (result != 0)
		return result;
	descent.low_ms = start_of(walk, descent.above, descent.above_size);
	descent.span_ms = (last_ms - descent.low_ms) / SINGLY * EXPECTED_FIRST + 1;
	return descend(cursor, &descent);
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
