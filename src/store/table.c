/* Typed records in the databases; see table.h. */
#include "store/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char totals_name[] = "totals";           /* the engine wants its keys writable */
static const char removed_prefix[] = "removed"; /* with its NUL */

enum { REMOVED_KEY_MAX = sizeof removed_prefix + IDENTIFIER_MAX_BYTES };

static DBT user_key(const struct identifier *user)
{
	return (DBT){.data = (void *)user->data, .size = user->size};
}

static DBT id_key(const struct uuid *id)
{
	return (DBT){.data = (void *)id->bytes, .size = sizeof id->bytes};
}

static DBT put_value(void *bytes, size_t size)
{
	return (DBT){.data = bytes, .size = (u_int32_t)size};
}

static DBT get_value(void *bytes, size_t size)
{
	return (DBT){.data = bytes, .ulen = (u_int32_t)size, .flags = DB_DBT_USERMEM};
}

int table_get_stats(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
		    struct stats *stats)
{
	uint8_t bytes[STATS_VALUE_MAX];
	DBT key = user_key(user), value = get_value(bytes, sizeof bytes);

	int result = environment->stats->get(environment->stats, txn, &key, &value, 0);
	if (result == 0 && !record_decode_stats(bytes, value.size, stats, NULL))
		return EBADMSG;
	return result;
}

int table_put_stats(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
		    const struct stats *stats)
{
	uint8_t bytes[STATS_VALUE_MAX];
	DBT key = user_key(user), value = put_value(bytes, record_encode_stats(stats, bytes));

	return environment->stats->put(environment->stats, txn, &key, &value, 0);
}

int table_delete_stats(const struct environment *environment, DB_TXN *txn, const struct identifier *user)
{
	DBT key = user_key(user);

	return environment->stats->del(environment->stats, txn, &key, 0);
}

int table_get_session(const struct environment *environment, DB_TXN *txn, const struct uuid *id,
		      struct session *session, int *version)
{
	uint8_t bytes[SESSION_VALUE_MAX];
	DBT key = id_key(id), value = get_value(bytes, sizeof bytes);

	int result = environment->sessions->get(environment->sessions, txn, &key, &value, 0);
	if (result == 0 && !record_decode_session(id, bytes, value.size, session, version))
		return EBADMSG;
	return result;
}

/* The keys of a session in the two indexes: the same one, in active_by_user only while it is open. Records of version 1 are from a
 * time before that. size 0: in neither. */
struct index_key {
	uint8_t bytes[BY_USER_KEY_MAX];
	size_t size;
	bool active;
};

static void make_index_key(const struct session *session, int version, struct index_key *key)
{
	key->size = record_encode_by_user(session, version, key->bytes);
	key->active = !session->facts.ended && version > 1;
}

/* In one of the indexes; NULL: the session is not in it. */
static int replace_in(DB *index, DB_TXN *txn, const struct uuid *id, struct index_key *before, struct index_key *after)
{
	int result = 0;

	if (before && after && before->size == after->size && memcmp(before->bytes, after->bytes, after->size) == 0)
		return 0;
	if (before) {
		DBT key = put_value(before->bytes, before->size);
		result = index->del(index, txn, &key, 0);
		if (result == DB_NOTFOUND)
			return DB_SECONDARY_BAD;
	}
	if (result == 0 && after) {
		DBT key = put_value(after->bytes, after->size), value = id_key(id);
		result = index->put(index, txn, &key, &value, 0);
	}
	return result;
}

/* Bring both indexes from the one key to the other. */
static int replace_index_key(const struct environment *environment, DB_TXN *txn, const struct uuid *id,
			     struct index_key *before, struct index_key *after)
{
	int result = replace_in(environment->by_user, txn, id, before->size > 0 ? before : NULL,
				after->size > 0 ? after : NULL);

	return result == 0 ? replace_in(environment->active, txn, id, before->active ? before : NULL,
					after->active ? after : NULL)
			   : result;
}

