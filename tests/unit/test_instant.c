/* Instants and dates, as text too: domain/instant.h and base/date.h, beside the C library's calendar. */
#include "check.h"

#include "base/date.h"
#include "domain/instant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t DAY_MS = 86400000;

static void assert_same(int64_t ms)
{
	char text[INSTANT_TEXT_SIZE + 1], expected[64];
	int fraction = (int)((ms % 1000 + 1000) % 1000);
	time_t seconds = (time_t)((ms - fraction) / 1000);
	struct tm utc;

	memset(text, '!', sizeof text);
	instant_format(ms, text);
	assert_int_equal(text[INSTANT_TEXT_SIZE], '!');
	text[INSTANT_TEXT_SIZE] = '\0';
	assert_non_null(gmtime_r(&seconds, &utc));
	snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
		 utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, fraction);
	assert_string_equal(text, expected);
	int64_t back_ms = -1;
	if (ms >= 0) {
		assert_true(instant_parse(text_of(text), &back_ms));
		assert_int_equal(back_ms, ms);
	} else {
		assert_false(instant_parse(text_of(text), &back_ms));
	}
}

static void known_instants(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} known[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
		{INT64_C(1709164799999), "2024-02-28T23:59:59.999Z"},
		{INT64_C(1762778461000), "2025-11-10T12:41:01.000Z"},
		{INT64_C(4107542400000), "2100-03-01T00:00:00.000Z"},
		{INSTANT_MAX_MS, "9999-12-31T23:59:59.999Z"},
	};
	char text[INSTANT_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		instant_format(known[i].ms, text);
		assert_memory_equal(text, known[i].text, sizeof text);
	}
}

/* The calendar repeats itself every 400 years. */
static void first_and_last_moment_of_every_day_for_400_years(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 146097; day++) {
		assert_same(day * DAY_MS);
		assert_same(day * DAY_MS + DAY_MS - 1);
	}
}

static void around_march_and_january_of_every_year(void **state)
{
	struct tm utc;

	(void)state;
	for (int year = 1970; year <= 9999; year++) {
		for (int month = 0; month <= 2; month += 2) {
			memset(&utc, 0, sizeof utc);
			utc.tm_year = year - 1900;
			utc.tm_mon = month;
			utc.tm_mday = 1;
			int64_t first = (int64_t)timegm(&utc) * 1000;
			assert_same(first);
			if (first > 0)
				assert_same(first - 1);
			if (first > DAY_MS)
				assert_same(first - DAY_MS);
		}
	}
}

static void random_instants(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 200000; i++)
		assert_same((int64_t)random_below(&random, (size_t)INSTANT_MAX_MS + 1));
}

/* The day in which an instant is may begin before 1970, and in some zones the year as well. */
static void before_1970(void **state)
{
	(void)state;
	for (int64_t day = -800; day < 0; day++) {
		assert_same(day * DAY_MS);
		assert_same(day * DAY_MS + 1);
		assert_same(day * DAY_MS + DAY_MS - 1);
	}
}

