/* Instants as text: domain/instant.h, beside the C library's calendar. */
#include "check.h"

#include "domain/instant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t DAY_MS = 86400000;

static void assert_same(int64_t ms)
{
	char text[INSTANT_TEXT_SIZE + 1], expected[64];
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;

	memset(text, '!', sizeof text);
	instant_format(ms, text);
	assert_int_equal(text[INSTANT_TEXT_SIZE], '!');
	text[INSTANT_TEXT_SIZE] = '\0';
	assert_non_null(gmtime_r(&seconds, &utc));
	snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
		 utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(ms % 1000));
	assert_string_equal(text, expected);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants),
		cmocka_unit_test(first_and_last_moment_of_every_day_for_400_years),
		cmocka_unit_test(around_march_and_january_of_every_year),
		cmocka_unit_test(random_instants),
	};

	return cmocka_run_group_tests_name("instant", tests, NULL, NULL);
}
