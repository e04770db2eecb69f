/* Every field of every action: its type, its bounds, and that it is named where it is wrong: api/field.h. */
#include "api/output.h"
#include "bodies.h"

#include <stdio.h>
#include <stdlib.h>

static void every_field_has_its_place(void **state)
{
	uint32_t used = 0;
	size_t count;
	const struct action *actions = action_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		used |= actions[i].required | actions[i].optional;
		assert_int_equal(actions[i].required & actions[i].optional, 0);
	}
	assert_int_equal(used, (UINT32_C(1) << FIELD_COUNT) - 1);
	for (int id = 0; id < FIELD_COUNT; id++) {
		assert_non_null(field_of((enum field_id)id)->name);
		assert_non_null(field_of((enum field_id)id)->summary);
		assert_non_null(body_right_value((enum field_id)id));
	}
}

static void actions_take_what_they_require_and_may_have(void **state)
{
	size_t count;
	const struct action *actions = action_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct action *action = &actions[i];
		uint32_t all = action->required | action->optional;
		struct arguments arguments;
		if (action->is_get)
			continue;
		assert_taken(action, body_of(action->required, FIELD_COUNT, NULL), action->required, &arguments);
		arguments_release(&arguments);
		assert_taken(action, body_of(all, FIELD_COUNT, NULL), all, &arguments);
		arguments_release(&arguments);
		for (int id = 0; id < FIELD_COUNT; id++)
			if (action->required >> id & 1)
				assert_refused(action, body_of(all & ~(UINT32_C(1) << id), FIELD_COUNT, NULL),
					       (enum field_id)id);
	}
}

/* A known field is checked wherever it may be, whether it must be there or not. */
static void values_of_other_types_are_refused(void **state)
{
	static const char *const values[] = {"null", "true", "7", "\"\\u0001\"", "[[]]", "{}", "[7]"};
	size_t count;
	const struct action *actions = action_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		uint32_t all = actions[i].required | actions[i].optional;
		for (int id = 0; id < FIELD_COUNT; id++) {
			enum field_type type = field_of((enum field_id)id)->type;
			if (!(all >> id & 1))
				continue;
			for (size_t n = 0; n < sizeof values / sizeof values[0]; n++) {
				if ((n == 1 && type == FIELD_TYPE_BOOLEAN) ||
				    (n == 2 && type == FIELD_TYPE_INTEGER && id != FIELD_IDLE_TIMEOUT) ||
				    (values[n][0] == '[' && type == FIELD_TYPE_SESSIONS))
					continue;
				assert_refused(&actions[i], body_of(all, (enum field_id)id, values[n]),
					       (enum field_id)id);
			}
		}
	}
}

/* A value and what becomes of it; wrong where it is refused. */
struct number_case {
	const char *value;
	bool right;
	int64_t number;
};

static void check_numbers(enum field_id id, const struct number_case *cases, size_t count,
			  int64_t (*read)(const struct arguments *arguments))
{
	for (size_t i = 0; i < count; i++) {
		struct arguments arguments;
		if (!cases[i].right) {
			body_refuse(id, cases[i].value);
			continue;
		}
		body_take(id, cases[i].value, &arguments);
		assert_int_equal(read(&arguments), cases[i].number);
		arguments_release(&arguments);
	}
}

#define CHECK_NUMBERS(id, cases, read) check_numbers(id, cases, sizeof(cases) / sizeof(cases)[0], read)

static int64_t idle_timeout(const struct arguments *arguments)
{
	return arguments->idle_timeout_seconds;
}

static int64_t daily_goal(const struct arguments *arguments)
{
	return arguments->daily_goal_seconds;
}

static int64_t least_seconds(const struct arguments *arguments)
{
	return arguments->least_seconds;
}

static int64_t limit(const struct arguments *arguments)
{
	return arguments->limit;
}

