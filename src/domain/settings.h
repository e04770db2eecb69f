/* How a user counts reading: their time zone, when their day and week begin, their goal, and how long without a sign
 * of life ends a session. */
#ifndef FOCUSSTATS_DOMAIN_SETTINGS_H
#define FOCUSSTATS_DOMAIN_SETTINGS_H

#include "base/text.h"

#include <stdint.h>

enum {
	ZONE_NAME_MAX_BYTES = 63, /* the zone database's longest has 32 */
	GOAL_MAX_SECONDS = 86400,
	IDLE_TIMEOUT_MIN_SECONDS = 60,
	IDLE_TIMEOUT_MAX_SECONDS = 86400,
};

/* The name of a time zone as the user gave it. */
struct zone_name {
	uint8_t size; /* 1 to ZONE_NAME_MAX_BYTES; 0 only while it is unset */
	char data[ZONE_NAME_MAX_BYTES];
};

struct settings {
	struct zone_name timezone;
	uint16_t day_start_minutes;    /* after midnight, 0 to 1439 */
	uint8_t week_start;            /* ISO weekday, 1 (Monday) to 7 */
	uint32_t daily_goal_seconds;   /* 0 to GOAL_MAX_SECONDS; 0 for no goal */
	uint32_t idle_timeout_seconds; /* IDLE_TIMEOUT_MIN_SECONDS to IDLE_TIMEOUT_MAX_SECONDS */
};

/* Which of a change's settings are given. */
enum {
	SETTING_TIMEZONE = 1,
	SETTING_DAY_START = 2,
	SETTING_WEEK_START = 4,
	SETTING_DAILY_GOAL = 8,
	SETTING_IDLE_TIMEOUT = 16,
};

/* UTC, midnight, Monday, no goal, ten minutes. */
struct settings settings_default(void);

/* Take those of `given` from change; the others stay. */
void settings_change(struct settings *settings, unsigned given, const struct settings *change);

bool settings_equal(const struct settings *a, const struct settings *b);

struct text zone_name_text(const struct zone_name *name);

#endif
