/* A store for a test; see place.h. */
#include "place.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* The sanitizers ask these. What Berkeley DB keeps of its transactions is its own, and it was not built with them. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the names are the sanitizers' */
const char *__lsan_default_suppressions(void);
const char *__tsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libdb-5.3";
}

const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libdb-5.3";
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void fatal(void *context, const char *what)
{
	(void)context;
	fprintf(stderr, "%s\n", what);
	abort();
}

void place_open(struct place *place)
{
	const struct store_options options = {.home = place->home, .once = place->once, .fatal = fatal};
	struct error error;

	if (store_open(&options, &place->store, &error) != STATUS_OK)
		fail_msg("%s: %s", error.text, error.detail);
}

void place_close(struct place *place)
{
	store_close(place->store);
	place->store = NULL;
}

void place_reopen(struct place *place)
{
	place_close(place);
	place_open(place);
}

int place_set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	*place = (struct place){.home = "/tmp/focusstats-store-XXXXXX", .ids = UUID_SOURCE_INIT};
	assert_non_null(mkdtemp(place->home));
	place_open(place);
	*state = place;
	return 0;
}

int place_tear_down(void **state)
{
	struct place *place = *state;
	DIR *folder = opendir(place->home);

	if (place->store) /* not where an assertion failed while it was closed */
		place_close(place);
	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
	closedir(folder);
	assert_int_equal(rmdir(place->home), 0);
	free(place);
	return 0;
}

struct identifier named(const char *name)
{
	struct identifier identifier = {0};
	struct error error;

	assert_int_equal(identifier_set(&identifier, text_of(name), "name", &error), STATUS_OK);
	return identifier;
}

struct operation operation_of(struct place *place, enum operation_kind kind, const char *user, int64_t now_ms)
{
	struct operation operation = {
		.kind = kind, .user = named(user), .document = named("d"), .library = named("l"), .now_ms = now_ms};

	assert_true(uuid_make(&place->ids, now_ms, &operation.id));
	return operation;
}

struct operation on_session(enum operation_kind kind, const struct uuid *id, int64_t now_ms)
{
	return (struct operation){.kind = kind, .id = *id, .now_ms = now_ms};
}

struct operation adding(struct place *place, const char *user, int64_t start_ms, int64_t end_ms)
{
	struct operation operation = operation_of(place, OPERATION_ADD_SESSION, user, end_ms);

	operation.start_ms = start_ms;
	operation.end_ms = end_ms;
	return operation;
}

void assert_carried_out(struct place *place, const struct operation *operation, enum status status)
{
	struct error error;

	if (store_write(place->store, operation, NULL, &error) != status)
		fail_msg("operation %d ended with %d, not %d: %s", (int)operation->kind, (int)error.status, (int)status,
			 error.status == STATUS_OK ? "" : error.text);
	assert_int_equal(error.status, status);
}

void carry_out_all(struct place *place, const struct operation *operations, size_t count)
{
	struct error *errors = calloc(count, sizeof *errors);

	assert_non_null(errors);
	store_write_all(place->store, operations, count, NULL, errors);
	for (size_t i = 0; i < count; i++)
		if (errors[i].status != STATUS_OK)
			fail_msg("operation %zu: %s", i, errors[i].text);
	free(errors);
}

void init_user(struct place *place, const char *user)
{
	struct operation init = operation_of(place, OPERATION_INIT_USER, user, 1);

	assert_carried_out(place, &init, STATUS_OK);
}

struct uuid start_session(struct place *place, const char *user, int64_t now_ms)
{
	struct operation start = operation_of(place, OPERATION_START_SESSION, user, now_ms);

	assert_carried_out(place, &start, STATUS_OK);
	return start.id;
}

static struct identifier copy_of_text(struct text text)
{
	struct identifier identifier = {0};
	struct error error;

	assert_int_equal(identifier_set(&identifier, text, "text", &error), STATUS_OK);
	return identifier;
}

bool note_visit(void *context, const struct session_entry *entry)
{
	struct visited *visited = context;

	if (visited->count == visited->capacity) {
		visited->capacity = visited->capacity ? 2 * visited->capacity : 64;
		visited->items = realloc(visited->items, visited->capacity * sizeof *visited->items);
		assert_non_null(visited->items);
	}
	visited->items[visited->count++] = (struct visit){
		.id = entry->id,
		.facts = entry->facts,
		.document = copy_of_text(entry->document),
		.library = copy_of_text(entry->library),
	};
	return true;
}

void visited_release(struct visited *visited)
{
	free(visited->items);
	*visited = (struct visited){0};
}

