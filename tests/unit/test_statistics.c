/* The summary, periods and hours, worked out by hand: domain/statistics.h. Days in a row and documents are in
 * test_statistics_documents.c, what a machine works out in test_statistics_random.c. */
#include "desk.h"

#include "domain/instant.h"

static void rounding(void **state)
{
	static const struct {
		int64_t ms;
		size_t count;
		int64_t seconds;
	} averages[] = {
		{0, 0, 0},
		{5000, 0, 0},
		{0, 3, 0},
		{1499, 1, 1},
		{1500, 1, 2},
		{1000, 3, 0},
		{1499, 3, 0},
		{1500, 3, 1},
		{4499, 3, 1},
		{4500, 3, 2},
		{4501, 3, 2},
		{9, 20, 0},
		{499, 1, 0},
		{500, 1, 1},
		{10500, 7, 2},
		{10499, 7, 1},
		{INSTANT_MAX_MS, 1, INT64_C(253402300800)},
		{INT64_C(1) << 61, 1, INT64_C(2305843009213694)},
	};

	(void)state;
	assert_int_equal(statistics_seconds(0), 0);
	assert_int_equal(statistics_seconds(499), 0);
	assert_int_equal(statistics_seconds(500), 1);
	assert_int_equal(statistics_seconds(1499), 1);
	assert_int_equal(statistics_seconds(1500), 2);
	assert_int_equal(statistics_seconds(2500), 3);
	for (size_t i = 0; i < sizeof averages / sizeof averages[0]; i++)
		assert_int_equal(statistics_average_seconds(averages[i].ms, averages[i].count), averages[i].seconds);
}

static void nothing(void **state)
{
	struct document_progress progress[4] = {{true, 0.5}};
	int64_t hours[7][24];
	struct desk desk;

	(void)state;
	desk_init(&desk, "Europe/Berlin", 0);
	for (int pass = 0; pass < 3; pass++) {
		struct summary summary = desk_summary(&desk);
		assert_memory_equal(&summary, &(struct summary){0}, sizeof summary);
		struct period_list periods = desk_periods(&desk, PERIOD_DAY, true);
		assert_int_equal(periods.count, 0);
		period_list_release(&periods);
		struct document_list documents = desk_documents(&desk, progress);
		assert_int_equal(documents.count, 0);
		document_list_release(&documents);
		statistics_hours(&desk.readings, desk.calendar.zone, hours);
		for (size_t i = 0; i < 168; i++)
			assert_int_equal(hours[i / 24][i % 24], 0);
		struct streaks streaks = desk_streaks(&desk, 0, "2025-11-10T23:30:00Z");
		assert_int_equal(streaks.current_days + streaks.longest_days + streaks.days, 0);
		assert_int_equal(streaks.today, day_of("2025-11-11"));
		assert_int_equal(streaks.today_ms, 0);
		assert_false(streaks.read_today);
		/* The same with something out of range, and with an empty range in the midst of it. */
		if (pass == 0)
			desk_read(&desk, 0, "2025-11-10T12:00:00Z", HOUR);
		desk_range(&desk, pass == 0 ? "2025-11-10T13:00:00Z" : "2025-11-10T12:30:00Z",
			   pass == 0 ? "2025-11-11T00:00:00Z" : "2025-11-10T12:30:00Z");
	}
	desk.readings.document_count = 0;
	desk.readings.documents = NULL;
	desk.readings.count = 0;
	struct document_list none = desk_documents(&desk, NULL);
	assert_int_equal(none.count, 0);
	document_list_release(&none);
	assert_int_equal(desk_summary(&desk).sessions, 0);
}

static void two_devices_count_once(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "2025-11-10T10:00:00Z", HOUR);
	desk_read(&desk, 0, "2025-11-10T10:15:00Z", 15 * MINUTE); /* within the first */
	desk_read(&desk, 1, "2025-11-10T10:30:00Z", HOUR);        /* beyond it */
	desk_read(&desk, 0, "2025-11-10T11:30:00Z", 1);           /* touching that */
	desk_read(&desk, 2, "2025-11-12T23:59:59.999Z", 2);       /* into the next day */
	struct summary summary = desk_summary(&desk);
	assert_int_equal(summary.ms, 90 * MINUTE + 1 + 2);
	assert_int_equal(summary.raw_ms, 135 * MINUTE + 1 + 2);
	assert_int_equal(summary.sessions, 5);
	assert_int_equal(summary.documents, 3);
	assert_int_equal(summary.active_days, 3);
	assert_int_equal(summary.longest_ms, HOUR);
	assert_int_equal(summary.first_start_ms, ms_of("2025-11-10T10:00:00Z"));
	assert_int_equal(summary.last_end_ms, ms_of("2025-11-13T00:00:00.001Z"));
}

