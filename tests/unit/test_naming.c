/* What other programs call a document: tool/naming.h. */
#include "check.h"

#include "tool/naming.h"

#include <stdio.h>
#include <string.h>

/* A literal with all its bytes, NULs too. */
#define NAME(literal) ((struct text){literal, sizeof(literal) - 1})

static void assert_cleaned(struct text name, const char *expected)
{
	char *copy = copy_of(name.data, name.size), to[64];
	size_t size = naming_clean((struct text){copy, name.size}, to, sizeof to);

	assert_int_equal(size, strlen(expected));
	assert_memory_equal(to, expected, size);
	free(copy);
}

static void names_as_readers_have_them(void **state)
{
	const struct {
		struct text name;
		const char *expected;
	} cases[] = {
		{NAME("The Time Machine"), "The Time Machine"},
		{NAME("Title\0\0\0"), "Title"},
		{NAME("Title\0of before"), "Title"},
		{NAME("\0Title"), ""},
		{NAME(""), ""},
		{NAME("N/A"), ""},
		{NAME("N/A\0"), ""},
		{NAME(" N/A\n"), ""},
		{NAME("N/A, a novel"), "N/A, a novel"},
		{NAME("n/a"), "n/a"},
		{NAME("  two\n\tlines \r\n"), "two lines"},
		{NAME("a\x01\x7F b"), "a b"},
		{NAME("Caf\xC3\xA9 \xF0\x9F\x93\x9A"), "Caf\xC3\xA9 \xF0\x9F\x93\x9A"},
		{NAME("Caf\xE9 noir"), "Caf\xEF\xBF\xBD noir"},
		{NAME("\xC3"), "\xEF\xBF\xBD"},
		{NAME("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* a surrogate is no character */
		{NAME("\xC2\xA0x"), "\xC2\xA0x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_cleaned(cases[i].name, cases[i].expected);
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
	char to[8];

	(void)state;
	assert_int_equal(naming_clean(NAME("abcdefgh"), to, 8), 8);
	assert_int_equal(naming_clean(NAME("abcdefghi"), to, 8), 8);
	assert_int_equal(naming_clean(NAME("abcdefg\xC3\xA9"), to, 8), 7);
	assert_int_equal(naming_clean(NAME("abcdef\xC3\xA9z"), to, 8), 8);
	assert_int_equal(naming_clean(NAME("abcdefg h"), to, 8), 7);
	assert_int_equal(naming_clean(NAME("abcdef\xFF"), to, 8), 6);
}

static void whatever_comes_out_can_be_stored(void **state)
{
	uint64_t random = 20251110;
	struct error error;
	char name[32], to[16] = "";

	(void)state;
	for (int i = 0; i < 200000; i++) {
		size_t size = random_below(&random, sizeof name + 1);
		for (size_t at = 0; at < size; at++)
			name[at] = (char)(random_below(&random, 3) ? 0x20 + random_below(&random, 0x60)
								   : random_below(&random, 256));
		char *copy = copy_of(name, size);
		struct text cleaned = {to, naming_clean((struct text){copy, size}, to, sizeof to)};
		assert_int_equal(identifier_check(cleaned, 0, sizeof to, "name", &error), STATUS_OK);
		free(copy);
	}
}

static void a_description_has_bounds(void **state)
{
	struct description *description = calloc(1, sizeof *description);
	char title[TITLE_MAX_BYTES + 2], name[8];

	(void)state;
	assert_non_null(description);
	memset(title, 'x', sizeof title);
	naming_set_title(description, (struct text){title, sizeof title});
	assert_int_equal(description->title_size, TITLE_MAX_BYTES);
	naming_set_title(description, NAME("N/A"));
	assert_int_equal(description->title_size, 0);
	naming_add_author(description, NAME("N/A"));
	naming_add_author(description, NAME("\0"));
	assert_int_equal(description->author_count, 0);
	naming_add_author(description, (struct text){title, sizeof title});
	assert_int_equal(description->authors[0].size, IDENTIFIER_MAX_BYTES);
	for (int i = 0; i < AUTHORS_MAX + 5; i++) {
		int size = snprintf(name, sizeof name, "%d", i / 2); /* each twice */
		naming_add_author(description, (struct text){name, (size_t)size});
	}
	for (int i = 0; i < AUTHORS_MAX + 5; i++) {
		int size = snprintf(name, sizeof name, "%d", i);
		naming_add_author(description, (struct text){name, (size_t)size});
	}
	assert_int_equal(description->author_count, AUTHORS_MAX);
	assert_memory_equal(description->authors[1].data, "0", 1);
	assert_memory_equal(description->authors[2].data, "1", 1);
	free(description);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_as_readers_have_them),
		cmocka_unit_test(what_is_too_long_is_cut_between_characters),
		cmocka_unit_test(whatever_comes_out_can_be_stored),
		cmocka_unit_test(a_description_has_bounds),
	};

	return cmocka_run_group_tests_name("naming", tests, NULL, NULL);
}
