/* Dates; see date.h. The C library's gmtime_r takes a lock that all threads share, so the calendar is computed here, as
 * in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": a year begins in March, an era has 400 of them. */
#include "domain/date.h"

enum { DAYS_PER_ERA = 146097, DAYS_FROM_0000_03_01 = 719468 };

static bool get_digits(const char *from, int digits, int *value)
{
	*value = 0;
	for (int i = 0; i < digits; i++) {
		if (from[i] < '0' || from[i] > '9')
			return false;
		*value = *value * 10 + (from[i] - '0');
	}
	return true;
}

bool date_parse(struct text text, int32_t *day)
{
	struct date date;

	if (text.size != DATE_TEXT_SIZE || text.data[4] != '-' || text.data[7] != '-' ||
	    !get_digits(text.data, 4, &date.year) || !get_digits(text.data + 5, 2, &date.month) ||
	    !get_digits(text.data + 8, 2, &date.day))
		return false;
	if (date.year < 1970 || date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31)
		return false;
	int32_t parsed = date_to_day(date);
	if (date_of_day(parsed).day != date.day) /* the 31st of a shorter month is a day of the next one */
		return false;
	*day = parsed;
	return true;
}

static void put_digits(char *to, int digits, int value)
{
	while (digits-- > 0) {
		to[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

void date_format(int32_t day, char text[DATE_TEXT_SIZE])
{
	struct date date = date_of_day(day);

	put_digits(text, 4, date.year);
	text[4] = '-';
	put_digits(text + 5, 2, date.month);
	text[7] = '-';
	put_digits(text + 8, 2, date.day);
}

struct date date_of_day(int32_t day)
{
	int32_t days = day + DAYS_FROM_0000_03_01;
	int32_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	int32_t day_of_era = days - era * DAYS_PER_ERA;
	int32_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
	int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int32_t shifted_month = (5 * day_of_year + 2) / 153; /* 0 is March */
	int month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;

	return (struct date){
		.year = era * 400 + year_of_era + (month <= 2),
		.month = month,
		.day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
	};
}

int32_t date_to_day(struct date date)
{
	int32_t year = date.year - (date.month <= 2);
	int32_t era = (year >= 0 ? year : year - 399) / 400;
	int32_t year_of_era = year - era * 400;
	int32_t shifted_month = date.month > 2 ? date.month - 3 : date.month + 9;
	int32_t day_of_year = (153 * shifted_month + 2) / 5 + date.day - 1;
	int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - DAYS_FROM_0000_03_01;
}

int date_weekday(int32_t day)
{
	return (day % 7 + 7 + 3) % 7 + 1; /* 1970-01-01 was a Thursday */
}

int32_t date_of_wall(int64_t wall_ms)
{
	return (int32_t)(wall_ms / DATE_DAY_MS - (wall_ms % DATE_DAY_MS < 0));
}