/* The last one to begin is not the last one to end. */
static void cut_at_the_range(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "2025-11-09T22:00:00Z", 20 * HOUR);
	desk_read(&desk, 1, "2025-11-10T05:00:00Z", 7 * HOUR);
	desk_read(&desk, 2, "2025-11-10T06:00:00Z", HOUR);
	desk_read(&desk, 3, "2025-11-10T17:00:00Z", 0);
	desk_range(&desk, "2025-11-10T05:00:00.001Z", "2025-11-10T16:59:59.999Z");
	struct summary summary = desk_summary(&desk);
	assert_int_equal(summary.ms, 12 * HOUR - 2 + 1 - HOUR + HOUR - 1);
	assert_int_equal(summary.raw_ms, 12 * HOUR - 2 + 7 * HOUR - 1 + HOUR);
	assert_int_equal(summary.sessions, 3);
	assert_int_equal(summary.documents, 3);
	assert_int_equal(summary.longest_ms, 12 * HOUR - 2);
	assert_int_equal(summary.first_start_ms, desk.readings.from_ms);
	assert_int_equal(summary.last_end_ms, desk.readings.to_ms);
	/* What ends where the range begins, or begins where it ends, is not in it. */
	desk_range(&desk, "2025-11-10T18:00:00Z", "2025-11-11T00:00:00Z");
	assert_int_equal(desk_summary(&desk).sessions, 0);
	desk_range(&desk, "2025-11-01T00:00:00Z", "2025-11-09T22:00:00Z");
	assert_int_equal(desk_summary(&desk).sessions, 0);
	desk_range(&desk, "2025-11-01T00:00:00Z", "2025-11-09T22:00:00.001Z");
	assert_int_equal(desk_summary(&desk).ms, 1);
}

static void without_length(void **state)
{
	static const struct document_progress unknown[4];
	int64_t hours[7][24];
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 3, "2025-11-10T10:00:00Z", 0);
	for (int pass = 0; pass < 4; pass++) {
		size_t counted = pass < 2;
		struct summary summary = desk_summary(&desk);
		assert_int_equal(summary.sessions, counted);
		assert_int_equal(summary.documents, counted);
		assert_int_equal(summary.active_days, 0);
		assert_int_equal(summary.ms + summary.raw_ms + summary.longest_ms, 0);
		assert_int_equal(summary.first_start_ms, counted ? ms_of("2025-11-10T10:00:00Z") : 0);
		assert_int_equal(summary.last_end_ms, summary.first_start_ms);
		struct document_list documents = desk_documents(&desk, unknown);
		assert_int_equal(documents.count, counted);
		if (counted) {
			assert_int_equal(documents.items[0].document, 3);
			assert_int_equal(documents.items[0].sessions, 1);
			assert_int_equal(documents.items[0].active_days, 0);
			assert_int_equal(documents.items[0].ms, 0);
			assert_int_equal(documents.items[0].first_start_ms, summary.first_start_ms);
			assert_int_equal(documents.items[0].last_end_ms, summary.first_start_ms);
		}
		document_list_release(&documents);
		struct period_list periods = desk_periods(&desk, PERIOD_DAY, true);
		assert_int_equal(periods.count, 0);
		period_list_release(&periods);
		statistics_hours(&desk.readings, desk.calendar.zone, hours);
		assert_int_equal(hours[0][10], 0);
		assert_int_equal(desk_streaks(&desk, 0, "2025-11-10T12:00:00Z").days, 0);
		/* It is in the range that begins with it, and not in the one that ends there or is empty. */
		desk_range(&desk,
			   pass == 0   ? "2025-11-10T10:00:00Z"
			   : pass == 1 ? "2025-11-09T10:00:00Z"
				       : "2025-11-10T10:00:00Z",
			   pass == 0 ? "2025-11-10T10:00:00.001Z" : "2025-11-10T10:00:00Z");
	}
	/* Beside another one of the same day it is in no period. */
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "2025-11-10T10:00:00Z", HOUR);
	desk_read(&desk, 1, "2025-11-10T10:30:00Z", 0);
	struct period_list periods = desk_periods(&desk, PERIOD_DAY, false);
	assert_int_equal(periods.count, 1);
	assert_int_equal(periods.items[0].sessions, 1);
	assert_int_equal(periods.items[0].documents, 1);
	period_list_release(&periods);
	assert_int_equal(desk_summary(&desk).sessions, 2);
}

