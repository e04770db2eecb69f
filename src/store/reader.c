/* Readers; see store.h and reader.h. */
#include "store/reader.h"

#include "store/table.h"
#include "store/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct store_reader {
	struct snapshots *snapshots;
	const struct environment *environment;
	struct snapshot snapshot;
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

static void begin_walk(struct walk *walk, const struct store_scan *scan, store_visit *visit, void *context)
{
	walk->prefix_size = record_encode_user_prefix(identifier_text(scan->user), walk->prefix);
	walk->from_ms = INT64_MIN;
	walk->to_ms = scan->to_ms;
	walk->sessions = 0;
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
	int result = walk_keys(reader->environment->active, reader->snapshot.txn, &walk, false);
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
		walk.sessions = scan->stats->sessions;
		aim(&walk, scan, scan->descending ? scan->to_ms : start_ms);
		result = walk_keys(reader->environment->by_user, reader->snapshot.txn, &walk, scan->descending);
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
	return finish(walk_keys(reader->environment->active, reader->snapshot.txn, &walk, false),
		      "reading a user's open sessions", error);
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
	int result = walk_keys(reader->environment->by_user, reader->snapshot.txn, &walk, false);
	if ((result == 0 || result == DB_NOTFOUND) && !search.found) {
		begin_walk(&walk, &all, is_other, &search);
		aim(&walk, &all, 0);
		result = walk_keys(reader->environment->by_user, reader->snapshot.txn, &walk, false);
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