static void integers(void **state)
{
	static const struct number_case idle[] = {{"60", true, 60},      {"86400", true, 86400},
						  {"59", false, 0},      {"86401", false, 0},
						  {"600.0", true, 600},  {"6e2", true, 600},
						  {"600.5", false, 0},   {"-60", false, 0},
						  {"1e400", false, 0},   {"0", false, 0},
						  {"\"60\"", false, 0},  {"99999999999999999999", false, 0},
						  {"60.0001", false, 0}, {"59.999", false, 0},
						  {"-1e400", false, 0},  {"18446744073709551676", false, 0}};
	static const struct number_case seconds[] = {
		{"0", true, 0},         {"-0", true, 0},       {"0.0", true, 0},        {"1", true, 1},
		{"86400", true, 86400}, {"86400.5", false, 0}, {"-1", false, 0},        {"86401", false, 0},
		{"0.5", false, 0},      {"1e-300", false, 0},  {"4294967296", false, 0}};
	static const struct number_case limits[] = {{"1", true, 1},     {"1000", true, 1000}, {"0", false, 0},
						    {"1001", false, 0}, {"-1", false, 0},     {"1.5", false, 0}};

	(void)state;
	CHECK_NUMBERS(FIELD_IDLE_TIMEOUT, idle, idle_timeout);
	CHECK_NUMBERS(FIELD_DAILY_GOAL, seconds, daily_goal);
	CHECK_NUMBERS(FIELD_LEAST_SECONDS, seconds, least_seconds);
	CHECK_NUMBERS(FIELD_LIMIT, limits, limit);
}

static int64_t end_ms(const struct arguments *arguments)
{
	return arguments->end_ms;
}

static int64_t day_start(const struct arguments *arguments)
{
	return arguments->day_start_minutes;
}

static int64_t week_start(const struct arguments *arguments)
{
	return arguments->week_start;
}

static int64_t unit(const struct arguments *arguments)
{
	return arguments->unit;
}

static int64_t order(const struct arguments *arguments)
{
	return arguments->order;
}

static void instants(void **state)
{
	static const struct number_case cases[] = {
		{"\"1970-01-01T00:00:00Z\"", true, 0},
		{"\"2025-11-10T12:41:01.000Z\"", true, INT64_C(1762778461000)},
		{"\"2025-11-10T13:41:01.0009999999+01:00\"", true, INT64_C(1762778461000)},
		{"\"2025-11-10t12:41:01z\"", true, INT64_C(1762778461000)},
		{"\"9999-12-31T23:59:59.999Z\"", true, INT64_C(253402300799999)},
		{"\"10000-01-01T00:00:00Z\"", false, 0},
		{"\"1969-12-31T23:59:59Z\"", false, 0},
		{"\"2025-11-10T12:41:60Z\"", false, 0},
		{"\"2025-11-10 12:41:01Z\"", false, 0},
		{"\"2025-11-10T12:41:01\"", false, 0},
		{"\"2025-02-29T12:41:01Z\"", false, 0},
		{"\"2025-11-10T24:00:00Z\"", false, 0},
		{"\"2025-11-10\"", false, 0},
		{"\"\"", false, 0},
		{"\" 2025-11-10T12:41:01Z\"", false, 0},
		{"1762778461000", false, 0}};

	(void)state;
	CHECK_NUMBERS(FIELD_END_TIME, cases, end_ms);
}

static void clocks(void **state)
{
	static const struct number_case cases[] = {{"\"00:00\"", true, 0},        {"\"23:59\"", true, 1439},
						   {"\"04:30\"", true, 270},      {"\"24:00\"", false, 0},
						   {"\"4:30\"", false, 0},        {"\"04:60\"", false, 0},
						   {"\"0430\"", false, 0},        {"\"04:30:00\"", false, 0},
						   {"\"-1:30\"", false, 0},       {"\"04:3\"", false, 0},
						   {"\"04-30\"", false, 0},       {"\" 4:30\"", false, 0},
						   {"\"04:\xC3\xA9\"", false, 0}, {"\"\"", false, 0},
						   {"\"+4:30\"", false, 0},       {"270", false, 0},
						   {"\"04:3\\u0000\"", false, 0}};

	(void)state;
	CHECK_NUMBERS(FIELD_DAY_START, cases, day_start);
}