static void assert_period(const struct period *period, const char *first, const char *start, const char *end,
			  int64_t ms, size_t sessions, size_t documents)
{
	assert_int_equal(period->first_day, day_of(first));
	assert_int_equal(period->start_ms, ms_of(start));
	assert_int_equal(period->end_ms, ms_of(end));
	assert_int_equal(period->ms, ms);
	assert_int_equal(period->sessions, sessions);
	assert_int_equal(period->documents, documents);
}

static void periods_are_whole_and_count_what_has_time_in_them(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, "Europe/Berlin", 240);
	desk_read(&desk, 0, "2025-03-30T00:00:00Z",
		  3 * HOUR); /* 01:00 to 05:00: an hour is leapt over; the day begins at 04:00 */
	desk_read(&desk, 1, "2025-03-30T01:30:00Z", HOUR); /* 03:30 to 04:30 */
	desk_read(&desk, 1, "2025-03-30T01:45:00Z", 15 * MINUTE);
	desk_read(&desk, 0, "2025-04-02T12:00:00Z", HOUR);
	struct period_list days = desk_periods(&desk, PERIOD_DAY, false);
	assert_int_equal(days.count, 3);
	assert_period(&days.items[0], "2025-03-29", "2025-03-29T03:00:00Z", "2025-03-30T02:00:00Z", 2 * HOUR, 3, 2);
	assert_period(&days.items[1], "2025-03-30", "2025-03-30T02:00:00Z", "2025-03-31T02:00:00Z", HOUR, 2, 2);
	assert_period(&days.items[2], "2025-04-02", "2025-04-02T02:00:00Z", "2025-04-03T02:00:00Z", HOUR, 1, 1);
	period_list_release(&days);
	days = desk_periods(&desk, PERIOD_DAY, true);
	assert_int_equal(days.count, 5);
	assert_period(&days.items[2], "2025-03-31", "2025-03-31T02:00:00Z", "2025-04-01T02:00:00Z", 0, 0, 0);
	period_list_release(&days);
	struct period_list weeks = desk_periods(&desk, PERIOD_WEEK, false);
	assert_int_equal(weeks.count, 2);
	assert_period(&weeks.items[0], "2025-03-24", "2025-03-24T03:00:00Z", "2025-03-31T02:00:00Z", 3 * HOUR, 3, 2);
	period_list_release(&weeks);
	struct period_list months = desk_periods(&desk, PERIOD_MONTH, false);
	assert_int_equal(months.count, 2);
	assert_period(&months.items[0], "2025-03-01", "2025-03-01T03:00:00Z", "2025-04-01T02:00:00Z", 3 * HOUR, 3, 2);
	assert_period(&months.items[1], "2025-04-01", "2025-04-01T02:00:00Z", "2025-05-01T02:00:00Z", HOUR, 1, 1);
	period_list_release(&months);
	desk_range(&desk, "2025-03-30T01:50:00Z", "2025-03-30T02:00:00.001Z");
	struct period_list years = desk_periods(&desk, PERIOD_YEAR, false);
	assert_int_equal(years.count, 1);
	assert_period(&years.items[0], "2025-01-01", "2025-01-01T03:00:00Z", "2026-01-01T03:00:00Z", 10 * MINUTE + 1, 3,
		      2);
	period_list_release(&years);
}

static void a_skipped_date_is_no_period(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, "Pacific/Apia", 0);
	desk_read(&desk, 0, "2011-12-30T09:00:00Z", 2 * HOUR); /* from the 29th to the 31st */
	desk_read(&desk, 0, "2012-01-02T09:00:00Z", HOUR);     /* the 2nd, at 23:00 */
	struct period_list days = desk_periods(&desk, PERIOD_DAY, true);
	assert_int_equal(days.count, 4);
	assert_period(&days.items[0], "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", HOUR, 1, 1);
	assert_period(&days.items[1], "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z", HOUR, 1, 1);
	assert_period(&days.items[3], "2012-01-02", "2012-01-01T10:00:00Z", "2012-01-02T10:00:00Z", HOUR, 1, 1);
	period_list_release(&days);
	struct streaks streaks = desk_streaks(&desk, 0, "2011-12-31T09:00:00Z");
	assert_int_equal(streaks.current_days, 2);
	assert_int_equal(streaks.longest_days, 2);
	assert_int_equal(streaks.longest_start, day_of("2011-12-29"));
	assert_int_equal(streaks.longest_end, day_of("2011-12-31"));
	assert_int_equal(streaks.days, 3);
}

