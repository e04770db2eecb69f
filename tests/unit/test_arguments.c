/* From a body to arguments: api/arguments.h. */
#include "check.h"

#include "api/arguments.h"
#include "api/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct action *start_session(void)
{
	const struct action *action = action_find(text_of("/FocusStats/startSession"));

	assert_non_null(action);
	return action;
}

/* Parse from a copy without a NUL behind it, so that a sanitizer sees every byte read beyond its end. */
static enum status parse(const struct action *action, struct text body, const struct identifier *actor,
			 struct arguments *arguments, struct error *error)
{
	char *copy = malloc(body.size ? body.size : 1);

	assert_non_null(copy);
	if (body.size > 0)
		memcpy(copy, body.data, body.size);
	enum status status = arguments_parse(action, (struct text){copy, body.size}, actor, arguments, error);
	free(copy);
	return status;
}

static void assert_refused(struct text body, const char *named)
{
	struct arguments arguments = {.user = {.size = 1, .data = "k"}};
	struct error error = {.status = STATUS_OK};

	enum status status = parse(start_session(), body, NULL, &arguments, &error);
	if (status != STATUS_INVALID)
		fail_msg("status %d for %.*s", (int)status, (int)body.size, body.data);
	if (!strstr(error.text, named))
		fail_msg("'%s' is not in: %s", named, error.text);
	assert_true(text_is_utf8(text_of(error.text)));
	assert_true(text_equal(identifier_text(&arguments.user), text_of("k")));
	assert_int_equal(arguments.document.size, 0);
}

static void fields_are_read(void **state)
{
	static const char body[] =
		" \t\r\n{\"library\" : \"l\\u00e9\\ud83d\\udcd6\\/\", \"more\": [1, {\"user\": \"no\"}, null],"
		"\"document\":\"d \\\"\",\"user\":\"\xC3\xA9\"}\r\n ";
	struct arguments arguments;
	struct error error;

	(void)state;
	assert_int_equal(parse(start_session(), text_of(body), NULL, &arguments, &error), STATUS_OK);
	assert_true(text_equal(identifier_text(&arguments.user), text_of("\xC3\xA9")));
	assert_true(text_equal(identifier_text(&arguments.document), text_of("d \"")));
	assert_true(text_equal(identifier_text(&arguments.library), text_of("l\xC3\xA9\xF0\x9F\x93\x96/")));
	assert_int_equal(arguments.session.size, 0);
}

static void left_out_user_is_who_signed_in(void **state)
{
	static const char body[] = "{\"document\":\"d\",\"library\":\"l\"}";
	const struct identifier actor = {.size = 3, .data = "ann"};
	struct arguments arguments;
	struct error error;

	(void)state;
	assert_int_equal(parse(start_session(), text_of(body), &actor, &arguments, &error), STATUS_OK);
	assert_true(text_equal(identifier_text(&arguments.user), text_of("ann")));
	assert_refused(text_of(body), "user");
	assert_int_equal(
		parse(start_session(), text_of("{\"user\":\"u\",\"library\":\"l\"}"), &actor, &arguments, &error),
		STATUS_INVALID);
	assert_non_null(strstr(error.text, "document"));
	/* Given, it counts, even where it is wrong. */
	assert_int_equal(parse(start_session(), text_of("{\"user\":null,\"document\":\"d\",\"library\":\"l\"}"), &actor,
			       &arguments, &error),
			 STATUS_INVALID);
}

