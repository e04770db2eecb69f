/* Looking through the records; see verify_records.h.
 *
 * sessions.db is walked once, in the order of its ids, for what each record is in itself; then the indexes (verify_indexes.c). As an
 * index has a key once, and the id is in it, each session is in it where there are as many matching keys as sessions; only where
 * there are not, the sessions are walked again to name those that are missing. */
#include "store/verify_records.h"

#include "store/schema.h"
#include "store/table.h"
#include "store/verify_indexes.h"

#include <errno.h>
#include <string.h>

/* sessions.db */

static bool facts_are_sound(const struct session_facts *facts)
{
	return (!facts->ended || facts->end_ms >= facts->start_ms) &&
	       (!facts->seen || facts->last_seen_ms >= facts->start_ms);
}

static bool identifiers_are_sound(const struct session *session)
{
	return walk_is_identifier(identifier_text(&session->user)) &&
	       walk_is_identifier(identifier_text(&session->document)) &&
	       walk_is_identifier(identifier_text(&session->library)) &&
	       (session->started.size == 0 || walk_is_identifier(identifier_text(&session->started)));
}

/* The session of a record; false where it is none. */
static bool decode(const struct cursor *cursor, struct session *session, int *version)
{
	struct uuid id;

	if (cursor->key.size != sizeof id.bytes)
		return false;
	memcpy(id.bytes, cursor->key.data, sizeof id.bytes);
	return record_decode_session(&id, cursor->value.data, cursor->value.size, session, version);
}

static void check_session(struct walk *walk, const struct cursor *cursor, uint64_t *sessions)
{
	char hex[WALK_HEX_SIZE], id[UUID_TEXT_SIZE + 1];
	struct session session;
	int version;

	if (!decode(cursor, &session, &version)) {
		walk_found(walk, "sessions.db: the record with the key %s is not readable",
			   walk_hex(cursor_key(cursor), hex));
		return;
	}
	++*sessions;
	if (!identifiers_are_sound(&session))
		walk_found(walk, "sessions.db: session %s: an id of a user, document or library is none",
			   walk_id(&session.id, id));
	if (!facts_are_sound(&session.facts))
		walk_found(walk, "sessions.db: session %s: ends, or was seen, before it starts",
			   walk_id(&session.id, id));
	if (version == 1 && !session.facts.ended)
		walk_found(walk, "sessions.db: session %s: is open, in a record of version 1",
			   walk_id(&session.id, id));
}

static int check_sessions(struct walk *walk, uint64_t *sessions)
{
	struct cursor cursor;
	int result = cursor_open(&cursor, walk->environment->sessions);

	while (result == 0 && (result = cursor_step(walk, &cursor)) == 0 && !cursor.at_end)
		check_session(walk, &cursor, sessions);
	cursor_close(&cursor);
	return result;
}

/* Name the sessions that sessions_by_user.db does not have. */
static int name_missing(struct walk *walk)
{
	char id[UUID_TEXT_SIZE + 1];
	uint8_t bytes[BY_USER_KEY_MAX];
	struct session session;
	struct cursor cursor;
	int version, result = cursor_open(&cursor, walk->environment->sessions);

	while (result == 0 && (result = cursor_step(walk, &cursor)) == 0 && !cursor.at_end) {
		if (!decode(&cursor, &session, &version))
			continue;
		DBT key = {.data = bytes, .size = (u_int32_t)record_encode_by_user(&session, version, bytes)};
		DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL}; /* none of it */
		DB *index = walk->environment->by_user;
		result = index->get(index, NULL, &key, &value, 0);
		if (result == DB_NOTFOUND) {
			walk_found(walk, "sessions_by_user.db: session %s of user '%.*s' is missing",
				   walk_id(&session.id, id), session.user.size, session.user.data);
			result = 0;
		}
	}
	cursor_close(&cursor);
	return result;
}

/* documents.db */

static int check_document(struct walk *walk, const struct cursor *cursor, struct identifier *user)
{
	char hex[WALK_HEX_SIZE];
	struct text rest, name = text_split(cursor_key(cursor), '\0', &rest);
	struct description description;
	struct error ignored;
	struct stats stats;

	if (!rest.data || !walk_is_identifier(name) || !walk_is_identifier(rest) ||
	    !record_decode_description(cursor->value.data, cursor->value.size, &description)) {
		walk_found(walk, "documents.db: the record with the key %s is not readable",
			   walk_hex(cursor_key(cursor), hex));
		return 0;
	}
	walk->counts->documents++;
	if (text_equal(name, identifier_text(user)))
		return 0;
	identifier_set(user, name, "user", &ignored);
	int result = table_get_stats(walk->environment, NULL, user, &stats);
	if (result == DB_NOTFOUND)
		walk_found(walk, "documents.db: user '%.*s' has documents, and no record in stats.db", user->size,
			   user->data);
	return result == DB_NOTFOUND || result == EBADMSG ? 0 : result;
}

static int check_documents(struct walk *walk)
{
	struct identifier user = {.size = 0};
	struct cursor cursor;
	int result = cursor_open(&cursor, walk->environment->documents);

	while (result == 0 && (result = cursor_step(walk, &cursor)) == 0 && !cursor.at_end)
		result = check_document(walk, &cursor, &user);
	cursor_close(&cursor);
	return result;
}

/* meta.db */

static int check_totals(struct walk *walk)
{
	const struct verify_counts *counts = walk->counts;
	struct totals totals;

	int result = table_get_totals(walk->environment, NULL, &totals);
	if (result == DB_NOTFOUND || result == EBADMSG || result == DB_BUFFER_SMALL) {
		walk_found(walk, "meta.db: the totals are %s", result == DB_NOTFOUND ? "missing" : "not readable");
		return 0;
	}
	if (result == 0 && (totals.users != counts->users || totals.sessions != counts->sessions))
		walk_found(walk, "meta.db: the totals are %llu users and %llu sessions, and there are %llu and %llu",
			   (unsigned long long)totals.users, (unsigned long long)totals.sessions,
			   (unsigned long long)counts->users, (unsigned long long)counts->sessions);
	return result;
}

/* Each note of a removal is of a user who is being removed. The other direction is in check_removed. */
static int check_notes(struct walk *walk)
{
	uint64_t notes = 0;
	int result = table_count_removals(walk->environment, NULL, &notes);

	if (result == 0 && notes > walk->removed)
		walk_found(walk, "meta.db: %llu users are noted as being removed, and %llu are",
			   (unsigned long long)notes, (unsigned long long)walk->removed);
	return result;
}

enum status verify_records(struct environment *environment, const struct verify_watch *watch,
			   struct verify_counts *counts, struct error *error)
{
	struct walk walk = {environment, watch, counts, 0, 0};
	uint64_t sessions = 0, matching = 0;
	int result;

	error->status = STATUS_OK;
	if (schema_read(environment, &counts->schema, error) != STATUS_OK)
		return error->status;
	if ((result = check_sessions(&walk, &sessions)) == 0 && (result = verify_indexes(&walk, &matching)) == 0 &&
	    (matching == sessions || (result = name_missing(&walk)) == 0) && (result = check_documents(&walk)) == 0 &&
	    (result = check_totals(&walk)) == 0)
		result = check_notes(&walk);
	return result == 0 ? STATUS_OK : environment_error(error, result, "looking through the records");
}