static void as_many_periods_as_allowed(void **state)
{
	struct period_list periods = {.count = 7};
	struct error error;
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "1970-01-01T00:00:00Z", 1);
	struct reading *last = desk_read(&desk, 1, "1970-01-01T00:00:00Z", 1);
	last->start_ms = (PERIODS_MAX - 1) * (int64_t)DAY;
	last->end_ms = last->start_ms + DAY;
	struct period_list most = desk_periods(&desk, PERIOD_DAY, true);
	assert_int_equal(most.count, PERIODS_MAX);
	period_list_release(&most);
	last->end_ms++;
	assert_int_equal(statistics_periods(&desk.readings, &desk.calendar, PERIOD_DAY, true, &periods, &error),
			 STATUS_INVALID);
	assert_string_equal(error.text, "unit: makes 40001 elements, more than 40000");
	assert_int_equal(periods.count, 7);
	struct period_list few = desk_periods(&desk, PERIOD_DAY, false);
	assert_int_equal(few.count, 3);
	period_list_release(&few);
	desk.items[0].end_ms = last->end_ms;
	assert_int_equal(statistics_periods(&desk.readings, &desk.calendar, PERIOD_DAY, false, &periods, &error),
			 STATUS_INVALID);
}

static void hours_by_the_wall_clock(void **state)
{
	int64_t ms[7][24];
	struct desk desk;

	(void)state;
	/* A Sunday with 25 hours: that from two to three comes twice. */
	desk_init(&desk, "Europe/Berlin", 600);
	desk_read(&desk, 0, "2025-10-25T23:30:00Z", 3 * HOUR);
	statistics_hours(&desk.readings, desk.calendar.zone, ms);
	assert_int_equal(ms[6][1], 30 * MINUTE);
	assert_int_equal(ms[6][2], 2 * HOUR);
	assert_int_equal(ms[6][3], 30 * MINUTE);
	/* One with 23: that hour is not there. */
	desk_init(&desk, "Europe/Berlin", 0);
	desk_read(&desk, 0, "2025-03-29T22:59:59.999Z", 3 * HOUR + 2);
	statistics_hours(&desk.readings, desk.calendar.zone, ms);
	assert_int_equal(ms[5][23], 1);
	assert_int_equal(ms[6][0], HOUR);
	assert_int_equal(ms[6][1], HOUR);
	assert_int_equal(ms[6][2], 0);
	assert_int_equal(ms[6][3], HOUR);
	assert_int_equal(ms[6][4], 1);
	/* Half an hour back at two, and forward at two. */
	desk_init(&desk, "Australia/Lord_Howe", 0);
	desk_read(&desk, 0, "2025-04-05T14:00:00Z", 2 * HOUR);
	desk_read(&desk, 0, "2025-10-04T14:30:00Z", 2 * HOUR);
	statistics_hours(&desk.readings, desk.calendar.zone, ms);
	assert_int_equal(ms[6][1], 90 * MINUTE + HOUR);
	assert_int_equal(ms[6][2], 30 * MINUTE + 30 * MINUTE);
	assert_int_equal(ms[6][3], 30 * MINUTE);
	/* Three quarters past: two readings of which one is within the other. */
	desk_init(&desk, "Asia/Kathmandu", 0);
	desk_read(&desk, 0, "2025-11-09T18:00:00Z", HOUR);
	desk_read(&desk, 1, "2025-11-09T18:10:00Z", MINUTE);
	statistics_hours(&desk.readings, desk.calendar.zone, ms);
	assert_int_equal(ms[6][23], 15 * MINUTE);
	assert_int_equal(ms[0][0], 45 * MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding),
		cmocka_unit_test(nothing),
		cmocka_unit_test(two_devices_count_once),
		cmocka_unit_test(cut_at_the_range),
		cmocka_unit_test(without_length),
		cmocka_unit_test(periods_are_whole_and_count_what_has_time_in_them),
		cmocka_unit_test(a_skipped_date_is_no_period),
		cmocka_unit_test(as_many_periods_as_allowed),
		cmocka_unit_test(hours_by_the_wall_clock),
	};

	return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