int table_put_session(const struct environment *environment, DB_TXN *txn, const struct session *before, int version,
		      const struct session *after)
{
	uint8_t bytes[SESSION_VALUE_MAX];
	DBT key = id_key(&after->id), value = put_value(bytes, record_encode_session(after, bytes));
	struct index_key was = {.size = 0}, is;

	int result = environment->sessions->put(environment->sessions, txn, &key, &value, 0);
	if (result != 0)
		return result;
	if (before)
		make_index_key(before, version, &was);
	make_index_key(after, RECORD_VERSION, &is);
	return replace_index_key(environment, txn, &after->id, &was, &is);
}

int table_delete_session(const struct environment *environment, DB_TXN *txn, const struct session *session, int version)
{
	DBT key = id_key(&session->id);
	struct index_key was, none = {.size = 0};

	int result = environment->sessions->del(environment->sessions, txn, &key, 0);
	if (result != 0)
		return result;
	make_index_key(session, version, &was);
	return replace_index_key(environment, txn, &session->id, &was, &none);
}

static DBT document_key(const struct identifier *user, struct text document, uint8_t bytes[DOCUMENT_KEY_MAX])
{
	size_t size = record_encode_user_prefix(identifier_text(user), bytes);

	memcpy(bytes + size, document.data, document.size);
	return put_value(bytes, size + document.size);
}

int table_get_description(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			  struct text document, struct description *description)
{
	uint8_t name[DOCUMENT_KEY_MAX], bytes[DOCUMENT_VALUE_MAX];
	DBT key = document_key(user, document, name), value = get_value(bytes, sizeof bytes);

	int result = environment->documents->get(environment->documents, txn, &key, &value, 0);
	if (result == 0 && !record_decode_description(bytes, value.size, description))
		return EBADMSG;
	return result;
}

int table_put_description(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			  struct text document, const struct description *description)
{
	uint8_t name[DOCUMENT_KEY_MAX], bytes[DOCUMENT_VALUE_MAX];
	DBT key = document_key(user, document, name);
	DBT value = put_value(bytes, record_encode_description(description, bytes));

	return environment->documents->put(environment->documents, txn, &key, &value, 0);
}

int table_delete_description(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			     struct text document)
{
	uint8_t name[DOCUMENT_KEY_MAX];
	DBT key = document_key(user, document, name);

	return environment->documents->del(environment->documents, txn, &key, 0);
}

int table_get_totals(const struct environment *environment, DB_TXN *txn, struct totals *totals)
{
	uint8_t bytes[TOTALS_VALUE_SIZE];
	DBT key = put_value(totals_name, sizeof totals_name - 1), value = get_value(bytes, sizeof bytes);

	int result = environment->meta->get(environment->meta, txn, &key, &value, 0);
	if (result == 0 && !record_decode_totals(bytes, value.size, totals))
		return EBADMSG;
	return result;
}

int table_put_totals(const struct environment *environment, DB_TXN *txn, const struct totals *totals)
{
	uint8_t bytes[TOTALS_VALUE_SIZE];
	DBT key = put_value(totals_name, sizeof totals_name - 1), value = put_value(bytes, sizeof bytes);

	record_encode_totals(totals, bytes);
	return environment->meta->put(environment->meta, txn, &key, &value, 0);
}

static DBT removed_key(const struct identifier *user, uint8_t bytes[REMOVED_KEY_MAX])
{
	memcpy(bytes, removed_prefix, sizeof removed_prefix);
	memcpy(bytes + sizeof removed_prefix, user->data, user->size);
	return put_value(bytes, sizeof removed_prefix + user->size);
}

int table_note_removal(const struct environment *environment, DB_TXN *txn, const struct identifier *user)
{
	uint8_t bytes[REMOVED_KEY_MAX];
	DBT key = removed_key(user, bytes), value = {.size = 0};

	return environment->meta->put(environment->meta, txn, &key, &value, 0);
}

