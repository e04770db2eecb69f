/* The schema's version; see schema.h. */
#include "store/schema.h"

#include "base/log.h"
#include "store/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 200 /* records in one transaction */ };

static char schema_name[] = "schema"; /* the engine wants its keys writable */

static bool is_empty(DB *db)
{
	DBC *cursor;
	DBT key = {.flags = DB_DBT_MALLOC}, value = {.flags = DB_DBT_MALLOC};

	if (db->cursor(db, NULL, &cursor, 0) != 0)
		return false;
	int result = cursor->get(cursor, &key, &value, DB_FIRST);
	cursor->close(cursor);
	free(key.data);
	free(value.data);
	return result == DB_NOTFOUND;
}

enum status schema_read(struct environment *environment, int *version, struct error *error)
{
	char text[24];
	DBT key = {.data = schema_name, .size = sizeof schema_name - 1};
	DBT value = {.data = text, .ulen = sizeof text, .flags = DB_DBT_USERMEM};
	long long found;

	*version = 0;
	int result = environment->meta->get(environment->meta, NULL, &key, &value, 0);
	if (result == DB_NOTFOUND)
		return STATUS_OK;
	if (result != 0)
		return environment_error(error, result, "reading the schema version from meta.db");
	if (!text_to_integer((struct text){text, value.size}, &found) || found < 1) {
		error_set(error, STATUS_UNAVAILABLE, "the store cannot be used: the log says why");
		return error_detail(error, "the schema version in meta.db is no number");
	}
	if (found > SCHEMA_VERSION) {
		error_set(error, STATUS_UNAVAILABLE, "the store was written by a newer version of FocusStats");
		return error_detail(
			error,
			"the store has schema version %lld and this program knows only up to %d: install the "
			"newer FocusStats again",
			found, SCHEMA_VERSION);
	}
	*version = (int)found;
	return STATUS_OK;
}

static int write_version(struct environment *environment)
{
	char text[24];
	DBT key = {.data = schema_name, .size = sizeof schema_name - 1};
	DBT value = {.data = text, .size = (u_int32_t)snprintf(text, sizeof text, "%d", SCHEMA_VERSION)};

	return environment->meta->put(environment->meta, NULL, &key, &value, 0);
}

static enum status complete_new(struct environment *environment, struct error *error)
{
	const struct totals none = {0, 0};

	if (!is_empty(environment->stats) || !is_empty(environment->sessions)) {
		error_set(error, STATUS_UNAVAILABLE, "the store cannot be used: the log says why");
		return error_detail(error, "meta.db names no schema version, but there are records: restore a backup");
	}
	int result = table_put_totals(environment, NULL, &none);
	if (result == 0)
		result = write_version(environment);
	return result == 0 ? STATUS_OK : environment_error(error, result, "writing the schema version to meta.db");
}

/* What the sessions of one user of version 1 sum up to, and those that are open, BATCH_MAX at a time. */
struct upgrade {
	struct stats stats;
	struct uuid open[BATCH_MAX];
	size_t open_count;
};

static int sum_up(void *context, const uint8_t *rest, size_t size)
{
	struct upgrade *upgrade = context;
	struct stats *stats = &upgrade->stats;
	struct session_entry entry;

	if (!record_decode_by_user(rest, size, &entry))
		return EBADMSG;
	const struct session_facts *facts = &entry.facts;
	int64_t length_ms = facts->end_ms - facts->start_ms;
	stats->sessions++;
	if (facts->ended) {
		stats->ended++;
		stats->ended_ms += length_ms;
		if (length_ms > stats->longest_ms)
			stats->longest_ms = length_ms;
	}
	return 0;
}

/* Note an open session whose key is still of version 1: only those are without a key in active_by_user. */
static int note_open(void *context, const uint8_t *rest, size_t size)
{
	struct upgrade *upgrade = context;
	struct session_entry entry;

	if (!record_decode_by_user(rest, size, &entry))
		return EBADMSG;
	if (entry.facts.ended || record_by_user_version(rest, size) != 1)
		return 0;
	upgrade->open[upgrade->open_count++] = entry.id;
	return upgrade->open_count < BATCH_MAX ? 0 : DB_NOTFOUND; /* enough */
}

