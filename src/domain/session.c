/* Sessions; see session.h. */
#include "domain/session.h"

#include "domain/instant.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool session_is_over(const struct session_facts *facts, int64_t now_ms, int64_t idle_ms)
{
	return !facts->ended && facts->seen && now_ms - facts->last_seen_ms >= idle_ms;
}

bool session_settle(struct session_facts *facts, int64_t now_ms, int64_t idle_ms)
{
	if (!session_is_over(facts, now_ms, idle_ms))
		return false;
	facts->ended = true;
	facts->end_ms = facts->last_seen_ms;
	return true;
}

bool session_is_stale(const struct session_facts *facts, int64_t now_ms)
{
	return !facts->ended && !facts->seen && now_ms - facts->start_ms >= SESSION_STALE_MS;
}

void session_end(struct session_facts *facts, int64_t now_ms)
{
	facts->ended = true;
	facts->end_ms = later(now_ms, facts->start_ms);
}

void session_see(struct session_facts *facts, int64_t now_ms)
{
	facts->last_seen_ms = later(now_ms, facts->seen ? facts->last_seen_ms : facts->start_ms);
	facts->seen = true;
}

void session_report(struct session_facts *facts, double progress, int64_t now_ms)
{
	facts->reported = true;
	facts->progress = progress;
	facts->progress_ms = now_ms;
}

enum status session_check_start(int64_t start_ms, int64_t now_ms, struct error *error)
{
	if (start_ms > now_ms + SESSION_AHEAD_MAX_MS)
		return error_set(error, STATUS_INVALID, "startTime: is more than 5 minutes in the future");
	return STATUS_OK;
}

enum status session_check_end(int64_t start_ms, int64_t end_ms, int64_t now_ms, struct error *error)
{
	if (end_ms < start_ms)
		return error_set(error, STATUS_INVALID, "endTime: is before startTime");
	if (end_ms > now_ms + SESSION_AHEAD_MAX_MS)
		return error_set(error, STATUS_INVALID, "endTime: is more than 5 minutes in the future");
	return STATUS_OK;
}

enum status session_check_edit(const struct session_facts *facts, bool start_given, bool end_given, int64_t now_ms,
			       struct error *error)
{
	if (end_given)
		return session_check_end(facts->start_ms, facts->end_ms, now_ms, error);
	if (start_given && !facts->ended)
		return session_check_start(facts->start_ms, now_ms, error);
	if (start_given && facts->start_ms > facts->end_ms)
		return error_set(error, STATUS_INVALID, "startTime: is after the session's end");
	return STATUS_OK;
}

bool session_equal(const struct session *a, const struct session *b)
{
	const struct session_facts *one = &a->facts, *other = &b->facts;

	return uuid_equal(&a->id, &b->id) && identifier_equal(&a->user, &b->user) &&
	       identifier_equal(&a->document, &b->document) && identifier_equal(&a->library, &b->library) &&
	       identifier_equal(&a->started, &b->started) && one->start_ms == other->start_ms &&
	       one->ended == other->ended && (!one->ended || one->end_ms == other->end_ms) &&
	       one->seen == other->seen && (!one->seen || one->last_seen_ms == other->last_seen_ms) &&
	       one->reported == other->reported &&
	       (!one->reported || (!(one->progress < other->progress) && !(one->progress > other->progress) &&
				   one->progress_ms == other->progress_ms));
}

static bool is_instant(int64_t ms)
{
	return ms >= 0 && ms <= INSTANT_MAX_MS;
}

enum status session_check_facts(const struct session_facts *facts, struct error *error)
{
	if (!is_instant(facts->start_ms))
		return error_set(error, STATUS_INVALID, "startTime: is not in the years 1970 to 9999");
	if (facts->ended && !is_instant(facts->end_ms))
		return error_set(error, STATUS_INVALID, "endTime: is not in the years 1970 to 9999");
	if (facts->ended && facts->end_ms < facts->start_ms)
		return error_set(error, STATUS_INVALID, "endTime: is before startTime");
	if (facts->seen && (!is_instant(facts->last_seen_ms) || facts->last_seen_ms < facts->start_ms))
		return error_set(error, STATUS_INVALID, "lastSeen: is before startTime, or no instant");
	if (facts->reported && !(facts->progress >= 0 && facts->progress <= 1))
		return error_set(error, STATUS_INVALID, "progress: must be a number from 0 to 1");
	if (facts->reported && !is_instant(facts->progress_ms))
		return error_set(error, STATUS_INVALID, "progressTime: is not in the years 1970 to 9999");
	return STATUS_OK;
}
