/* Statistics of random readings: domain/statistics.h beside a count of minutes, one by one, and what must hold of any.
 *
 * The naive count has a square for every minute of some weeks, for each document and for all together, and fills them in. Days come
 * from the calendar, which has tests of its own; all else is counted from the rules. */
#include "check.h"

#include "domain/statistics.h"

#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60000, MINUTES = 50 * 1440, DOCUMENTS = 5, READINGS = 60, DAYS = 60 };

static const struct text IDS[DOCUMENTS] = {{"walden", 6}, {"a", 1}, {"ab", 2}, {"b", 1}, {"\xC3\xA9", 2}};

/* Where clocks do something, and the day around which they do, since 1970. */
static const struct {
	const char *zone;
	int32_t day;
} CHANGES[] = {
	{"UTC", 20400},
	{"Europe/Berlin", 20177},
	{"Europe/Berlin", 20387},
	{"America/New_York", 20156},
	{"Australia/Lord_Howe", 20184},
	{"Australia/Lord_Howe", 20366},
	{"America/St_Johns", 14920},
	{"Africa/Casablanca", 20142},
	{"America/Santiago", 20338},
	{"America/Nuuk", 20176},
	{"Antarctica/Troll", 20177},
	{"Asia/Kathmandu", 20400},
	{"Pacific/Apia", 15338},
	{"Pacific/Kwajalein", 8633},
	{"Pacific/Kiritimati", 9130},
};

struct scene {
	uint64_t random;
	struct calendar calendar;
	int64_t begin_ms; /* of the squares */
	struct readings readings;
	struct reading items[READINGS];
};

static int by_start(const void *a, const void *b)
{
	const struct reading *left = a, *right = b;

	return (left->start_ms > right->start_ms) - (left->start_ms < right->start_ms);
}

static int64_t below(struct scene *scene, int64_t limit)
{
	return (int64_t)random_below(&scene->random, (size_t)limit);
}

/* An instant in the squares, in steps of so many ms; often beside the middle, where the clock is set. */
static int64_t some_instant(struct scene *scene, int64_t step_ms)
{
	int64_t span_ms = below(scene, 3) == 0 ? 2 * 1440 * (int64_t)MINUTE_MS : MINUTES * (int64_t)MINUTE_MS;
	int64_t middle_ms = scene->begin_ms + MINUTES / 2 * (int64_t)MINUTE_MS;

	return middle_ms - span_ms / 2 + below(scene, span_ms / step_ms) * step_ms;
}

static void make_scene(struct scene *scene, uint64_t seed, int64_t step_ms)
{
	static const int64_t lengths[] = {1, 30, 300, 1440, 5000};

	memset(scene, 0, sizeof *scene);
	scene->random = seed;
	size_t change = (size_t)below(scene, sizeof CHANGES / sizeof CHANGES[0]);
	int starts[] = {0, 0, 240, 150, (int)below(scene, 1440)};
	scene->calendar = (struct calendar){zone_find(text_of(CHANGES[change].zone)), starts[below(scene, 5)],
					    1 + (int)below(scene, 7)};
	assert_non_null(scene->calendar.zone);
	scene->begin_ms = CHANGES[change].day * DATE_DAY_MS - MINUTES / 2 * (int64_t)MINUTE_MS;
	scene->readings = (struct readings){.items = scene->items,
					    .count = (size_t)below(scene, READINGS + 1),
					    .from_ms = INT64_MIN,
					    .to_ms = INT64_MAX,
					    .documents = IDS,
					    .document_count = DOCUMENTS};
	int64_t end_ms = scene->begin_ms + MINUTES * (int64_t)MINUTE_MS;
	for (size_t i = 0; i < scene->readings.count; i++) {
		struct reading *reading = &scene->items[i];
		int64_t longest_ms = lengths[below(scene, 5)] * MINUTE_MS;
		reading->start_ms = some_instant(scene, step_ms);
		reading->end_ms = reading->start_ms + below(scene, longest_ms / step_ms + 1) * step_ms;
		if (reading->end_ms > end_ms)
			reading->end_ms = end_ms;
		reading->document = (uint32_t)below(scene, DOCUMENTS);
	}
	qsort(scene->items, scene->readings.count, sizeof *scene->items, by_start);
	if (below(scene, 2) == 0) {
		int64_t one = some_instant(scene, step_ms), other = some_instant(scene, step_ms);
		scene->readings.from_ms = one < other ? one : other;
		if (below(scene, 4) > 0)
			scene->readings.to_ms = one < other ? other : one;
	}
}

