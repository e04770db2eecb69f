/* A desk with what somebody reads, put together by a test, and the statistics of it. Instants are RFC 3339. */
#ifndef FOCUSSTATS_TESTS_UNIT_DESK_H
#define FOCUSSTATS_TESTS_UNIT_DESK_H

#include "check.h"

#include "domain/statistics.h"

enum {
	MINUTE = 60 * 1000,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
	DESK_READINGS = 16,
	DESK_DOCUMENTS = 4, /* "walden", "a", "ab", "é" */
};

struct desk {
	struct calendar calendar;
	struct readings readings;
	struct reading items[DESK_READINGS];
};

int64_t ms_of(const char *text);
int32_t day_of(const char *text);

/* An empty one, with weeks from Monday and without a range. */
void desk_init(struct desk *desk, const char *zone, int day_start_minutes);

/* Add a reading, after those that began before. */
struct reading *desk_read(struct desk *desk, uint32_t document, const char *start, int64_t length_ms);
void desk_report(struct reading *reading, double progress);
void desk_range(struct desk *desk, const char *from, const char *to);

/* The caller releases the lists. */
struct summary desk_summary(const struct desk *desk);
struct period_list desk_periods(const struct desk *desk, enum period_unit unit, bool fill);
struct document_list desk_documents(const struct desk *desk, const struct document_progress progress[DESK_DOCUMENTS]);
struct streaks desk_streaks(const struct desk *desk, int64_t least_ms, const char *now);

#endif
