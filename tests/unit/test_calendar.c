/* Reading days and the periods made of them: domain/calendar.h and domain/borders.h, beside a search minute by minute. */
#include "check.h"

#include "domain/borders.h"
#include "domain/calendar.h"
#include "domain/instant.h"

#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60000, MINUTES_PER_DAY = 1440 };

static struct calendar calendar_in(const char *zone, int day_start_minutes, int week_start)
{
	struct calendar calendar = {zone_find(text_of(zone)), day_start_minutes, week_start};

	if (!calendar.zone)
		fail_msg("%s: there is no such zone (Debian package tzdata)", zone);
	return calendar;
}

static int32_t day_of(const char *text)
{
	int32_t day = 0;

	assert_true(date_parse(text_of(text), &day));
	return day;
}

static int64_t ms_of(const char *text)
{
	int64_t ms = 0;

	assert_true(instant_parse(text_of(text), &ms));
	return ms;
}

/* Worked out by hand. */
static void day_starts(void **state)
{
	static const struct {
		const char *zone;
		int day_start_minutes;
		const char *date, *start;
	} known[] = {
		{"UTC", 0, "2025-11-10", "2025-11-10T00:00:00Z"},
		{"UTC", 1439, "2025-11-10", "2025-11-10T23:59:00Z"},
		{"Europe/Berlin", 0, "1970-01-02", "1970-01-01T23:00:00Z"},
		{"Europe/Berlin", 0, "2025-03-30", "2025-03-29T23:00:00Z"}, /* 23 hours */
		{"Europe/Berlin", 0, "2025-03-31", "2025-03-30T22:00:00Z"},
		{"Europe/Berlin", 120, "2025-03-30", "2025-03-30T01:00:00Z"}, /* leapt over */
		{"Europe/Berlin", 150, "2025-03-30", "2025-03-30T01:00:00Z"},
		{"Europe/Berlin", 180, "2025-03-30", "2025-03-30T01:00:00Z"},
		{"Europe/Berlin", 181, "2025-03-30", "2025-03-30T01:01:00Z"},
		{"Europe/Berlin", 150, "2025-03-31", "2025-03-31T00:30:00Z"},
		{"Europe/Berlin", 0, "2025-10-26", "2025-10-25T22:00:00Z"}, /* 25 hours */
		{"Europe/Berlin", 0, "2025-10-27", "2025-10-26T23:00:00Z"},
		{"Europe/Berlin", 119, "2025-10-26", "2025-10-25T23:59:00Z"},
		{"Europe/Berlin", 120, "2025-10-26", "2025-10-26T00:00:00Z"}, /* twice: the first */
		{"Europe/Berlin", 179, "2025-10-26", "2025-10-26T00:59:00Z"},
		{"Europe/Berlin", 180, "2025-10-26", "2025-10-26T02:00:00Z"},
		{"Australia/Lord_Howe", 0, "2025-04-06", "2025-04-05T13:00:00Z"}, /* half an hour back at two */
		{"Australia/Lord_Howe", 100, "2025-04-06", "2025-04-05T14:40:00Z"},
		{"Australia/Lord_Howe", 120, "2025-04-06", "2025-04-05T15:30:00Z"},
		{"Australia/Lord_Howe", 135, "2025-10-05", "2025-10-04T15:30:00Z"}, /* and forward at two */
		{"Asia/Kathmandu", 240, "2025-11-10", "2025-11-09T22:15:00Z"},
		{"America/Santiago", 0, "2025-09-07", "2025-09-07T04:00:00Z"}, /* there is no midnight */
		{"America/Santiago", 0, "2025-04-05", "2025-04-05T03:00:00Z"},
		{"America/Santiago", 0, "2025-04-06", "2025-04-06T04:00:00Z"}, /* 23:00 to 24:00 came twice before it */
		{"America/St_Johns", 0, "2010-11-07", "2010-11-07T02:30:00Z"}, /* a minute later it is 23:01 again */
		{"Pacific/Apia", 0, "2011-12-29", "2011-12-29T10:00:00Z"},
		{"Pacific/Apia", 0, "2011-12-30", "2011-12-30T10:00:00Z"}, /* skipped: the start of the next */
		{"Pacific/Apia", 0, "2011-12-31", "2011-12-30T10:00:00Z"},
		{"Pacific/Apia", 240, "2011-12-29", "2011-12-29T14:00:00Z"},
		{"Pacific/Apia", 240, "2011-12-30", "2011-12-30T14:00:00Z"},
		{"Pacific/Apia", 240, "2011-12-31", "2011-12-30T14:00:00Z"},
		{"Pacific/Apia", 1439, "2011-12-30", "2011-12-31T09:59:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct calendar calendar = calendar_in(known[i].zone, known[i].day_start_minutes, 1);
		int64_t start_ms = calendar_day_start(&calendar, day_of(known[i].date));
		char text[INSTANT_TEXT_SIZE + 1] = {0};
		instant_format(start_ms, text);
		if (start_ms != ms_of(known[i].start))
			fail_msg("%s, %s from minute %d: %s, not %s", known[i].zone, known[i].date,
				 known[i].day_start_minutes, text, known[i].start);
	}
	struct calendar berlin = calendar_in("Europe/Berlin", 0, 1);
	assert_int_equal(calendar_day_start(&berlin, 0), -3600000);
}

static void days_of_instants(void **state)
{
	struct calendar night = calendar_in("Europe/Berlin", 240, 1), apia = calendar_in("Pacific/Apia", 240, 1);
	struct calendar york = calendar_in("America/New_York", 0, 1);

	(void)state;
	assert_int_equal(calendar_day_of(&night, ms_of("2025-11-10T02:59:59.999Z")), day_of("2025-11-09"));
	assert_int_equal(calendar_day_of(&night, ms_of("2025-11-10T03:00:00Z")), day_of("2025-11-10"));
	assert_int_equal(calendar_day_of(&york, 0), -1);
	/* The 29th lasts until the 31st begins. */
	assert_int_equal(calendar_day_of(&apia, ms_of("2011-12-30T09:59:59.999Z")), day_of("2011-12-29"));
	assert_int_equal(calendar_day_of(&apia, ms_of("2011-12-30T13:59:59.999Z")), day_of("2011-12-29"));
	assert_int_equal(calendar_day_of(&apia, ms_of("2011-12-30T14:00:00Z")), day_of("2011-12-31"));
}

static void dates_that_were_skipped(void **state)
{
	static const struct {
		const char *zone, *date;
	} skipped[] = {{"Pacific/Apia", "2011-12-30"},
		       {"Pacific/Fakaofo", "2011-12-30"},
		       {"Pacific/Kwajalein", "1993-08-21"},
		       {"Pacific/Kiritimati", "1994-12-31"}};

	(void)state;
	for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++)
		for (int start = 0; start < MINUTES_PER_DAY; start += 179) {
			struct calendar calendar = calendar_in(skipped[i].zone, start, 1);
			int32_t day = day_of(skipped[i].date);
			for (int32_t near = day - 40; near < day + 40; near++)
				assert_int_equal(calendar_day_exists(&calendar, near), near != day);
			assert_int_equal(calendar_day_start(&calendar, day), calendar_day_start(&calendar, day + 1));
			assert_int_equal(calendar_day_of(&calendar, calendar_day_start(&calendar, day)), day + 1);
			assert_int_equal(calendar_day_of(&calendar, calendar_day_start(&calendar, day) - 1), day - 1);
		}
}