/* One square a minute. */
struct naive {
	int32_t day[MINUTES];
	int32_t period[4][MINUTES]; /* its first date, by unit */
	bool any[MINUTES], read[DOCUMENTS][MINUTES];
	int64_t raw_ms, longest_ms, first_ms, last_ms;
	size_t sessions, sessions_of[DOCUMENTS];
	int64_t first_of[DOCUMENTS], last_of[DOCUMENTS];
};

static void note(int64_t start_ms, int64_t end_ms, size_t sessions, int64_t *first_ms, int64_t *last_ms)
{
	if (sessions == 0 || start_ms < *first_ms)
		*first_ms = start_ms;
	if (sessions == 0 || end_ms > *last_ms)
		*last_ms = end_ms;
}

static void fill_in(const struct scene *scene, struct naive *naive)
{
	memset(naive, 0, sizeof *naive);
	for (int i = 0; i < MINUTES; i++) {
		naive->day[i] = calendar_day_of(&scene->calendar, scene->begin_ms + i * (int64_t)MINUTE_MS);
		for (int unit = PERIOD_DAY; unit <= PERIOD_YEAR; unit++)
			naive->period[unit][i] =
				i > 0 && naive->day[i] == naive->day[i - 1]
					? naive->period[unit][i - 1]
					: calendar_period_of(&scene->calendar, (enum period_unit)unit, naive->day[i]);
	}
	for (size_t i = 0; i < scene->readings.count; i++) {
		const struct reading *reading = &scene->items[i];
		int64_t length_ms = 0, start_ms = reading->start_ms, end_ms = start_ms;
		bool counts = reading->start_ms == reading->end_ms && start_ms >= scene->readings.from_ms &&
			      start_ms < scene->readings.to_ms;
		for (int64_t ms = reading->start_ms; ms < reading->end_ms; ms += MINUTE_MS) {
			if (ms < scene->readings.from_ms || ms >= scene->readings.to_ms)
				continue;
			size_t square = (size_t)((ms - scene->begin_ms) / MINUTE_MS);
			naive->any[square] = naive->read[reading->document][square] = counts = true;
			start_ms = length_ms == 0 ? ms : start_ms;
			end_ms = ms + MINUTE_MS;
			length_ms += MINUTE_MS;
		}
		if (!counts)
			continue;
		uint32_t document = reading->document;
		note(start_ms, end_ms, naive->sessions++, &naive->first_ms, &naive->last_ms);
		note(start_ms, end_ms, naive->sessions_of[document]++, &naive->first_of[document],
		     &naive->last_of[document]);
		naive->raw_ms += length_ms;
		naive->longest_ms = length_ms > naive->longest_ms ? length_ms : naive->longest_ms;
	}
}

/* Time and days with time of a row of squares. */
static int64_t count_row(const struct naive *naive, const bool *row, size_t *days)
{
	int64_t ms = 0;
	int32_t last = INT32_MIN;

	*days = 0;
	for (int i = 0; i < MINUTES; i++) {
		if (!row[i])
			continue;
		ms += MINUTE_MS;
		*days += naive->day[i] != last;
		last = naive->day[i];
	}
	return ms;
}

static void check_summary(const struct scene *scene, const struct naive *naive)
{
	struct summary summary;
	struct error error;
	size_t days, documents = 0;

	assert_int_equal(statistics_summary(&scene->readings, &scene->calendar, &summary, &error), STATUS_OK);
	assert_int_equal(summary.ms, count_row(naive, naive->any, &days));
	assert_int_equal(summary.active_days, days);
	for (size_t i = 0; i < DOCUMENTS; i++)
		documents += naive->sessions_of[i] > 0;
	assert_int_equal(summary.documents, documents);
	assert_int_equal(summary.sessions, naive->sessions);
	assert_int_equal(summary.raw_ms, naive->raw_ms);
	assert_int_equal(summary.longest_ms, naive->longest_ms);
	assert_int_equal(summary.first_start_ms, naive->first_ms);
	assert_int_equal(summary.last_end_ms, naive->last_ms);
}

