/* The fields' table, and reading each type; see field.h. */
#include "api/field.h"

#include "base/date.h"
#include "domain/instant.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDED_MAX = 1000, LIMIT_MAX = 1000 };

#define AT(member) .offset = offsetof(struct arguments, member)

static const struct field fields[FIELD_COUNT] = {
	[FIELD_USER] = {"user", AT(user), .type = FIELD_TYPE_ID, .summary = "Whose it is."},
	[FIELD_DOCUMENT] = {"document", AT(document), .type = FIELD_TYPE_ID, .summary = "What is read."},
	[FIELD_LIBRARY] = {"library", AT(library), .type = FIELD_TYPE_ID,
			   .summary = "Where the user has the document."},
	[FIELD_SESSION] = {"focusSession", AT(session), .type = FIELD_TYPE_ID, .summary = "The session."},
	[FIELD_NEW_SESSION] = {"focusSession", AT(new_session), .type = FIELD_TYPE_UUID,
			       .summary = "An id that the client chooses, so that the request can be repeated."},
	[FIELD_START_TIME] = {"startTime", AT(start_ms), .type = FIELD_TYPE_INSTANT,
			      .summary = "When the session began."},
	[FIELD_END_TIME] = {"endTime", AT(end_ms), .type = FIELD_TYPE_INSTANT,
			    .summary = "When the session ended: not before its start, not over 5 minutes ahead."},
	[FIELD_PROGRESS] = {"progress", AT(progress), .type = FIELD_TYPE_PORTION,
			    .summary = "The part of the document that is read."},
	[FIELD_SESSIONS] = {"sessions", AT(sessions), .type = FIELD_TYPE_SESSIONS, .most = ADDED_MAX,
			    .summary = "Sessions of the past."},
	[FIELD_TITLE] = {"title", AT(description), .type = FIELD_TYPE_TITLE, .most = TITLE_MAX_BYTES,
			 .summary = "The document's title; an empty one clears it."},
	[FIELD_AUTHORS] = {"authors", AT(description), .type = FIELD_TYPE_AUTHORS, .most = AUTHORS_MAX,
			   .summary = "The document's authors; an empty list clears them."},
	[FIELD_TIMEZONE] = {"timezone", AT(timezone), .type = FIELD_TYPE_ZONE,
			    .summary = "A name of the time zone database, such as Europe/Berlin."},
	[FIELD_DAY_START] = {"dayStart", AT(day_start_minutes), .type = FIELD_TYPE_CLOCK,
			     .summary = "When the reading day begins, as HH:MM."},
	[FIELD_WEEK_START] = {"weekStart", AT(week_start), .type = FIELD_TYPE_CHOICE,
			      .choices = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"},
			      .summary = "The first day of the week."},
	[FIELD_DAILY_GOAL] = {"dailyGoalSeconds", AT(daily_goal_seconds), .type = FIELD_TYPE_INTEGER,
			      .most = GOAL_MAX_SECONDS, .summary = "How long to read a day; 0 for no goal."},
	[FIELD_IDLE_TIMEOUT] = {"idleTimeoutSeconds", AT(idle_timeout_seconds), .type = FIELD_TYPE_INTEGER,
				.least = IDLE_TIMEOUT_MIN_SECONDS, .most = IDLE_TIMEOUT_MAX_SECONDS,
				.summary = "How long after its last heartbeat a session counts as ended."},
	[FIELD_CONFIRM] = {"confirm", AT(confirm), .type = FIELD_TYPE_ID, .summary = "The user's id once more."},
	[FIELD_FROM] = {"from", AT(from), .type = FIELD_TYPE_MOMENT,
			.summary = "The range's begin: an instant, or a date for the start of that reading day."},
	[FIELD_TO] = {"to", AT(to), .type = FIELD_TYPE_MOMENT,
		      .summary = "The range's end, not in it: an instant or a date."},
	[FIELD_UNIT] = {"unit", AT(unit), .type = FIELD_TYPE_CHOICE, .choices = {"day", "week", "month", "year"},
			.summary = "How long a period is."},
	[FIELD_FILL] = {"fill", AT(fill), .type = FIELD_TYPE_BOOLEAN, .defaults = true,
			.summary = "Whether to list empty periods in between."},
	[FIELD_LEAST_SECONDS] = {"minSeconds", AT(least_seconds), .type = FIELD_TYPE_INTEGER, .most = GOAL_MAX_SECONDS,
				 .defaults = true, .summary = "How long to read for a day to count; 0 for any time."},
	[FIELD_LIMIT] = {"limit", AT(limit), .type = FIELD_TYPE_INTEGER, .least = 1, .most = LIMIT_MAX,
			 .summary = "How many sessions to list at most."},
	[FIELD_AFTER] = {"after", AT(after), .type = FIELD_TYPE_ID,
			 .summary = "List only what comes after this session."},
	[FIELD_ORDER] = {"order", AT(order), .type = FIELD_TYPE_CHOICE, .defaults = true, .choices = {"asc", "desc"},
			 .summary = "Oldest or newest first."},
};

