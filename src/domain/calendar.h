/* A user's calendar: the reading days of a zone, and the weeks, months and years made of them.
 *
 * The reading day of a date runs from its day start to that of the next date. Where the wall clock leaps over the day
 * start, it begins at the first instant after the leap, and where the clock shows it twice, at the first one. A date that
 * the zone skipped has no reading day: the day before lasts until the next date that there is. */
#ifndef FOCUSSTATS_DOMAIN_CALENDAR_H
#define FOCUSSTATS_DOMAIN_CALENDAR_H

#include "base/date.h"
#include "base/zone.h"

struct calendar {
	const struct zone *zone;
	int day_start_minutes; /* after midnight, 0 to 1439 */
	int week_start;        /* ISO weekday, 1 (Monday) to 7 */
};

enum period_unit { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_YEAR };

/* The instant at which the reading day begins; that of the next one where the date was skipped. */
int64_t calendar_day_start(const struct calendar *calendar, int32_t day);

/* The reading day that holds an instant. */
int32_t calendar_day_of(const struct calendar *calendar, int64_t ms);

/* False for a date that the zone skipped. */
bool calendar_day_exists(const struct calendar *calendar, int32_t day);

/* The first date of the period that holds a date. It may be a skipped one; the period's first reading day is
 * calendar_day_of(its start). */
int32_t calendar_period_of(const struct calendar *calendar, enum period_unit unit, int32_t day);

/* The first date of the next period, given that of one. */
int32_t calendar_period_after(enum period_unit unit, int32_t first_day);

#endif