static struct store_reader *open_reader(struct place *place)
{
	struct store_reader *reader;
	struct error error;

	if (store_reader_open(place->store, &reader, &error) != STATUS_OK)
		fail_msg("%s: %s", error.text, error.detail);
	return reader;
}

enum status find_stats(struct place *place, const char *user, struct stats *stats)
{
	struct identifier identifier = named(user);
	struct store_reader *reader = open_reader(place);
	struct error error;

	enum status status = store_reader_user(reader, &identifier, stats, &error);
	store_reader_close(reader);
	return status;
}

struct stats stats_of(struct place *place, const char *user)
{
	struct stats stats;

	assert_int_equal(find_stats(place, user, &stats), STATUS_OK);
	return stats;
}

typedef enum status reading(struct store_reader *reader, const struct store_scan *scan, store_visit *visit,
			    void *context, struct error *error);

static struct visited read_with(struct place *place, const char *user, struct store_scan scan, reading *read)
{
	struct identifier identifier = named(user);
	struct store_reader *reader = open_reader(place);
	struct visited visited = {0};
	struct stats stats;
	struct error error;

	assert_int_equal(store_reader_user(reader, &identifier, &stats, &error), STATUS_OK);
	scan.user = &identifier;
	scan.stats = &stats;
	assert_int_equal(read(reader, &scan, note_visit, &visited, &error), STATUS_OK);
	store_reader_close(reader);
	return visited;
}

struct visited read_sessions(struct place *place, const char *user, struct store_scan scan)
{
	return read_with(place, user, scan, store_reader_sessions);
}

struct visited read_all(struct place *place, const char *user)
{
	return read_sessions(place, user, (struct store_scan){.from_ms = INT64_MIN, .to_ms = INT64_MAX});
}

struct visited read_active(struct place *place, const char *user)
{
	return read_with(place, user, (struct store_scan){0}, store_reader_active);
}

struct visit find_one(struct place *place, const char *user, const struct uuid *id)
{
	struct visited all = read_all(place, user);
	struct visit found = {0};
	size_t times = 0;

	for (size_t i = 0; i < all.count; i++) {
		if (!uuid_equal(&all.items[i].id, id))
			continue;
		found = all.items[i];
		times++;
	}
	visited_release(&all);
	assert_int_equal(times, 1);
	return found;
}

struct totals totals_of(struct place *place)
{
	struct store_reader *reader = open_reader(place);
	struct totals totals;
	struct error error;

	assert_int_equal(store_reader_totals(reader, &totals, &error), STATUS_OK);
	store_reader_close(reader);
	return totals;
}

static void assert_sorted(const struct visited *visited)
{
	for (size_t i = 1; i < visited->count; i++) {
		const struct visit *a = &visited->items[i - 1], *b = &visited->items[i];
		assert_true(a->facts.start_ms < b->facts.start_ms ||
			    (a->facts.start_ms == b->facts.start_ms &&
			     memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes) < 0));
	}
}

void assert_whole(struct place *place, const char *user)
{
	struct visited all = read_all(place, user), active = read_active(place, user);
	struct stats stats = stats_of(place, user), sums = {0};
	size_t open = 0;

	assert_sorted(&all);
	for (size_t i = 0; i < all.count; i++) {
		const struct session_facts *facts = &all.items[i].facts;
		sums.sessions++;
		if (facts->ended) {
			sums.ended++;
			sums.ended_ms += facts->end_ms - facts->start_ms;
			assert_true(facts->end_ms >= facts->start_ms);
			assert_true(facts->end_ms - facts->start_ms <= stats.longest_ms);
			continue;
		}
		assert_true(open < active.count && uuid_equal(&active.items[open++].id, &all.items[i].id));
		if (facts->seen) {
			sums.watched++;
			assert_true(facts->last_seen_ms >= stats.first_seen_ms);
		}
	}
	assert_int_equal(open, active.count);
	assert_int_equal(stats.sessions, sums.sessions);
	assert_int_equal(stats.ended, sums.ended);
	assert_int_equal(stats.ended_ms, sums.ended_ms);
	assert_int_equal(stats.watched, sums.watched);
	if (stats.ended == 0)
		assert_int_equal(stats.longest_ms, 0);
	visited_release(&all);
	visited_release(&active);
}

void assert_counts(struct place *place, const char *user, uint64_t sessions, uint64_t ended)
{
	struct stats stats = stats_of(place, user);

	assert_int_equal(stats.sessions, sessions);
	assert_int_equal(stats.ended, ended);
	assert_whole(place, user);
}
