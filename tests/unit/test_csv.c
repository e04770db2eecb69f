/* CSV, written and read: tool/csv.h. */
#include "check.h"

#include "tool/csv.h"

#include <stdio.h>
#include <unistd.h>

enum { RANDOM_TABLES = 300, ROWS = 20, COLUMNS = 7, PIECES = 6 };

/* A file that is gone when it is closed. */
static struct csv *opened(const void *bytes, size_t size)
{
	static char name[32]; /* the reader keeps it */
	strcpy(name, "/tmp/fs-csv-XXXXXX");
	int descriptor = mkstemp(name);
	struct csv *csv;
	struct error error;

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, bytes, size), size);
	close(descriptor);
	assert_int_equal(csv_open(name, &csv, &error), STATUS_OK);
	unlink(name);
	return csv;
}

static struct csv *opened_string(const char *string)
{
	return opened(string, strlen(string));
}

static void assert_next(struct csv *csv, uint64_t expected_line, size_t expected_count, const char *const *expected)
{
	const struct text *cells = NULL;
	struct error error;
	uint64_t line;
	size_t count = 0;
	bool go_on;

	assert_int_equal(csv_next(csv, &cells, &count, &line, &go_on, &error), STATUS_OK);
	assert_int_equal(count, expected_count);
	if (count > 0)
		assert_int_equal(line, expected_line);
	for (size_t i = 0; cells && i < expected_count; i++) {
		assert_int_equal(cells[i].size, strlen(expected[i]));
		assert_memory_equal(cells[i].data, expected[i], cells[i].size);
	}
}

static void assert_refused(struct csv *csv, uint64_t expected_line, bool expected_go_on, const char *word)
{
	const struct text *cells;
	struct error error;
	uint64_t line;
	size_t count;
	bool go_on;

	assert_int_equal(csv_next(csv, &cells, &count, &line, &go_on, &error), STATUS_INVALID);
	assert_non_null(strstr(error.text, word));
	assert_int_equal(go_on, expected_go_on);
	if (go_on)
		assert_int_equal(line, expected_line);
}

#define NEXT(csv, line, ...) \
	do { \
		static const char *const expected[] = {__VA_ARGS__}; \
		assert_next(csv, line, sizeof expected / sizeof expected[0], expected); \
	} while (0)
#define END(csv) assert_next(csv, 0, 0, NULL)

