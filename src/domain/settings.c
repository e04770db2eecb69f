/* Settings; see settings.h. */
#include "domain/settings.h"

struct settings settings_default(void)
{
	return (struct settings){
		.timezone = {3, "UTC"},
		.week_start = 1,
		.idle_timeout_seconds = 600,
	};
}

void settings_change(struct settings *settings, unsigned given, const struct settings *change)
{
	if (given & SETTING_TIMEZONE)
		settings->timezone = change->timezone;
	if (given & SETTING_DAY_START)
		settings->day_start_minutes = change->day_start_minutes;
	if (given & SETTING_WEEK_START)
		settings->week_start = change->week_start;
	if (given & SETTING_DAILY_GOAL)
		settings->daily_goal_seconds = change->daily_goal_seconds;
	if (given & SETTING_IDLE_TIMEOUT)
		settings->idle_timeout_seconds = change->idle_timeout_seconds;
}

bool settings_equal(const struct settings *a, const struct settings *b)
{
	return text_equal(zone_name_text(&a->timezone), zone_name_text(&b->timezone)) &&
	       a->day_start_minutes == b->day_start_minutes && a->week_start == b->week_start &&
	       a->daily_goal_seconds == b->daily_goal_seconds && a->idle_timeout_seconds == b->idle_timeout_seconds;
}

struct text zone_name_text(const struct zone_name *name)
{
	return (struct text){name->data, name->size};
}
