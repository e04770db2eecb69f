/* Statistics of reading: every figure that is answered comes from here.
 *
 * A reading is cut at the range and at the borders of days, hours and periods, and counts where its time was spent. `ms` is
 * always the length of the union: two devices at once count once. One without length has no time to spend: it counts as
 * a session in the summary and of its document, and nowhere else. All sums are in milliseconds; who answers rounds them,
 * once. Nothing takes longer than the number of readings and the days they span together, times a logarithm. */
#ifndef FOCUSSTATS_DOMAIN_STATISTICS_H
#define FOCUSSTATS_DOMAIN_STATISTICS_H

#include "base/error.h"
#include "domain/calendar.h"

#include <stddef.h>

/* A session that has ended. */
struct reading {
	int64_t start_ms; /* 0 to INSTANT_MAX_MS */
	int64_t end_ms;   /* not before start_ms */
	uint32_t document;
	bool has_progress;
	double progress; /* 0 to 1, where it was reported */
};

/* What is asked about. Nothing is owned. */
struct readings {
	const struct reading *items; /* by start, then by id; whole */
	size_t count;
	int64_t from_ms, to_ms;       /* the range, half-open; INT64_MIN and INT64_MAX where it is */
	const struct text *documents; /* their ids; reading.document is an index here */
	size_t document_count;
};

struct summary {
	int64_t ms;
	int64_t raw_ms; /* the plain sum */
	size_t sessions, documents, active_days;
	int64_t longest_ms;                  /* after the cut at the range */
	int64_t first_start_ms, last_end_ms; /* likewise; 0 where there are no sessions */
};

struct period {
	int64_t start_ms, end_ms; /* whole, not cut at the range */
	int32_t first_day;        /* its first reading day */
	int64_t ms;
	size_t sessions, documents; /* those with time in it */
};

struct period_list {
	struct period *items; /* owned; oldest first */
	size_t count;
};

enum { PERIODS_MAX = 40000 };

/* What is known of a document's progress, whatever the range. */
struct document_progress {
	bool known;
	double progress; /* the report that came last */
};

struct document {
	uint32_t document; /* an index into readings.documents */
	int64_t ms;
	size_t sessions, active_days;
	int64_t first_start_ms, last_end_ms; /* after the cut at the range */
	bool has_remaining;
	int64_t remaining_ms; /* at the pace so far; at most INSTANT_MAX_MS */
};

struct document_list {
	struct document *items; /* owned; most read first, then by id */
	size_t count;
};

struct streaks {
	size_t current_days;                /* up to today, or to yesterday while today does not count yet */
	size_t longest_days;                /* the earliest one where several are as long */
	int32_t longest_start, longest_end; /* days; where longest_days is not 0 */
	size_t days;                        /* all that count */
	int32_t today;                      /* the reading day that holds now_ms */
	int64_t today_ms;
	bool read_today; /* today counts */
};

/* Out of memory is STATUS_UNAVAILABLE. Outputs are untouched on failure. */

enum status statistics_summary(const struct readings *readings, const struct calendar *calendar,
			       struct summary *summary, struct error *error);

/* The periods with time, with `fill` also the others between them. More than PERIODS_MAX are STATUS_INVALID. The caller
 * releases the list. */
enum status statistics_periods(const struct readings *readings, const struct calendar *calendar, enum period_unit unit,
			       bool fill, struct period_list *periods, struct error *error);
void period_list_release(struct period_list *periods);

/* ms[ISO weekday - 1][hour], as the wall clock shows. */
void statistics_hours(const struct readings *readings, const struct zone *zone, int64_t ms[7][24]);

/* The documents with sessions. progress is of each of readings->documents. The caller releases the list. */
enum status statistics_documents(const struct readings *readings, const struct calendar *calendar,
				 const struct document_progress *progress, struct document_list *documents,
				 struct error *error);
void document_list_release(struct document_list *documents);

/* A day counts with at least least_ms of time, and never without time. Skipped dates neither count nor break a streak. */
enum status statistics_streaks(const struct readings *readings, const struct calendar *calendar, int64_t least_ms,
			       int64_t now_ms, struct streaks *streaks, struct error *error);

/* Whole seconds, half a second up. ms is not negative. */
int64_t statistics_seconds(int64_t ms);

/* The same of ms divided by a count; 0 where that is 0. */
int64_t statistics_average_seconds(int64_t ms, size_t count);

#endif
