/* Views of bytes, growing bytes, and the ids that clients choose: base/text.h, base/buffer.h, domain/identifier.h. */
#include "check.h"

#include "base/buffer.h"
#include "domain/identifier.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The UTF-8 form of a code point, surrogates included, made by arithmetic. */
static size_t encode(uint32_t point, char bytes[4])
{
	static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
	size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	if (size == 1) {
		bytes[0] = (char)point;
		return 1;
	}
	for (size_t at = size - 1; at > 0; at--) {
		bytes[at] = (char)(0x80 | (point & 0x3F));
		point >>= 6;
	}
	bytes[0] = (char)(leads[size] | point);
	return size;
}

static bool is_surrogate(uint32_t point)
{
	return point >= 0xD800 && point <= 0xDFFF;
}

static void characters_of_every_code_point(void **state)
{
	char bytes[5];
	uint32_t character;

	(void)state;
	for (uint32_t point = 0; point <= 0x10FFFF; point++) {
		size_t size = encode(point, bytes);
		bytes[size] = 'x';
		size_t expected = is_surrogate(point) ? 0 : size;
		assert_int_equal(text_character((struct text){bytes, size + 1}, &character), expected);
		if (expected > 0)
			assert_int_equal(character, point);
	}
	assert_int_equal(text_character((struct text){NULL, 0}, &character), 0);
}

static void what_is_made_visible(void **state)
{
	static const struct {
		const char *before, *after;
	} texts[] = {
		{"", ""},
		{"plain, \xC3\xA9 \xE6\x9B\xB8 \xF0\x9F\x93\x9A", "plain, \xC3\xA9 \xE6\x9B\xB8 \xF0\x9F\x93\x9A"},
		{"a\nb\rc\td\x1B[31m\x7F", "a?b?c?d?[31m?"},
		{"\xC2\x80|\xC2\x85|\xC2\x9B|\xC2\x9F|\xC2\xA0", "?|?|?|?|\xC2\xA0"},
		{"\xD8\x9C|\xE2\x80\x8E|\xE2\x80\x8F|\xE2\x80\x90", "?|?|?|\xE2\x80\x90"},
		{"\xE2\x80\xA7|\xE2\x80\xA8|\xE2\x80\xA9|\xE2\x80\xAE|\xE2\x80\xAF", "\xE2\x80\xA7|?|?|?|\xE2\x80\xAF"},
		{"\xE2\x81\xA5|\xE2\x81\xA6|\xE2\x81\xA9|\xE2\x81\xAA|\xEF\xBB\xBF", "\xE2\x81\xA5|?|?|\xE2\x81\xAA|?"},
		{"\xFF|\xC0\x8A|\xED\xA0\x80|\x9B|\xE6\x9B", "?|??|???|?|??"},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		snprintf(text, sizeof text, "%s", texts[i].before);
		text[text_make_visible(text, strlen(text))] = '\0';
		assert_string_equal(text, texts[i].after);
	}
}

static void utf8_of_every_code_point(void **state)
{
	char bytes[4];

	(void)state;
	for (uint32_t point = 0; point < 0x140000; point++) {
		size_t size = encode(point, bytes);
		assert_int_equal(text_is_utf8((struct text){bytes, size}), point <= 0x10FFFF && !is_surrogate(point));
		for (size_t less = 1; less < size; less++)
			assert_false(text_is_utf8((struct text){bytes, less}));
	}
}

/* All right ones are taken (above), so where exactly as many are taken as are right, no wrong one is. */
static void utf8_of_all_strings_up_to_three_bytes(void **state)
{
	enum { ONE = 0x80, TWO = 0x800 - 0x80, THREE = 0x10000 - 0x800 - 0x800 };
	static const size_t right[] = {1, ONE, ONE * ONE + TWO, ONE * ONE * ONE + 2 * ONE * TWO + THREE};

	(void)state;
	for (size_t size = 0; size <= 3; size++) {
		size_t taken = 0;
		for (uint32_t i = 0; i < UINT32_C(1) << 8 * size; i++) {
			char bytes[3] = {(char)i, (char)(i >> 8), (char)(i >> 16)};
			taken += text_is_utf8((struct text){bytes, size});
		}
		assert_int_equal(taken, right[size]);
	}
}

static bool is_four_byte_form(unsigned lead, unsigned second)
{
	if (lead == 0xF0)
		return second >= 0x90 && second <= 0xBF;
	if (lead >= 0xF1 && lead <= 0xF3)
		return second >= 0x80 && second <= 0xBF;
	return lead == 0xF4 && second >= 0x80 && second <= 0x8F;
}

