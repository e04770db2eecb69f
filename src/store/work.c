/* What operations are made of; see work.h. */
#include "store/work.h"

#include "store/table.h"

#include <errno.h>
#include <stdlib.h>

enum { SETTLE_FIRST = 16 };

static int64_t idle_ms(const struct stats *stats)
{
	return (int64_t)stats->settings.idle_timeout_seconds * 1000;
}

/* Add a session to the sums, or with -1 take it out. The bounds stay bounds when one is taken out. */
static void account(struct stats *stats, const struct session_facts *facts, int sign)
{
	int64_t length_ms = facts->end_ms - facts->start_ms;

	stats->sessions += (uint64_t)(int64_t)sign;
	if (facts->ended) {
		stats->ended += (uint64_t)(int64_t)sign;
		stats->ended_ms += sign * length_ms;
		if (sign > 0 && length_ms > stats->longest_ms)
			stats->longest_ms = length_ms;
		if (stats->ended == 0)
			stats->longest_ms = 0;
	} else if (facts->seen) {
		if (sign > 0 && (stats->watched == 0 || facts->last_seen_ms < stats->first_seen_ms))
			stats->first_seen_ms = facts->last_seen_ms;
		stats->watched += (uint64_t)(int64_t)sign;
	}
}

int work_replace(struct work *work, const struct session *before, const struct session *after)
{
	int result = 0;

	if (before)
		account(&work->stats, &before->facts, -1);
	if (after)
		account(&work->stats, &after->facts, 1);
	work->changed = true;
	work->tally->sessions += (after ? 1 : 0) - (before ? 1 : 0);
	if (after)
		result = table_put_session(work->environment, work->txn, before, work->version, after);
	else if (before)
		result = table_delete_session(work->environment, work->txn, before, work->version);
	return result;
}

/* Ids of open sessions with heartbeats, and the oldest last-seen among those that are not over. */
struct watched {
	int64_t now_ms, idle_ms;
	struct uuid *over;
	size_t count, capacity;
	int64_t first_seen_ms;
};

static int note_watched(void *context, const uint8_t *rest, size_t size)
{
	struct watched *watched = context;
	struct session_entry entry;

	if (!record_decode_by_user(rest, size, &entry))
		return EBADMSG;
	if (!entry.facts.seen)
		return 0;
	if (!session_is_over(&entry.facts, watched->now_ms, watched->idle_ms)) {
		if (entry.facts.last_seen_ms < watched->first_seen_ms)
			watched->first_seen_ms = entry.facts.last_seen_ms;
		return 0;
	}
	if (watched->count == watched->capacity) {
		size_t capacity = watched->capacity ? 2 * watched->capacity : SETTLE_FIRST;
		struct uuid *over = realloc(watched->over, capacity * sizeof *over);
		if (!over)
			return ENOMEM;
		watched->over = over;
		watched->capacity = capacity;
	}
	watched->over[watched->count++] = entry.id;
	return 0;
}

/* Store as ended what counts as ended by now. */
static int settle(struct work *work)
{
	struct watched watched = {
		.now_ms = work->operation->now_ms,
		.idle_ms = idle_ms(&work->stats),
		.first_seen_ms = INT64_MAX,
	};

	if (work->stats.watched == 0 || watched.now_ms - work->stats.first_seen_ms < watched.idle_ms)
		return 0;
	int result =
		table_each_of_user(work->environment->active, work->txn, &work->user, SIZE_MAX, note_watched, &watched);
	for (size_t i = 0; result == 0 && i < watched.count; i++) {
		struct session before, after;
		result = table_get_session(work->environment, work->txn, &watched.over[i], &before, &work->version);
		if (result != 0)
			break;
		after = before;
		session_settle(&after.facts, watched.now_ms, watched.idle_ms);
		result = work_replace(work, &before, &after);
	}
	free(watched.over);
	work->outcome->sessions = watched.count;
	work->stats.first_seen_ms = work->stats.watched > 0 ? watched.first_seen_ms : 0;
	work->changed = true;
	return result;
}

void work_no_such_user(struct work *work, const struct identifier *user)
{
	error_set(work->error, STATUS_NOT_FOUND, "there is no user '%.*s'", user->size, user->data);
}

int work_find_user(struct work *work, const struct identifier *user, bool *found)
{
	work->user = *user;
	int result = table_get_stats(work->environment, work->txn, user, &work->stats);
	*found = result == 0 && !work->stats.removed;
	if (result == DB_NOTFOUND)
		return 0;
	return result == 0 && *found ? settle(work) : result;
}

void work_refuse_session(struct work *work, const struct uuid *id, enum status status, const char *why)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id, text);
	error_set(work->error, status, "focusSession: '%.*s' %s", UUID_TEXT_SIZE, text, why);
}

int work_find_session(struct work *work, struct session *session, bool *found)
{
	const struct operation *operation = work->operation;
	int result = table_get_session(work->environment, work->txn, &operation->id, session, &work->version);

	*found = result == 0 && (!operation->restricted || identifier_equal(&session->user, &operation->actor));
	if (result != 0 && result != DB_NOTFOUND)
		return result;
	if (*found && (result = work_find_user(work, &session->user, found)) != 0)
		return result;
	if (!*found) {
		work_refuse_session(work, &operation->id, STATUS_NOT_FOUND, "is no session");
		return 0;
	}
	/* It may have been settled just now. */
	return work->changed ? table_get_session(work->environment, work->txn, &operation->id, session, &work->version)
			     : 0;
}

int work_find_same_id(struct work *work, const struct uuid *id, struct session *session, bool *found)
{
	struct stats stats;

	int result = table_get_session(work->environment, work->txn, id, session, &work->version);
	*found = result == 0;
	if (result == DB_NOTFOUND)
		return 0;
	if (result != 0 || identifier_equal(&session->user, &work->user))
		return result;
	result = table_get_stats(work->environment, work->txn, &session->user, &stats);
	if (result != 0 || !stats.removed)
		return result;
	*found = false;
	return table_delete_session(work->environment, work->txn, session, work->version);
}
