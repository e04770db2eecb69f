/* Readers; see store.h and reader.h. */
#include "store/reader.h"

#include "store/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Of a bulk read; it takes what comes behind what was asked for, too, so the first one is small, as few sessions may do. */
	BULK_FIRST_BYTES = 8 << 10,
	BULK_BYTES = 64 << 10,
};

struct store_reader {
	struct snapshots *snapshots;
	const struct environment *environment;
	struct snapshot snapshot;
};

/* Keys of one user, and how far to go. */
struct walk {
	uint8_t prefix[USER_PREFIX_MAX];
	size_t prefix_size;
	uint8_t first[BY_USER_KEY_MAX]; /* where to begin */
	size_t first_size;
	int64_t from_ms, to_ms; /* of starts */
	store_visit *visit;
	void *context;
};

enum status reader_open(struct snapshots *snapshots, struct store_reader **reader, struct error *error)
{
	struct store_reader *opened = malloc(sizeof *opened);

	if (!opened)
		return environment_error(error, ENOMEM, "beginning a snapshot");
	opened->snapshots = snapshots;
	opened->environment = snapshots->environment;
	int result = snapshot_begin(snapshots, &opened->snapshot);
	if (result != 0) {
		free(opened);
		return environment_error(error, result, "beginning a snapshot");
	}
	*reader = opened;
	return STATUS_OK;
}

void store_reader_close(struct store_reader *reader)
{
	snapshot_end(reader->snapshots, &reader->snapshot);
	free(reader);
}

static enum status finish(int result, const char *doing, struct error *error)
{
	if (result == 0 || result == DB_NOTFOUND)
		return STATUS_OK;
	return environment_error(error, result, doing);
}

enum status store_reader_user(struct store_reader *reader, const struct identifier *user, struct stats *stats,
			      struct error *error)
{
	struct stats found;
	int result = table_get_stats(reader->environment, reader->snapshot.txn, user, &found);

	if (result == DB_NOTFOUND || (result == 0 && found.removed))
		return error_set(error, STATUS_NOT_FOUND, "there is no user '%.*s'", user->size, user->data);
	if (result != 0)
		return environment_error(error, result, "reading a user");
	*stats = found;
	return STATUS_OK;
}

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

static int walk_keys(struct store_reader *reader, DB *db, const struct walk *walk, bool descending)
{
	DBC *cursor;
	int result = db->cursor(db, reader->snapshot.txn, &cursor, 0);

	if (result != 0)
		return result;
	result = descending ? walk_down(cursor, walk) : walk_up(cursor, walk);
	cursor->close(cursor);
	return result;
}

static void begin_walk(struct walk *walk, const struct store_scan *scan, store_visit *visit, void *context)
{
	walk->prefix_size = record_encode_user_prefix(identifier_text(scan->user), walk->prefix);
	walk->from_ms = INT64_MIN;
	walk->to_ms = scan->to_ms;
	walk->visit = visit;
	walk->context = context;
}

/* Begin at the first start that may matter: behind `after`, or at start_ms. */
static void aim(struct walk *walk, const struct store_scan *scan, int64_t start_ms)
{
	struct text user = identifier_text(scan->user);

	if (scan->after) {
		walk->first_size =
			record_encode_position(user, scan->after->facts.start_ms, &scan->after->id, walk->first);
		if (!scan->descending)
			walk->first[walk->first_size++] = 0xFF; /* no key has such flags */
	} else if (start_ms == INT64_MAX) {
		walk->first_size = record_encode_position(user, INT64_MAX, NULL, walk->first);
	} else {
		walk->first_size = record_encode_position(user, start_ms > 0 ? start_ms : 0, NULL, walk->first);
	}
}

static bool note_start(void *context, const struct session_entry *entry)
{
	int64_t *start_ms = context;

	*start_ms = entry->facts.start_ms;
	return false;
}

/* The earliest start of a session that may reach to scan->from_ms: ended ones are no longer than the bound in stats, and
 * of the open ones the oldest counts. */
static int earliest_start(struct store_reader *reader, const struct store_scan *scan, int64_t *start_ms)
{
	const struct store_scan all = {.user = scan->user, .to_ms = INT64_MAX};
	struct walk walk;

	*start_ms = scan->from_ms;
	if (scan->from_ms == INT64_MIN)
		return 0;
	int64_t oldest_ms = INT64_MAX;
	*start_ms = scan->from_ms > scan->stats->longest_ms ? scan->from_ms - scan->stats->longest_ms : 0;
	if (scan->stats->sessions == scan->stats->ended)
		return 0;
	begin_walk(&walk, &all, note_start, &oldest_ms);
	aim(&walk, &all, 0);
	int result = walk_keys(reader, reader->environment->active, &walk, false);
	if (oldest_ms < *start_ms)
		*start_ms = oldest_ms;
	return result == DB_NOTFOUND ? 0 : result;
}

enum status store_reader_sessions(struct store_reader *reader, const struct store_scan *scan, store_visit *visit,
				  void *context, struct error *error)
{
	struct walk walk;
	int64_t start_ms;

	if (scan->stats->sessions == 0)
		return STATUS_OK;
	int result = earliest_start(reader, scan, &start_ms);
	if (result == 0) {
		begin_walk(&walk, scan, visit, context);
		walk.from_ms = start_ms;
		aim(&walk, scan, scan->descending ? scan->to_ms : start_ms);
		result = walk_keys(reader, reader->environment->by_user, &walk, scan->descending);
	}
	return finish(result, "reading a user's sessions", error);
}