/* Write some open sessions anew, so that active_by_user has them. */
static int rewrite_open(struct environment *environment, const struct upgrade *upgrade)
{
	struct session session;
	int version;
	DB_TXN *txn;

	int result = environment->handle->txn_begin(environment->handle, NULL, &txn, 0);
	if (result != 0)
		return result;
	for (size_t i = 0; result == 0 && i < upgrade->open_count; i++) {
		result = table_get_session(environment, txn, &upgrade->open[i], &session, &version);
		if (result == 0)
			result = table_put_session(environment, txn, &session, version, &session);
	}
	if (result == 0)
		return txn->commit(txn, 0);
	txn->abort(txn);
	return result;
}

static int upgrade_user(struct environment *environment, const struct identifier *user, struct upgrade *upgrade,
			struct totals *totals)
{
	int result = table_get_stats(environment, NULL, user, &upgrade->stats);

	if (result != 0)
		return result;
	upgrade->stats = (struct stats){.id = upgrade->stats.id, .settings = settings_default()};
	result = table_each_of_user(environment->by_user, NULL, user, SIZE_MAX, sum_up, upgrade);
	do {
		upgrade->open_count = 0;
		if (result == 0)
			result = table_each_of_user(environment->by_user, NULL, user, SIZE_MAX, note_open, upgrade);
		if (result == 0 && upgrade->open_count > 0)
			result = rewrite_open(environment, upgrade);
	} while (result == 0 && upgrade->open_count == BATCH_MAX);
	totals->users++;
	totals->sessions += upgrade->stats.sessions;
	return result == 0 ? table_put_stats(environment, NULL, user, &upgrade->stats) : result;
}

/* The user after `user` in stats.db; the first one where that has size 0. */
static int next_user(struct environment *environment, struct identifier *user)
{
	uint8_t bytes[IDENTIFIER_MAX_BYTES + 1];
	DBT key = {.data = bytes, .size = user->size, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */
	struct error ignored;
	DBC *cursor;

	memcpy(bytes, user->data, user->size);
	if (user->size > 0)
		bytes[key.size++] = 0; /* no id holds it: this is right behind the last one */
	int result = environment->stats->cursor(environment->stats, NULL, &cursor, 0);
	if (result != 0)
		return result;
	result = cursor->get(cursor, &key, &value, user->size > 0 ? DB_SET_RANGE : DB_FIRST);
	cursor->close(cursor);
	if (result != 0)
		return result;
	struct text name = {(char *)bytes, key.size};
	return identifier_set(user, name, "user", &ignored) == STATUS_OK ? 0 : EBADMSG;
}

/* Version 1 had no sums in `stats`, no totals, no active_by_user and no documents. Records of ended sessions stay as they
 * are until something changes them. */
static enum status upgrade_from_1(struct environment *environment, struct error *error)
{
	struct upgrade *upgrade = calloc(1, sizeof *upgrade);
	struct identifier user = {.size = 0};
	struct totals totals = {0, 0};
	int result = upgrade ? 0 : ENOMEM;

	log_line("bringing the store from schema version 1 to 2");
	while (result == 0 && (result = next_user(environment, &user)) == 0)
		result = upgrade_user(environment, &user, upgrade, &totals);
	free(upgrade);
	if (result == DB_NOTFOUND)
		result = table_put_totals(environment, NULL, &totals);
	if (result == 0)
		result = write_version(environment);
	return result == 0 ? STATUS_OK : environment_error(error, result, "bringing the store to schema version 2");
}

enum status schema_complete(struct environment *environment, int version, struct error *error)
{
	switch (version) {
	case 0:
		return complete_new(environment, error);
	case 1:
		return upgrade_from_1(environment, error);
	default:
		return STATUS_OK;
	}
}
