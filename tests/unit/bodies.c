/* Bodies of requests; see bodies.h. */
#include "bodies.h"

#include <stdio.h>

enum { BODY_MAX = 1 << 20 };

/* For each field a value that is right, and values of all the other types. */
static const struct {
	enum field_id id;
	const char *right;
} fields[] = {
	{FIELD_USER, "\"u\""},
	{FIELD_DOCUMENT, "\"d\""},
	{FIELD_LIBRARY, "\"l\""},
	{FIELD_SESSION, "\"" ID "\""},
	{FIELD_NEW_SESSION, "\"" ID "\""},
	{FIELD_START_TIME, "\"2025-11-10T12:00:00Z\""},
	{FIELD_END_TIME, "\"2025-11-10T12:41:01.000Z\""},
	{FIELD_PROGRESS, "0.5"},
	{FIELD_SESSIONS, "[]"},
	{FIELD_TITLE, "\"t\""},
	{FIELD_AUTHORS, "[\"a\"]"},
	{FIELD_TIMEZONE, "\"UTC\""},
	{FIELD_DAY_START, "\"04:00\""},
	{FIELD_WEEK_START, "\"sunday\""},
	{FIELD_DAILY_GOAL, "3600"},
	{FIELD_IDLE_TIMEOUT, "600"},
	{FIELD_CONFIRM, "\"u\""},
	{FIELD_FROM, "\"2025-11-10\""},
	{FIELD_TO, "\"2025-11-11T00:00:00Z\""},
	{FIELD_UNIT, "\"day\""},
	{FIELD_FILL, "true"},
	{FIELD_LEAST_SECONDS, "60"},
	{FIELD_LIMIT, "10"},
	{FIELD_AFTER, "\"" ID "\""},
	{FIELD_ORDER, "\"desc\""},
};

const char *body_right_value(enum field_id id)
{
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (fields[i].id == id)
			return fields[i].right;
	fail_msg("the field '%s' has no value here", field_of(id)->name);
	return NULL;
}

/* A body of the fields of a set, with another value for one of them; FIELD_COUNT for none. */
struct text body_of(uint32_t set, enum field_id other, const char *value)
{
	static char body[BODY_MAX];
	size_t size = (size_t)snprintf(body, sizeof body, "{\"x\":null");

	for (int id = 0; id < FIELD_COUNT; id++)
		if (set >> id & 1)
			size += (size_t)snprintf(body + size, sizeof body - size, ",\"%s\":%s",
						 field_of((enum field_id)id)->name,
						 id == (int)other ? value : body_right_value((enum field_id)id));
	assert_true(size + 2 < sizeof body);
	body[size++] = '}';
	body[size] = 0;
	return (struct text){body, size};
}

static enum status parse(const struct action *action, struct text body, struct arguments *arguments,
			 struct error *error)
{
	char *copy = copy_of(body.data, body.size);
	enum status status = arguments_parse(action, (struct text){copy, body.size}, NULL, arguments, error);

	free(copy);
	return status;
}

void assert_refused(const struct action *action, struct text body, enum field_id id)
{
	const struct arguments nothing = {.given = 0xABCD};
	struct arguments arguments = nothing;
	const char *name = field_of(id)->name;
	struct error error;

	if (parse(action, body, &arguments, &error) != STATUS_INVALID)
		fail_msg("%s took %s", action->path, body.data);
	/* "user: …", or "authors[3]: …" */
	if (strncmp(error.text, name, strlen(name)) != 0 || !strchr(":[", error.text[strlen(name)]))
		fail_msg("'%s' is not what begins: %s", name, error.text);
	assert_int_equal(arguments.given, nothing.given);
	assert_null(arguments.description);
	assert_null(arguments.sessions);
}

void assert_taken(const struct action *action, struct text body, uint32_t given, struct arguments *arguments)
{
	struct error error;

	if (parse(action, body, arguments, &error) != STATUS_OK)
		fail_msg("%s: %s refused: %s", action->path, body.data, error.text);
	assert_int_equal(arguments->given, given);
}

/* The first action that has the field. */
static const struct action *action_with(enum field_id id)
{
	size_t count;
	const struct action *actions = action_table(&count);

	for (size_t i = 0; i < count; i++)
		if ((actions[i].required | actions[i].optional) >> id & 1)
			return &actions[i];
	fail_msg("no action has '%s'", field_of(id)->name);
	return NULL;
}

/* Read one value of a field. */
void body_take(enum field_id id, const char *value, struct arguments *arguments)
{
	const struct action *action = action_with(id);
	uint32_t set = action->required | UINT32_C(1) << id;

	assert_taken(action, body_of(set, id, value), set, arguments);
}

void body_refuse(enum field_id id, const char *value)
{
	const struct action *action = action_with(id);

	assert_refused(action, body_of(action->required | UINT32_C(1) << id, id, value), id);
}

/* SIZE letters between quotes. */
const char *body_quoted(size_t size, char letter)
{
	static char text[2048];

	assert_true(size + 3 < sizeof text);
	memset(text, letter, size + 2);
	text[0] = text[size + 1] = '"';
	text[size + 2] = 0;
	return text;
}

/* An array of COUNT times the same. */
const char *body_array(size_t count, const char *element)
{
	static char text[BODY_MAX / 2];
	size_t size = (size_t)snprintf(text, sizeof text, "[");

	for (size_t i = 0; i < count; i++)
		size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", i == 0 ? "" : ",", element);
	size += (size_t)snprintf(text + size, sizeof text - size, "]");
	assert_true(size < sizeof text);
	return text;
}