static void bodies_that_are_no_json(void **state)
{
	static const char *const bodies[] = {
		"",
		" ",
		"{",
		"{\"user\"",
		"{\"user\":",
		"{\"user\":\"u\"",
		"{\"user\":\"u\",",
		"{\"user\":\"u",
		"}",
		"nonsense",
		"{user:\"u\"}",
		"{'user':'u'}",
		"{\"user\":\"u\",}",
		"{\"user\" \"u\"}",
		"{\"user\":\"u\"}}",
		"{\"user\":\"u\"} {}",
		"{\"user\":\"u\"}x",
		"[\"user\"]",
		"\"user\"",
		"null",
		"true",
		"17",
		"1.5e3",
		"{\"user\":\"\\x\"}",
		"{\"user\":\"\\u12\"}",
		"{\"user\":\"\\ud800\"}",
		"{\"user\":\"\\udc00\"}",
		"{\"user\":\"\\ud800\\u0041\"}",
		"{\"user\":\"\\ud800\\ud800\"}",
		"{\"user\":\"a\nb\"}",
		"{\"user\":\"a\tb\"}",
		"{\"user\":nul}",
		"{\"user\":tru}",
		"{/* no */\"user\":\"u\"}",
		"// no\n{}",
		"\xEF\xBB\xBF{}",
		"{\"user\":\"\\ud83d",
		"{\"\\",
		"{\"user\":\"\\u",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		assert_refused(text_of(bodies[i]), "body");
	assert_refused((struct text){"{\"user\":\"u\"}\0", 13}, "body");
	assert_refused((struct text){"{\"user\":\"a\0b\"}", 14}, "body");
	assert_refused((struct text){"\0", 1}, "body");
	assert_refused(text_of("{\"user\":\"\xFF\"}"), "UTF-8");
	assert_refused(text_of("{\"user\":\"\xC3\"}"), "UTF-8");
	assert_refused(text_of("{\"user\":\"\xED\xA0\x80\"}"), "UTF-8");
	assert_refused(text_of("{\"user\":\"\xC0\x80\"}"), "UTF-8");
}

/* json-c would end such a key at its U+0000, and take it for a field. */
static void keys_with_a_nul(void **state)
{
	static const char *const bodies[] = {
		"{\"user\":\"u\",\"document\":\"d\",\"library\":\"l\",\"user\\u0000\":\"v\"}",
		"{\"user\\u0000x\" : \"v\",\"document\":\"d\",\"library\":\"l\"}",
		"{\"user\":\"u\",\"document\":\"d\",\"library\":\"l\",\"x\":[{\"\\\\\\u0000\"\t:1}]}",
		"{\"user\":\"u\",\"document\":\"d\",\"library\":\"l\",\"\\u0000",
	};
	static const char beside[] = "{\"user\":\"u\",\"document\":\"d\",\"library\":\"l\","
				     "\"x\":[\"\\u0000\",\"a\\u0000\\\"\"],\"\\\\u0000\":1,\"\\u00000\\u0001\":2}";
	struct arguments arguments;
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		assert_refused(text_of(bodies[i]), i < 3 ? "U+0000" : "body");
	assert_refused(text_of(beside), "U+0000"); /* \u00000 is U+0000 and a digit */
	assert_int_equal(parse(start_session(),
			       text_of("{\"user\":\"u\",\"document\":\"d\",\"library\":\"l\",\"\\\\u0000\":1,"
				       "\"x\":[\"\\u0000\",\"a\\u0000\\\"\"],\"\\u0001\":2}"),
			       NULL, &arguments, &error),
			 STATUS_OK);
}

/* What is no field of ours is ignored, but it must be JSON (RFC 8259, 3 and 6), although json-c would take some of these. */
static void values_that_are_no_json(void **state)
{
	static const char *const values[] = {
		"NaN",   "-NaN", "nan",  "Infinity", "-Infinity", "01",    "-01",         "00",  "1.",         "1.e5",
		"-1.",   ".5",   "1e",   "1e+",      "+1",        "-",     "0x10",        "--1", "1-2",        "1.2.3",
		"1e5e5", "True", "NULL", "nul",      "'a'",       "[1,]",  "[,1]",        "{,}", "{\"a\":1,}", "/**/1",
		"1/**/", "\f1",  "1\v",  "\"\\'\"",  "\"\\a\"",   "[NaN]", "{\"a\":[1.]}"};
	static const char *const right[] = {
		"0",   "-0",     "10",         "0.5",         "-0.0e-0", "1E400",       "99999999999999999999999",
		"1e5", "1.5E+3", "\"01 NaN\"", "\"\\\"-01\"", "null",    "[0,-1.5,{}]", "{\"NaN\":\"1.\"}"};
	char body[256];
	struct arguments arguments;
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		snprintf(body, sizeof body, "{\"user\":\"u\",\"document\":\"d\",\"library\":\"l\",\"x\":%s}",
			 values[i]);
		assert_refused(text_of(body), "body");
	}
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		snprintf(body, sizeof body, "{\"x\": %s ,\"user\":\"u\",\"document\":\"d\",\"library\":\"l\"}",
			 right[i]);
		if (parse(start_session(), text_of(body), NULL, &arguments, &error) != STATUS_OK)
			fail_msg("%s: %s", body, error.text);
	}
}

/* A whole request with one field's value replaced. */
static void assert_field_refused(const char *field, const char *value)
{
	static const char *const fields[] = {"user", "document", "library"};
	char body[2048] = "{\"x\":1";
	size_t size = strlen(body);

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		bool this_one = strcmp(fields[i], field) == 0;
		if (!this_one || value)
			size += (size_t)snprintf(body + size, sizeof body - size, ",\"%s\":%s", fields[i],
						 this_one ? value : "\"fine\"");
	}
	assert_true(size + 1 < sizeof body);
	body[size++] = '}';
	assert_refused((struct text){body, size}, field);
}

