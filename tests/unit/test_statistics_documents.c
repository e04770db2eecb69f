/* Days in a row, documents, and the bounds of it all, worked out by hand: domain/statistics.h. */
#include "desk.h"

#include "domain/instant.h"

static void streaks_up_to_today(void **state)
{
	static const struct {
		const char *now;
		size_t current;
		bool read;
	} known[] = {
		{"2025-11-09T23:59:59.999Z", 0, false}, {"2025-11-10T00:00:00Z", 1, true},
		{"2025-11-12T08:00:00Z", 3, true},      {"2025-11-13T23:59:59.999Z", 3, false},
		{"2025-11-14T00:00:00Z", 0, false},     {"2025-11-20T00:00:00Z", 0, false},
		{"2025-11-01T00:00:00Z", 0, false},
	};
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "2025-11-10T10:00:00Z", HOUR);
	desk_read(&desk, 0, "2025-11-11T10:00:00Z", 30 * MINUTE);
	desk_read(&desk, 1, "2025-11-11T10:15:00Z", 30 * MINUTE);
	desk_read(&desk, 0, "2025-11-12T10:00:00Z", HOUR);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct streaks streaks = desk_streaks(&desk, 0, known[i].now);
		assert_int_equal(streaks.current_days, known[i].current);
		assert_int_equal(streaks.read_today, known[i].read);
		assert_int_equal(streaks.longest_days, 3);
		assert_int_equal(streaks.longest_start, day_of("2025-11-10"));
		assert_int_equal(streaks.longest_end, day_of("2025-11-12"));
		assert_int_equal(streaks.days, 3);
	}
	assert_int_equal(desk_streaks(&desk, 45 * MINUTE, "2025-11-11T00:00:00Z").longest_days, 3);
	struct streaks streaks = desk_streaks(&desk, 45 * MINUTE + 1, "2025-11-11T00:00:00Z");
	assert_int_equal(streaks.longest_days, 1);
	assert_int_equal(streaks.longest_start, day_of("2025-11-10")); /* the earlier of the two */
	assert_int_equal(streaks.days, 2);
	assert_int_equal(streaks.today_ms, 45 * MINUTE);
	assert_false(streaks.read_today);
	assert_int_equal(streaks.current_days, 1);
	assert_int_equal(desk_streaks(&desk, HOUR + 1, "2025-11-11T00:00:00Z").days, 0);
}

/* An end may be some minutes ahead of the clock, on tomorrow. */
static void a_day_that_has_not_begun(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "2025-11-10T23:50:00Z", 12 * MINUTE);
	struct streaks streaks = desk_streaks(&desk, 0, "2025-11-10T23:58:00Z");
	assert_int_equal(streaks.current_days, 1);
	assert_int_equal(streaks.longest_days, 2);
	assert_int_equal(streaks.today, day_of("2025-11-10"));
	assert_int_equal(streaks.today_ms, 10 * MINUTE);
	assert_true(streaks.read_today);
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "2025-11-11T00:00:00Z", MINUTE);
	streaks = desk_streaks(&desk, 0, "2025-11-10T23:58:00Z");
	assert_int_equal(streaks.current_days, 0);
	assert_int_equal(streaks.longest_days, 1);
	assert_false(streaks.read_today);
}

static void documents_in_order(void **state)
{
	static const struct document_progress unknown[4];
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 3, "2025-11-10T08:00:00Z", HOUR);
	desk_read(&desk, 2, "2025-11-10T09:00:00Z", HOUR);
	desk_read(&desk, 1, "2025-11-10T10:00:00Z", HOUR);
	desk_read(&desk, 0, "2025-11-10T22:00:00Z", 50 * HOUR);
	desk_read(&desk, 0, "2025-11-10T22:30:00Z", HOUR);
	desk_read(&desk, 1, "2025-11-11T10:00:00Z", 0);
	struct document_list documents = desk_documents(&desk, unknown);
	static const uint32_t order[] = {0, 1, 2, 3}; /* "a", "ab", "é" are as long */
	assert_int_equal(documents.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(documents.items[i].document, order[i]);
		assert_false(documents.items[i].has_remaining);
	}
	assert_int_equal(documents.items[0].ms, 50 * HOUR);
	assert_int_equal(documents.items[0].sessions, 2);
	assert_int_equal(documents.items[0].active_days, 3);
	assert_int_equal(documents.items[0].last_end_ms, ms_of("2025-11-13T00:00:00Z"));
	assert_int_equal(documents.items[1].sessions, 2);
	assert_int_equal(documents.items[1].active_days, 1);
	assert_int_equal(documents.items[1].last_end_ms, ms_of("2025-11-11T10:00:00Z"));
	document_list_release(&documents);
	desk_range(&desk, "2025-11-10T08:30:00Z", "2025-11-10T23:00:00Z");
	documents = desk_documents(&desk, unknown);
	static const uint32_t cut[] = {1, 2, 0, 3};
	assert_int_equal(documents.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(documents.items[i].document, cut[i]);
	document_list_release(&documents);
}

static void assert_remaining(const struct desk *desk, bool known, double progress, int64_t remaining_ms)
{
	struct document_list documents =
		desk_documents(desk, (struct document_progress[DESK_DOCUMENTS]){{known, progress}});

	assert_int_equal(documents.items[0].document, 0);
	assert_int_equal(documents.items[0].has_remaining, remaining_ms >= 0);
	if (remaining_ms >= 0)
		assert_int_equal(documents.items[0].remaining_ms, remaining_ms);
	document_list_release(&documents);
}