static void utf8_of_four_bytes(void **state)
{
	static const unsigned char tails[] = {0x00, 0x7F, 0x80, 0x9F, 0xBF, 0xC0, 0xF4, 0xFF};
	enum { TAILS = sizeof tails };

	(void)state;
	for (unsigned i = 0; i < 0x1000 * TAILS * TAILS; i++) {
		unsigned lead = 0xF0 | i % 16, second = i / 16 % 256;
		unsigned char third = tails[i / 0x1000 % TAILS], fourth = tails[i / 0x1000 / TAILS];
		char bytes[] = {(char)lead, (char)second, (char)third, (char)fourth};
		bool right = is_four_byte_form(lead, second) && third >> 6 == 2 && fourth >> 6 == 2;
		assert_int_equal(text_is_utf8((struct text){bytes, sizeof bytes}), right);
	}
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		long long value; /* negative: none */
	} cases[] = {
		{"0", 0},
		{"00", 0},
		{"1", 1},
		{"007", 7},
		{"999999999999999999", 999999999999999999},
		{"", -1},
		{"1000000000000000000", -1},
		{"-1", -1},
		{"+1", -1},
		{" 1", -1},
		{"1 ", -1},
		{"0x1", -1},
		{"1e3", -1},
		{"1.0", -1},
		{"/", -1},
		{":", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		long long value = 42;
		bool read = text_to_integer(text_of(cases[i].text), &value);
		assert_int_equal(read, cases[i].value >= 0);
		assert_int_equal(value, read ? cases[i].value : 42);
	}
	long long value;
	assert_false(text_to_integer((struct text){"1\0", 2}, &value));
	assert_false(text_to_integer(text_of(NULL), &value));
}

static void splitting_and_trimming(void **state)
{
	struct text rest = text_of(" a ,b,,c");

	(void)state;
	assert_true(text_equal(text_trim(text_split(rest, ',', &rest)), text_of("a")));
	assert_true(text_equal(text_split(rest, ',', &rest), text_of("b")));
	assert_true(text_equal(text_split(rest, ',', &rest), text_of("")));
	assert_true(text_equal(text_split(rest, ',', &rest), text_of("c")));
	assert_int_equal(rest.size, 0);
	assert_int_equal(text_split(rest, ',', &rest).size, 0);
	assert_int_equal(text_trim(text_of(" \t \t")).size, 0);
	assert_true(text_equal(text_trim(text_of("\t a b ")), text_of("a b")));
	assert_true(text_equal_ignoring_case(text_of("UTF-8"), text_of("utf-8")));
	assert_false(text_equal_ignoring_case(text_of("utf-8"), text_of("utf-80")));
}

/* What json-c reads back from the JSON string of the text. */
static void assert_json_comes_back(struct text text)
{
	struct buffer buffer = BUFFER_INIT;

	buffer_append_string(&buffer, "[");
	buffer_append_json(&buffer, text);
	buffer_append_string(&buffer, "]");
	assert_false(buffer_failed(&buffer));
	for (size_t i = 0; i < buffer.size; i++)
		assert_true((unsigned char)buffer.data[i] >= 0x20);

	json_tokener *tokener = json_tokener_new();
	assert_non_null(tokener);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	json_object *array = json_tokener_parse_ex(tokener, buffer.data, (int)buffer.size);
	assert_non_null(array);
	json_object *string = json_object_array_get_idx(array, 0);
	struct text back = {json_object_get_string(string), (size_t)json_object_get_string_len(string)};
	assert_true(text_equal(text, back));
	json_object_put(array);
	json_tokener_free(tokener);
	buffer_release(&buffer);
}

static void json_of_every_code_point(void **state)
{
	char *block = malloc(4 * 0x1000);

	(void)state;
	assert_non_null(block);
	for (uint32_t first = 0; first < 0x110000; first += 0x1000) {
		size_t size = 0;
		for (uint32_t point = first; point < first + 0x1000; point++)
			if (!is_surrogate(point))
				size += encode(point, block + size);
		assert_json_comes_back((struct text){block, size});
	}
	free(block);
	assert_json_comes_back(text_of(""));
}