static void layouts(void **state)
{
	static const char *const files[] = {
		"a,b\r\n1,\"x\r\ny\"\r\n,\"q\"\"q\"\r\n",
		"\xEF\xBB\xBF\x61,b\n1,\"x\r\ny\"\n,\"q\"\"q\"",
		"a;b\r\n\r\n1;\"x\r\ny\"\r\n;\r\n;q\"q\r\n",
		"a\tb\n\n\n1\t\"x\r\ny\"\n\t\"q\"\"q\"\n\n",
		"\"a\",\"b\"\r\n\"1\",\"x\r\ny\"\r\n\"\",\"q\"\"q\"\r\n",
	};
	static const uint64_t lines[][3] = {{1, 2, 4}, {1, 2, 4}, {1, 3, 6}, {1, 4, 6}, {1, 2, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct csv *csv = opened_string(files[i]);
		NEXT(csv, lines[i][0], "a", "b");
		NEXT(csv, lines[i][1], "1", "x\r\ny");
		NEXT(csv, lines[i][2], "", "q\"q");
		END(csv);
		END(csv);
		csv_close(csv);
	}
}

static void only_the_first_separator_separates(void **state)
{
	struct csv *csv = opened_string("\"a,a\";b\nc,c;d\te\n");

	(void)state;
	NEXT(csv, 1, "a,a", "b");
	NEXT(csv, 2, "c,c", "d\te");
	END(csv);
	csv_close(csv);
}

static void nothing(void **state)
{
	static const char *const files[] = {"", "\n", "\xEF\xBB\xBF", ",,,\r\n,\n\n", "\"\"", "\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct csv *csv = opened_string(files[i]);
		END(csv);
		csv_close(csv);
	}
}

static void what_is_no_record(void **state)
{
	struct csv *csv = opened_string("a,b\n1,\"x\"y\n2,z\n\"3\n\"4,5\n6,7\n\n\"8,9\n10,11\n");

	(void)state;
	NEXT(csv, 1, "a", "b");
	assert_refused(csv, 2, true, "behind a closing quote");
	NEXT(csv, 3, "2", "z");
	assert_refused(csv, 4, true, "behind a closing quote");
	NEXT(csv, 6, "6", "7");
	assert_refused(csv, 8, false, "not closed");
	csv_close(csv);
	csv = opened("\xFF\xFE"
		     "a\0,\0b\0",
		     8);
	assert_refused(csv, 1, false, "UTF-16");
	csv_close(csv);
	csv = opened_string("\xEFname,b\n");
	assert_refused(csv, 1, false, "not UTF-8");
	csv_close(csv);
}

/* A CR by itself ends no line. */
static void carriage_returns(void **state)
{
	struct csv *csv = opened_string("a\rb,\r\r\nc,\"\r\"\r\r");

	(void)state;
	NEXT(csv, 1, "a\rb", "\r");
	assert_refused(csv, 2, true, "behind a closing quote");
	END(csv);
	csv_close(csv);
}

static char *filled(size_t size, const char *pattern)
{
	char *bytes = malloc(size + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern[i % strlen(pattern)];
	bytes[size] = '\0';
	return bytes;
}

static void bounds(void **state)
{
	struct buffer file = BUFFER_INIT;
	char *most = filled(CSV_RECORD_MAX_BYTES - 1, "x"), *cells = filled((size_t)2 * CSV_CELLS_MAX - 1, "y,");

	(void)state;
	buffer_append_format(&file, "%s,z\n%sx,z\n\"%sx\",z\n%s\n%s,\nlast\n", most, most, most, cells, cells);
	struct csv *csv = opened(file.data, file.size);
	const struct text *read;
	struct error error;
	uint64_t line;
	size_t count;
	bool go_on;
	assert_int_equal(csv_next(csv, &read, &count, &line, &go_on, &error), STATUS_OK);
	assert_int_equal(count, 2);
	assert_int_equal(read[0].size, CSV_RECORD_MAX_BYTES - 1);
	assert_refused(csv, 2, true, "longer than 1 MiB");
	assert_refused(csv, 3, true, "longer than 1 MiB");
	assert_int_equal(csv_next(csv, &read, &count, &line, &go_on, &error), STATUS_OK);
	assert_int_equal(count, CSV_CELLS_MAX);
	assert_refused(csv, 5, true, "more than 256 cells");
	NEXT(csv, 6, "last");
	END(csv);
	csv_close(csv);
	free(most);
	free(cells);
	buffer_release(&file);
}

static void written(void **state)
{
	static const struct {
		const char *cell, *expected;
	} cases[] = {
		{"plain", "plain"},
		{"", ""},
		{"a,b", "\"a,b\""},
		{"say \"x\"", "\"say \"\"x\"\"\""},
		{"two\r\nlines", "\"two\r\nlines\""},
		{" x", "\" x\""},
		{"x ", "\"x \""},
		{"a;b", "\"a;b\""},
		{"=1+1", "'=1+1"},
		{"+49", "'+49"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\tx", "\"'\tx\""},
		{"\rx", "\"'\rx\""},
		{"\nx", "\"'\nx\""},
		{"  =1", "\"'  =1\""},
		{"＝1", "'＝1"},
		{"＋1", "'＋1"},
		{"－1", "'－1"},
		{"＠x", "'＠x"},
		{"'=1", "''=1"},
		{"''=1", "'''=1"},
		{"' =1", "'' =1"},
		{"'plain", "'plain"},
		{"'", "'"},
		{"a=1", "a=1"},
		{"ＡB", "ＡB"},
		{"=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buffer buffer = BUFFER_INIT;
		csv_put(&buffer, true, text_of(cases[i].cell));
		assert_int_equal(buffer.size, strlen(cases[i].expected));
		if (buffer.size > 0)
			assert_memory_equal(buffer.data, cases[i].expected, buffer.size);
		buffer_release(&buffer);
	}
}

/* What is written is read again as it was, whatever it is. */
static void there_and_back(void **state)
{
	static const char *const pieces[] = {"",  "'", "=",  "+",  "-", "@",  "\t", "\r", "\n",   " ", ",",
					     ";", "a", "\"", "＝", "é", "\\", "''", "📚",  "\r\n", "1"};
	uint64_t random = 11;

	(void)state;
	for (int table = 0; table < RANDOM_TABLES; table++) {
		struct buffer file = BUFFER_INIT, cells[ROWS * COLUMNS];
		for (size_t i = 0; i < ROWS * COLUMNS; i++) {
			cells[i] = BUFFER_INIT;
			for (size_t piece = random_below(&random, PIECES); piece > 0; piece--)
				buffer_append_string(&cells[i],
						     pieces[random_below(&random, sizeof pieces / sizeof pieces[0])]);
			if (i % COLUMNS == COLUMNS - 1)
				buffer_append_string(&cells[i], "x"); /* no record is empty */
			csv_put(&file, i % COLUMNS == 0, buffer_text(&cells[i]));
			if (i % COLUMNS == COLUMNS - 1)
				csv_end_record(&file);
		}
		struct csv *csv = opened(file.data, file.size);
		for (size_t row = 0; row < ROWS; row++) {
			const struct text *read;
			struct error error;
			uint64_t line;
			size_t count;
			bool go_on;
			assert_int_equal(csv_next(csv, &read, &count, &line, &go_on, &error), STATUS_OK);
			assert_int_equal(count, COLUMNS);
			for (size_t i = 0; i < COLUMNS; i++)
				assert_true(text_equal(read[i], buffer_text(&cells[row * COLUMNS + i])));
		}
		END(csv);
		csv_close(csv);
		for (size_t i = 0; i < ROWS * COLUMNS; i++)
			buffer_release(&cells[i]);
		buffer_release(&file);
	}
}

static void cannot_be_opened(void **state)
{
	struct csv *csv;
	struct error error;

	(void)state;
	assert_int_equal(csv_open("/nonexistent/file.csv", &csv, &error), STATUS_INVALID);
	assert_string_equal(error.text, "/nonexistent/file.csv: No such file or directory");
	assert_int_equal(csv_open("/tmp", &csv, &error), STATUS_OK);
	assert_refused(csv, 1, false, "/tmp: reading: Is a directory");
	csv_close(csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),          cmocka_unit_test(only_the_first_separator_separates),
		cmocka_unit_test(nothing),          cmocka_unit_test(what_is_no_record),
		cmocka_unit_test(carriage_returns), cmocka_unit_test(bounds),
		cmocka_unit_test(written),          cmocka_unit_test(there_and_back),
		cmocka_unit_test(cannot_be_opened),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