/* Zones and dates around which their clocks do something. */
static const struct {
	const char *zone, *date;
} CHANGES[] = {
	{"UTC", "2025-03-30"},
	{"Europe/Berlin", "2025-03-30"},
	{"Europe/Berlin", "2025-10-26"},
	{"America/New_York", "2025-03-09"},
	{"America/New_York", "2025-11-02"},
	{"Australia/Lord_Howe", "2025-04-06"},
	{"Australia/Lord_Howe", "2025-10-05"},
	{"America/St_Johns", "2010-11-07"}, /* a minute past midnight */
	{"America/St_Johns", "2011-03-13"},
	{"Africa/Casablanca", "2025-02-23"},
	{"America/Santiago", "2025-09-07"}, /* at midnight */
	{"America/Santiago", "2025-04-06"},
	{"America/Nuuk", "2025-03-29"},     /* on the evening before */
	{"Antarctica/Troll", "2025-03-30"}, /* by two hours */
	{"Asia/Tehran", "2022-09-22"},
	{"Pacific/Apia", "2011-12-30"},
	{"Pacific/Kwajalein", "1993-08-21"},
	{"Pacific/Kiritimati", "1994-12-31"},
	{"Asia/Pyongyang", "2018-05-05"},
};

static int64_t wall_of(const struct calendar *calendar, int64_t ms)
{
	return ms + zone_offset_ms(calendar->zone, ms, NULL);
}

