/* Ids derived from names: domain/derived.h. */
#include "check.h"

#include "domain/derived.h"

#include <string.h>

/* The name space for fully qualified domain names (RFC 9562, 6.6). */
static const struct uuid dns = {
	{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

static void assert_id(const struct text *names, size_t count, const char *expected)
{
	struct uuid uuid = derived_uuid(&dns, names, count);
	char text[UUID_TEXT_SIZE];

	uuid_format(&uuid, text);
	assert_memory_equal(text, expected, UUID_TEXT_SIZE);
}

static void the_example_of_the_rfc(void **state)
{
	(void)state;
	assert_id((struct text[]){text_of("www.example.com")}, 1, "2ed6657d-e927-568b-95e1-2665a8aea6a2"); /* A.4 */
}

/* Python's uuid.uuid5(uuid.NAMESPACE_DNS, "a\0b\0\0é"). */
static void names_have_a_nul_between_them(void **state)
{
	(void)state;
	assert_id((struct text[]){text_of("a"), text_of("b"), text_of(""), text_of("\xC3\xA9")}, 4,
		  "a379e083-825b-544b-bae4-02c5c9a15f02");
}

static void other_names_have_other_ids(void **state)
{
	const struct text lists[][2] = {{text_of("ab"), text_of("c")},
					{text_of("a"), text_of("bc")},
					{text_of(""), text_of("abc")},
					{text_of("abc"), text_of("")}};
	struct uuid ids[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		ids[i] = derived_uuid(&dns, lists[i], 2);
		for (size_t j = 0; j < i; j++)
			assert_false(uuid_equal(&ids[i], &ids[j]));
	}
	struct uuid space = derived_uuid(&ids[0], lists[0], 2);
	assert_false(uuid_equal(&space, &ids[0]));
}

static void as_many_names_as_there_may_be(void **state)
{
	struct text names[DERIVED_NAMES_MAX];

	(void)state;
	for (size_t i = 0; i < DERIVED_NAMES_MAX; i++)
		names[i] = text_of("name");
	struct uuid all = derived_uuid(&dns, names, DERIVED_NAMES_MAX);
	struct uuid fewer = derived_uuid(&dns, names, DERIVED_NAMES_MAX - 1);
	assert_false(uuid_equal(&all, &fewer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_rfc),
		cmocka_unit_test(names_have_a_nul_between_them),
		cmocka_unit_test(other_names_have_other_ids),
		cmocka_unit_test(as_many_names_as_there_may_be),
	};

	return cmocka_run_group_tests_name("derived", tests, NULL, NULL);
}
