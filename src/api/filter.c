/* The filter of the queries; see filter.h. */
#include "api/filter.h"

#include "api/field.h"
#include "base/log.h"

/* A zone that was good when it was stored may be gone from the database now. */
static enum status find_zone(const struct zone_name *name, const struct zone **zone, struct error *error)
{
	if (field_find_zone(zone_name_text(name), zone, error) != STATUS_OK)
		return error->status;
	if (*zone)
		return STATUS_OK;
	log_repeated("the time zone '%.*s' is not in the zone database any more: UTC is used", name->size, name->data);
	*zone = zone_utc();
	return STATUS_OK;
}

static int64_t instant_of(const struct moment *moment, const struct calendar *calendar)
{
	return moment->is_date ? calendar_day_start(calendar, moment->day) : moment->ms;
}

enum status filter_make(const struct call *call, const struct stats *stats, struct filter *filter, struct error *error)
{
	const struct arguments *arguments = &call->arguments;
	const struct settings *settings = &stats->settings;
	uint32_t given = arguments->given;
	struct filter made = {
		.calendar =
			{
				.day_start_minutes = settings->day_start_minutes,
				.week_start = settings->week_start,
			},
		.from_ms = INT64_MIN,
		.to_ms = INT64_MAX,
		.now_ms = call->now_ms,
		.idle_ms = (int64_t)settings->idle_timeout_seconds * 1000,
	};

	if (find_zone(given & FIELD_SET(TIMEZONE) ? &arguments->timezone : &settings->timezone, &made.calendar.zone,
		      error) != STATUS_OK)
		return error->status;
	if (given & FIELD_SET(DOCUMENT))
		made.document = identifier_text(&arguments->document);
	if (given & FIELD_SET(LIBRARY))
		made.library = identifier_text(&arguments->library);
	if (given & FIELD_SET(FROM))
		made.from_ms = instant_of(&arguments->from, &made.calendar);
	if (given & FIELD_SET(TO))
		made.to_ms = instant_of(&arguments->to, &made.calendar);
	if (made.from_ms > made.to_ms)
		return error_set(error, STATUS_INVALID, "from: is after to");
	*filter = made;
	return STATUS_OK;
}

bool filter_selects(const struct filter *filter, const struct session_entry *entry)
{
	return (filter->document.size == 0 || text_equal(filter->document, entry->document)) &&
	       (filter->library.size == 0 || text_equal(filter->library, entry->library));
}

bool filter_touches(const struct filter *filter, const struct session_facts *facts)
{
	int64_t end_ms = facts->ended ? facts->end_ms : filter->now_ms;

	return filter->from_ms < filter->to_ms && facts->start_ms < filter->to_ms &&
	       (facts->start_ms >= filter->from_ms || end_ms > filter->from_ms);
}