/* What the header says, looked for minute by minute: has the date any, and when does its reading day begin? */
static bool search(const struct calendar *calendar, int32_t day, int64_t *start_ms)
{
	int64_t from_ms = (day - 2) * DATE_DAY_MS, to_ms = (day + 3) * DATE_DAY_MS;
	int64_t wanted_ms = day * DATE_DAY_MS + calendar->day_start_minutes * INT64_C(60000);
	bool exists = false, exact = false, beyond = false;

	for (int64_t ms = from_ms; ms < to_ms; ms += MINUTE_MS) {
		int64_t wall_ms = wall_of(calendar, ms);
		exists = exists || date_of_wall(wall_ms) == day;
		if (wall_ms == wanted_ms && !exact) {
			exact = true;
			*start_ms = ms;
		}
		if (wall_ms > wanted_ms && !exact && !beyond) {
			beyond = true;
			*start_ms = ms;
		}
	}
	return exists;
}

static void days_beside_a_search_by_the_minute(void **state)
{
	static const int starts[] = {0, 1, 60, 119, 120, 150, 179, 180, 240, 600, 1380, 1439};

	(void)state;
	for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++)
		for (size_t k = 0; k < sizeof starts / sizeof starts[0]; k++) {
			struct calendar calendar = calendar_in(CHANGES[i].zone, starts[k], 1);
			int32_t middle = day_of(CHANGES[i].date);
			int64_t next_ms = 0;
			for (int32_t day = middle + 3; day > middle - 3; day--) {
				int64_t start_ms = 0;
				if (!search(&calendar, day, &start_ms)) {
					assert_false(calendar_day_exists(&calendar, day));
					assert_int_equal(calendar_day_start(&calendar, day), next_ms);
					continue;
				}
				assert_true(calendar_day_exists(&calendar, day));
				assert_int_equal(calendar_day_start(&calendar, day), start_ms);
				assert_int_equal(calendar_day_of(&calendar, start_ms), day);
				assert_int_not_equal(calendar_day_of(&calendar, start_ms - 1), day);
				if (next_ms != 0)
					assert_int_equal(calendar_day_of(&calendar, next_ms - 1), day);
				next_ms = start_ms;
			}
		}
}

static void every_instant_is_in_one_day(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		const char *zone = CHANGES[random_below(&random, sizeof CHANGES / sizeof CHANGES[0])].zone;
		struct calendar calendar = calendar_in(zone, (int)random_below(&random, MINUTES_PER_DAY), 1);
		int64_t ms = (int64_t)random_below(&random, (size_t)ms_of("2150-01-01T00:00:00Z"));
		int32_t day = calendar_day_of(&calendar, ms);
		assert_true(calendar_day_start(&calendar, day) <= ms);
		assert_true(ms < calendar_day_start(&calendar, day + 1));
		assert_true(calendar_day_exists(&calendar, day));
		assert_true(calendar_day_start(&calendar, day - 1) <= calendar_day_start(&calendar, day));
	}
}

