/* Numbered texts: base/names.h. */
#include "check.h"

#include "base/names.h"

#include <stdio.h>

static void numbers_follow_one_another(void **state)
{
	struct names names;

	(void)state;
	names_init(&names);
	assert_int_equal(names_find(&names, text_of("a")), NAMES_FAILED);
	assert_int_equal(names_number(&names, text_of("a")), 0);
	assert_int_equal(names_number(&names, text_of("b")), 1);
	assert_int_equal(names_number(&names, text_of("a")), 0);
	assert_int_equal(names_number(&names, text_of("ab")), 2);
	assert_int_equal(names_number(&names, text_of("b")), 1);
	assert_int_equal(names.count, 3);
	assert_int_equal(names_find(&names, text_of("ab")), 2);
	assert_int_equal(names_find(&names, text_of("ba")), NAMES_FAILED);
	assert_int_equal(names.count, 3);
	names_release(&names);
}

static void bytes_decide(void **state)
{
	static const struct text texts[] = {{"", 0},     {"\0", 1},       {"\0\0", 2},      {"a", 1},
					    {"a\0", 2},  {"\xC3\xA9", 2}, {"e\xCC\x81", 3}, {"A", 1},
					    {"a\0b", 3}, {"\xFF\xFE", 2}, {" a", 2},        {"a ", 2}};
	enum { COUNT = sizeof texts / sizeof texts[0] };
	struct names names;

	(void)state;
	names_init(&names);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < COUNT; i++)
			assert_int_equal(names_number(&names, texts[i]), i);
	for (size_t i = 0; i < COUNT; i++)
		assert_true(text_equal(names_text(&names, i), texts[i]));
	names_release(&names);
}

/* The text that is handed over need not stay. */
static size_t write_name(char name[16], int number)
{
	return (size_t)snprintf(name, 16, "d%d", number);
}

static void many_grow_the_table(void **state)
{
	enum { COUNT = 50000 };
	struct names names;
	char name[16];

	(void)state;
	names_init(&names);
	for (int i = 0; i < COUNT; i++) {
		size_t size = write_name(name, i);
		assert_int_equal(names_find(&names, (struct text){name, size}), NAMES_FAILED);
		assert_int_equal(names_number(&names, (struct text){name, size}), i);
	}
	for (int i = COUNT - 1; i >= 0; i--) {
		struct text text = {name, write_name(name, i)};
		assert_int_equal(names_number(&names, text), i);
		assert_int_equal(names_find(&names, text), i);
		assert_true(text_equal(names_text(&names, (size_t)i), text));
	}
	assert_int_equal(names.count, COUNT);
	names_release(&names);
}

/* Whatever the seed is, there may be texts that want the same slot. */
static void any_seed_will_do(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct names names;
		char name[16];
		names_init(&names);
		names.seed = round == 0 ? 0 : next_random(&random);
		for (int i = 0; i < 200; i++)
			assert_int_equal(names_number(&names, (struct text){name, write_name(name, i)}), i);
		for (int i = 0; i < 200; i++)
			assert_int_equal(names_find(&names, (struct text){name, write_name(name, i)}), i);
		assert_int_equal(names_find(&names, text_of("d200")), NAMES_FAILED);
		names_release(&names);
	}
}

static void seeds_differ(void **state)
{
	struct names a, b;

	(void)state;
	names_init(&a);
	names_init(&b);
	assert_true(a.seed != b.seed);
	names_release(&a);
	names_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_follow_one_another),
		cmocka_unit_test(bytes_decide),
		cmocka_unit_test(many_grow_the_table),
		cmocka_unit_test(any_seed_will_do),
		cmocka_unit_test(seeds_differ),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
