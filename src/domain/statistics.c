/* Statistics of all documents together; see statistics.h. Those by document are in statistics_documents.c. */
#include "domain/statistics.h"

#include "base/date.h"
#include "domain/borders.h"
#include "domain/cut.h"

#include <stdlib.h>
#include <string.h>

enum { MS_PER_HOUR = 3600000, MS_PER_DAY = 86400000 };

static enum status no_memory(struct error *error)
{
	return error_set(error, STATUS_UNAVAILABLE, "out of memory");
}

int64_t statistics_seconds(int64_t ms)
{
	return (ms + 500) / 1000;
}

int64_t statistics_average_seconds(int64_t ms, size_t count)
{
	int64_t divisor = (int64_t)count * 1000;

	return count > 0 ? (2 * ms + divisor) / (2 * divisor) : 0;
}

/* Time by element of the borders. */
struct times {
	const struct borders *borders;
	int64_t *ms;
	int64_t sum_ms;
};

static void add_time(void *context, int64_t start_ms, int64_t end_ms)
{
	struct times *times = context;
	size_t first, last;

	borders_span(times->borders, start_ms, end_ms, &first, &last);
	for (size_t i = first; i <= last; i++) {
		int64_t from_ms = times->borders->starts[i], to_ms = times->borders->starts[i + 1];
		times->ms[i] += (end_ms < to_ms ? end_ms : to_ms) - (start_ms > from_ms ? start_ms : from_ms);
	}
	times->sum_ms += end_ms - start_ms;
}

/* Make the borders around all time that is read in the range, and the time in each; times_release is the counterpart. */
static enum status times_make(const struct readings *readings, const struct calendar *calendar, enum period_unit unit,
			      struct borders *borders, struct times *times, struct error *error)
{
	int64_t first_ms, last_ms;

	cut_extent(readings, &first_ms, &last_ms);
	enum status status = borders_make(calendar, unit, first_ms, last_ms, borders, error);
	if (status != STATUS_OK)
		return status;
	*times = (struct times){.borders = borders, .ms = calloc(borders->count + 1, sizeof *times->ms)};
	if (!times->ms) {
		borders_release(borders);
		return no_memory(error);
	}
	cut_union(readings, add_time, times);
	return STATUS_OK;
}

static void times_release(struct borders *borders, struct times *times)
{
	free(times->ms);
	borders_release(borders);
}

static size_t count_with_time(const struct times *times)
{
	size_t count = 0;

	for (size_t i = 0; i < times->borders->count; i++)
		count += times->ms[i] > 0;
	return count;
}

enum status statistics_summary(const struct readings *readings, const struct calendar *calendar,
			       struct summary *summary, struct error *error)
{
	bool *known = calloc(readings->document_count + 1, sizeof *known);
	struct summary made = {0};
	struct borders borders = {0};
	struct times times = {0};
	struct cut cut;

	if (!known)
		return no_memory(error);
	if (times_make(readings, calendar, PERIOD_DAY, &borders, &times, error) != STATUS_OK) {
		free(known);
		return error->status;
	}
	for (size_t at = 0; cut_next(readings, &at, &cut);) {
		int64_t length_ms = cut.end_ms - cut.start_ms;
		if (made.sessions++ == 0)
			made.first_start_ms = cut.start_ms;
		made.raw_ms += length_ms;
		if (length_ms > made.longest_ms)
			made.longest_ms = length_ms;
		if (cut.end_ms > made.last_end_ms)
			made.last_end_ms = cut.end_ms;
		made.documents += !known[cut.reading->document];
		known[cut.reading->document] = true;
	}
	made.ms = times.sum_ms;
	made.active_days = count_with_time(&times);
	times_release(&borders, &times);
	free(known);
	*summary = made;
	return STATUS_OK;
}

/* How many sessions and documents each element has: what begins at one adds to all from there on, until it is taken off
 * behind its last. */
static bool count_in(const struct readings *readings, const struct borders *borders, struct period *periods)
{
	int64_t *sessions = calloc(borders->count + 1, sizeof *sessions);
	int64_t *documents = calloc(borders->count + 1, sizeof *documents);
	size_t *counted = calloc(readings->document_count + 1, sizeof *counted); /* elements of each document so far */
	int64_t session_sum = 0, document_sum = 0;
	struct cut cut;

	for (size_t at = 0; sessions && documents && counted && cut_next(readings, &at, &cut);) {
		size_t first, last;
		if (cut.start_ms == cut.end_ms)
			continue;
		borders_span(borders, cut.start_ms, cut.end_ms, &first, &last);
		sessions[first]++;
		sessions[last + 1]--;
		size_t *until = &counted[cut.reading->document];
		if (last >= *until) {
			documents[first > *until ? first : *until]++;
			documents[last + 1]--;
			*until = last + 1;
		}
	}
	bool done = sessions && documents && counted;
	for (size_t i = 0; done && i < borders->count; i++) {
		session_sum += sessions[i];
		document_sum += documents[i];
		periods[i].sessions = (size_t)session_sum;
		periods[i].documents = (size_t)document_sum;
	}
	free(sessions);
	free(documents);
	free(counted);
	return done;
}