static void periods(void **state)
{
	struct calendar monday = calendar_in("UTC", 0, 1), sunday = calendar_in("UTC", 0, 7);
	static const struct {
		enum period_unit unit;
		const char *date, *first, *after;
	} known[] = {
		{PERIOD_DAY, "2025-12-31", "2025-12-31", "2026-01-01"},
		{PERIOD_WEEK, "2025-11-10", "2025-11-10", "2025-11-17"}, /* a Monday */
		{PERIOD_WEEK, "2025-11-16", "2025-11-10", "2025-11-17"},
		{PERIOD_WEEK, "2026-01-01", "2025-12-29", "2026-01-05"},
		{PERIOD_MONTH, "2024-02-29", "2024-02-01", "2024-03-01"},
		{PERIOD_MONTH, "2025-12-31", "2025-12-01", "2026-01-01"},
		{PERIOD_YEAR, "2024-12-31", "2024-01-01", "2025-01-01"},
		{PERIOD_YEAR, "2025-01-01", "2025-01-01", "2026-01-01"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		int32_t first = calendar_period_of(&monday, known[i].unit, day_of(known[i].date));
		assert_int_equal(first, day_of(known[i].first));
		assert_int_equal(calendar_period_after(known[i].unit, first), day_of(known[i].after));
	}
	assert_int_equal(calendar_period_of(&sunday, PERIOD_WEEK, day_of("2025-11-15")), day_of("2025-11-09"));
	assert_int_equal(calendar_period_of(&sunday, PERIOD_WEEK, day_of("2025-11-16")), day_of("2025-11-16"));
	assert_int_equal(calendar_period_of(&monday, PERIOD_WEEK, 0), -3);
	assert_int_equal(calendar_period_of(&monday, PERIOD_YEAR, -1), -365);
	for (int week_start = 1; week_start <= 7; week_start++)
		for (int32_t day = -10; day < 400; day++) {
			struct calendar calendar = calendar_in("UTC", 0, week_start);
			int32_t first = calendar_period_of(&calendar, PERIOD_WEEK, day);
			assert_true(first <= day && day < first + 7);
			assert_int_equal(date_weekday(first), week_start);
		}
}

static void borders_of_a_week_that_begins_with_a_skipped_date(void **state)
{
	struct calendar friday = calendar_in("Pacific/Apia", 0, 5);
	struct borders borders;
	struct error error;

	(void)state;
	assert_int_equal(borders_make(&friday, PERIOD_WEEK, ms_of("2011-12-28T00:00:00Z"),
				      ms_of("2012-01-01T00:00:00Z"), &borders, &error),
			 STATUS_OK);
	assert_int_equal(borders.count, 2);
	assert_int_equal(borders.days[0], day_of("2011-12-23"));
	assert_int_equal(borders.days[1], day_of("2011-12-31"));
	assert_int_equal(borders.starts[0], ms_of("2011-12-23T10:00:00Z"));
	assert_int_equal(borders.starts[1], ms_of("2011-12-30T10:00:00Z"));
	assert_int_equal(borders.starts[2], ms_of("2012-01-05T10:00:00Z"));
	borders_release(&borders);
	assert_int_equal(borders_make(&friday, PERIOD_DAY, 5, 5, &borders, &error), STATUS_OK);
	assert_int_equal(borders.count, 0);
	borders_release(&borders);
}

/* The table of an interval: in order, without holes, beginning and ending around it; and what a part of it touches. */
static void borders_hold_what_they_are_made_for(void **state)
{
	uint64_t random = 2;
	struct error error;

	(void)state;
	for (int i = 0; i < 600; i++) {
		size_t change = random_below(&random, sizeof CHANGES / sizeof CHANGES[0]);
		struct calendar calendar =
			calendar_in(CHANGES[change].zone, (int)random_below(&random, MINUTES_PER_DAY),
				    1 + (int)random_below(&random, 7));
		enum period_unit unit = (enum period_unit)random_below(&random, 4);
		int64_t first_ms = day_of(CHANGES[change].date) * DATE_DAY_MS -
				   (int64_t)random_below(&random, 30 * (size_t)DATE_DAY_MS);
		int64_t last_ms = first_ms + 1 + (int64_t)random_below(&random, 60 * (size_t)DATE_DAY_MS);
		struct borders borders;
		assert_int_equal(borders_make(&calendar, unit, first_ms, last_ms, &borders, &error), STATUS_OK);
		assert_true(borders.count > 0);
		assert_true(borders.starts[0] <= first_ms && first_ms < borders.starts[1]);
		assert_true(borders.starts[borders.count - 1] < last_ms && last_ms <= borders.starts[borders.count]);
		for (size_t k = 0; k < borders.count; k++) {
			assert_true(borders.starts[k] < borders.starts[k + 1]);
			assert_int_equal(calendar_day_start(&calendar, borders.days[k]), borders.starts[k]);
			assert_true(calendar_day_exists(&calendar, borders.days[k]));
			int32_t period = calendar_period_of(&calendar, unit, borders.days[k]);
			int32_t last = calendar_day_of(&calendar, borders.starts[k + 1] - 1);
			assert_int_equal(calendar_period_of(&calendar, unit, last), period);
		}
		int64_t start_ms = first_ms + (int64_t)random_below(&random, (size_t)(last_ms - first_ms));
		int64_t end_ms = start_ms + 1 + (int64_t)random_below(&random, (size_t)(last_ms - start_ms));
		size_t first, last;
		borders_span(&borders, start_ms, end_ms, &first, &last);
		assert_true(borders.starts[first] <= start_ms && start_ms < borders.starts[first + 1]);
		assert_true(borders.starts[last] < end_ms && end_ms <= borders.starts[last + 1]);
		borders_release(&borders);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(day_starts),
		cmocka_unit_test(days_of_instants),
		cmocka_unit_test(dates_that_were_skipped),
		cmocka_unit_test(days_beside_a_search_by_the_minute),
		cmocka_unit_test(every_instant_is_in_one_day),
		cmocka_unit_test(periods),
		cmocka_unit_test(borders_of_a_week_that_begins_with_a_skipped_date),
		cmocka_unit_test(borders_hold_what_they_are_made_for),
	};

	return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