static void wrong_fields_are_named(void **state)
{
	static const char *const fields[] = {"user", "document", "library"};
	static const char *const values[] = {
		NULL,        "null",         "true",          "17",   "1.5",         "[]",
		"[\"u\"]",   "{}",           "{\"a\":\"u\"}", "\"\"", "\"\\u0000\"", "\"a\\u0000b\"",
		"\"a\\nb\"", "\"a\\u001f\"", "\"\\u007f\""};
	char too_long[IDENTIFIER_MAX_BYTES + 4] = "\"";

	(void)state;
	memset(too_long + 1, 'x', IDENTIFIER_MAX_BYTES + 1);
	too_long[IDENTIFIER_MAX_BYTES + 2] = '"';
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		for (size_t j = 0; j < sizeof values / sizeof values[0]; j++)
			assert_field_refused(fields[i], values[j]);
		assert_field_refused(fields[i], too_long);
	}
}

/* Nothing of a body that is cut anywhere is taken for a whole one. */
static void cut_bodies_are_refused(void **state)
{
	static const char body[] =
		"{\"user\":\"\\u00e9\\ud83d\\udcd6\",\"document\":\"d\",\"library\":\"l\",\"n\":[1.5e3,true,{}]}";
	struct arguments arguments;
	struct error error;

	(void)state;
	assert_int_equal(parse(start_session(), text_of(body), NULL, &arguments, &error), STATUS_OK);
	for (size_t size = 0; size < sizeof body - 1; size++)
		assert_int_equal(parse(start_session(), (struct text){body, size}, NULL, &arguments, &error),
				 STATUS_INVALID);
}

static size_t nested(char *body, size_t capacity, int depth, const char *open, const char *close, const char *inside)
{
	size_t size = (size_t)snprintf(body, capacity, "{\"user\":\"u\",\"document\":\"d\",\"library\":\"l\",\"x\":");

	/* The object itself is the first level. */
	for (int i = 1; i < depth; i++)
		size += (size_t)snprintf(body + size, capacity - size, "%s", open);
	size += (size_t)snprintf(body + size, capacity - size, "%s", inside);
	for (int i = 1; i < depth; i++)
		size += (size_t)snprintf(body + size, capacity - size, "%s", close);
	return size + (size_t)snprintf(body + size, capacity - size, "}");
}

static void nesting_has_its_limit(void **state)
{
	static const struct {
		const char *open, *close, *inside;
	} forms[] = {{"[", "]", "1"},
		     {"[", "]", "\"[[{\""},
		     {"[1,", "]", "null"},
		     {"{\"a\":", "}", "1"},
		     {"[{\"b\":", "}]", "2"}};
	char body[4096];
	struct arguments arguments;
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		int levels = forms[i].open[0] == '[' && forms[i].open[1] == '{' ? 2 : 1;
		for (int depth = 1; depth <= 200; depth++) {
			size_t size = nested(body, sizeof body, depth, forms[i].open, forms[i].close, forms[i].inside);
			int deepest = 1 + (depth - 1) * levels;
			enum status expected = deepest <= JSON_NESTING_MAX ? STATUS_OK : STATUS_INVALID;
			assert_int_equal(parse(start_session(), (struct text){body, size}, NULL, &arguments, &error),
					 expected);
		}
	}
	/* The empty object and array count as any other. */
	size_t size = nested(body, sizeof body, JSON_NESTING_MAX, "[", "]", "[]");
	assert_int_equal(parse(start_session(), (struct text){body, size}, NULL, &arguments, &error), STATUS_INVALID);
	size = nested(body, sizeof body, JSON_NESTING_MAX - 1, "[", "]", "{}");
	assert_int_equal(parse(start_session(), (struct text){body, size}, NULL, &arguments, &error), STATUS_OK);
}

static void random_changes_do_no_harm(void **state)
{
	static const char good[] =
		"{\"user\":\"\\u00e9\",\"document\":\"d\",\"library\":\"l\",\"n\":[1.5e3,true,null,{}]}";
	static const char bytes[] = "{}[]\",:\\u0d89 \n\x00\x80\xFFtfn-+.eE";
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		char body[sizeof good];
		struct arguments arguments;
		struct error error;

		memcpy(body, good, sizeof body);
		for (size_t changes = random_below(&random, 6); changes > 0; changes--)
			body[random_below(&random, sizeof body - 1)] = bytes[random_below(&random, sizeof bytes)];
		if (parse(start_session(), (struct text){body, sizeof body - 1}, NULL, &arguments, &error) ==
		    STATUS_OK) {
			assert_true(text_is_utf8((struct text){body, sizeof body - 1}));
			assert_true(arguments.user.size > 0 && arguments.document.size > 0 &&
				    arguments.library.size > 0);
		} else {
			assert_true(text_is_utf8(text_of(error.text)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read),           cmocka_unit_test(left_out_user_is_who_signed_in),
		cmocka_unit_test(bodies_that_are_no_json),   cmocka_unit_test(keys_with_a_nul),
		cmocka_unit_test(values_that_are_no_json),   cmocka_unit_test(wrong_fields_are_named),
		cmocka_unit_test(cut_bodies_are_refused),    cmocka_unit_test(nesting_has_its_limit),
		cmocka_unit_test(random_changes_do_no_harm),
	};

	return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
