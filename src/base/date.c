/* Dates; see date.h. The C library's gmtime_r takes a lock that all threads share, so the calendar is computed here, as
 * in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": a year begins in March, an era has 400 of them; and the way
 * back as in Cassio Neri's and Lorenz Schneider's "Euclidean affine functions and their application to calendar algorithms", 2022. */
#include "base/date.h"

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

void date_format(int32_t day, char text[DATE_TEXT_SIZE])
{
	struct date date = date_of_day(day);

	date_put_two_digits(text, (unsigned)date.year / 100);
	date_put_two_digits(text + 2, (unsigned)date.year % 100);
	text[4] = '-';
	date_put_two_digits(text + 5, (unsigned)date.month);
	text[7] = '-';
	date_put_two_digits(text + 8, (unsigned)date.day);
}

struct date date_of_day(int32_t day)
{
	/* From 1 March of the year -400, as everything below is without a sign. */
	uint32_t quarters = 4 * (uint32_t)(day + DAYS_FROM_0000_03_01 + DAYS_PER_ERA) + 3;
	uint32_t century = quarters / DAYS_PER_ERA;
	/* Multiplied by 2^32 / 1461, a quarter day has the year in its upper half, and how much of it has passed in the lower. */
	uint64_t years = (uint64_t)(quarters % DAYS_PER_ERA | 3) * 2939745;
	uint32_t day_of_year = (uint32_t)years / 2939745 / 4;
	/* The same with months of 2^16 / 2141 days, of which March is the third. */
	uint32_t months = 2141 * day_of_year + 197913;
	bool is_next = day_of_year >= 306; /* January or February */

	return (struct date){
		.year = (int32_t)(100 * century + (uint32_t)(years >> 32) + is_next) - 400,
		.month = (int)(months >> 16) - (is_next ? 12 : 0),
		.day = (int)((months & 0xFFFF) / 2141 + 1),
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