enum status store_reader_active(struct store_reader *reader, const struct store_scan *scan, store_visit *visit,
				void *context, struct error *error)
{
	struct walk walk;

	if (scan->stats->sessions == scan->stats->ended)
		return STATUS_OK;
	begin_walk(&walk, scan, visit, context);
	walk.to_ms = INT64_MAX;
	aim(&walk, scan, 0);
	return finish(walk_keys(reader, reader->environment->active, &walk, false), "reading a user's open sessions",
		      error);
}

/* Looking for one id. */
struct search {
	const struct uuid *id;
	store_visit *visit;
	void *context;
	bool found;
};

static bool is_other(void *context, const struct session_entry *entry)
{
	struct search *search = context;

	search->found = uuid_equal(&entry->id, search->id);
	if (search->found)
		search->visit(search->context, entry);
	return !search->found;
}

static bool look_once(void *context, const struct session_entry *entry)
{
	is_other(context, entry);
	return false;
}

enum status store_reader_find(struct store_reader *reader, const struct store_scan *scan, const struct uuid *id,
			      store_visit *visit, void *context, struct error *error)
{
	const struct store_scan all = {.user = scan->user, .to_ms = INT64_MAX};
	struct search search = {id, visit, context, false};
	struct walk walk;

	/* Most sessions have ids that begin with their start (RFC 9562, 5.7). The others cost a look at all of them. */
	begin_walk(&walk, &all, look_once, &search);
	walk.first_size = record_encode_position(identifier_text(scan->user), uuid_time_ms(id), id, walk.first);
	int result = walk_keys(reader, reader->environment->by_user, &walk, false);
	if ((result == 0 || result == DB_NOTFOUND) && !search.found) {
		begin_walk(&walk, &all, is_other, &search);
		aim(&walk, &all, 0);
		result = walk_keys(reader, reader->environment->by_user, &walk, false);
	}
	return finish(result, "looking for a session", error);
}

enum status store_reader_documents(struct store_reader *reader, const struct identifier *user,
				   store_visit_document *visit, void *context, struct error *error)
{
	uint8_t prefix[USER_PREFIX_MAX], bytes[DOCUMENT_KEY_MAX];
	size_t prefix_size = record_encode_user_prefix(identifier_text(user), prefix);
	DB *db = reader->environment->documents;
	DBT key = {.data = bytes, .size = (u_int32_t)prefix_size, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = {.ulen = DOCUMENT_VALUE_MAX, .flags = DB_DBT_USERMEM};
	struct description *description = malloc(sizeof *description);
	DBC *cursor = NULL;
	int result = ENOMEM;

	value.data = malloc(DOCUMENT_VALUE_MAX);
	if (value.data && description)
		result = db->cursor(db, reader->snapshot.txn, &cursor, 0);
	memcpy(bytes, prefix, prefix_size);
	for (u_int32_t where = DB_SET_RANGE; result == 0; where = DB_NEXT) {
		result = cursor->get(cursor, &key, &value, where);
		if (result != 0 || key.size <= prefix_size || memcmp(bytes, prefix, prefix_size) != 0)
			break;
		struct text document = {(char *)bytes + prefix_size, key.size - prefix_size};
		if (!record_decode_description(value.data, value.size, description))
			result = EBADMSG;
		else if (!visit(context, document, description))
			break;
	}
	if (cursor)
		cursor->close(cursor);
	free(value.data);
	free(description);
	return finish(result, "reading a user's documents", error);
}

enum status store_reader_users(struct store_reader *reader, const struct identifier *after, store_visit_user *visit,
			       void *context, struct error *error)
{
	uint8_t id[IDENTIFIER_MAX_BYTES + 1] = {0}, bytes[STATS_VALUE_MAX];
	DBT key = {.data = id, .ulen = sizeof id, .flags = DB_DBT_USERMEM};
	DBT value = {.data = bytes, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DB *db = reader->environment->stats;
	struct stats stats;
	DBC *cursor;

	if (after) {
		/* No id holds a NUL: this is right behind it. */
		memcpy(id, after->data, after->size);
		key.size = (u_int32_t)after->size + 1;
	}
	int result = db->cursor(db, reader->snapshot.txn, &cursor, 0);
	if (result != 0)
		return finish(result, "reading the users", error);
	u_int32_t where = after ? DB_SET_RANGE : DB_FIRST;
	for (; (result = cursor->get(cursor, &key, &value, where)) == 0; where = DB_NEXT) {
		if (!record_decode_stats(bytes, value.size, &stats, NULL))
			result = EBADMSG;
		if (result != 0 || (!stats.removed && !visit(context, (struct text){(char *)id, key.size}, &stats)))
			break;
	}
	cursor->close(cursor);
	return finish(result, "reading the users", error);
}

enum status store_reader_totals(struct store_reader *reader, struct totals *totals, struct error *error)
{
	int result = table_get_totals(reader->environment, reader->snapshot.txn, totals);

	return result == 0 ? STATUS_OK : environment_error(error, result, "reading the totals from meta.db");
}