static enum status list_periods(const struct readings *readings, const struct times *times, bool fill,
				struct period_list *periods, struct error *error)
{
	const struct borders *borders = times->borders;
	size_t count = fill ? borders->count : count_with_time(times);

	if (count > PERIODS_MAX)
		return error_set(error, STATUS_INVALID, "unit: makes %zu elements, more than %d", count, PERIODS_MAX);
	struct period *items = calloc(borders->count + 1, sizeof *items);
	if (!items || !count_in(readings, borders, items)) {
		free(items);
		return no_memory(error);
	}
	count = 0;
	for (size_t i = 0; i < borders->count; i++) {
		if (!fill && times->ms[i] == 0)
			continue;
		items[count] = items[i];
		items[count].start_ms = borders->starts[i];
		items[count].end_ms = borders->starts[i + 1];
		items[count].first_day = borders->days[i];
		items[count].ms = times->ms[i];
		count++;
	}
	*periods = (struct period_list){items, count};
	return STATUS_OK;
}

enum status statistics_periods(const struct readings *readings, const struct calendar *calendar, enum period_unit unit,
			       bool fill, struct period_list *periods, struct error *error)
{
	struct borders borders = {0};
	struct times times = {0};

	if (times_make(readings, calendar, unit, &borders, &times, error) != STATUS_OK)
		return error->status;
	enum status status = list_periods(readings, &times, fill, periods, error);
	times_release(&borders, &times);
	return status;
}

void period_list_release(struct period_list *periods)
{
	free(periods->items);
	*periods = (struct period_list){0};
}

struct hours {
	const struct zone *zone;
	int64_t (*ms)[24];
	int64_t offset_ms, until_ms; /* of the zone, where the last interval was cut; they come in order */
};

/* Cut an interval where the wall clock's hour changes, and where the clock is set forward or back. */
static void add_hours(void *context, int64_t start_ms, int64_t end_ms)
{
	struct hours *hours = context;

	while (start_ms < end_ms) {
		if (start_ms >= hours->until_ms)
			hours->offset_ms = zone_offset_ms(hours->zone, start_ms, &hours->until_ms);
		int64_t wall_ms = start_ms + hours->offset_ms;
		int32_t day = date_of_wall(wall_ms);
		int64_t in_day_ms = wall_ms - (int64_t)day * MS_PER_DAY;
		int64_t next_ms = start_ms + MS_PER_HOUR - in_day_ms % MS_PER_HOUR;
		if (next_ms > hours->until_ms)
			next_ms = hours->until_ms;
		if (next_ms > end_ms)
			next_ms = end_ms;
		hours->ms[date_weekday(day) - 1][in_day_ms / MS_PER_HOUR] += next_ms - start_ms;
		start_ms = next_ms;
	}
}

void statistics_hours(const struct readings *readings, const struct zone *zone, int64_t ms[7][24])
{
	struct hours hours = {zone, ms, 0, INT64_MIN};

	memset(ms, 0, sizeof(int64_t[7][24]));
	cut_union(readings, add_hours, &hours);
}

/* The element of a day; borders->count where it has none. */
static size_t element_of(const struct borders *borders, int32_t day)
{
	size_t low = 0, high = borders->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (borders->days[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < borders->count && borders->days[low] == day ? low : borders->count;
}

static bool day_counts(const struct times *times, size_t element, int64_t least_ms)
{
	return element < times->borders->count && times->ms[element] > 0 && times->ms[element] >= least_ms;
}

/* Days in a row that count, up to this element. */
static size_t run_up_to(const struct times *times, size_t element, int64_t least_ms)
{
	size_t length = 0;

	while (length <= element && day_counts(times, element - length, least_ms))
		length++;
	return length;
}

static void find_longest(const struct times *times, int64_t least_ms, struct streaks *streaks)
{
	const int32_t *days = times->borders->days;
	size_t length = 0;

	for (size_t i = 0; i < times->borders->count; i++) {
		length = day_counts(times, i, least_ms) ? length + 1 : 0;
		streaks->days += length > 0;
		if (length > streaks->longest_days) {
			streaks->longest_days = length;
			streaks->longest_start = days[i + 1 - length];
			streaks->longest_end = days[i];
		}
	}
}

enum status statistics_streaks(const struct readings *readings, const struct calendar *calendar, int64_t least_ms,
			       int64_t now_ms, struct streaks *streaks, struct error *error)
{
	struct streaks made = {.today = calendar_day_of(calendar, now_ms)};
	struct borders borders = {0};
	struct times times = {0};

	if (times_make(readings, calendar, PERIOD_DAY, &borders, &times, error) != STATUS_OK)
		return error->status;
	size_t today = element_of(&borders, made.today);
	int32_t yesterday = calendar_day_of(calendar, calendar_day_start(calendar, made.today) - 1);
	made.read_today = day_counts(&times, today, least_ms);
	made.today_ms = today < borders.count ? times.ms[today] : 0;
	made.current_days = run_up_to(&times, made.read_today ? today : element_of(&borders, yesterday), least_ms);
	find_longest(&times, least_ms, &made);
	times_release(&borders, &times);
	*streaks = made;
	return STATUS_OK;
}