const struct field *field_of(enum field_id id)
{
	return &fields[id];
}

/* Read a string and check what all strings must be. */
static enum status read_string(const char *name, json_object *value, size_t least, size_t most, struct text *text,
			       struct error *error)
{
	if (!json_object_is_type(value, json_type_string)) {
		error_set(error, STATUS_INVALID, "%s: must be a string", name);
		return STATUS_INVALID;
	}
	*text = (struct text){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
	return identifier_check(*text, least, most, name, error);
}

static enum status read_text(const struct field *field, json_object *value, struct text *text, struct error *error)
{
	return read_string(field->name, value, 1, IDENTIFIER_MAX_BYTES, text, error);
}

static enum status refuse(const struct field *field, struct text text, const char *why, struct error *error)
{
	return error_set(error, STATUS_INVALID, "%s: '%.*s' %s", field->name, (int)text.size, text.data, why);
}

static enum status read_id(const struct field *field, json_object *value, struct identifier *id, struct error *error)
{
	struct text text = {NULL, 0};

	if (read_text(field, value, &text, error) != STATUS_OK)
		return error->status;
	return identifier_set(id, text, field->name, error);
}

static enum status read_uuid(const struct field *field, json_object *value, struct uuid *uuid, struct error *error)
{
	struct text text = {NULL, 0};

	if (read_text(field, value, &text, error) != STATUS_OK)
		return error->status;
	if (uuid_parse(text, uuid))
		return STATUS_OK;
	return refuse(field, text, "is not a UUID such as 0190a6c5-5bcd-7c8e-9f6d-2d5c7f0e1b3a", error);
}

static enum status read_instant(const struct field *field, json_object *value, int64_t *ms, struct error *error)
{
	struct text text = {NULL, 0};

	if (read_text(field, value, &text, error) != STATUS_OK)
		return error->status;
	if (instant_parse(text, ms))
		return STATUS_OK;
	return refuse(field, text, "is not an instant such as 2025-11-10T12:41:01.000Z", error);
}

static enum status read_moment(const struct field *field, json_object *value, struct moment *moment,
			       struct error *error)
{
	struct text text = {NULL, 0};

	if (read_text(field, value, &text, error) != STATUS_OK)
		return error->status;
	moment->is_date = date_parse(text, &moment->day);
	if (moment->is_date || instant_parse(text, &moment->ms))
		return STATUS_OK;
	return refuse(field, text,
		      "is neither an instant such as 2025-11-10T12:41:01.000Z nor a date such as 2025-11-10", error);
}

static enum status read_portion(const struct field *field, json_object *value, double *portion, struct error *error)
{
	double number = json_object_get_double(value);

	if ((!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double)) ||
	    !(number >= 0 && number <= 1))
		return error_set(error, STATUS_INVALID, "%s: must be a number from 0 to 1", field->name);
	*portion = number > 0 ? number : 0; /* there is a -0 too */
	return STATUS_OK;
}

static enum status read_integer(const struct field *field, json_object *value, int64_t *integer, struct error *error)
{
	double number = json_object_get_double(value);

