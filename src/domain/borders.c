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

enum status borders_make(const struct calendar *calendar, enum period_unit unit, int64_t first_ms, int64_t last_ms,
			 struct borders *borders, struct error *error)
{
	*borders = (struct borders){0};
	if (first_ms >= last_ms)
		return STATUS_OK;
	int32_t day = calendar_period_of(calendar, unit, calendar_day_of(calendar, first_ms));
	int64_t start_ms = calendar_day_start(calendar, day);
	while (start_ms < last_ms) {
		int32_t next = calendar_period_after(unit, day);
		int64_t next_ms = calendar_day_start(calendar, next);
		if (borders->count == borders->capacity && !borders_grow(borders)) {
			borders_release(borders);
			*borders = (struct borders){0};
			return error_set(error, STATUS_UNAVAILABLE, "out of memory");
		}
		if (next_ms > start_ms) {
			borders->days[borders->count] = calendar_day_of(calendar, start_ms);
			borders->starts[borders->count++] = start_ms;
		}
		borders->starts[borders->count] = next_ms;
		day = next;
		start_ms = next_ms;
	}
	return STATUS_OK;
}

/* The element that holds an instant; the instant is in one. */
static size_t borders_find(const struct borders *borders, int64_t ms)
{
	size_t low = 0, high = borders->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (borders->starts[middle] <= ms)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void borders_span(const struct borders *borders, int64_t start_ms, int64_t end_ms, size_t *first, size_t *last)
{
	*first = borders_find(borders, start_ms);
	*last = borders->starts[*first + 1] >= end_ms ? *first : borders_find(borders, end_ms - 1);
}
