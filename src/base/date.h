/* Dates of the proleptic Gregorian calendar. A day is the number of days since 1970-01-01, negative before. */
#ifndef FOCUSSTATS_BASE_DATE_H
#define FOCUSSTATS_BASE_DATE_H

#include "base/text.h"

#include <stdint.h>

enum { DATE_TEXT_SIZE = 10 }; /* 2025-11-10, without a NUL */

#define DATE_DAY_MS INT64_C(86400000) /* of a day that has 24 hours */

struct date {
	int32_t year; /* 0 to 9999 */
	int month;    /* 1 to 12 */
	int day;      /* 1 to 31 */
};

/* Read "2025-11-10", of the years 1970 to 9999. False, and *day untouched, for anything else, dates that do not exist
 * among it. */
bool date_parse(struct text text, int32_t *day);

/* Write a number below 100. */
static inline void date_put_two_digits(char *to, unsigned number)
{
	to[0] = (char)('0' + number / 10);
	to[1] = (char)('0' + number % 10);
}

/* Write DATE_TEXT_SIZE bytes, no NUL. The day is in the years 0 to 9999. */
void date_format(int32_t day, char text[DATE_TEXT_SIZE]);

struct date date_of_day(int32_t day);

int32_t date_to_day(struct date date);

/* ISO weekday, 1 (Monday) to 7. */
int date_weekday(int32_t day);

/* The day that a wall clock shows, given as ms since it showed 1970-01-01T00:00. */
int32_t date_of_wall(int64_t wall_ms);

#endif
