/* Readings cut at a range, and the union of intervals. */
#ifndef FOCUSSTATS_DOMAIN_CUT_H
#define FOCUSSTATS_DOMAIN_CUT_H

#include "domain/statistics.h"

/* A reading as far as it is in the range. */
struct cut {
	int64_t start_ms, end_ms;
	const struct reading *reading;
};

/* Step to the next reading that counts in the range; the starts do not fall from one to the next. *at is 0 at the
 * beginning. False at the end. */
bool cut_next(const struct readings *readings, size_t *at, struct cut *cut);

/* The first start and the last end of what has time in the range; the latter is not after the former where nothing has. */
void cut_extent(const struct readings *readings, int64_t *first_ms, int64_t *last_ms);

/* An interval that grows as long as the next one touches it. All zeros at the beginning. */
struct merge {
	bool open;
	int64_t start_ms, end_ms;
};

/* Add an interval with time that does not start before the last one. True where that completed one: *done is it. What is
 * still open at the end is the last one. */
bool merge_add(struct merge *merge, int64_t start_ms, int64_t end_ms, struct merge *done);

/* Visit the intervals of the union of all, in order. */
typedef void cut_visit(void *context, int64_t start_ms, int64_t end_ms);
void cut_union(const struct readings *readings, cut_visit *visit, void *context);

#endif
