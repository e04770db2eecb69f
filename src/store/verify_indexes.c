/* The indexes; see verify_indexes.h. sessions_by_user.db is walked in the order of users, with active_by_user.db and stats.db beside it:
 * each key must be the one that its session makes. */
#include "store/verify_indexes.h"

#include "store/table.h"

#include <string.h>

/* The sums of a user's sessions, as their keys in sessions_by_user.db have them. */
struct sums {
	uint64_t sessions, ended, watched;
	int64_t ended_ms, longest_ms, first_seen_ms;
};

struct entry {
	struct text user; /* within the key */
	struct session_entry session;
	int version;
};

static bool split_key(const struct cursor *cursor, struct entry *entry)
{
	struct text key = cursor_key(cursor);
	const char *end = key.size > 0 ? memchr(key.data, '\0', key.size) : NULL;

	if (!end)
		return false;
	entry->user = (struct text){key.data, (size_t)(end - key.data)};
	size_t rest_size = key.size - entry->user.size - 1;
	entry->version = record_by_user_version(end + 1, rest_size);
	return walk_is_identifier(entry->user) && record_decode_by_user(end + 1, rest_size, &entry->session);
}

enum match { MATCHES, NO_RECORD, NO_SESSION, ANOTHER_KEY, ANOTHER_VALUE };

