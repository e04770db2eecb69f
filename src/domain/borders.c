/* Borders of days and periods; see borders.h. */
#include "domain/borders.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

void borders_release(struct borders *borders)
{
	free(borders->starts);
	free(borders->days);
}

static bool borders_grow(struct borders *borders)
{
	size_t capacity = borders->capacity ? 2 * borders->capacity : FIRST_CAPACITY;
	int64_t *starts = realloc(borders->starts, (capacity + 1) * sizeof *starts);

	if (!starts)
		return false;
	borders->starts = starts;
	int32_t *days = realloc(borders->days, capacity * sizeof *days);
	if (!days)
		return false;
	borders->days = days;
	borders->capacity = capacity;
	return true;
}

/* A time in which the zone's offset is one, and so long after it became that that no date of it was shown before: there a reading day
 * begins when the clock shows its day start, and nothing has to be looked up. */
struct steady {
	int64_t from_ms, until_ms, offset_ms;
};

/* The instant at which a period's first reading day begins, and which day that is. */
static int64_t period_start(const struct calendar *calendar, int32_t date, struct steady *steady, int32_t *day)
{
	const int64_t margin_ms = 4 * DATE_DAY_MS; /* offsets differ by less than 52 hours */
	int64_t start_ms = date * DATE_DAY_MS + calendar->day_start_minutes * INT64_C(60000) - steady->offset_ms;
	int64_t until_ms;

	*day = date;
	if (start_ms >= steady->from_ms && start_ms < steady->until_ms)
		return start_ms;
	start_ms = calendar_day_start(calendar, date);
	*day = calendar_day_of(calendar, start_ms);
	int64_t offset_ms = zone_offset_ms(calendar->zone, start_ms, &until_ms);
	if (until_ms != steady->until_ms)
		*steady = (struct steady){start_ms + margin_ms, until_ms, offset_ms};
	return start_ms;
}

enum status borders_make(const struct calendar *calendar, enum period_unit unit, int64_t first_ms, int64_t last_ms,
			 struct borders *borders, struct error *error)
{
	*borders = (struct borders){0};
	if (first_ms >= last_ms)
		return STATUS_OK;
	struct steady steady = {INT64_MAX, INT64_MIN, 0};
	int32_t date = calendar_period_of(calendar, unit, calendar_day_of(calendar, first_ms)), day, next_day;
	int64_t start_ms = period_start(calendar, date, &steady, &day);
	while (start_ms < last_ms) {
		date = calendar_period_after(unit, date);
		int64_t next_ms = period_start(calendar, date, &steady, &next_day);
		if (borders->count == borders->capacity && !borders_grow(borders)) {
			borders_release(borders);
			*borders = (struct borders){0};
			return error_set(error, STATUS_UNAVAILABLE, "out of memory");
		}
		if (next_ms > start_ms) {
			borders->days[borders->count] = day;
			borders->starts[borders->count++] = start_ms;
		}
		borders->starts[borders->count] = next_ms;
		start_ms = next_ms;
		day = next_day;
	}
	borders->per_ms = (double)borders->count / (double)(start_ms - borders->starts[0]);
	return STATUS_OK;
}

/* The element that holds an instant; the instant is in one. Elements are nearly of one length, so it is looked for where it would be
 * if they were, and from there on. */
static size_t borders_find(const struct borders *borders, int64_t ms)
{
	size_t at = (size_t)((double)(ms - borders->starts[0]) * borders->per_ms);

	if (at >= borders->count)
		at = borders->count - 1;
	while (borders->starts[at] > ms)
		at--;
	while (borders->starts[at + 1] <= ms)
		at++;
	return at;
}

void borders_span(const struct borders *borders, int64_t start_ms, int64_t end_ms, size_t *first, size_t *last)
{
	*first = borders_find(borders, start_ms);
	*last = borders->starts[*first + 1] >= end_ms ? *first : borders_find(borders, end_ms - 1);
}