static void choices(void **state)
{
	static const struct number_case weekdays[] = {
		{"\"monday\"", true, 0},   {"\"tuesday\"", true, 1}, {"\"sunday\"", true, 6},
		{"\"Monday\"", false, 0},  {"\"mon\"", false, 0},    {"\"\"", false, 0},
		{"\"monday \"", false, 0}, {"1", false, 0},          {"\"monday\\u0000\"", false, 0}};
	static const struct number_case units[] = {{"\"day\"", true, 0},      {"\"week\"", true, 1},
						   {"\"month\"", true, 2},    {"\"year\"", true, 3},
						   {"\"quarter\"", false, 0}, {"\"days\"", false, 0}};
	static const struct number_case orders[] = {
		{"\"asc\"", true, 0}, {"\"desc\"", true, 1}, {"\"DESC\"", false, 0}};

	(void)state;
	CHECK_NUMBERS(FIELD_WEEK_START, weekdays, week_start);
	CHECK_NUMBERS(FIELD_UNIT, units, unit);
	CHECK_NUMBERS(FIELD_ORDER, orders, order);
}

static void portions(void **state)
{
	static const char *const wrong[] = {"-0.1", "1.0000000000000002", "-1e-300", "1e400", "\"0.5\"", "2"};
	static const struct {
		const char *text;
		double value;
	} right[] = {{"0", 0}, {"-0.0", 0}, {"1", 1}, {"1.0", 1}, {"0.25", 0.25}, {"1e-3", 0.001}, {"5e-324", 5e-324}};
	struct arguments arguments;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		body_refuse(FIELD_PROGRESS, wrong[i]);
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		body_take(FIELD_PROGRESS, right[i].text, &arguments);
		assert_memory_equal(&arguments.progress, &right[i].value, sizeof(double));
	}
}

/* As the C library writes and reads them. */
static void portions_written(void **state)
{
	static const double others[] = {0.00012, 0.1 + 0.2, 1.0 / 3, 5e-324, 0x1.fffffffffffffp-1, 0.50000000000000011};
	enum { STEPS = 10000, OTHERS = sizeof others / sizeof others[0] };

	(void)state;
	for (int i = 0; i <= STEPS + OTHERS; i++) {
		double portion = i <= STEPS ? (double)i / STEPS : others[i - STEPS - 1];
		struct buffer body = BUFFER_INIT;
		char text[32];
		snprintf(text, sizeof text, "%.15g", portion);
		output_portion(&body, true, portion);
		buffer_append(&body, "", 1);
		double read = strtod(body.data, NULL);
		assert_memory_equal(&read, &portion, sizeof read);
		if (i <= STEPS)
			assert_string_equal(body.data, text);
		buffer_release(&body);
	}
}

static void moments(void **state)
{
	static const char *const wrong[] = {
		"\"2025-02-29\"", "\"2025-11\"",     "\"2025-11-10T\"", "\"1969-12-31\"", "\"\"",
		"\"today\"",      "\"2025-11-10Z\"", "\"20251110\"",    "\"2025-W46-1\"", "0"};
	struct arguments arguments;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		body_refuse(FIELD_FROM, wrong[i]);
		body_refuse(FIELD_TO, wrong[i]);
	}
	body_take(FIELD_FROM, "\"2025-11-10\"", &arguments);
	assert_true(arguments.from.is_date);
	assert_int_equal(arguments.from.day, 20402);
	body_take(FIELD_TO, "\"2025-11-10T00:00:00+01:00\"", &arguments);
	assert_false(arguments.to.is_date);
	assert_int_equal(arguments.to.ms, INT64_C(1762729200000));
}

static void booleans(void **state)
{
	struct arguments arguments;

	(void)state;
	body_take(FIELD_FILL, "true", &arguments);
	assert_true(arguments.fill);
	body_take(FIELD_FILL, "false", &arguments);
	assert_false(arguments.fill);
	body_refuse(FIELD_FILL, "\"true\"");
	body_refuse(FIELD_FILL, "1");
}