	/* json-c reads 600.0 and 6e2 as doubles; the bounds are far below where those become inexact. */
	if ((!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double)) ||
	    !(number >= (double)field->least && number <= (double)field->most) || floor(number) < number)
		return error_set(error, STATUS_INVALID, "%s: must be a whole number from %lld to %lld", field->name,
				 field->least, field->most);
	*integer = (int64_t)number;
	return STATUS_OK;
}

static enum status read_choice(const struct field *field, json_object *value, int64_t *choice, struct error *error)
{
	char list[128] = "";
	size_t used = 0;

	for (int i = 0; field->choices[i]; i++) {
		if (json_object_is_type(value, json_type_string) &&
		    text_equal(text_of(field->choices[i]), (struct text){json_object_get_string(value),
									 (size_t)json_object_get_string_len(value)})) {
			*choice = i;
			return STATUS_OK;
		}
		const char *between = i == 0 ? "" : field->choices[i + 1] ? ", " : " or ";
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", between, field->choices[i]);
	}
	return error_set(error, STATUS_INVALID, "%s: must be %s", field->name, list);
}

static enum status read_boolean(const struct field *field, json_object *value, bool *boolean, struct error *error)
{
	if (!json_object_is_type(value, json_type_boolean))
		return error_set(error, STATUS_INVALID, "%s: must be true or false", field->name);
	*boolean = json_object_get_boolean(value);
	return STATUS_OK;
}

enum status field_find_zone(struct text name, const struct zone **zone, struct error *error)
{
	if ((*zone = zone_find(name)) || errno == ENOENT)
		return STATUS_OK;
	return error_set(error, STATUS_UNAVAILABLE, "reading the time zone '%.*s': %s", (int)name.size, name.data,
			 strerror(errno));
}

static enum status read_zone(const struct field *field, json_object *value, struct zone_name *zone, struct error *error)
{
	struct text text = {NULL, 0};
	const struct zone *known = NULL;

	if (read_string(field->name, value, 1, IDENTIFIER_MAX_BYTES, &text, error) != STATUS_OK ||
	    (text.size <= sizeof zone->data && field_find_zone(text, &known, error) != STATUS_OK))
		return error->status;
	if (!known)
		return refuse(field, text, "is no name of the time zone database", error);
	zone->size = (uint8_t)text.size;
	memcpy(zone->data, text.data, text.size);
	return STATUS_OK;
}

static enum status read_clock(const struct field *field, json_object *value, int64_t *minutes, struct error *error)
{
	enum { CLOCK_SIZE = 5 };
	const char *digits = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
	long long hour = 0, minute = 0;

	if (json_object_is_type(value, json_type_string) && json_object_get_string_len(value) == CLOCK_SIZE &&
	    digits[2] == ':' && text_to_integer((struct text){digits, 2}, &hour) && hour < 24 &&
	    text_to_integer((struct text){digits + 3, 2}, &minute) && minute < 60) {
		*minutes = 60 * hour + minute;
		return STATUS_OK;
	}
	return error_set(error, STATUS_INVALID, "%s: must be a time of day from 00:00 to 23:59", field->name);
}

static struct description *description_of(struct arguments *arguments, struct error *error)
{
	if (!arguments->description)
		arguments->description = calloc(1, sizeof *arguments->description);
	if (!arguments->description)
		error_set(error, STATUS_UNAVAILABLE, "out of memory");
	return arguments->description;
}

static enum status read_title(const struct field *field, json_object *value, struct arguments *arguments,
			      struct error *error)
{
	struct description *description = description_of(arguments, error);
	struct text text = {NULL, 0};

	if (!description || read_string(field->name, value, 0, (size_t)field->most, &text, error) != STATUS_OK)
		return error->status;
	description->title_size = (uint16_t)text.size;
	memcpy(description->title, text.data, text.size);
	return STATUS_OK;
}

static enum status check_array(const struct field *field, json_object *value, size_t *count, struct error *error)
{
	if (!json_object_is_type(value, json_type_array))
		return error_set(error, STATUS_INVALID, "%s: must be an array", field->name);
	*count = json_object_array_length(value);
	if (*count > (size_t)field->most)
		return error_set(error, STATUS_INVALID, "%s: has %zu elements, more than %lld", field->name, *count,
				 field->most);
	return STATUS_OK;
}