static void instants_that_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} right[] = {
		{"2025-11-10T12:41:01Z", INT64_C(1762778461000)},
		{"2025-11-10t12:41:01z", INT64_C(1762778461000)},
		{"2025-11-10T12:41:01.0Z", INT64_C(1762778461000)},
		{"2025-11-10T12:41:01.5Z", INT64_C(1762778461500)},
		{"2025-11-10T12:41:01.05Z", INT64_C(1762778461050)},
		{"2025-11-10T12:41:01.005Z", INT64_C(1762778461005)},
		{"2025-11-10T12:41:01.9999999999999999999999Z", INT64_C(1762778461999)},
		{"2025-11-10T12:41:01.0009Z", INT64_C(1762778461000)},
		{"2025-11-10T12:41:01+00:00", INT64_C(1762778461000)},
		{"2025-11-10T12:41:01-00:00", INT64_C(1762778461000)},
		{"2025-11-10T13:41:01+01:00", INT64_C(1762778461000)},
		{"2025-11-10T07:41:01.000-05:00", INT64_C(1762778461000)},
		{"2025-11-10T18:26:01.25+05:45", INT64_C(1762778461250)},
		{"2025-11-11T12:40:01+23:59", INT64_C(1762778461000)},
		{"2025-11-09T12:42:01-23:59", INT64_C(1762778461000)},
		{"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
		{"2000-02-29T23:59:59Z", INT64_C(951868799000)},
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T01:00:00+01:00", 0},
		{"9999-12-31T23:59:59.999Z", INSTANT_MAX_MS},
		{"9999-12-31T22:59:59.999-01:00", INSTANT_MAX_MS},
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		if (!instant_parse(text_of(right[i].text), &ms))
			fail_msg("%s was not taken", right[i].text);
		assert_int_equal(ms, right[i].ms);
	}
}

static void instants_that_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"2025",
		"2025-11-10",
		"2025-11-10T",
		"2025-11-10T12:41Z",
		"2025-11-10T12Z",
		"2025-11-10T12:41:01",
		"2025-11-10 12:41:01Z",
		"2025-11-10T12:41:01 Z",
		" 2025-11-10T12:41:01Z",
		"2025-11-10T12:41:01Z ",
		"2025-11-10T12:41:60Z",
		"2016-12-31T23:59:60Z",
		"2025-11-10T12:60:01Z",
		"2025-11-10T24:00:00Z",
		"2025-11-10T12:41:01.Z",
		"2025-11-10T12:41:01,5Z",
		"2025-11-10T12:41:01.5",
		"2025-11-10T12:41:01.-5Z",
		"2025-11-10T12:41:01+01",
		"2025-11-10T12:41:01+0100",
		"2025-11-10T12:41:01+1:00",
		"2025-11-10T12:41:01+24:00",
		"2025-11-10T12:41:01+01:60",
		"2025-11-10T12:41:01+01:00Z",
		"2025-11-10T12:41:01ZZ",
		"2025-11-10T12:41:01\342\210\22201:00", /* a minus that is no hyphen, in UTF-8 */
		"2025-11-10T1:41:01Z",
		"2025-11-10T12:41:1Z",
		"25-11-10T12:41:01Z",
		"2025-1-10T12:41:01Z",
		"20251110T124101Z",
		"2025-02-29T00:00:00Z",
		"2025-00-10T12:41:01Z",
		"2025-13-10T12:41:01Z",
		"2025-11-00T12:41:01Z",
		"2025-11-31T12:41:01Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:59:59.999+01:00",
		"1969-12-31T23:59:59-01:00",
		"10000-01-01T00:00:00Z",
		"0000-01-01T00:00:00Z",
		"+2025-11-10T12:41:01Z",
		"-2025-11-10T12:41:01Z",
		"9999-12-31T23:59:59.999-00:01",
		"2025-W46-1T12:41:01Z",
		"2025-314T12:41:01Z",
		"now",
		"1762778461000",
	};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (instant_parse(text_of(wrong[i]), &ms))
			fail_msg("%s was taken", wrong[i]);
	assert_false(instant_parse((struct text){NULL, 0}, &ms));
	assert_false(instant_parse((struct text){"2025-11-10T12:41:01Z\0", 21}, &ms));
	assert_false(instant_parse((struct text){"2025-11-10T12:41:01Z", 19}, &ms));
	assert_int_equal(ms, 42);
}

