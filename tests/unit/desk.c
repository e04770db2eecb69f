/* See desk.h. */
#include "desk.h"

#include "domain/instant.h"

static const struct text IDS[] = {{"walden", 6}, {"a", 1}, {"ab", 2}, {"\xC3\xA9", 2}};

int64_t ms_of(const char *text)
{
	int64_t ms = 0;

	if (!instant_parse(text_of(text), &ms))
		fail_msg("%s is no instant", text);
	return ms;
}

int32_t day_of(const char *text)
{
	int32_t day = 0;

	assert_true(date_parse(text_of(text), &day));
	return day;
}

void desk_init(struct desk *desk, const char *zone, int day_start_minutes)
{
	*desk = (struct desk){
		.calendar = {zone_find(text_of(zone)), day_start_minutes, 1},
		.readings = {.from_ms = INT64_MIN,
			     .to_ms = INT64_MAX,
			     .documents = IDS,
			     .document_count = DESK_DOCUMENTS},
	};
	desk->readings.items = desk->items;
	if (!desk->calendar.zone)
		fail_msg("%s: there is no such zone (Debian package tzdata)", zone);
}

struct reading *desk_read(struct desk *desk, uint32_t document, const char *start, int64_t length_ms)
{
	struct reading *reading = &desk->items[desk->readings.count++];

	assert_true(desk->readings.count <= DESK_READINGS);
	*reading = (struct reading){.start_ms = ms_of(start), .end_ms = ms_of(start) + length_ms, .document = document};
	return reading;
}

void desk_report(struct reading *reading, double progress)
{
	reading->has_progress = true;
	reading->progress = progress;
}

void desk_range(struct desk *desk, const char *from, const char *to)
{
	desk->readings.from_ms = ms_of(from);
	desk->readings.to_ms = ms_of(to);
}

struct summary desk_summary(const struct desk *desk)
{
	struct summary summary;
	struct error error;

	assert_int_equal(statistics_summary(&desk->readings, &desk->calendar, &summary, &error), STATUS_OK);
	return summary;
}

struct period_list desk_periods(const struct desk *desk, enum period_unit unit, bool fill)
{
	struct period_list periods;
	struct error error;

	assert_int_equal(statistics_periods(&desk->readings, &desk->calendar, unit, fill, &periods, &error), STATUS_OK);
	return periods;
}

struct document_list desk_documents(const struct desk *desk, const struct document_progress progress[DESK_DOCUMENTS])
{
	struct document_list documents;
	struct error error;

	assert_int_equal(statistics_documents(&desk->readings, &desk->calendar, progress, &documents, &error),
			 STATUS_OK);
	return documents;
}

struct streaks desk_streaks(const struct desk *desk, int64_t least_ms, const char *now)
{
	struct streaks streaks;
	struct error error;

	assert_int_equal(statistics_streaks(&desk->readings, &desk->calendar, least_ms, ms_of(now), &streaks, &error),
			 STATUS_OK);
	return streaks;
}
