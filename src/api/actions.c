/* The dispatch table: api/action.h. What carries a row out is in recording.c, lists.c and summaries.c. */
#include "api/exposition.h"
#include "api/lists.h"
#include "api/openapi.h"
#include "api/recording.h"
#include "api/summaries.h"

#include <string.h>

#define SET(field) FIELD_SET(field)
#define FILTER (SET(FROM) | SET(TO) | SET(DOCUMENT) | SET(LIBRARY) | SET(TIMEZONE))

static enum status health(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	(void)call;
	buffer_append_string(body, "{\"status\":\"ok\"}");
	return store_ping(store, error);
}

static const struct action actions[] = {
	{
		.path = "/FocusStats/initUser",
		.creates = true,
		.repeatable = true,
		.required = SET(USER),
		.summary = "Create the user's FocusStats object.",
		.refusals = REFUSAL(CONFLICT),
		.answer = &answer_focus_stats,
		.carry_out = recording_init_user,
	},
	{
		.path = "/FocusStats/startSession",
		.creates = true,
		.repeatable = true,
		.required = SET(USER) | SET(DOCUMENT) | SET(LIBRARY),
		.optional = SET(NEW_SESSION),
		.summary = "Record that the user begins to read the document.",
		.refusals = REFUSAL(NOT_FOUND) | REFUSAL(CONFLICT),
		.answer = &answer_focus_session,
		.prepare = recording_start_session,
		.report = recording_report_session,
	},
	{
		.path = "/FocusStats/heartbeat",
		.repeatable = true,
		.required = SET(SESSION),
		.optional = SET(PROGRESS),
		.summary = "The reader is still there.",
		.refusals = REFUSAL(NOT_FOUND) | REFUSAL(CONFLICT),
		.answer = &answer_focus_session,
		.prepare = recording_heartbeat,
		.report = recording_report_session,
	},
	{
		.path = "/FocusStats/endSession",
		.repeatable = true,
		.required = SET(SESSION),
		.optional = SET(END_TIME) | SET(PROGRESS),
		.summary = "End an active session.",
		.refusals = REFUSAL(NOT_FOUND) | REFUSAL(CONFLICT),
		.answer = &answer_focus_session,
		.prepare = recording_end_session,
		.report = recording_report_session,
	},
	{
		.path = "/FocusStats/addSession",
		.creates = true,
		.repeatable = true,
		.required = SET(USER) | SET(DOCUMENT) | SET(LIBRARY) | SET(START_TIME) | SET(END_TIME),
		.optional = SET(NEW_SESSION),
		.summary = "Record a session of the past.",
		.refusals = REFUSAL(NOT_FOUND) | REFUSAL(CONFLICT),
		.answer = &answer_focus_session,
		.prepare = recording_add_session,
		.report = recording_report_session,
	},
	{
		.path = "/FocusStats/addSessions",
		.creates = true,
		.repeatable = true,
		.required = SET(USER) | SET(SESSIONS),
		.summary = "Record sessions of the past, each for itself.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_results,
		.carry_out = recording_add_sessions,
	},
	{
		.path = "/FocusStats/editSession",
		.repeatable = true,
		.required = SET(SESSION),
		.optional = SET(START_TIME) | SET(END_TIME) | SET(DOCUMENT),
		.summary = "Change a session's times or document.",
		.refusals = REFUSAL(NOT_FOUND) | REFUSAL(CONFLICT),
		.answer = &answer_focus_session,
		.prepare = recording_edit_session,
		.report = recording_report_session,
	},
	{
		.path = "/FocusStats/removeSession",
		.required = SET(SESSION),
		.summary = "Delete a session.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_nothing,
		.prepare = recording_remove_session,
		.report = recording_report_nothing,
	},
	{
		.path = "/FocusStats/setDocument",
		.repeatable = true,
		.required = SET(USER) | SET(DOCUMENT),
		.optional = SET(TITLE) | SET(AUTHORS),
		.summary = "Tell a document's title and authors.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_document,
		.prepare = recording_set_document,
		.report = recording_report_document,
	},
	{
		.path = "/FocusStats/setSettings",
		.repeatable = true,
		.required = SET(USER),
		.optional = SET(TIMEZONE) | SET(DAY_START) | SET(WEEK_START) | SET(DAILY_GOAL) | SET(IDLE_TIMEOUT),
		.summary = "Change the user's settings; all history counts by them.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_user,
		.prepare = recording_set_settings,
		.report = recording_report_user,
	},
	{
		.path = "/FocusStats/removeUser",
		.required = SET(USER) | SET(CONFIRM),
		.summary = "Erase the user with sessions, documents and settings.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_removed,
		.carry_out = recording_remove_user,
	},
	{
		.path = "/FocusStats/_viewStats",
		.repeatable = true,
		.required = SET(USER),
		.summary = "The user's FocusStats object with the ids of the ended sessions.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_stats_list,
		.carry_out = lists_view_stats,
	},
	{
		.path = "/FocusStats/_getSessions",
		.repeatable = true,
		.required = SET(USER),
		.optional = FILTER | SET(LIMIT) | SET(AFTER) | SET(ORDER),
		.summary = "The user's sessions, oldest first unless asked otherwise.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_session_list,
		.carry_out = lists_get_sessions,
	},
	{
		.path = "/FocusStats/_getActiveSessions",
		.repeatable = true,
		.required = SET(USER),
		.summary = "The user's open sessions, oldest first.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_active_list,
		.carry_out = lists_get_active_sessions,
	},
	{
		.path = "/FocusStats/_getSummary",
		.repeatable = true,
		.required = SET(USER),
		.optional = FILTER,
		.summary = "Time read, sessions, documents and days at a glance.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_summary_list,
		.carry_out = summaries_get_summary,
	},
	{
		.path = "/FocusStats/_getPeriods",
		.repeatable = true,
		.required = SET(USER) | SET(UNIT),
		.optional = FILTER | SET(FILL),
		.summary = "Time read by day, week, month or year.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_period_list,
		.carry_out = summaries_get_periods,
	},
	{
		.path = "/FocusStats/_getHours",
		.repeatable = true,
		.required = SET(USER),
		.optional = FILTER,
		.summary = "Time read by weekday and hour of the wall clock.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_hour_list,
		.carry_out = summaries_get_hours,
	},
	{
		.path = "/FocusStats/_getDocuments",
		.repeatable = true,
		.required = SET(USER),
		.optional = FILTER,
		.summary = "Time read by document, with progress and time left.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_document_list,
		.carry_out = summaries_get_documents,
	},
	{
		.path = "/FocusStats/_getStreaks",
		.repeatable = true,
		.required = SET(USER),
		.optional = FILTER | SET(LEAST_SECONDS),
		.summary = "Days read in a row, now and at best.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_streak_list,
		.carry_out = summaries_get_streaks,
	},
	{
		.path = "/FocusStats/_getGoal",
		.repeatable = true,
		.required = SET(USER),
		.optional = SET(TIMEZONE),
		.summary = "Today against the daily goal.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_goal_list,
		.carry_out = summaries_get_goal,
	},
	{
		.path = "/FocusStats/_getSettings",
		.repeatable = true,
		.required = SET(USER),
		.summary = "The user's settings.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_settings_list,
		.carry_out = lists_get_settings,
	},
	{
		.path = "/FocusStats/_getTitles",
		.repeatable = true,
		.required = SET(USER),
		.summary = "What the user's documents are called.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_title_list,
		.carry_out = lists_get_titles,
	},
	{
		.path = "/FocusStats/_exportUser",
		.repeatable = true,
		.required = SET(USER),
		.summary = "All that there is of the user.",
		.refusals = REFUSAL(NOT_FOUND),
		.answer = &answer_export_list,
		.carry_out = lists_export_user,
	},
	{
		.path = "/FocusStats/health",
		.is_get = true,
		.open = true,
		.repeatable = true,
		.summary = "Whether the store can be read.",
		.answer = &answer_health,
		.carry_out = health,
	},
	{
		.path = "/FocusStats/metrics",
		.is_get = true,
		.open = true,
		.repeatable = true,
		.summary = "What was counted, for Prometheus.",
		.content_type = EXPOSITION_CONTENT_TYPE,
		.carry_out = exposition_write,
	},
	{
		.path = "/FocusStats/openapi.json",
		.is_get = true,
		.open = true,
		.repeatable = true,
		.answer = &answer_description,
		.summary = "This description of the API.",
		.carry_out = openapi_write,
	},
};

_Static_assert(sizeof actions / sizeof actions[0] < METRICS_KINDS, "there is a place to count each");

const struct action *action_table(size_t *count)
{
	*count = sizeof actions / sizeof actions[0];
	return actions;
}

const struct action *action_find(struct text path)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (text_equal(text_of(actions[i].path), path))
			return &actions[i];
	return NULL;
}

enum status action_carry_out(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	const struct action *action = call->action;
	struct operation operation;

	if (!action->prepare)
		return action->carry_out(store, call, body, error);
	if (action->prepare(call, &operation, error) != STATUS_OK ||
	    store_write(store, &operation, call->gate, error) != STATUS_OK)
		return error->status;
	action->report(&operation, body);
	return STATUS_OK;
}

const char *action_name(const struct action *action)
{
	return strrchr(action->path, '/') + 1;
}