static void zones(void **state)
{
	static const char *const wrong[] = {
		"\"\"",
		"\"utc\"",
		"\"/etc/localtime\"",
		"\"../UTC\"",
		"\"posix/Europe/Berlin\"",
		"\"right/UTC\"",
		"\"+01:00\"",
		"\"UTC+1\"",
		"\"EST5EDT4\"",
		"\"Europe\"",
		"\"Europe/Nowhere\"",
		"\"localtime\"",
		"\"UTC\\u0000\"",
		"\"zone.tab\"",
		"\"europe/berlin\"",
		"\"Europe/Berlin \"",
		"\"CET-1CEST\"",
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""};
	static const char *const right[] = {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5",
					    "EST5EDT"};
	struct arguments arguments;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		body_refuse(FIELD_TIMEZONE, wrong[i]);
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		char value[64];
		snprintf(value, sizeof value, "\"%s\"", right[i]);
		body_take(FIELD_TIMEZONE, value, &arguments);
		assert_true(text_equal(zone_name_text(&arguments.timezone), text_of(right[i])));
	}
}

static void uuids(void **state)
{
	static const char *const wrong[] = {"\"\"",
					    "\"0190a6c5-5bcd-7c8e-9f6d-2d5c7f0e1b3\"",
					    "\"{" ID "}\"",
					    "\"urn:uuid:" ID "\"",
					    "\"0190a6c55bcd7c8e9f6d2d5c7f0e1b3a\"",
					    "\"0190a6c5-5bcd-7c8e-9f6d-2d5c7f0e1b3g\""};
	struct arguments arguments;
	struct uuid expected;
	const struct action *start = action_find(text_of("/FocusStats/startSession"));

	(void)state;
	assert_true(uuid_parse(text_of(ID), &expected));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		body_refuse(FIELD_NEW_SESSION, wrong[i]);
	body_take(FIELD_NEW_SESSION, "\"0190A6C5-5bcd-7C8E-9f6d-2D5C7F0E1B3A\"", &arguments);
	assert_true(uuid_equal(&arguments.new_session, &expected));
	assert_true(start->optional >> FIELD_NEW_SESSION & 1);
	/* A reference may be any id: there is no such session. */
	body_take(FIELD_SESSION, "\"no uuid\"", &arguments);
	assert_true(text_equal(identifier_text(&arguments.session), text_of("no uuid")));
}

static void ids_have_255_bytes(void **state)
{
	static const enum field_id ids[] = {FIELD_USER,    FIELD_DOCUMENT, FIELD_LIBRARY,
					    FIELD_SESSION, FIELD_CONFIRM,  FIELD_AFTER};
	struct arguments arguments;

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		body_refuse(ids[i], "\"\"");
		body_refuse(ids[i], "\"a\\nb\"");
		body_refuse(ids[i], "\"\\u007f\"");
		body_refuse(ids[i], body_quoted(256, 'x'));
		body_take(ids[i], body_quoted(255, 'x'), &arguments);
		arguments_release(&arguments);
		body_take(ids[i], "\" \xC2\x80\\ufeff\"", &arguments);
		arguments_release(&arguments);
	}
}

static void titles(void **state)
{
	struct arguments arguments;

	(void)state;
	body_take(FIELD_TITLE, "\"\"", &arguments);
	assert_non_null(arguments.description);
	assert_int_equal(arguments.description->title_size, 0);
	arguments_release(&arguments);
	body_take(FIELD_TITLE, body_quoted(1000, 't'), &arguments);
	assert_int_equal(arguments.description->title_size, 1000);
	arguments_release(&arguments);
	body_refuse(FIELD_TITLE, body_quoted(1001, 't'));
	body_refuse(FIELD_TITLE, "\"a\\u0000b\"");
	body_refuse(FIELD_TITLE, "\"two\\nlines\"");
}

