/* JSON where memory is short: each allocation fails, alone and with all behind it, and api/json.h must say so or have the whole text. The allocations are
 * those of this program, of json-c and of the C library, as malloc and its kin are defined here (the C library's manual, "Replacing malloc"); not
 * under sanitizers, which do the same. */
#include "check.h"

#include "api/json.h"

#include <errno.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the names are the C library's */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* How many allocations are left until one fails, and whether those behind it fail, too; -1 while none does. */
static long left = -1;
static bool all_behind, failed;

static bool fails(void)
{
	if (left < 0 || (left > 0 && --left > 0))
		return false;
	left = all_behind ? 0 : -1;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
	return fails() ? NULL : __libc_realloc(block, size);
}

/* Parse with the allocation of that number failing, which may be behind the last one: false then. */
static bool parse(struct text body, json_object *whole, long number)
{
	json_object *object = NULL;
	struct error error = {.status = STATUS_OK};

	failed = false;
	left = number;
	enum status status = json_parse_object(body, SIZE_MAX, &object, &error);
	left = -1;
	if (status == STATUS_OK && !json_object_equal(object, whole))
		fail_msg("allocation %ld%s: %s", number, all_behind ? " and all behind it" : "",
			 json_object_to_json_string(object));
	if (status != STATUS_OK && status != STATUS_UNAVAILABLE)
		fail_msg("allocation %ld%s: %s", number, all_behind ? " and all behind it" : "", error.text);
	if (!failed)
		assert_int_equal(status, STATUS_OK);
	json_object_put(object);
	return failed;
}

static void every_allocation_fails(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"user\":\"u\"}",
		"{\"user\":\"u\",\"document\":\"a document with a name that is too long for what json-c keeps in an "
		"object itself\",\"library\":\"l\"}",
		"{\"a\":[],\"b\":{},\"c\":[[],[[]],{}],\"d\":[{},{}],\"e\":[\"x\",\"y\"],\"f\":[[\"x\"],[true,null]]}",
		"{\"numbers\":[1,-2,0.5,1e5,12345678901234567890],\"n\":-1,\"m\":2.5,\"nested\":{\"n\":3,\"s\":\"t\","
		"\"deep\":{\"o\":{\"p\":\"q\"}}}}",
		"{\"user\":\"u\",\"sessions\":[{\"document\":\"d\",\"library\":\"l\",\"startTime\":\"2024-01-01T00:00:"
		"00Z\",\"progress\":0.25},"
		"{\"document\":\"\\u00e9\\n\",\"library\":\"l\",\"startTime\":\"2024-01-01T00:00:00Z\",\"endTime\":"
		"null}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		json_object *whole = json_tokener_parse(bodies[i]);
		assert_non_null(whole);
		for (int behind = 0; behind < 2; behind++) {
			long number = 1;
			all_behind = behind == 1;
			while (parse(text_of(bodies[i]), whole, number))
				number++;
			assert_true(number > 2);
		}
		json_object_put(whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