/* Whether the entry is the one that its session makes. Of a session that is not readable nothing is known. */
static int match(struct walk *walk, const struct cursor *cursor, const struct entry *entry, enum match *match)
{
	uint8_t bytes[SESSION_VALUE_MAX], expected[BY_USER_KEY_MAX];
	const struct uuid *id = &entry->session.id;
	DBT key = {.data = (void *)id->bytes, .size = sizeof id->bytes};
	DBT value = {.data = bytes, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DB *sessions = walk->environment->sessions;
	struct session session;
	int version;

	int result = sessions->get(sessions, NULL, &key, &value, 0);
	if (result != 0) {
		*match = result == DB_NOTFOUND ? NO_SESSION : NO_RECORD;
		return result == DB_NOTFOUND || result == DB_BUFFER_SMALL ? 0 : result;
	}
	if (!record_decode_session(id, bytes, value.size, &session, &version)) {
		*match = NO_RECORD;
		return 0;
	}
	struct text made = {(char *)expected, record_encode_by_user(&session, version, expected)};
	struct text named = {cursor->value.data, cursor->value.size}, own = {(const char *)id->bytes, sizeof id->bytes};
	*match = !text_equal(made, cursor_key(cursor)) ? ANOTHER_KEY
		 : !text_equal(named, own)             ? ANOTHER_VALUE
						       : MATCHES;
	return 0;
}

static void tell_mismatch(struct walk *walk, const char *file, const struct entry *entry, enum match match)
{
	static const char *const what[] = {
		[NO_SESSION] = "there is no such session",
		[ANOTHER_KEY] = "the entry is not that of the session's record",
		[ANOTHER_VALUE] = "the entry leads to another session",
	};
	char id[UUID_TEXT_SIZE + 1];

	if (match != MATCHES && match != NO_RECORD)
		walk_found(walk, "%s: user '%.*s', session %s: %s", file, (int)entry->user.size, entry->user.data,
			   walk_id(&entry->session.id, id), what[match]);
}

/* An entry of active_by_user.db that no entry of sessions_by_user.db stands for: it may be that one that is missing. */
static int check_stray(struct walk *walk, const struct cursor *active)
{
	static const char file[] = "active_by_user.db";
	char hex[WALK_HEX_SIZE], id[UUID_TEXT_SIZE + 1];
	struct entry entry;
	enum match matched;

	if (!split_key(active, &entry)) {
		walk_found(walk, "%s: the key %s is not readable", file, walk_hex(cursor_key(active), hex));
		return 0;
	}
	int result = match(walk, active, &entry, &matched);
	if (result != 0)
		return result;
	if (matched == MATCHES && entry.session.facts.ended)
		walk_found(walk, "%s: user '%.*s', session %s: it has ended", file, (int)entry.user.size,
			   entry.user.data, walk_id(&entry.session.id, id));
	else
		tell_mismatch(walk, file, &entry, matched);
	return 0;
}

/* Bring active_by_user.db up to an entry of sessions_by_user.db, NULL for its end, which must be in it where it is open. */
static int follow_active(struct walk *walk, struct cursor *active, const struct cursor *by_user,
			 const struct entry *entry)
{
	char id[UUID_TEXT_SIZE + 1];
	int result = 0;

	while (result == 0 && !active->at_end &&
	       (!by_user || walk_compare(cursor_key(active), cursor_key(by_user)) < 0))
		if ((result = check_stray(walk, active)) == 0)
			result = cursor_step(walk, active);
	if (result != 0 || !by_user || entry->session.facts.ended || entry->version == 1)
		return result;
	if (active->at_end || walk_compare(cursor_key(active), cursor_key(by_user)) != 0) {
		walk_found(walk, "active_by_user.db: session %s of user '%.*s' is missing",
			   walk_id(&entry->session.id, id), (int)entry->user.size, entry->user.data);
		return 0;
	}
	if (active->value.size != sizeof entry->session.id.bytes ||
	    memcmp(active->value.data, entry->session.id.bytes, active->value.size) != 0)
		tell_mismatch(walk, "active_by_user.db", entry, ANOTHER_VALUE);
	return cursor_step(walk, active);
}

/* stats.db */

static void add(struct sums *sums, const struct session_facts *facts)
{
	int64_t length_ms = facts->end_ms - facts->start_ms;

	sums->sessions++;
	if (facts->ended) {
		sums->ended++;
		sums->ended_ms += length_ms;
		if (length_ms > sums->longest_ms)
			sums->longest_ms = length_ms;
	} else if (facts->seen) {
		if (sums->watched++ == 0 || facts->last_seen_ms < sums->first_seen_ms)
			sums->first_seen_ms = facts->last_seen_ms;
	}
}

static void compare_sum(struct walk *walk, struct text user, const char *what, uint64_t said, uint64_t counted)
{
	if (said != counted)
		walk_found(walk, "stats.db: user '%.*s': %s: %llu, and its sessions make %llu", (int)user.size,
			   user.data, what, (unsigned long long)said, (unsigned long long)counted);
}

/* A user that is being removed has neither sums nor a place in the totals, but a mark in meta.db. */
static void check_removed(struct walk *walk, struct text user)
{
	struct error ignored;
	struct identifier name;

	walk->removed++;
	if (identifier_set(&name, user, "user", &ignored) == STATUS_OK &&
	    table_has_removal(walk->environment, NULL, &name) == DB_NOTFOUND)
		walk_found(walk, "meta.db: user '%.*s' is being removed, and is not noted as that", (int)user.size,
			   user.data);
}

/* A user's record beside the sums of their sessions. */
static void check_user(struct walk *walk, const struct cursor *cursor, const struct sums *sums)
{
	char hex[WALK_HEX_SIZE];
	struct text user = cursor_key(cursor);
	struct stats stats;

	if (!walk_is_identifier(user) || !record_decode_stats(cursor->value.data, cursor->value.size, &stats, NULL)) {
		walk_found(walk, "stats.db: the record with the key %s is not readable", walk_hex(user, hex));
		return;
	}
	if (stats.removed) {
		check_removed(walk, user);
		return;
	}
	walk->counts->users++;
	walk->counts->sessions += sums->sessions;
	compare_sum(walk, user, "sessions", stats.sessions, sums->sessions);
	compare_sum(walk, user, "ended sessions", stats.ended, sums->ended);
	compare_sum(walk, user, "milliseconds", (uint64_t)stats.ended_ms, (uint64_t)sums->ended_ms);
	compare_sum(walk, user, "open sessions with heartbeats", stats.watched, sums->watched);
	if (sums->longest_ms > stats.longest_ms)
		walk_found(walk, "stats.db: user '%.*s': a session is longer than the longest", (int)user.size,
			   user.data);
	if (sums->watched > 0 && sums->first_seen_ms < stats.first_seen_ms)
		walk_found(walk, "stats.db: user '%.*s': a session was last seen before the first", (int)user.size,
			   user.data);
}

/* Bring stats.db up to a user, or with NULL to its end. Users before it have no sessions. */
static int follow_users(struct walk *walk, struct cursor *users, const struct identifier *user, const struct sums *sums)
{
	static const struct sums none = {0};
	int result = 0, order = 1;

	while (result == 0 && !users->at_end &&
	       (!user || (order = walk_compare(cursor_key(users), identifier_text(user))) <= 0)) {
		check_user(walk, users, order == 0 ? sums : &none);
		result = cursor_step(walk, users);
		if (order == 0)
			return result;
	}
	if (result == 0 && user)
		walk_found(walk, "stats.db: user '%.*s' has %llu sessions, and no record", user->size, user->data,
			   (unsigned long long)sums->sessions);
	return result;
}

/* What goes along with sessions_by_user.db. */
struct beside {
	struct cursor by_user, active, users;
	struct identifier user; /* whose sessions are being summed up; size 0 before the first */
	struct sums sums;
	uint64_t matching;
};

static int end_user(struct walk *walk, struct beside *beside)
{
	int result = beside->user.size > 0 ? follow_users(walk, &beside->users, &beside->user, &beside->sums) : 0;

	beside->sums = (struct sums){0};
	return result;
}

static int check_entry(struct walk *walk, struct beside *beside)
{
	static const char file[] = "sessions_by_user.db";
	char hex[WALK_HEX_SIZE];
	struct error ignored;
	struct entry entry;
	enum match matched;

	if (!split_key(&beside->by_user, &entry)) {
		walk_found(walk, "%s: the key %s is not readable", file, walk_hex(cursor_key(&beside->by_user), hex));
		return 0;
	}
	int result = match(walk, &beside->by_user, &entry, &matched);
	if (result != 0)
		return result;
	tell_mismatch(walk, file, &entry, matched);
	if (!text_equal(entry.user, identifier_text(&beside->user))) {
		if ((result = end_user(walk, beside)) != 0)
			return result;
		identifier_set(&beside->user, entry.user, "user", &ignored);
	}
	/* Who has no such session has nothing to be summed up. */
	if (matched != MATCHES && matched != NO_RECORD)
		return 0;
	beside->matching += matched == MATCHES;
	add(&beside->sums, &entry.session.facts);
	return follow_active(walk, &beside->active, &beside->by_user, &entry);
}

int verify_indexes(struct walk *walk, uint64_t *matching)
{
	struct beside beside = {.user = {.size = 0}};
	int result;

	if ((result = cursor_open(&beside.by_user, walk->environment->by_user)) == 0 &&
	    (result = cursor_open(&beside.active, walk->environment->active)) == 0 &&
	    (result = cursor_open(&beside.users, walk->environment->stats)) == 0 &&
	    (result = cursor_step(walk, &beside.active)) == 0)
		result = cursor_step(walk, &beside.users);
	while (result == 0 && (result = cursor_step(walk, &beside.by_user)) == 0 && !beside.by_user.at_end)
		result = check_entry(walk, &beside);
	if (result == 0 && (result = end_user(walk, &beside)) == 0 &&
	    (result = follow_users(walk, &beside.users, NULL, NULL)) == 0)
		result = follow_active(walk, &beside.active, NULL, NULL);
	cursor_close(&beside.by_user);
	cursor_close(&beside.active);
	cursor_close(&beside.users);
	*matching = beside.matching;
	return result;
}
