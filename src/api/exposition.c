/* The metrics page; see exposition.h. */
#include "api/exposition.h"

#include "config.h"

#include "api/dispatch.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OUTCOME_PREFLIGHT = STATUS_UNAVAILABLE + 1, OUTCOMES, HTTP_NO_CONTENT = 204 };

_Static_assert((int)OUTCOMES <= (int)METRICS_OUTCOMES, "there is a place for each outcome");

unsigned exposition_kind(const struct action *action)
{
	size_t count;

	return action ? (unsigned)(action - action_table(&count)) + 1 : 0;
}

unsigned exposition_outcome(enum status status, bool preflight)
{
	return preflight ? (unsigned)OUTCOME_PREFLIGHT : (unsigned)status;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
	return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
	return mix(hash, &number, sizeof number);
}

uint64_t exposition_layout(void)
{
	size_t count;
	const struct action *table = action_table(&count);
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	hash = mix_number(hash, METRICS_VERSION);
	hash = mix_number(hash, sizeof(struct metrics));
	hash = mix_number(hash, OUTCOMES);
	for (size_t i = 0; i < count; i++)
		hash = mix(hash, table[i].path, strlen(table[i].path) + 1);
	for (int i = 0; i < METRICS_TIME_BUCKETS - 1; i++)
		hash = mix_number(hash, (uint64_t)metrics_time_bounds_us[i]);
	for (int i = 0; i < METRICS_SIZE_BUCKETS - 1; i++)
		hash = mix_number(hash, metrics_size_bounds[i]);
	return hash;
}

static uint64_t value_of(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void put_head(struct buffer *body, const char *name, const char *type, const char *help)
{
	buffer_append_format(body, "# HELP focusstats_%s %s\n# TYPE focusstats_%s %s\n", name, help, name, type);
}

/* A line's name and labels; those that are NULL are left out. */
static void put_name(struct buffer *body, const char *name, const char *suffix, const char *action, const char *status,
		     const char *bound)
{
	const struct {
		const char *name, *value;
	} labels[] = {{"action", action}, {"status", status}, {"le", bound}};
	const char *before = "{";

	buffer_append_format(body, "focusstats_%s%s", name, suffix);
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
		if (!labels[i].value)
			continue;
		buffer_append_format(body, "%s%s=\"%s\"", before, labels[i].name, labels[i].value);
		before = ",";
	}
	buffer_append_string(body, before[0] == ',' ? "} " : " ");
}

static void put_number(struct buffer *body, uint64_t number)
{
	buffer_append_format(body, "%" PRIu64 "\n", number);
}

/* A point of time or a duration, as seconds. */
static void put_seconds(struct buffer *body, uint64_t units, uint64_t units_per_second)
{
	int digits = units_per_second == 1000 ? 3 : 9;

	buffer_append_format(body, "%" PRIu64 ".%0*" PRIu64 "\n", units / units_per_second, digits,
			     units % units_per_second);
}

/* Another bucket of a histogram. The bound always has a point, as OpenMetrics wants it, so that the label is the same
 * however it is read. */
static void put_bucket(struct buffer *body, const char *name, const char *action, double bound, uint64_t count)
{
	char text[24];

	if (bound < 1)
		snprintf(text, sizeof text, "%g", bound);
	else
		snprintf(text, sizeof text, "%.1f", bound);
	put_name(body, name, "_bucket", action, NULL, text);
	put_number(body, count);
}

static void put_end_of_buckets(struct buffer *body, const char *name, const char *action, uint64_t count)
{
	put_name(body, name, "_bucket", action, NULL, "+Inf");
	put_number(body, count);
	put_name(body, name, "_count", action, NULL, NULL);
	put_number(body, count);
	put_name(body, name, "_sum", action, NULL, NULL);
}

static void put_times(struct buffer *body, const char *name, const char *action, const struct metrics_times *times)
{
	uint64_t count = 0;
	int i;

	for (i = 0; i < METRICS_TIME_BUCKETS - 1; i++) {
		count += value_of(&times->buckets[i]);
		put_bucket(body, name, action, (double)metrics_time_bounds_us[i] / 1e6, count);
	}
	put_end_of_buckets(body, name, action, count + value_of(&times->buckets[i]));
	put_seconds(body, value_of(&times->sum_ns), 1000000000);
}

static void put_sizes(struct buffer *body, const struct metrics *metrics)
{
	static const char name[] = "commit_writes";
	uint64_t count = 0;
	int i;

	put_head(body, name, "histogram", "Writes that shared a commit to the disk.");
	for (i = 0; i < METRICS_SIZE_BUCKETS - 1; i++) {
		count += value_of(&metrics->commits.sizes[i]);
		put_bucket(body, name, NULL, metrics_size_bounds[i], count);
	}
	put_end_of_buckets(body, name, NULL, count + value_of(&metrics->commits.sizes[i]));
	put_number(body, value_of(&metrics->commits.operations));
}

static const char *label_of(const struct action *table, size_t kind)
{
	return kind == 0 ? "unknown" : action_name(&table[kind - 1]);
}