static enum status read_authors(const struct field *field, json_object *value, struct arguments *arguments,
				struct error *error)
{
	struct description *description = description_of(arguments, error);
	size_t count = 0;

	if (!description || check_array(field, value, &count, error) != STATUS_OK)
		return error->status;
	for (size_t i = 0; i < count; i++) {
		char name[32];
		struct text text = {NULL, 0};
		snprintf(name, sizeof name, "%s[%zu]", field->name, i);
		if (read_string(name, json_object_array_get_idx(value, i), 1, IDENTIFIER_MAX_BYTES, &text, error) !=
			    STATUS_OK ||
		    identifier_set(&description->authors[i], text, name, error) != STATUS_OK)
			return error->status;
	}
	description->author_count = (uint8_t)count;
	return STATUS_OK;
}

static enum status read_added(json_object *object, struct arguments *element, struct error *error)
{
	if (!json_object_is_type(object, json_type_object))
		return error_set(error, STATUS_INVALID, "must be an object");
	return field_read_all(object, FIELD_SESSIONS_REQUIRED, FIELD_SESSIONS_OPTIONAL, element, error);
}

/* A bad element is noted with its reason, and does not make the request a bad one. */
static enum status read_sessions(const struct field *field, json_object *value, struct arguments *arguments,
				 struct error *error)
{
	size_t count = 0;

	if (check_array(field, value, &count, error) != STATUS_OK)
		return error->status;
	arguments->sessions = calloc(count > 0 ? count : 1, sizeof *arguments->sessions);
	if (!arguments->sessions)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	arguments->session_count = count;
	for (size_t i = 0; i < count; i++) {
		struct added_session *session = &arguments->sessions[i];
		struct arguments element = {0};
		if (read_added(json_object_array_get_idx(value, i), &element, &session->error) != STATUS_OK)
			continue;
		session->document = element.document;
		session->library = element.library;
		session->start_ms = element.start_ms;
		session->end_ms = element.end_ms;
		session->chosen = (element.given & FIELD_SET(NEW_SESSION)) != 0;
		session->id = element.new_session;
	}
	return STATUS_OK;
}

static enum status read_value(const struct field *field, json_object *value, struct arguments *arguments,
			      struct error *error)
{
	void *member = (char *)arguments + field->offset;

	switch (field->type) {
	case FIELD_TYPE_ID:
		return read_id(field, value, member, error);
	case FIELD_TYPE_UUID:
		return read_uuid(field, value, member, error);
	case FIELD_TYPE_INSTANT:
		return read_instant(field, value, member, error);
	case FIELD_TYPE_MOMENT:
		return read_moment(field, value, member, error);
	case FIELD_TYPE_PORTION:
		return read_portion(field, value, member, error);
	case FIELD_TYPE_INTEGER:
		return read_integer(field, value, member, error);
	case FIELD_TYPE_CHOICE:
		return read_choice(field, value, member, error);
	case FIELD_TYPE_BOOLEAN:
		return read_boolean(field, value, member, error);
	case FIELD_TYPE_ZONE:
		return read_zone(field, value, member, error);
	case FIELD_TYPE_CLOCK:
		return read_clock(field, value, member, error);
	case FIELD_TYPE_TITLE:
		return read_title(field, value, arguments, error);
	case FIELD_TYPE_AUTHORS:
		return read_authors(field, value, arguments, error);
	case FIELD_TYPE_SESSIONS:
		break;
	}
	return read_sessions(field, value, arguments, error);
}

enum status field_read_all(json_object *object, uint32_t required, uint32_t optional, struct arguments *arguments,
			   struct error *error)
{
	for (int id = 0; id < FIELD_COUNT; id++) {
		uint32_t bit = UINT32_C(1) << id;
		json_object *value;
		if (!((required | optional) & bit))
			continue;
		if (json_object_object_get_ex(object, fields[id].name, &value)) {
			if (read_value(&fields[id], value, arguments, error) != STATUS_OK)
				return error->status;
			arguments->given |= bit;
		} else if ((required & bit) && !(arguments->given & bit)) {
			return error_set(error, STATUS_INVALID, "%s: is missing", fields[id].name);
		}
	}
	return STATUS_OK;
}