/* One period, counted square by square. */
static void check_period(const struct scene *scene, const struct naive *naive, enum period_unit unit,
			 const struct period *period)
{
	int32_t first = calendar_period_of(&scene->calendar, unit, period->first_day);
	size_t sessions = 0, documents = 0;
	bool of[DOCUMENTS] = {false};
	int64_t ms = 0;

	assert_int_equal(period->start_ms, calendar_day_start(&scene->calendar, first));
	assert_int_equal(period->first_day, calendar_day_of(&scene->calendar, period->start_ms));
	assert_int_equal(period->end_ms, calendar_day_start(&scene->calendar, calendar_period_after(unit, first)));
	for (int i = 0; i < MINUTES; i++) {
		if (!naive->any[i] || naive->period[unit][i] != first)
			continue;
		ms += MINUTE_MS;
		for (size_t k = 0; k < DOCUMENTS; k++)
			of[k] = of[k] || naive->read[k][i];
	}
	for (size_t i = 0; i < scene->readings.count; i++) {
		bool touches = false;
		for (int64_t at = scene->items[i].start_ms; at < scene->items[i].end_ms && !touches; at += MINUTE_MS)
			touches = at >= scene->readings.from_ms && at < scene->readings.to_ms &&
				  naive->period[unit][(at - scene->begin_ms) / MINUTE_MS] == first;
		sessions += touches;
	}
	for (size_t k = 0; k < DOCUMENTS; k++)
		documents += of[k];
	assert_int_equal(period->ms, ms);
	assert_int_equal(period->sessions, sessions);
	assert_int_equal(period->documents, documents);
}

/* Every period with time is there, once, in order; with fill each begins where the one before it ends. */
static void check_periods(const struct scene *scene, const struct naive *naive, enum period_unit unit)
{
	struct period_list some, all;
	struct error error;
	int64_t sum_ms = 0;
	size_t days, at = 0;

	assert_int_equal(statistics_periods(&scene->readings, &scene->calendar, unit, false, &some, &error), STATUS_OK);
	assert_int_equal(statistics_periods(&scene->readings, &scene->calendar, unit, true, &all, &error), STATUS_OK);
	for (size_t i = 0; i < all.count; i++) {
		check_period(scene, naive, unit, &all.items[i]);
		assert_true(all.items[i].ms <= all.items[i].end_ms - all.items[i].start_ms);
		if (i > 0)
			assert_int_equal(all.items[i].start_ms, all.items[i - 1].end_ms);
		if (all.items[i].ms == 0)
			continue;
		assert_true(at < some.count);
		assert_memory_equal(&some.items[at++], &all.items[i], sizeof all.items[i]);
		sum_ms += all.items[i].ms;
	}
	assert_int_equal(at, some.count);
	assert_int_equal(sum_ms, count_row(naive, naive->any, &days));
	if (unit == PERIOD_DAY)
		assert_int_equal(some.count, days);
	if (all.count > 0)
		assert_true(all.items[0].ms > 0 && all.items[all.count - 1].ms > 0);
	period_list_release(&some);
	period_list_release(&all);
}

static void check_hours(const struct scene *scene, const struct naive *naive)
{
	int64_t ms[7][24], wanted[7][24] = {{0}};

	for (int i = 0; i < MINUTES; i++) {
		int64_t at = scene->begin_ms + i * (int64_t)MINUTE_MS;
		int64_t wall_ms = at + zone_offset_ms(scene->calendar.zone, at, NULL);
		if (naive->any[i])
			wanted[(wall_ms / DATE_DAY_MS + 3) % 7][wall_ms % DATE_DAY_MS / 3600000] += MINUTE_MS;
	}
	statistics_hours(&scene->readings, scene->calendar.zone, ms);
	assert_memory_equal(ms, wanted, sizeof ms);
}