/* An outcome that never came is left out, but for the one that is usual. */
static void put_requests(struct buffer *body, const struct metrics *metrics, const struct action *table, size_t count)
{
	static const char name[] = "requests_total";

	put_head(body, name, "counter", "Requests, by action and by the HTTP status they ended with.");
	for (size_t kind = 0; kind <= count; kind++) {
		unsigned usual = kind == 0 ? STATUS_NOT_FOUND : STATUS_OK;
		for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
			uint64_t number = value_of(&metrics->requests[kind].outcomes[outcome]);
			char status[12];
			if (number == 0 && outcome != usual)
				continue;
			snprintf(status, sizeof status, "%u",
				 outcome == OUTCOME_PREFLIGHT ? HTTP_NO_CONTENT
							      : dispatch_http_status((enum status)outcome));
			put_name(body, name, "", label_of(table, kind), status, NULL);
			put_number(body, number);
		}
	}
}

static void put_counts(struct buffer *body, const struct metrics *metrics)
{
	static const char duration[] = "request_duration_seconds", commit[] = "commit_duration_seconds";
	size_t count;
	const struct action *table = action_table(&count);

	put_requests(body, metrics, table, count);
	put_head(body, duration, "histogram",
		 "Time from the request's parameters to its answer, in each process that was asked.");
	for (size_t kind = 0; kind <= count; kind++)
		put_times(body, duration, label_of(table, kind), &metrics->requests[kind].times);
	put_sizes(body, metrics);
	put_head(body, commit, "histogram", "Time that a commit took, its sync to the disk included.");
	put_times(body, commit, NULL, &metrics->commits.times);
}

/* What is one number each. */
static const struct {
	const char *name, *type, *help;
	size_t offset; /* in struct store_figures; a uint64_t */
} figures[] = {
#define FIGURE(member) offsetof(struct store_figures, member)
	{"users", "gauge", "Users that have a FocusStats object.", FIGURE(totals.users)},
	{"sessions", "gauge", "Sessions that are stored.", FIGURE(totals.sessions)},
	{"cache_bytes", "gauge", "Size of the engine's cache.", FIGURE(engine.cache_bytes)},
	{"cache_pages", "gauge", "Pages in the cache.", FIGURE(engine.pages)},
	{"cache_dirty_pages", "gauge", "Pages in the cache that are newer than the files.", FIGURE(engine.dirty_pages)},
	{"cache_hits_total", "counter", "Pages that were found in the cache.", FIGURE(engine.hits)},
	{"cache_misses_total", "counter", "Pages that were not found in the cache.", FIGURE(engine.misses)},
	{"pages_read_total", "counter", "Pages that were read from the files.", FIGURE(engine.pages_read)},
	{"pages_written_total", "counter", "Pages that were written to the files.", FIGURE(engine.pages_written)},
	{"log_written_bytes_total", "counter", "Bytes that were written to the log.", FIGURE(engine.log_written_bytes)},
	{"log_syncs_total", "counter", "Syncs of the log to the disk.", FIGURE(engine.log_syncs)},
	{"log_file", "gauge", "Number of the log file that is written to.", FIGURE(engine.log_file)},
	{"log_since_checkpoint_bytes", "gauge", "Bytes of log since the last checkpoint, which a recovery would read.",
	 FIGURE(engine.log_checkpoint_bytes)},
	{"transactions", "gauge", "Transactions that are open, snapshots included.", FIGURE(engine.transactions)},
	{"snapshots", "gauge", "Snapshots that are open.", FIGURE(engine.snapshots)},
	{"freezer_files", "gauge", "Files with old versions of pages for which the cache had no room.",
	 FIGURE(engine.freezer_files)},
#undef FIGURE
};

static void put_one(struct buffer *body, const char *name, const char *type, const char *help, uint64_t number)
{
	put_head(body, name, type, help);
	put_name(body, name, "", NULL, NULL, NULL);
	put_number(body, number);
}

static void put_time(struct buffer *body, const char *name, const char *help, int64_t ms)
{
	put_head(body, name, "gauge", help);
	put_name(body, name, "", NULL, NULL, NULL);
	put_seconds(body, (uint64_t)ms, 1000);
}

enum status exposition_write(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	const struct metrics *metrics = store_metrics(store);
	struct store_figures read;

	(void)call;
	if (store_figures(store, &read, error) != STATUS_OK)
		return error->status;
	put_head(body, "build_info", "gauge", "The version of the owner of the store.");
	buffer_append_string(body, "focusstats_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	put_one(body, "owner_pid", "gauge", "Process that owns the store.", (uint64_t)getpid());
	put_time(body, "owner_start_time_seconds", "When it became the owner.", read.opened_ms);
	if (metrics) {
		put_time(body, "counters_start_time_seconds", "When the counters began at 0.", metrics->head.begun_ms);
		put_counts(body, metrics);
		put_one(body, "commit_failures_total", "counter", "Commits that failed.",
			value_of(&metrics->commits.failed));
	}
	/* After the last look at them: only that may show that they are lost. */
	put_one(body, "counters_shared", "gauge",
		"Whether the counters are those of all processes, not of the owner alone.", metrics_shared(metrics));
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		put_one(body, figures[i].name, figures[i].type, figures[i].help,
			*(const uint64_t *)((const char *)&read + figures[i].offset));
	body->size -= body->size > 0; /* the newline that every answer gets is there already */
	return STATUS_OK;
}
