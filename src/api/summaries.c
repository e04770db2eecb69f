/* The statistics queries; see summaries.h. Each collects, lets the domain reckon, and rounds once, at the answer. */
#include "api/summaries.h"

#include "api/collection.h"
#include "api/output.h"
#include "base/date.h"

#include <inttypes.h>
#include <stdio.h>

/* "name":number, with what follows. */
static inline void put_number(struct buffer *body, const char *name, int64_t number, const char *then)
{
	buffer_append_string(body, "\"");
	buffer_append_string(body, name);
	buffer_append_string(body, "\":");
	buffer_append_number(body, number);
	buffer_append_string(body, then);
}

static void put_seconds(struct buffer *body, const char *name, int64_t ms)
{
	put_number(body, name, statistics_seconds(ms), ",");
}

static void put_count(struct buffer *body, const char *name, size_t count)
{
	put_number(body, name, (int64_t)count, ",");
}

enum status summaries_get_summary(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error)
{
	struct collection collection;
	struct summary summary;

	if (collection_read(store, call, COLLECTION_SESSIONS, &collection, error) == STATUS_OK &&
	    statistics_summary(&collection.readings, &collection.filter.calendar, &summary, error) == STATUS_OK) {
		buffer_append_string(body, "[{\"summary\":{");
		put_seconds(body, "seconds", summary.ms);
		put_seconds(body, "rawSeconds", summary.raw_ms);
		put_count(body, "sessions", summary.sessions);
		put_count(body, "documents", summary.documents);
		put_count(body, "activeDays", summary.active_days);
		put_number(body, "averageSessionSeconds", statistics_average_seconds(summary.raw_ms, summary.sessions),
			   ",");
		put_number(body, "averageActiveDaySeconds", statistics_average_seconds(summary.ms, summary.active_days),
			   ",");
		put_seconds(body, "longestSessionSeconds", summary.longest_ms);
		buffer_append_string(body, "\"firstStart\":");
		output_instant(body, summary.sessions > 0, summary.first_start_ms);
		buffer_append_string(body, ",\"lastEnd\":");
		output_instant(body, summary.sessions > 0, summary.last_end_ms);
		buffer_append_string(body, "}}]");
	}
	collection_release(&collection);
	return error->status;
}

/* The first day of a period, as far as its unit goes. */
static void put_label(struct buffer *body, enum period_unit unit, int32_t day)
{
	enum { MONTH_SIZE = 7, YEAR_SIZE = 4 };
	char date[DATE_TEXT_SIZE];
	size_t size = unit == PERIOD_YEAR ? YEAR_SIZE : unit == PERIOD_MONTH ? MONTH_SIZE : DATE_TEXT_SIZE;

	date_format(day, date);
	buffer_append_string(body, "\"label\":\"");
	buffer_append(body, date, size);
	buffer_append_string(body, "\",");
}

static void put_period(struct buffer *body, enum period_unit unit, const struct period *period)
{
	buffer_append_string(body, "{\"period\":{\"start\":");
	output_instant(body, true, period->start_ms);
	buffer_append_string(body, ",\"end\":");
	output_instant(body, true, period->end_ms);
	buffer_append_string(body, ",");
	put_label(body, unit, period->first_day);
	put_seconds(body, "seconds", period->ms);
	put_count(body, "sessions", period->sessions);
	put_number(body, "documents", (int64_t)period->documents, "}}");
}

enum status summaries_get_periods(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error)
{
	enum period_unit unit = (enum period_unit)call->arguments.unit; /* the choices are in this order */
	bool fill = (call->arguments.given & FIELD_SET(FILL)) && call->arguments.fill;
	struct collection collection;
	struct period_list list = {0};
	bool begun = false;

	if (collection_read(store, call, COLLECTION_SESSIONS, &collection, error) == STATUS_OK &&
	    statistics_periods(&collection.readings, &collection.filter.calendar, unit, fill, &list, error) ==
		    STATUS_OK) {
		buffer_append_string(body, "[");
		for (size_t i = 0; i < list.count; i++) {
			output_separator(body, &begun);
			put_period(body, unit, &list.items[i]);
		}
		buffer_append_string(body, "]");
		period_list_release(&list);
	}
	collection_release(&collection);
	return error->status;
}

enum status summaries_get_hours(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct collection collection;
	int64_t ms[7][24];
	bool begun = false;

	if (collection_read(store, call, COLLECTION_TIMES, &collection, error) == STATUS_OK) {
		statistics_hours(&collection.readings, collection.filter.calendar.zone, ms);
		buffer_append_string(body, "[");
		for (int i = 0; i < 7 * 24; i++) {
			output_separator(body, &begun);
			buffer_append_string(body, "{\"hour\":{");
			put_number(body, "weekday", i / 24 + 1, ",");
			put_number(body, "hour", i % 24, ",");
			put_number(body, "seconds", statistics_seconds(ms[i / 24][i % 24]), "}}");
		}
		buffer_append_string(body, "]");
	}
	collection_release(&collection);
	return error->status;
}