static void authors(void **state)
{
	struct arguments arguments;

	(void)state;
	body_take(FIELD_AUTHORS, "[]", &arguments);
	assert_int_equal(arguments.description->author_count, 0);
	arguments_release(&arguments);
	body_take(FIELD_AUTHORS, body_array(50, body_quoted(255, 'a')), &arguments);
	assert_int_equal(arguments.description->author_count, 50);
	assert_int_equal(arguments.description->authors[49].size, 255);
	arguments_release(&arguments);
	body_refuse(FIELD_AUTHORS, body_array(51, "\"a\""));
	body_refuse(FIELD_AUTHORS, body_array(2, body_quoted(256, 'a')));
	body_refuse(FIELD_AUTHORS, "[\"a\",\"\"]");
	body_refuse(FIELD_AUTHORS, "[\"a\",null]");
	body_refuse(FIELD_AUTHORS, "[\"a\\t\"]");
	body_refuse(FIELD_AUTHORS, "\"a\"");
}

/* A bad element is told of by its place; the others are taken. */
static void sessions(void **state)
{
#define GOOD \
	"\"document\":\"d\",\"library\":\"l\",\"startTime\":\"2025-11-10T12:00:00Z\",\"endTime\":\"2025-11-10T12:00:" \
	"01Z\""
	static const struct {
		const char *element, *error; /* NULL where it is right */
	} cases[] = {{"{" GOOD "}", NULL},
		     {"{" GOOD ",\"focusSession\":\"" ID "\",\"user\":7,\"x\":[]}", NULL},
		     {"{" GOOD ",\"focusSession\":\"x\"}", "focusSession: "},
		     {"{" GOOD ",\"focusSession\":null}", "focusSession: "},
		     {"{\"library\":\"l\",\"startTime\":\"2025-11-10T12:00:00Z\",\"endTime\":\"2025-11-10T12:00:01Z\"}",
		      "document: is missing"},
		     {"{\"document\":\"d\",\"library\":\"l\",\"startTime\":\"2025-11-10T12:00:00Z\",\"endTime\":7}",
		      "endTime: must be a string"},
		     {"{}", "document: is missing"},
		     {"null", "must be an object"},
		     {"[]", "must be an object"},
		     {"\"s\"", "must be an object"}};
	enum { COUNT = sizeof cases / sizeof cases[0] };
	char value[4096] = "[";
	struct arguments arguments;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		snprintf(value + strlen(value), sizeof value - strlen(value), "%s%s", i == 0 ? "" : ",",
			 cases[i].element);
	snprintf(value + strlen(value), sizeof value - strlen(value), "]");
	body_take(FIELD_SESSIONS, value, &arguments);
	assert_int_equal(arguments.session_count, COUNT);
	for (int i = 0; i < COUNT; i++) {
		const struct added_session *session = &arguments.sessions[i];
		assert_int_equal(session->error.status, cases[i].error ? STATUS_INVALID : STATUS_OK);
		if (cases[i].error)
			assert_int_equal(strncmp(session->error.text, cases[i].error, strlen(cases[i].error)), 0);
		else
			assert_true(session->end_ms - session->start_ms == 1000 && session->chosen == (i == 1));
	}
	arguments_release(&arguments);
	body_take(FIELD_SESSIONS, "[]", &arguments);
	assert_int_equal(arguments.session_count, 0);
	arguments_release(&arguments);
	body_take(FIELD_SESSIONS, body_array(1000, "{" GOOD "}"), &arguments);
	assert_int_equal(arguments.session_count, 1000);
	assert_int_equal(arguments.sessions[999].error.status, STATUS_OK);
	arguments_release(&arguments);
	body_refuse(FIELD_SESSIONS, body_array(1001, "1"));
	body_refuse(FIELD_SESSIONS, "{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_its_place),
		cmocka_unit_test(actions_take_what_they_require_and_may_have),
		cmocka_unit_test(values_of_other_types_are_refused),
		cmocka_unit_test(integers),
		cmocka_unit_test(instants),
		cmocka_unit_test(clocks),
		cmocka_unit_test(choices),
		cmocka_unit_test(portions),
		cmocka_unit_test(portions_written),
		cmocka_unit_test(moments),
		cmocka_unit_test(booleans),
		cmocka_unit_test(zones),
		cmocka_unit_test(uuids),
		cmocka_unit_test(ids_have_255_bytes),
		cmocka_unit_test(titles),
		cmocka_unit_test(authors),
		cmocka_unit_test(sessions),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