static void json_form(void **state)
{
	struct buffer buffer = BUFFER_INIT;

	(void)state;
	buffer_append_json(&buffer, (struct text){"a\"b\\c/\n\t\0\x1F\x7F\xC3\xA9", 13});
	assert_true(
		text_equal(buffer_text(&buffer), text_of("\"a\\\"b\\\\c/\\u000a\\u0009\\u0000\\u001f\x7F\xC3\xA9\"")));
	buffer_release(&buffer);
}

static void buffer_grows_at_both_ends(void **state)
{
	struct buffer buffer = BUFFER_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buffer_append_format(&buffer, "%d,", i % 10);
	buffer_prepend(&buffer, text_of("head:"));
	buffer_append_text(&buffer, text_of("tail"));
	buffer_append(&buffer, NULL, 0);
	buffer_prepend(&buffer, (struct text){NULL, 0});
	assert_false(buffer_failed(&buffer));
	assert_int_equal(buffer.size, 5 + 20000 + 4);
	assert_memory_equal(buffer.data, "head:0,1,2,", 11);
	assert_memory_equal(buffer.data + buffer.size - 6, "9,tail", 6);
	buffer_release(&buffer);
	assert_int_equal(buffer_text(&buffer).size, 0);
}

/* Once something could not be appended nothing more is, so that the whole cannot pass for complete. */
static void buffer_remembers_that_it_failed(void **state)
{
	struct buffer buffer = BUFFER_INIT;

	(void)state;
	buffer_append_string(&buffer, "kept");
	buffer_append_json(&buffer, (struct text){"", SIZE_MAX / 2});
	assert_true(buffer_failed(&buffer));
	buffer_append_string(&buffer, "more");
	buffer_prepend(&buffer, text_of("more"));
	assert_true(text_equal(buffer_text(&buffer), text_of("kept")));
	buffer_release(&buffer);
	assert_false(buffer_failed(&buffer));
	assert_null(buffer_add(&buffer, SIZE_MAX / 2));
	assert_true(buffer_failed(&buffer));
	buffer_release(&buffer);
}

static void identifier_bounds(void **state)
{
	char bytes[IDENTIFIER_MAX_BYTES + 1];
	struct identifier identifier = {.size = 3, .data = "abc"};
	struct error error;

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	for (size_t size = 1; size <= IDENTIFIER_MAX_BYTES; size++) {
		struct identifier long_one;
		struct text text = {bytes, size};
		assert_int_equal(identifier_set(&long_one, text, "user", &error), STATUS_OK);
		assert_true(text_equal(identifier_text(&long_one), text));
	}
	assert_int_equal(identifier_set(&identifier, (struct text){bytes, sizeof bytes}, "user", &error),
			 STATUS_INVALID);
	assert_non_null(strstr(error.text, "user"));
	assert_int_equal(identifier_set(&identifier, (struct text){NULL, 0}, "document", &error), STATUS_INVALID);
	assert_non_null(strstr(error.text, "document"));
	assert_true(text_equal(identifier_text(&identifier), text_of("abc")));
}

static void identifier_bytes(void **state)
{
	struct error error;

	(void)state;
	for (int c = 0; c < 256; c++) {
		struct identifier identifier = {.size = 3, .data = "abc"};
		char bytes[] = {'x', (char)c, 'y'};
		struct text text = {bytes, sizeof bytes};
		bool right = c >= 0x20 && c < 0x7F;

		assert_int_equal(identifier_set(&identifier, text, "library", &error),
				 right ? STATUS_OK : STATUS_INVALID);
		assert_true(text_equal(identifier_text(&identifier), right ? text : text_of("abc")));
	}
	struct identifier identifier;
	struct text accented = text_of("\xC3\xA9\xF0\x9F\x93\x96 ok");
	assert_int_equal(identifier_set(&identifier, accented, "user", &error), STATUS_OK);
	assert_true(text_equal(identifier_text(&identifier), accented));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_of_every_code_point),
		cmocka_unit_test(what_is_made_visible),
		cmocka_unit_test(utf8_of_every_code_point),
		cmocka_unit_test(utf8_of_all_strings_up_to_three_bytes),
		cmocka_unit_test(utf8_of_four_bytes),
		cmocka_unit_test(integers),
		cmocka_unit_test(splitting_and_trimming),
		cmocka_unit_test(json_of_every_code_point),
		cmocka_unit_test(json_form),
		cmocka_unit_test(buffer_grows_at_both_ends),
		cmocka_unit_test(buffer_remembers_that_it_failed),
		cmocka_unit_test(identifier_bounds),
		cmocka_unit_test(identifier_bytes),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