static void put_document(struct buffer *body, const struct collection *collection, const struct document *figures)
{
	const struct document_progress *progress = &collection->progress[figures->document];
	const struct buffer *description = &collection->descriptions[figures->document];

	buffer_append_string(body, "{\"document\":{\"document\":");
	buffer_append_json(body, collection->document_ids[figures->document]);
	buffer_append_string(body, ",");
	if (description->size > 0)
		buffer_append_text(body, buffer_text(description));
	else
		output_description(body, NULL);
	body->failed |= buffer_failed(description);
	buffer_append_string(body, ",");
	put_seconds(body, "seconds", figures->ms);
	put_count(body, "sessions", figures->sessions);
	put_count(body, "activeDays", figures->active_days);
	buffer_append_string(body, "\"firstStart\":");
	output_instant(body, true, figures->first_start_ms);
	buffer_append_string(body, ",\"lastEnd\":");
	output_instant(body, true, figures->last_end_ms);
	buffer_append_string(body, ",\"progress\":");
	output_portion(body, progress->known, progress->progress);
	buffer_append_string(body, ",\"remainingSeconds\":");
	if (figures->has_remaining)
		buffer_append_number(body, statistics_seconds(figures->remaining_ms));
	else
		buffer_append_string(body, "null");
	buffer_append_string(body, "}}");
}

enum status summaries_get_documents(struct store *store, const struct call *call, struct buffer *body,
				    struct error *error)
{
	struct collection collection;
	struct document_list list = {0};
	bool begun = false;

	if (collection_read(store, call, COLLECTION_DOCUMENTS, &collection, error) == STATUS_OK &&
	    statistics_documents(&collection.readings, &collection.filter.calendar, collection.progress, &list,
				 error) == STATUS_OK) {
		buffer_append_string(body, "[");
		for (size_t i = 0; i < list.count; i++) {
			output_separator(body, &begun);
			put_document(body, &collection, &list.items[i]);
		}
		buffer_append_string(body, "]");
		document_list_release(&list);
	}
	collection_release(&collection);
	return error->status;
}

enum status summaries_get_streaks(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error)
{
	int64_t least_ms = call->arguments.given & FIELD_SET(LEAST_SECONDS) ? call->arguments.least_seconds * 1000 : 0;
	struct collection collection;
	struct streaks streaks;

	if (collection_read(store, call, COLLECTION_TIMES, &collection, error) == STATUS_OK &&
	    statistics_streaks(&collection.readings, &collection.filter.calendar, least_ms, call->now_ms, &streaks,
			       error) == STATUS_OK) {
		buffer_append_string(body, "[{\"streak\":{");
		put_count(body, "currentDays", streaks.current_days);
		put_count(body, "longestDays", streaks.longest_days);
		buffer_append_string(body, "\"longestStart\":");
		output_date(body, streaks.longest_days > 0, streaks.longest_start);
		buffer_append_string(body, ",\"longestEnd\":");
		output_date(body, streaks.longest_days > 0, streaks.longest_end);
		buffer_append_format(body, ",\"readToday\":%s}}]", streaks.read_today ? "true" : "false");
	}
	collection_release(&collection);
	return error->status;
}

enum status summaries_get_goal(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct collection collection;
	struct streaks streaks;

	if (collection_read(store, call, COLLECTION_TIMES, &collection, error) == STATUS_OK) {
		int64_t goal_ms = (int64_t)collection.stats.settings.daily_goal_seconds * 1000;
		if (statistics_streaks(&collection.readings, &collection.filter.calendar, goal_ms, call->now_ms,
				       &streaks, error) == STATUS_OK) {
			bool reached = goal_ms > 0 && streaks.read_today;
			buffer_append_string(body, "[{\"goal\":{\"date\":");
			output_date(body, true, streaks.today);
			buffer_append_string(body, ",");
			put_seconds(body, "goalSeconds", goal_ms);
			put_seconds(body, "seconds", streaks.today_ms);
			buffer_append_format(body, "\"reached\":%s,", reached ? "true" : "false");
			put_count(body, "daysReached", goal_ms > 0 ? streaks.days : 0);
			buffer_append_format(body, "\"currentDays\":%" PRIu64 "}}]",
					     goal_ms > 0 ? (uint64_t)streaks.current_days : 0);
		}
	}
	collection_release(&collection);
	return error->status;
}