int table_forget_removal(const struct environment *environment, DB_TXN *txn, const struct identifier *user)
{
	uint8_t bytes[REMOVED_KEY_MAX];
	DBT key = removed_key(user, bytes);

	return environment->meta->del(environment->meta, txn, &key, 0);
}

int table_has_removal(const struct environment *environment, DB_TXN *txn, const struct identifier *user)
{
	uint8_t bytes[REMOVED_KEY_MAX];
	DBT key = removed_key(user, bytes), value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL};

	return environment->meta->get(environment->meta, txn, &key, &value, 0);
}

int table_count_removals(const struct environment *environment, DB_TXN *txn, uint64_t *count)
{
	uint8_t bytes[REMOVED_KEY_MAX];
	DBT key = {.data = bytes, .size = sizeof removed_prefix, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */
	uint64_t counted = 0;
	DBC *cursor;

	memcpy(bytes, removed_prefix, sizeof removed_prefix);
	int result = environment->meta->cursor(environment->meta, txn, &cursor, 0);
	if (result != 0)
		return result;
	u_int32_t where = DB_SET_RANGE;
	for (; (result = cursor->get(cursor, &key, &value, where)) == 0; where = DB_NEXT, counted++)
		if (key.size <= sizeof removed_prefix || memcmp(bytes, removed_prefix, sizeof removed_prefix) != 0)
			break;
	cursor->close(cursor);
	*count = counted;
	return result == DB_NOTFOUND || result == DB_BUFFER_SMALL ? 0 : result;
}

int table_first_removal(const struct environment *environment, DB_TXN *txn, struct identifier *user)
{
	uint8_t bytes[REMOVED_KEY_MAX], nothing[1];
	DBT key = {.data = bytes, .size = sizeof removed_prefix, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = get_value(nothing, sizeof nothing);
	struct error ignored;
	DBC *cursor;

	memcpy(bytes, removed_prefix, sizeof removed_prefix);
	int result = environment->meta->cursor(environment->meta, txn, &cursor, 0);
	if (result != 0)
		return result;
	result = cursor->get(cursor, &key, &value, DB_SET_RANGE);
	cursor->close(cursor);
	if (result == DB_BUFFER_SMALL) /* a key or value of another kind */
		return DB_NOTFOUND;
	if (result != 0)
		return result;
	if (key.size <= sizeof removed_prefix || memcmp(bytes, removed_prefix, sizeof removed_prefix) != 0)
		return DB_NOTFOUND;
	struct text name = {(char *)bytes + sizeof removed_prefix, key.size - sizeof removed_prefix};
	return identifier_set(user, name, "user", &ignored) == STATUS_OK ? 0 : EBADMSG;
}

int table_each_of_user(DB *db, DB_TXN *txn, const struct identifier *user, size_t most, table_visit *visit,
		       void *context)
{
	uint8_t prefix[USER_PREFIX_MAX], bytes[BY_USER_KEY_MAX];
	size_t prefix_size = record_encode_user_prefix(identifier_text(user), prefix);
	DBT key = {.data = bytes, .size = (u_int32_t)prefix_size, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */
	DBC *cursor;

	memcpy(bytes, prefix, prefix_size);
	int result = db->cursor(db, txn, &cursor, 0);
	if (result != 0)
		return result;
	u_int32_t where = DB_SET_RANGE;
	for (; most > 0 && (result = cursor->get(cursor, &key, &value, where)) == 0; most--) {
		if (key.size < prefix_size || memcmp(bytes, prefix, prefix_size) != 0)
			break;
		if ((result = visit(context, bytes + prefix_size, key.size - prefix_size)) != 0)
			break;
		where = DB_NEXT;
	}
	cursor->close(cursor);
	return result == DB_NOTFOUND ? 0 : result;
}
