/* A table of the borders of days or longer periods. */
#ifndef FOCUSSTATS_DOMAIN_BORDERS_H
#define FOCUSSTATS_DOMAIN_BORDERS_H

#include "base/error.h"
#include "domain/calendar.h"

#include <stddef.h>

/* Element i lasts from starts[i] to starts[i + 1]. Periods of skipped dates alone are none. */
struct borders {
	int64_t *starts; /* owned, count + 1 */
	int32_t *days;   /* owned: the first reading day of each */
	size_t count, capacity;
	double per_ms; /* elements in a millisecond, on average */
};

/* Make the borders of all elements between two instants, the latter not included; none where it is not after the former. The
 * caller releases them. Out of memory is STATUS_UNAVAILABLE. */
enum status borders_make(const struct calendar *calendar, enum period_unit unit, int64_t first_ms, int64_t last_ms,
			 struct borders *borders, struct error *error);
void borders_release(struct borders *borders);

/* The elements that an interval with time, which the borders hold, touches. */
void borders_span(const struct borders *borders, int64_t start_ms, int64_t end_ms, size_t *first, size_t *last);

#endif
