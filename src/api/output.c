/* Pieces of answers; see output.h. */
#include "api/output.h"

#include "api/field.h"
#include "base/date.h"
#include "domain/instant.h"

#include <stdio.h>
#include <stdlib.h>

/* Room for a text between quotes, which are there already. */
static char *add_quoted(struct buffer *body, size_t size)
{
	char *to = buffer_add(body, size + 2);

	if (!to)
		return NULL;
	to[0] = to[size + 1] = '"';
	return to + 1;
}

void output_uuid(struct buffer *body, const struct uuid *uuid)
{
	char *to = add_quoted(body, UUID_TEXT_SIZE);

	if (to)
		uuid_format(uuid, to);
}

void output_instant(struct buffer *body, bool known, int64_t ms)
{
	char *to = known ? add_quoted(body, INSTANT_TEXT_SIZE) : NULL;

	if (to)
		instant_format(ms, to);
	else if (!known)
		buffer_append_string(body, "null");
}

void output_date(struct buffer *body, bool known, int32_t day)
{
	char *to = known ? add_quoted(body, DATE_TEXT_SIZE) : NULL;

	if (to)
		date_format(day, to);
	else if (!known)
		buffer_append_string(body, "null");
}

/* Those of few digits, which most are. The quotient of two whole numbers is the number next to it (IEEE 754), as what is read from the text is. */
static bool put_short(struct buffer *body, double portion)
{
	enum { PLACES = 4, ONE = 10000 };
	unsigned whole = portion >= 0 && portion <= 1 ? (unsigned)(portion * ONE + 0.5) : 0;
	char text[] = "0.0000";
	size_t size = sizeof text - 1;
	double near = (double)whole / ONE;

	if (near < portion || near > portion)
		return false;
	text[0] = whole == ONE ? '1' : '0';
	for (int place = PLACES; place > 0; place--, whole /= 10)
		text[1 + place] = (char)('0' + whole % 10);
	while (text[size - 1] == '0' && size > 1)
		size--;
	buffer_append(body, text, size > 2 ? size : 1);
	return true;
}

void output_portion(struct buffer *body, bool known, double portion)
{
	enum { DIGITS_ALWAYS = 15, DIGITS_MAX = 17 };
	char text[32] = "null";

	if (known && put_short(body, portion))
		return;
	for (int digits = DIGITS_ALWAYS; known && digits <= DIGITS_MAX; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, portion);
		double read = strtod(text, NULL);
		if (!(read < portion) && !(read > portion))
			break;
	}
	buffer_append_string(body, text);
}

void output_description(struct buffer *body, const struct description *description)
{
	bool begun = false;

	buffer_append_string(body, "\"title\":");
	if (description && description->title_size > 0)
		buffer_append_json(body, (struct text){description->title, description->title_size});
	else
		buffer_append_string(body, "null");
	buffer_append_string(body, ",\"authors\":[");
	for (int i = 0; description && i < description->author_count; i++) {
		output_separator(body, &begun);
		buffer_append_json(body, identifier_text(&description->authors[i]));
	}
	buffer_append_string(body, "]");
}

void output_settings(struct buffer *body, const struct settings *settings)
{
	buffer_append_string(body, "{\"timezone\":");
	buffer_append_json(body, zone_name_text(&settings->timezone));
	buffer_append_format(body,
			     ",\"dayStart\":\"%02d:%02d\",\"weekStart\":\"%s\",\"dailyGoalSeconds\":%u,"
			     "\"idleTimeoutSeconds\":%u}",
			     settings->day_start_minutes / 60, settings->day_start_minutes % 60,
			     field_of(FIELD_WEEK_START)->choices[settings->week_start - 1],
			     settings->daily_goal_seconds, settings->idle_timeout_seconds);
}

void output_one_id(struct buffer *body, const char *name, const struct uuid *id)
{
	buffer_append_format(body, "{\"%s\":", name);
	output_uuid(body, id);
	buffer_append_string(body, "}");
}

void output_separator(struct buffer *body, bool *begun)
{
	if (*begun)
		buffer_append(body, ",", 1);
	*begun = true;
}