static void check_documents(const struct scene *scene, const struct naive *naive)
{
	static const struct document_progress unknown[DOCUMENTS];
	struct document_list list;
	struct error error;
	size_t days, documents = 0;

	assert_int_equal(statistics_documents(&scene->readings, &scene->calendar, unknown, &list, &error), STATUS_OK);
	for (size_t i = 0; i < DOCUMENTS; i++)
		documents += naive->sessions_of[i] > 0;
	assert_int_equal(list.count, documents);
	for (size_t i = 0; i < list.count; i++) {
		const struct document *one = &list.items[i];
		assert_int_equal(one->ms, count_row(naive, naive->read[one->document], &days));
		assert_int_equal(one->active_days, days);
		assert_int_equal(one->sessions, naive->sessions_of[one->document]);
		assert_int_equal(one->first_start_ms, naive->first_of[one->document]);
		assert_int_equal(one->last_end_ms, naive->last_of[one->document]);
		if (i == 0)
			continue;
		assert_true(one[-1].ms >= one->ms);
		if (one[-1].ms == one->ms) /* these ids have no NUL */
			assert_true(strcmp(IDS[one[-1].document].data, IDS[one->document].data) < 0);
	}
	document_list_release(&list);
}

/* The days there are, in order, and the time in each. */
static int list_days(const struct naive *naive, int32_t days[DAYS], int64_t ms[DAYS])
{
	int count = 0;

	for (int i = 0; i < MINUTES; i++) {
		if (count == 0 || days[count - 1] != naive->day[i]) {
			assert_true(count < DAYS);
			days[count] = naive->day[i];
			ms[count++] = 0;
		}
		ms[count - 1] += naive->any[i] ? MINUTE_MS : 0;
	}
	return count;
}

static void check_streaks(struct scene *scene, const struct naive *naive)
{
	int64_t ms[DAYS], least_ms = below(scene, 3) * below(scene, 300) * MINUTE_MS;
	int64_t now_ms = scene->begin_ms + below(scene, (int64_t)MINUTES * MINUTE_MS);
	int count, today = 0, longest_at = 0;
	size_t run = 0, longest = 0, all = 0, current = 0;
	struct streaks streaks;
	struct error error;
	int32_t days[DAYS] = {0};

	count = list_days(naive, days, ms);
	for (int i = 0; i < count; i++) {
		bool counts = ms[i] > 0 && ms[i] >= least_ms;
		run = counts ? run + 1 : 0;
		all += counts;
		today = days[i] == naive->day[(now_ms - scene->begin_ms) / MINUTE_MS] ? i : today;
		longest_at = run > longest ? i : longest_at;
		longest = run > longest ? run : longest;
	}
	bool read_today = ms[today] > 0 && ms[today] >= least_ms;
	for (int i = read_today ? today : today - 1; i >= 0 && ms[i] > 0 && ms[i] >= least_ms; i--)
		current++;
	assert_int_equal(statistics_streaks(&scene->readings, &scene->calendar, least_ms, now_ms, &streaks, &error),
			 STATUS_OK);
	assert_int_equal(streaks.current_days, current);
	assert_int_equal(streaks.longest_days, longest);
	assert_int_equal(streaks.days, all);
	assert_int_equal(streaks.today, days[today]);
	assert_int_equal(streaks.today_ms, ms[today]);
	assert_int_equal(streaks.read_today, read_today);
	if (longest > 0) {
		assert_int_equal(streaks.longest_start, days[longest_at + 1 - (int)longest]);
		assert_int_equal(streaks.longest_end, days[longest_at]);
	}
}

static void beside_a_count_of_minutes(void **state)
{
	struct scene *scene = malloc(sizeof *scene);
	struct naive *naive = malloc(sizeof *naive);

	(void)state;
	assert_non_null(scene);
	assert_non_null(naive);
	for (uint64_t seed = 1; seed <= 100; seed++) {
		make_scene(scene, seed, MINUTE_MS);
		fill_in(scene, naive);
		check_summary(scene, naive);
		check_hours(scene, naive);
		check_documents(scene, naive);
		check_streaks(scene, naive);
		for (int unit = PERIOD_DAY; unit <= PERIOD_YEAR; unit++)
			check_periods(scene, naive, (enum period_unit)unit);
	}
	free(scene);
	free(naive);
}

static struct summary sum_up(const struct scene *scene, int64_t from_ms, int64_t to_ms)
{
	struct readings readings = scene->readings;
	struct summary summary;
	struct error error;

	readings.from_ms = from_ms;
	readings.to_ms = to_ms;
	assert_int_equal(statistics_summary(&readings, &scene->calendar, &summary, &error), STATUS_OK);
	return summary;
}

