/* Reading days and what is made of them; see calendar.h. */
#include "domain/calendar.h"

int64_t calendar_day_start(const struct calendar *calendar, int32_t day)
{
	for (;; day++) {
		int64_t wall_ms = day * DATE_DAY_MS + calendar->day_start_minutes * INT64_C(60000);
		int64_t ms = zone_instant_of(calendar->zone, wall_ms);
		if (ms + zone_offset_ms(calendar->zone, ms, NULL) == wall_ms)
			return ms;
		/* The clock leapt over it. Does it show anything of the date? */
		int64_t midnight_ms = zone_instant_of(calendar->zone, day * DATE_DAY_MS);
		if (date_of_wall(midnight_ms + zone_offset_ms(calendar->zone, midnight_ms, NULL)) == day)
			return ms;
	}
}

int32_t calendar_day_of(const struct calendar *calendar, int64_t ms)
{
	int64_t wall_ms = ms + zone_offset_ms(calendar->zone, ms, NULL);
	int32_t day = date_of_wall(wall_ms - calendar->day_start_minutes * INT64_C(60000));

	while (calendar_day_start(calendar, day) > ms)
		day--;
	while (calendar_day_start(calendar, day + 1) <= ms)
		day++;
	return day;
}

bool calendar_day_exists(const struct calendar *calendar, int32_t day)
{
	return calendar_day_start(calendar, day) < calendar_day_start(calendar, day + 1);
}

int32_t calendar_period_of(const struct calendar *calendar, enum period_unit unit, int32_t day)
{
	if (unit == PERIOD_DAY)
		return day;
	if (unit == PERIOD_WEEK)
		return day - (date_weekday(day) - calendar->week_start + 7) % 7;
	struct date date = date_of_day(day);
	return date_to_day((struct date){date.year, unit == PERIOD_MONTH ? date.month : 1, 1});
}

int32_t calendar_period_after(enum period_unit unit, int32_t first_day)
{
	if (unit == PERIOD_DAY)
		return first_day + 1;
	if (unit == PERIOD_WEEK)
		return first_day + 7;
	struct date date = date_of_day(first_day);
	if (unit == PERIOD_MONTH)
		return date_to_day((struct date){date.year + date.month / 12, date.month % 12 + 1, 1});
	return date_to_day((struct date){date.year + 1, 1, 1});
}
