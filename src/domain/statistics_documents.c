/* Statistics by document; see statistics.h. */
#include "domain/borders.h"
#include "domain/cut.h"
#include "domain/instant.h"

#include <stdlib.h>
#include <string.h>

/* A document while the readings go by. */
struct tally {
	struct document figures;
	struct merge merge;
	size_t days_until; /* days before this element are counted */
	bool reported;     /* by a reading before */
	double progress;   /* then */
	int64_t paced_ms;  /* of readings that made progress */
	double made;       /* how much they made */
};

/* Add what the document's merge completed. */
static void add_interval(struct tally *tally, const struct borders *borders, const struct merge *done)
{
	size_t first, last;

	borders_span(borders, done->start_ms, done->end_ms, &first, &last);
	if (first < tally->days_until)
		first = tally->days_until;
	if (last + 1 > first) {
		tally->figures.active_days += last + 1 - first;
		tally->days_until = last + 1;
	}
	tally->figures.ms += done->end_ms - done->start_ms;
}

/* The pace is of readings whose report is beyond that of the one before; the first has none before it. */
static void add_progress(struct tally *tally, const struct cut *cut)
{
	const struct reading *reading = cut->reading;

	if (!reading->has_progress)
		return;
	if (tally->reported && reading->progress > tally->progress) {
		tally->paced_ms += cut->end_ms - cut->start_ms;
		tally->made += reading->progress - tally->progress;
	}
	tally->reported = true;
	tally->progress = reading->progress;
}

static void add_reading(struct tally *tally, const struct borders *borders, const struct cut *cut)
{
	struct document *figures = &tally->figures;
	struct merge done;

	if (figures->sessions++ == 0)
		figures->first_start_ms = cut->start_ms;
	if (cut->end_ms > figures->last_end_ms)
		figures->last_end_ms = cut->end_ms;
	add_progress(tally, cut);
	if (cut->start_ms < cut->end_ms && merge_add(&tally->merge, cut->start_ms, cut->end_ms, &done))
		add_interval(tally, borders, &done);
}

/* Down to whole milliseconds: who answers rounds, and rounding twice could round up what is below a half. The factor lifts
 * what the floating point left just below a whole number, as with reports of 0.1 and 0.3. */
static int64_t whole_ms(double ms)
{
	static const double lift = 1 + 1e-12;

	return ms < (double)INSTANT_MAX_MS ? (int64_t)(ms * lift) : INSTANT_MAX_MS;
}

static void find_remaining(struct tally *tally, const struct document_progress *progress)
{
	struct document *figures = &tally->figures;

	if (!progress->known)
		return;
	if (progress->progress >= 1) {
		figures->has_remaining = true;
	} else if (tally->made > 0) {
		figures->has_remaining = true;
		figures->remaining_ms = whole_ms((double)tally->paced_ms / tally->made * (1 - progress->progress));
	}
}

static int compare(const void *a, const void *b, void *context)
{
	const struct document *left = a, *right = b;
	const struct text *ids = context;
	struct text left_id = ids[left->document], right_id = ids[right->document];

	if (left->ms != right->ms)
		return left->ms > right->ms ? -1 : 1;
	size_t size = left_id.size < right_id.size ? left_id.size : right_id.size;
	int order = memcmp(left_id.data, right_id.data, size);
	return order != 0 ? order : (left_id.size > right_id.size) - (left_id.size < right_id.size);
}

static void add_all(const struct readings *readings, const struct borders *borders, struct tally *tallies)
{
	struct cut cut;

	for (size_t at = 0; cut_next(readings, &at, &cut);)
		add_reading(&tallies[cut.reading->document], borders, &cut);
	for (size_t i = 0; i < readings->document_count; i++)
		if (tallies[i].merge.open)
			add_interval(&tallies[i], borders, &tallies[i].merge);
}

enum status statistics_documents(const struct readings *readings, const struct calendar *calendar,
				 const struct document_progress *progress, struct document_list *documents,
				 struct error *error)
{
	struct tally *tallies = calloc(readings->document_count + 1, sizeof *tallies);
	struct document *items = calloc(readings->document_count + 1, sizeof *items);
	struct borders borders;
	int64_t first_ms, last_ms;
	size_t count = 0;

	cut_extent(readings, &first_ms, &last_ms);
	if (!tallies || !items)
		error_set(error, STATUS_UNAVAILABLE, "out of memory");
	if (!tallies || !items || borders_make(calendar, PERIOD_DAY, first_ms, last_ms, &borders, error) != STATUS_OK) {
		free(tallies);
		free(items);
		return error->status;
	}
	add_all(readings, &borders, tallies);
	for (size_t i = 0; i < readings->document_count; i++) {
		if (tallies[i].figures.sessions == 0)
			continue;
		find_remaining(&tallies[i], &progress[i]);
		tallies[i].figures.document = (uint32_t)i;
		items[count++] = tallies[i].figures;
	}
	qsort_r(items, count, sizeof *items, compare, (void *)readings->documents);
	borders_release(&borders);
	free(tallies);
	*documents = (struct document_list){items, count};
	return STATUS_OK;
}

void document_list_release(struct document_list *documents)
{
	free(documents->items);
	*documents = (struct document_list){0};
}