static int64_t sum_of_periods(const struct scene *scene, enum period_unit unit, size_t *count)
{
	struct period_list list;
	struct error error;
	int64_t sum_ms = 0;

	assert_int_equal(statistics_periods(&scene->readings, &scene->calendar, unit, false, &list, &error), STATUS_OK);
	for (size_t i = 0; i < list.count; i++) {
		assert_true(list.items[i].ms <= list.items[i].end_ms - list.items[i].start_ms);
		assert_true(list.items[i].sessions >= list.items[i].documents && list.items[i].documents > 0);
		sum_ms += list.items[i].ms;
	}
	*count = list.count;
	period_list_release(&list);
	return sum_ms;
}

/* To the millisecond: sums agree whichever way they are made, and a range that is cut in two has the same time as before. */
static void sums_agree(void **state)
{
	struct scene *scene = malloc(sizeof *scene);

	(void)state;
	assert_non_null(scene);
	for (uint64_t seed = 1001; seed <= 2500; seed++) {
		int64_t hours[7][24], sum_ms = 0;
		make_scene(scene, seed, 1);
		int64_t from_ms = scene->readings.from_ms, to_ms = scene->readings.to_ms;
		int64_t middle_ms = some_instant(scene, 1);
		struct summary whole = sum_up(scene, from_ms, to_ms);
		assert_true(whole.ms <= whole.raw_ms && whole.longest_ms <= whole.ms);
		for (int unit = PERIOD_DAY; unit <= PERIOD_YEAR; unit++) {
			size_t count;
			assert_int_equal(sum_of_periods(scene, (enum period_unit)unit, &count), whole.ms);
			if (unit == PERIOD_DAY)
				assert_int_equal(count, whole.active_days);
		}
		statistics_hours(&scene->readings, scene->calendar.zone, hours);
		for (size_t i = 0; i < 168; i++)
			sum_ms += hours[i / 24][i % 24];
		assert_int_equal(sum_ms, whole.ms);
		if (middle_ms <= from_ms || middle_ms >= to_ms)
			continue;
		struct summary before = sum_up(scene, from_ms, middle_ms), after = sum_up(scene, middle_ms, to_ms);
		assert_int_equal(before.ms + after.ms, whole.ms);
		assert_int_equal(before.raw_ms + after.raw_ms, whole.raw_ms);
		assert_true(before.sessions + after.sessions >= whole.sessions);
		assert_true(before.active_days + after.active_days >= whole.active_days);
		assert_true(before.active_days + after.active_days <= whole.active_days + 1);
	}
	free(scene);
}

/* Half a century each: what took sessions times days would not come to an end here. */
static void long_readings(void **state)
{
	enum { COUNT = 20000, YEARS = 50 };
	struct reading *items = calloc(COUNT, sizeof *items);
	struct text *ids = calloc(COUNT, sizeof *ids);
	struct document_progress *unknown = calloc(COUNT, sizeof *unknown);
	struct calendar calendar = {zone_find(text_of("Europe/Berlin")), 240, 1};
	struct period_list days;
	struct document_list documents;
	struct error error;

	(void)state;
	assert_true(items && ids && unknown && calendar.zone);
	for (uint32_t i = 0; i < COUNT; i++) {
		items[i] = (struct reading){.start_ms = i * INT64_C(1000), .document = i};
		items[i].end_ms = items[i].start_ms + YEARS * 365 * DATE_DAY_MS;
		ids[i] = text_of("walden");
	}
	struct readings readings = {items, COUNT, INT64_MIN, INT64_MAX, ids, COUNT};
	assert_int_equal(statistics_periods(&readings, &calendar, PERIOD_DAY, false, &days, &error), STATUS_OK);
	assert_int_equal(days.count,
			 YEARS * 365 + 2); /* the first begins at one in the night, the last ends at half past six */
	assert_int_equal(days.items[1].sessions, COUNT);
	assert_int_equal(days.items[1].documents, COUNT);
	assert_int_equal(days.items[1].ms, DATE_DAY_MS);
	period_list_release(&days);
	assert_int_equal(statistics_documents(&readings, &calendar, unknown, &documents, &error), STATUS_OK);
	assert_int_equal(documents.count, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(documents.items[i].ms, YEARS * 365 * DATE_DAY_MS);
	document_list_release(&documents);
	free(items);
	free(ids);
	free(unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_a_count_of_minutes),
		cmocka_unit_test(sums_agree),
		cmocka_unit_test(long_readings),
	};

	return cmocka_run_group_tests_name("statistics_random", tests, NULL, NULL);
}
