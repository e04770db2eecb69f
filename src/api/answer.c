/* The shapes of the answers; see answer.h. */
#include "api/answer.h"

/* clang-format off */
/* What is within an answer, and an answer as a whole. */
#define SHAPE(what, ...) \
	static const struct answer_key what##_keys[] = {__VA_ARGS__, {.name = NULL}}; \
	static const struct answer_shape what = {what##_keys, NULL}
#define ANSWER(what, ...) \
	static const struct answer_key answer_##what##_keys[] = {__VA_ARGS__, {.name = NULL}}; \
	const struct answer_shape answer_##what = {answer_##what##_keys, NULL}

#define SAME(key, id) {.name = key, .type = ANSWER_FIELD, .field = FIELD_##id}
#define UUID(key) {.name = key, .type = ANSWER_UUID}
#define OBJECT(key, of) {.name = key, .type = ANSWER_OBJECT, .shape = &(of)}
#define LIST(key, of) {.name = key, .type = ANSWER_OBJECT, .list = true, .shape = &(of)}
#define INSTANT(key) {.name = key, .type = ANSWER_INSTANT}
#define INSTANT_OR_NULL(key) {.name = key, .type = ANSWER_INSTANT, .nullable = true}
#define DATE_OR_NULL(key) {.name = key, .type = ANSWER_DATE, .nullable = true}
#define PROGRESS_OR_NULL {.name = "progress", .type = ANSWER_FIELD, .field = FIELD_PROGRESS, .nullable = true}
#define COUNT(key) {.name = key, .type = ANSWER_NUMBER}
#define SECONDS(key, text) {.name = key, .type = ANSWER_NUMBER, .summary = text}

ANSWER(focus_stats, UUID("focusStats"));
ANSWER(focus_session, UUID("focusSession"));
ANSWER(document, SAME("document", DOCUMENT));
ANSWER(user, SAME("user", USER));
ANSWER(removed, COUNT("removedSessions"));
static const struct answer_key nothing_keys[] = {{.name = NULL}};
const struct answer_shape answer_nothing = {nothing_keys, NULL};

SHAPE(not_added, COUNT("index"), {.name = "error", .type = ANSWER_TEXT, .summary = "Why it was not added."});
static const struct answer_key added_keys[] = {COUNT("index"), UUID("focusSession"), {.name = NULL}};
static const struct answer_shape added = {added_keys, &not_added};
ANSWER(results, LIST("results", added));

SHAPE(stats,
	UUID("id"),
	SAME("user", USER),
	{.name = "focusSessionIds", .type = ANSWER_UUID, .list = true, .summary = "Of the sessions that have ended."});
ANSWER(stats_list, OBJECT("focusStats", stats));

SHAPE(session,
	UUID("_id"),
	SAME("user", USER),
	SAME("document", DOCUMENT),
	{.name = "library", .type = ANSWER_FIELD, .field = FIELD_LIBRARY, .optional = true},
	INSTANT("startTime"),
	{.name = "endTime", .type = ANSWER_INSTANT, .nullable = true, .summary = "null while the session is active."},
	{.name = "lastSeen", .type = ANSWER_INSTANT, .nullable = true, .optional = true,
	 .summary = "The last heartbeat."},
	{.name = "progress", .type = ANSWER_FIELD, .field = FIELD_PROGRESS, .nullable = true, .optional = true,
	 .summary = "As it was reported last."});
ANSWER(session_list, OBJECT("focusSession", session));

SHAPE(active,
	UUID("_id"),
	SAME("user", USER),
	SAME("document", DOCUMENT),
	INSTANT("startTime"),
	INSTANT_OR_NULL("lastSeen"),
	SECONDS("elapsedSeconds", "Since its start."),
	{.name = "stale", .type = ANSWER_BOOLEAN, .summary = "Without a heartbeat for 12 hours: forgotten, it seems."});
ANSWER(active_list, OBJECT("focusSession", active));

SHAPE(summary,
	SECONDS("seconds", "Time spent reading; what several sessions overlap counts once."),
	SECONDS("rawSeconds", "The plain sum of all sessions."),
	COUNT("sessions"),
	COUNT("documents"),
	COUNT("activeDays"),
	SECONDS("averageSessionSeconds", NULL),
	SECONDS("averageActiveDaySeconds", NULL),
	SECONDS("longestSessionSeconds", NULL),
	INSTANT_OR_NULL("firstStart"),
	INSTANT_OR_NULL("lastEnd"));
ANSWER(summary_list, OBJECT("summary", summary));

SHAPE(period,
	INSTANT("start"),
	INSTANT("end"),
	{.name = "label", .type = ANSWER_TEXT, .summary = "The date of its first day; of months and years the beginning of that."},
	SECONDS("seconds", NULL),
	COUNT("sessions"),
	COUNT("documents"));
ANSWER(period_list, OBJECT("period", period));

SHAPE(hour,
	{.name = "weekday", .type = ANSWER_NUMBER, .least = 1, .most = 7, .summary = "1 is Monday."},
	{.name = "hour", .type = ANSWER_NUMBER, .most = 23},
	SECONDS("seconds", NULL));
ANSWER(hour_list, OBJECT("hour", hour));

SHAPE(read_document,
	SAME("document", DOCUMENT),
	{.name = "title", .type = ANSWER_FIELD, .field = FIELD_TITLE, .nullable = true},
	SAME("authors", AUTHORS),
	SECONDS("seconds", NULL),
	COUNT("sessions"),
	COUNT("activeDays"),
	INSTANT("firstStart"),
	INSTANT("lastEnd"),
	PROGRESS_OR_NULL,
	{.name = "remainingSeconds", .type = ANSWER_NUMBER, .nullable = true, .summary = "Time left at the pace so far."});
ANSWER(document_list, OBJECT("document", read_document));

SHAPE(streak,
	COUNT("currentDays"),
	COUNT("longestDays"),
	DATE_OR_NULL("longestStart"),
	DATE_OR_NULL("longestEnd"),
	{.name = "readToday", .type = ANSWER_BOOLEAN});
ANSWER(streak_list, OBJECT("streak", streak));

SHAPE(goal,
	{.name = "date", .type = ANSWER_DATE, .summary = "Today."},
	SAME("goalSeconds", DAILY_GOAL),
	SECONDS("seconds", "Read today."),
	{.name = "reached", .type = ANSWER_BOOLEAN},
	{.name = "daysReached", .type = ANSWER_NUMBER, .summary = "Of all days."},
	{.name = "currentDays", .type = ANSWER_NUMBER, .summary = "In a row, up to now."});
ANSWER(goal_list, OBJECT("goal", goal));

SHAPE(settings,
	SAME("timezone", TIMEZONE),
	SAME("dayStart", DAY_START),
	SAME("weekStart", WEEK_START),
	SAME("dailyGoalSeconds", DAILY_GOAL),
	SAME("idleTimeoutSeconds", IDLE_TIMEOUT));
ANSWER(settings_list, OBJECT("settings", settings));

SHAPE(titled_document,
	SAME("document", DOCUMENT),
	{.name = "title", .type = ANSWER_FIELD, .field = FIELD_TITLE, .nullable = true},
	SAME("authors", AUTHORS));
ANSWER(title_list, OBJECT("document", titled_document));
SHAPE(exported_session,
	UUID("_id"),
	SAME("document", DOCUMENT),
	SAME("library", LIBRARY),
	INSTANT("startTime"),
	INSTANT_OR_NULL("endTime"),
	INSTANT_OR_NULL("lastSeen"),
	PROGRESS_OR_NULL,
	INSTANT_OR_NULL("progressTime"));
SHAPE(export,
	{.name = "version", .type = ANSWER_NUMBER, .least = 1, .most = 1},
	SAME("user", USER),
	UUID("focusStats"),
	OBJECT("settings", settings),
	LIST("documents", titled_document),
	LIST("sessions", exported_session));
ANSWER(export_list, OBJECT("export", export));

ANSWER(health, {.name = "status", .type = ANSWER_TEXT, .summary = "ok"});
ANSWER(description, {.name = "openapi", .type = ANSWER_TEXT, .summary = "The version of OpenAPI that this follows."});
/* clang-format on */