/* Whatever stands in the place of one character: taken are digits that are in bounds there, and what may end it. */
static void instants_with_another_character(void **state)
{
	static const char right[] = "2025-11-10T12:41:01.125Z";
	static const char *const instead[] = {
		"23456789",   "0123456789", "0123456789", "0123456789", "-",          "01",
		"012",        "-",          "123",        "0123456789", "Tt",         "012",
		"0123456789", ":",          "012345",     "0123456789", ":",          "012345",
		"0123456789", ".",          "0123456789", "0123456789", "0123456789", "Zz",
	};

	(void)state;
	for (size_t at = 0; at < INSTANT_TEXT_SIZE; at++)
		for (int c = 0; c < 256; c++) {
			char text[INSTANT_TEXT_SIZE];
			int64_t ms;
			memcpy(text, right, sizeof text);
			text[at] = (char)c;
			bool taken = instant_parse((struct text){text, sizeof text}, &ms);
			if (taken != (c != 0 && strchr(instead[at], c)))
				fail_msg("%d at %zu: %d", c, at, taken);
		}
}

static void every_date_there_is(void **state)
{
	int32_t day = 0;

	(void)state;
	for (int year = 0; year <= 10000; year++)
		for (int month = 0; month <= 13; month++)
			for (int of_month = 0; of_month <= 32; of_month++) {
				struct tm utc = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = of_month};
				char text[16];
				int32_t read = -1;
				if (year > 1972 && year < 9996 && year % 100 > 4)
					continue; /* the same again and again */
				time_t seconds = timegm(&utc);
				bool is_date = utc.tm_mon == month - 1 && utc.tm_mday == of_month && year >= 1970 &&
					       year <= 9999;
				int size = snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, of_month);
				assert_int_equal(date_parse((struct text){text, (size_t)size}, &read), is_date);
				if (!is_date)
					continue;
				day = (int32_t)(seconds / 86400);
				assert_int_equal(read, day);
				struct date date = date_of_day(day);
				assert_int_equal(date.year, year);
				assert_int_equal(date.month, month);
				assert_int_equal(date.day, of_month);
				assert_int_equal(date_to_day(date), day);
				assert_int_equal(date_weekday(day), utc.tm_wday ? utc.tm_wday : 7);
				char formatted[DATE_TEXT_SIZE];
				date_format(day, formatted);
				assert_memory_equal(formatted, text, DATE_TEXT_SIZE);
			}
	assert_int_equal(day, 2932896); /* 9999-12-31 */
}

static void dates(void **state)
{
	static const char *const wrong[] = {"",           "2025",        "2025-11",     "2025-11-1",
					    "2025-1-10",  "2025-11-10 ", " 2025-11-10", "2025/11/10",
					    "20251110",   "2025-11-10T", "25-11-10",    "+025-11-10",
					    "2025-+1-10", "2025-11-1x",  "2100-02-29"};
	char text[DATE_TEXT_SIZE];
	int32_t day = 42;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(date_parse(text_of(wrong[i]), &day));
	assert_false(date_parse((struct text){NULL, 0}, &day));
	assert_int_equal(day, 42);
	date_format(-1, text);
	assert_memory_equal(text, "1969-12-31", sizeof text);
	assert_int_equal(date_weekday(-1), 3);
	assert_int_equal(date_weekday(-4), 7);
	assert_int_equal(date_of_wall(0), 0);
	assert_int_equal(date_of_wall(-1), -1);
	assert_int_equal(date_of_wall(DAY_MS - 1), 0);
	assert_int_equal(date_of_wall(-DAY_MS), -1);
	assert_int_equal(date_of_wall(-DAY_MS - 1), -2);
	for (int32_t each = -800000; each < 3000000; each += 97)
		assert_int_equal(date_to_day(date_of_day(each)), each);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants),
		cmocka_unit_test(first_and_last_moment_of_every_day_for_400_years),
		cmocka_unit_test(around_march_and_january_of_every_year),
		cmocka_unit_test(random_instants),
		cmocka_unit_test(before_1970),
		cmocka_unit_test(instants_that_are_read),
		cmocka_unit_test(instants_that_are_refused),
		cmocka_unit_test(instants_with_another_character),
		cmocka_unit_test(every_date_there_is),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests_name("instant", tests, NULL, NULL);
}
