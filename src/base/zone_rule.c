/* The rule of a time zone; see zone_rule.h. */
#include "base/zone_rule.h"

#include "base/date.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, NAME_LEAST = 3, OFFSET_HOURS_MAX = 24, TIME_HOURS_MAX = 167 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take_number(struct text *rest, int least, int most, int *number)
{
	int value = 0;

	if (rest->size == 0 || !is_digit(rest->data[0]))
		return false;
	while (rest->size > 0 && is_digit(rest->data[0]) && value <= most) {
		value = 10 * value + (rest->data[0] - '0');
		rest->data++;
		rest->size--;
	}
	*number = value;
	return value >= least && value <= most;
}

/* Letters, or letters, digits and signs between angle brackets. */
static bool take_name(struct text *rest)
{
	bool quoted = text_take(rest, '<');
	size_t size = 0;

	while (size < rest->size &&
	       (is_letter(rest->data[size]) ||
		(quoted && (is_digit(rest->data[size]) || rest->data[size] == '+' || rest->data[size] == '-'))))
		size++;
	rest->data += size;
	rest->size -= size;
	return size >= NAME_LEAST && (!quoted || text_take(rest, '>'));
}

/* Hours, and perhaps minutes, and seconds. */
static bool take_time(struct text *rest, int hours_most, int32_t *seconds)
{
	int hours, minutes = 0, second = 0;
	bool negative = text_take(rest, '-');

	if (!negative)
		text_take(rest, '+');
	if (!take_number(rest, 0, hours_most, &hours) ||
	    (text_take(rest, ':') && !take_number(rest, 0, 59, &minutes)) ||
	    (text_take(rest, ':') && !take_number(rest, 0, 59, &second)))
		return false;
	*seconds = (hours * HOUR_S + minutes * 60 + second) * (negative ? -1 : 1);
	return true;
}

/* The rule's offsets are what has to be added to the clock for UTC. */
static bool take_offset(struct text *rest, int32_t *ahead_s)
{
	int32_t behind_s;

	if (!take_time(rest, OFFSET_HOURS_MAX, &behind_s))
		return false;
	*ahead_s = -behind_s;
	return true;
}

static bool take_date(struct text *rest, struct zone_rule_date *date)
{
	*date = (struct zone_rule_date){.time_s = 2 * HOUR_S};
	if (text_take(rest, 'M')) {
		date->kind = ZONE_RULE_WEEKDAY;
		if (!take_number(rest, 1, 12, &date->month) || !text_take(rest, '.') ||
		    !take_number(rest, 1, 5, &date->week) || !text_take(rest, '.') ||
		    !take_number(rest, 0, 6, &date->day))
			return false;
	} else if (text_take(rest, 'J')) {
		date->kind = ZONE_RULE_LEAPLESS_DAY;
		if (!take_number(rest, 1, 365, &date->day))
			return false;
	} else {
		date->kind = ZONE_RULE_DAY;
		if (!take_number(rest, 0, 365, &date->day))
			return false;
	}
	return !text_take(rest, '/') || take_time(rest, TIME_HOURS_MAX, &date->time_s);
}

bool zone_rule_parse(struct text text, struct zone_rule *rule)
{
	*rule = (struct zone_rule){.standard_s = 0};
	if (!take_name(&text) || !take_offset(&text, &rule->standard_s))
		return false;
	if (text.size == 0)
		return true;
	rule->has_summer = true;
	rule->summer_s = rule->standard_s + HOUR_S;
	if (!take_name(&text) ||
	    (!text_take(&text, ',') && (!take_offset(&text, &rule->summer_s) || !text_take(&text, ','))))
		return false;
	return take_date(&text, &rule->summer_begins) && text_take(&text, ',') &&
	       take_date(&text, &rule->summer_ends) && text.size == 0;
}

/* A month's first day, or, with 13 for the month, the day after the year's last one. */
static int32_t first_of(int year, int month)
{
	return date_to_day(
		(struct date){.year = month > 12 ? year + 1 : year, .month = month > 12 ? 1 : month, .day = 1});
}

/* When the wall clock shows it, in seconds since it showed 1970-01-01T00:00. */
static int64_t wall_of(const struct zone_rule_date *date, int year)
{
	enum { DAYS_BEFORE_MARCH = 59 };
	int64_t day = first_of(year, 1);

	if (date->kind == ZONE_RULE_DAY) {
		day += date->day;
	} else if (date->kind == ZONE_RULE_LEAPLESS_DAY) {
		int32_t leap = first_of(year, 3) - (int32_t)day - DAYS_BEFORE_MARCH;
		day += date->day - 1 + (date->day > DAYS_BEFORE_MARCH ? leap : 0);
	} else {
		int32_t first = first_of(year, date->month);
		day = first + (date->day - date_weekday(first) + 7) % 7 + 7 * (date->week - 1);
		if (day >= first_of(year, date->month + 1)) /* the fifth that there is not */
			day -= 7;
	}
	return day * DAY_S + date->time_s;
}

void zone_rule_changes(const struct zone_rule *rule, int year, int64_t *summer_begins_s, int64_t *summer_ends_s)
{
	*summer_begins_s = wall_of(&rule->summer_begins, year) - rule->standard_s;
	*summer_ends_s = wall_of(&rule->summer_ends, year) - rule->summer_s;
}
