/* Counts of all processes of a home folder: numbers in a small file there, `metrics`, which every process maps. What the
 * numbers of requests stand for is the business of who counts; only their layout has to be the same for all.
 *
 * The file has its whole size on the disk before it gets its name, so that nobody maps a short one. It is no record: it
 * is never synced, and where it cannot be had a process counts for itself.
 */
#ifndef FOCUSSTATS_BASE_METRICS_H
#define FOCUSSTATS_BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	METRICS_VERSION = 1, /* of the layout */
	METRICS_KINDS = 64,  /* of requests */
	METRICS_OUTCOMES = 16,
	METRICS_TIME_BUCKETS = 12,
	METRICS_SIZE_BUCKETS = 11,
	METRICS_LINE_BYTES = 64, /* of the processor's cache: what different threads count stands apart */
};

/* The upper bounds of all buckets but the last, which has none. */
extern const int64_t metrics_time_bounds_us[METRICS_TIME_BUCKETS - 1];
extern const unsigned metrics_size_bounds[METRICS_SIZE_BUCKETS - 1];

/* Durations. Each is in one bucket only. */
struct metrics_times {
	_Atomic uint64_t buckets[METRICS_TIME_BUCKETS];
	_Atomic uint64_t sum_ns;
};

/* What the file holds. Counters only grow; whoever reads them while others count sees each of them as it is at some
 * moment. */
struct metrics {
	struct metrics_head {
		uint64_t layout;
		int64_t begun_ms; /* since 1970: when counting began */
	} head;                   /* written before the file gets its name */
	struct {
		_Alignas(METRICS_LINE_BYTES) _Atomic uint64_t outcomes[METRICS_OUTCOMES];
		struct metrics_times times;
	} requests[METRICS_KINDS];
	struct {
		_Alignas(METRICS_LINE_BYTES) _Atomic uint64_t sizes[METRICS_SIZE_BUCKETS];
		_Atomic uint64_t operations; /* in all of them */
		_Atomic uint64_t failed;     /* commits that failed, in none of the others */
		struct metrics_times times;
	} commits;
};

/* Map the file of the folder that is open as `folder`; make it where it is missing, short or of another layout. name is
 * what the log calls the folder. Never fails: what cannot be shared is counted for this process, with a line in the log.
 * NULL, which every function here takes for a place where nothing is counted, where there is no memory either. One at a
 * time in a process. */
struct metrics *metrics_open(int folder, const char *name, uint64_t layout);
void metrics_close(struct metrics *metrics);

/* Whether it is the one of all processes. */
bool metrics_shared(const struct metrics *metrics);

/* A request of this kind that ended so, and took this long. */
void metrics_count_request(struct metrics *metrics, unsigned kind, unsigned outcome, int64_t ns);

/* A transaction that this many writes shared, how long its commit took, and whether it is on the disk. */
void metrics_count_commit(struct metrics *metrics, unsigned operations, int64_t ns, bool stored);

#endif
