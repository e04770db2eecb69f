/* The rule in the last line of a file of the time zone database: the time behind the file's table, in the form of POSIX's TZ (RFC 9636,
 * 3.3.1; POSIX.1-2024, XBD 8.3), as "CET-1CEST,M3.5.0,M10.5.0/3". */
#ifndef FOCUSSTATS_BASE_ZONE_RULE_H
#define FOCUSSTATS_BASE_ZONE_RULE_H

#include "base/text.h"

#include <stdint.h>

/* A day of any year, and a time on it. */
struct zone_rule_date {
	enum { ZONE_RULE_WEEKDAY, ZONE_RULE_LEAPLESS_DAY, ZONE_RULE_DAY } kind;
	int month, week; /* of the weekday: 1 to 12; 1 to 5, where 5 is the last one */
	int day;         /* 0 (Sunday) to 6; 1 to 365, the 29th of February not counted; 0 to 365 */
	int32_t time_s;  /* after that day's midnight, by the clock before the change; within a week before or after */
};

struct zone_rule {
	int32_t standard_s, summer_s; /* how far the clock is ahead of UTC; less than 25 hours either way */
	bool has_summer;              /* otherwise it is always standard time */
	struct zone_rule_date summer_begins, summer_ends;
};

/* False, and *rule undefined, for anything else. */
bool zone_rule_parse(struct text text, struct zone_rule *rule);

/* The instants of a year's two changes, in seconds since 1970, by a rule that has a summer. Either may come first. */
void zone_rule_changes(const struct zone_rule *rule, int year, int64_t *summer_begins_s, int64_t *summer_ends_s);

#endif