static void what_remains(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	struct reading *first = desk_read(&desk, 0, "2025-11-10T08:00:00Z", 9 * HOUR);
	assert_remaining(&desk, true, 0.5, -1);
	desk_report(first, 0.1);
	assert_remaining(&desk, true, 0.1, -1); /* nothing before it */
	assert_remaining(&desk, true, 1, 0);
	desk_report(desk_read(&desk, 0, "2025-11-11T08:00:00Z", HOUR), 0.3);
	assert_remaining(&desk, true, 0.3, 3 * HOUR + HOUR / 2); /* an hour a fifth */
	assert_remaining(&desk, true, 0, 5 * HOUR);
	assert_remaining(&desk, true, 1, 0);
	assert_remaining(&desk, false, 0, -1);
	desk_read(&desk, 0, "2025-11-12T08:00:00Z", 5 * HOUR);                   /* says nothing */
	desk_report(desk_read(&desk, 0, "2025-11-13T08:00:00Z", 5 * HOUR), 0.2); /* back */
	desk_report(desk_read(&desk, 0, "2025-11-14T08:00:00Z", 5 * HOUR), 0.2); /* nowhere */
	assert_remaining(&desk, true, 0.3, 3 * HOUR + HOUR / 2);
	desk_report(desk_read(&desk, 0, "2025-11-15T08:00:00Z", 3 * HOUR), 0.4);
	assert_remaining(&desk, true, 0.6, 4 * HOUR); /* four hours for two fifths */
	desk_report(desk_read(&desk, 0, "2025-11-16T08:00:00Z", 0), 0.8);
	assert_remaining(&desk, true, 0.8, HOUR); /* four for four fifths */
	/* The one from 0.1 to 0.3 now comes first, and an hour of the other is cut off. */
	desk_range(&desk, "2025-11-11T08:30:00Z", "2025-11-15T10:00:00Z");
	assert_remaining(&desk, true, 0.8, 2 * HOUR);
	/* 0.4 thousandths less than a half above a second are not rounded up. */
	desk_init(&desk, "UTC", 0);
	desk_report(desk_read(&desk, 0, "2025-11-10T08:00:00Z", 0), 0);
	desk_report(desk_read(&desk, 0, "2025-11-11T08:00:00Z", 7498), 0.625);
	assert_remaining(&desk, true, 0.875, 1499); /* 1499.6 ms */
	/* A pace beyond all bounds. */
	desk_report(&desk.items[1], 1e-300);
	assert_remaining(&desk, true, 1e-300, INSTANT_MAX_MS);
}

/* At both ends of time. */
static void bounds_of_time(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, "America/New_York", 1439);
	desk_read(&desk, 0, "1970-01-01T00:00:00Z", 1);
	struct period_list years = desk_periods(&desk, PERIOD_YEAR, false);
	assert_int_equal(years.count, 1);
	assert_int_equal(years.items[0].first_day, -365);
	assert_true(years.items[0].start_ms < 0 && years.items[0].end_ms > 1);
	period_list_release(&years);
	desk_init(&desk, "Pacific/Kiritimati", 0);
	desk_read(&desk, 0, "9999-12-31T23:00:00Z", HOUR - 1);
	assert_int_equal(desk.items[0].end_ms, INSTANT_MAX_MS);
	assert_int_equal(desk_summary(&desk).active_days, 1);
	assert_int_equal(desk_streaks(&desk, 0, "9999-12-31T23:59:59.999Z").current_days, 1);
	/* From one end of the tables to the other. */
	desk_init(&desk, "Europe/Berlin", 0);
	desk_read(&desk, 0, "1970-01-01T00:00:00Z", 0)->end_ms = ms_of("2200-01-01T00:00:00Z");
	struct summary summary = desk_summary(&desk);
	assert_int_equal(summary.ms, ms_of("2200-01-01T00:00:00Z"));
	assert_int_equal(summary.active_days, day_of("2200-01-01") + 1);
}

/* The sanitizers' allocators would end the process. */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
/* What no machine has memory for. */
static void out_of_memory(void **state)
{
	struct summary summary = {.ms = 42};
	struct period_list periods = {.count = 42};
	struct document_list documents = {.count = 42};
	struct error error;
	struct desk desk;

	(void)state;
	desk_init(&desk, "UTC", 0);
	desk_read(&desk, 0, "2025-11-10T10:00:00Z", HOUR);
	desk.readings.document_count = (size_t)1 << 50;
	assert_int_equal(statistics_summary(&desk.readings, &desk.calendar, &summary, &error), STATUS_UNAVAILABLE);
	assert_string_equal(error.text, "out of memory");
	assert_int_equal(summary.ms, 42);
	assert_int_equal(statistics_periods(&desk.readings, &desk.calendar, PERIOD_DAY, false, &periods, &error),
			 STATUS_UNAVAILABLE);
	assert_int_equal(periods.count, 42);
	assert_int_equal(statistics_documents(&desk.readings, &desk.calendar, NULL, &documents, &error),
			 STATUS_UNAVAILABLE);
	assert_int_equal(documents.count, 42);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streaks_up_to_today),
		cmocka_unit_test(a_day_that_has_not_begun),
		cmocka_unit_test(documents_in_order),
		cmocka_unit_test(what_remains),
		cmocka_unit_test(bounds_of_time),
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
		cmocka_unit_test(out_of_memory),
#endif
	};

	return cmocka_run_group_tests_name("statistics_documents", tests, NULL, NULL);
}
