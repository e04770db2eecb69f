/* Instants; see instant.h. The C library's gmtime_r takes a lock that all threads share, so the calendar is
 * computed here, as in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms" (civil_from_days). */
#include "domain/instant.h"

static void put_digits(char *to, int digits, int64_t value)
{
	while (digits-- > 0) {
		to[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

void instant_format(int64_t ms, char text[INSTANT_TEXT_SIZE])
{
	enum { DAYS_PER_ERA = 146097, DAYS_FROM_0000_03_01 = 719468 };
	int64_t seconds = ms / 1000;
	int64_t days = seconds / 86400 + DAYS_FROM_0000_03_01;
	int64_t era = days / DAYS_PER_ERA;
	int64_t day_of_era = days % DAYS_PER_ERA;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted_month = (5 * day_of_year + 2) / 153; /* 0 is March */
	int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
	int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
	int64_t year = era * 400 + year_of_era + (month <= 2);

	put_digits(text, 4, year);
	text[4] = '-';
	put_digits(text + 5, 2, month);
	text[7] = '-';
	put_digits(text + 8, 2, day);
	text[10] = 'T';
	put_digits(text + 11, 2, seconds / 3600 % 24);
	text[13] = ':';
	put_digits(text + 14, 2, seconds / 60 % 60);
	text[16] = ':';
	put_digits(text + 17, 2, seconds % 60);
	text[19] = '.';
	put_digits(text + 20, 3, ms % 1000);
	text[23] = 'Z';
}
