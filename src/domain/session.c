/* Sessions; see session.h. */
#include "domain/session.h"

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
