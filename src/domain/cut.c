/* Readings cut at a range; see cut.h. */
#include "domain/cut.h"

bool cut_next(const struct readings *readings, size_t *at, struct cut *cut)
{
	for (; *at < readings->count; ++*at) {
		const struct reading *reading = &readings->items[*at];
		int64_t start_ms = reading->start_ms > readings->from_ms ? reading->start_ms : readings->from_ms;
		int64_t end_ms = reading->end_ms < readings->to_ms ? reading->end_ms : readings->to_ms;
		bool is_instant = reading->start_ms == reading->end_ms;
		if (is_instant ? reading->start_ms < readings->from_ms || reading->start_ms >= readings->to_ms
			       : start_ms >= end_ms)
			continue;
		*cut = (struct cut){start_ms, end_ms, reading};
		++*at;
		return true;
	}
	return false;
}

void cut_extent(const struct readings *readings, int64_t *first_ms, int64_t *last_ms)
{
	struct cut cut;

	*first_ms = INT64_MAX;
	*last_ms = INT64_MIN;
	for (size_t at = 0; cut_next(readings, &at, &cut);) {
		if (cut.start_ms < cut.end_ms && cut.start_ms < *first_ms)
			*first_ms = cut.start_ms;
		if (cut.start_ms < cut.end_ms && cut.end_ms > *last_ms)
			*last_ms = cut.end_ms;
	}
}

bool merge_add(struct merge *merge, int64_t start_ms, int64_t end_ms, struct merge *done)
{
	if (merge->open && start_ms <= merge->end_ms) {
		if (end_ms > merge->end_ms)
			merge->end_ms = end_ms;
		return false;
	}
	*done = *merge;
	*merge = (struct merge){true, start_ms, end_ms};
	return done->open;
}

void cut_union(const struct readings *readings, cut_visit *visit, void *context)
{
	struct merge merge = {0}, done;
	struct cut cut;

	for (size_t at = 0; cut_next(readings, &at, &cut);)
		if (cut.start_ms < cut.end_ms && merge_add(&merge, cut.start_ms, cut.end_ms, &done))
			visit(context, done.start_ms, done.end_ms);
	if (merge.open)
		visit(context, merge.start_ms, merge.end_ms);
}
