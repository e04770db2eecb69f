/* Readers: which sessions they visit, in which order, and that they do not visit all where a few will do: store/store.h. */
#include "base/buffer.h"
#include "place.h"

static const int64_t MINUTE_MS = 60000, HOUR_MS = 3600000;

static const int64_t NOW = INT64_C(1762778461000);

static struct store_scan range(int64_t from_ms, int64_t to_ms)
{
	return (struct store_scan){.from_ms = from_ms, .to_ms = to_ms};
}

static bool touches(const struct session_facts *facts, int64_t from_ms, int64_t to_ms)
{
	int64_t end_ms = facts->ended ? facts->end_ms : INT64_MAX;

	return facts->start_ms < to_ms && (facts->start_ms >= from_ms || end_ms > from_ms);
}

/* What was visited of a range holds all that touch it, in order, once, and nothing that starts behind it. */
static void assert_complete(const struct visited *visited, const struct visited *all, const struct store_scan *scan)
{
	size_t at = 0;

	for (size_t n = 0; n < all->count; n++) {
		const struct visit *one = &all->items[scan->descending ? all->count - 1 - n : n];
		if (at < visited->count && uuid_equal(&visited->items[at].id, &one->id)) {
			assert_true(one->facts.start_ms < scan->to_ms);
			assert_true(identifier_equal(&visited->items[at].document, &one->document));
			at++;
		} else {
			assert_false(touches(&one->facts, scan->from_ms, scan->to_ms));
		}
	}
	assert_int_equal(at, visited->count);
}

/* Sessions of all lengths, some open, several at the same start, with long names so that they fill several reads. */
static void make_sessions(struct place *place, const char *user, int count, int64_t longest_ms, int open_one_of)
{
	struct operation *operations = calloc((size_t)count, sizeof *operations);
	uint64_t random = 7;

	assert_non_null(operations);
	for (int i = 0; i < count; i++) {
		int64_t start_ms = NOW - (int64_t)random_below(&random, 1000) * HOUR_MS;
		operations[i] = adding(place, user, start_ms,
				       start_ms + (int64_t)random_below(&random, (size_t)longest_ms + 1));
		if (open_one_of > 0 && i % open_one_of == 0) {
			operations[i].kind = OPERATION_START_SESSION;
			operations[i].now_ms = start_ms;
		} else {
			operations[i].now_ms = NOW + longest_ms;
		}
		operations[i].document = named(i % 2 ? "odd" : "even");
		operations[i].library.size = (uint8_t)(1 + random_below(&random, 255));
		memset(operations[i].library.data, 'l', operations[i].library.size);
	}
	carry_out_all(place, operations, (size_t)count);
	free(operations);
}

static void check_ranges(struct place *place, const char *user)
{
	struct visited all = read_all(place, user);
	uint64_t random = 8;

	for (int i = 0; i < 400; i++) {
		int64_t from_ms =
			NOW - (int64_t)random_below(&random, 1000) * HOUR_MS + (int64_t)random_below(&random, 3) - 1;
		int64_t to_ms = from_ms + (int64_t)random_below(&random, 3) *
						  (int64_t)random_below(&random, (size_t)(100 * HOUR_MS));
		struct store_scan scan = range(i % 7 == 0 ? INT64_MIN : from_ms, i % 5 == 0 ? INT64_MAX : to_ms);
		scan.descending = i % 2 == 1;
		struct visited visited = read_sessions(place, user, scan);
		assert_complete(&visited, &all, &scan);
		visited_release(&visited);
	}
	visited_release(&all);
}

static void ranges_hold_what_touches_them(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	init_user(place, "ann ");
	init_user(place, "anna");
	make_sessions(place, "ann ", 40, HOUR_MS, 3);
	make_sessions(place, "anna", 40, HOUR_MS, 3);
	check_ranges(place, "ann"); /* there are none */
	make_sessions(place, "ann", 400, 30 * HOUR_MS, 0);
	check_ranges(place, "ann");
	check_ranges(place, "ann ");
	make_sessions(place, "ann", 100, HOUR_MS, 5);
	check_ranges(place, "ann");
	assert_whole(place, "ann");
	assert_counts(place, "ann ", 40, 40 - 14);
}

/* The bound says how far back to look: from it or from the oldest open session on. */
static void small_ranges_cost_little(void **state)
{
	enum { COUNT = 1000 };
	struct place *place = *state;
	struct operation operations[COUNT];

	init_user(place, "ann");
	for (int i = 0; i < COUNT; i++)
		operations[i] = adding(place, "ann", NOW - i * HOUR_MS, NOW - i * HOUR_MS + 20 * MINUTE_MS);
	carry_out_all(place, operations, COUNT);
	for (int descending = 0; descending < 2; descending++) {
		struct store_scan scan = range(NOW - 10 * HOUR_MS + MINUTE_MS, NOW - 5 * HOUR_MS);
		scan.descending = descending == 1;
		struct visited visited = read_sessions(place, "ann", scan);
		assert_int_equal(visited.count, 5);
		visited_release(&visited);
	}
	/* An old open one makes all behind it matter, until it is ended; then its length is the bound. */
	struct uuid old = start_session(place, "ann", NOW - 300 * HOUR_MS - 1);
	struct visited visited = read_sessions(place, "ann", range(NOW, INT64_MAX));
	assert_int_equal(visited.count, 302);
	visited_release(&visited);
	struct operation end = on_session(OPERATION_END_SESSION, &old, NOW - 250 * HOUR_MS);
	assert_carried_out(place, &end, STATUS_OK);
	visited = read_sessions(place, "ann", range(NOW, INT64_MAX));
	assert_in_range(visited.count, 1, 52);
	visited_release(&visited);
}

static void empty_ranges(void **state)
{
	struct place *place = *state;
	const struct store_scan scans[] = {range(NOW + 1, NOW + 1), range(INT64_MAX, INT64_MAX), range(INT64_MIN, 0),
					   range(INT64_MIN, INT64_MIN), range(-5, -1)};

	init_user(place, "ann");
	struct operation add = adding(place, "ann", NOW, NOW + 1);
	assert_carried_out(place, &add, STATUS_OK);
	for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++) {
		for (int descending = 0; descending < 2; descending++) {
			struct store_scan scan = scans[i];
			scan.descending = descending == 1;
			struct visited visited = read_sessions(place, "ann", scan), all = read_all(place, "ann");
			assert_complete(&visited, &all, &scan);
			visited_release(&visited);
			visited_release(&all);
		}
	}
}

static struct session_entry entry_of(const struct visit *visit)
{
	return (struct session_entry){.id = visit->id, .facts = visit->facts};
}

/* Page by page it is the whole list again, in both directions. */
static void after_goes_on_where_it_was(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	init_user(place, "anna");
	make_sessions(place, "anna", 10, HOUR_MS, 2);
	make_sessions(place, "ann", 300, HOUR_MS, 4);
	struct visited all = read_all(place, "ann");
	for (int descending = 0; descending < 2; descending++) {
		for (size_t n = 0; n < all.count; n++) {
			size_t at = descending ? all.count - 1 - n : n;
			struct session_entry after = entry_of(&all.items[at]);
			struct store_scan scan = range(INT64_MIN, INT64_MAX);
			scan.after = &after;
			scan.descending = descending == 1;
			struct visited rest = read_sessions(place, "ann", scan);
			assert_int_equal(rest.count, all.count - 1 - n);
			for (size_t i = 0; i < rest.count; i++)
				assert_true(uuid_equal(&rest.items[i].id,
						       &all.items[descending ? at - 1 - i : at + 1 + i].id));
			visited_release(&rest);
		}
	}
	visited_release(&all);
}

/* Sessions that stand in whatever way along the time: what comes downwards is what comes upwards, the other way round. */
static void assert_descends(struct place *place, const int64_t *starts_ms, size_t count)
{
	struct operation *operations = calloc(count, sizeof *operations);
	struct store_scan scan = range(INT64_MIN, INT64_MAX);

	assert_non_null(operations);
	init_user(place, "ann");
	for (size_t i = 0; i < count; i++) {
		operations[i] = adding(place, "ann", starts_ms[i], starts_ms[i] + 1);
		operations[i].now_ms = NOW;
	}
	carry_out_all(place, operations, count);
	free(operations);
	scan.descending = true;
	struct visited up = read_all(place, "ann"), down = read_sessions(place, "ann", scan);
	assert_int_equal(up.count, count);
	assert_int_equal(down.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(uuid_equal(&up.items[i].id, &down.items[count - 1 - i].id));
	for (size_t i = 0; i < count; i += 97) {
		struct session_entry after = entry_of(&down.items[i]);
		scan.after = &after;
		struct visited rest = read_sessions(place, "ann", scan);
		assert_int_equal(rest.count, count - 1 - i);
		for (size_t n = 0; n < rest.count; n++)
			assert_true(uuid_equal(&rest.items[n].id, &down.items[i + 1 + n].id));
		visited_release(&rest);
	}
	visited_release(&up);
	visited_release(&down);
}

enum { DESCENT_COUNT = 3000 };

static void descends_through_steady_days(void **state)
{
	int64_t starts_ms[DESCENT_COUNT];

	for (int i = 0; i < DESCENT_COUNT; i++)
		starts_ms[i] = NOW - i * 5 * HOUR_MS;
	assert_descends(*state, starts_ms, DESCENT_COUNT);
}

/* A few now, years without any, then many in an hour, at one millisecond, and from the first one that there can be on. */
static void descends_through_gaps_and_crowds(void **state)
{
	int64_t starts_ms[DESCENT_COUNT];
	uint64_t random = 9;

	for (int i = 0; i < DESCENT_COUNT; i++) {
		if (i < 12)
			starts_ms[i] = NOW - i;
		else if (i < 1500)
			starts_ms[i] = NOW - 30000 * HOUR_MS + (int64_t)random_below(&random, (size_t)HOUR_MS);
		else if (i < 2200)
			starts_ms[i] = NOW - 40000 * HOUR_MS;
		else if (i < 2900)
			starts_ms[i] = NOW - (int64_t)random_below(&random, 400000) * HOUR_MS;
		else
			starts_ms[i] = (int64_t)random_below(&random, 3);
	}
	assert_descends(*state, starts_ms, DESCENT_COUNT);
}

static void descends_from_one_crowd(void **state)
{
	int64_t starts_ms[DESCENT_COUNT];

	for (int i = 0; i < DESCENT_COUNT; i++)
		starts_ms[i] = NOW - (i > DESCENT_COUNT / 2);
	assert_descends(*state, starts_ms, DESCENT_COUNT);
}

static bool stop_at_the_third(void *context, const struct session_entry *entry)
{
	(void)entry;
	return ++*(int *)context < 3;
}

static void visits_end_where_the_visitor_says(void **state)
{
	struct place *place = *state;
	struct identifier ann = named("ann");
	struct store_reader *reader;
	struct error error;

	init_user(place, "ann");
	make_sessions(place, "ann", 50, HOUR_MS, 2);
	struct stats stats = stats_of(place, "ann");
	struct store_scan scan = {.user = &ann, .stats = &stats, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
	assert_int_equal(store_reader_open(place->store, &reader, &error), STATUS_OK);
	for (int way = 0; way < 3; way++) {
		int visits = 0;
		scan.descending = way == 1;
		if (way == 2)
			store_reader_active(reader, &scan, stop_at_the_third, &visits, &error);
		else
			store_reader_sessions(reader, &scan, stop_at_the_third, &visits, &error);
		assert_int_equal(visits, 3);
	}
	store_reader_close(reader);
}

/* Found by the id alone: one that tells its start, one that was moved, one that a client has chosen, one of somebody else. */
static void find(void **state)
{
	struct place *place = *state;
	struct identifier ann = named("ann");
	struct store_reader *reader;
	struct error error;

	init_user(place, "ann");
	init_user(place, "bob");
	make_sessions(place, "ann", 200, HOUR_MS, 3);
	struct uuid begun = start_session(place, "ann", NOW), moved = start_session(place, "ann", NOW + 1);
	struct uuid others = start_session(place, "bob", NOW);
	struct operation edit = on_session(OPERATION_EDIT_SESSION, &moved, NOW);
	edit.given = GIVEN_START;
	edit.start_ms = 12345;
	assert_carried_out(place, &edit, STATUS_OK);
	struct operation chosen = adding(place, "ann", NOW - 5000, NOW);
	memset(chosen.id.bytes, 0xFF, sizeof chosen.id.bytes);
	assert_carried_out(place, &chosen, STATUS_OK);
	struct uuid nobody = {{0}};

	const struct uuid *ids[] = {&begun, &moved, &chosen.id, &others, &nobody};
	struct stats stats = stats_of(place, "ann");
	const struct store_scan scan = {.user = &ann, .stats = &stats};
	assert_int_equal(store_reader_open(place->store, &reader, &error), STATUS_OK);
	for (int i = 0; i < 5; i++) {
		struct visited visited = {0};
		assert_int_equal(store_reader_find(reader, &scan, ids[i], note_visit, &visited, &error), STATUS_OK);
		assert_int_equal(visited.count, i < 3 ? 1 : 0);
		if (i < 3)
			assert_true(uuid_equal(&visited.items[0].id, ids[i]));
		visited_release(&visited);
	}
	store_reader_close(reader);
}

/* What a reader tells of documents, as text. */
static bool write_document(void *context, struct text document, const struct description *description)
{
	struct buffer *text = context;

	buffer_append_text(text, document);
	buffer_append_string(text, "=");
	buffer_append(text, description->title, description->title_size);
	for (int i = 0; i < description->author_count; i++) {
		buffer_append_string(text, i == 0 ? "/" : "+");
		buffer_append_text(text, identifier_text(&description->authors[i]));
	}
	buffer_append_string(text, ";");
	return true;
}

static void assert_documents(struct place *place, const char *user, const char *expected)
{
	struct identifier identifier = named(user);
	struct store_reader *reader;
	struct error error;
	struct buffer text = BUFFER_INIT;

	assert_int_equal(store_reader_open(place->store, &reader, &error), STATUS_OK);
	assert_int_equal(store_reader_documents(reader, &identifier, write_document, &text, &error), STATUS_OK);
	store_reader_close(reader);
	buffer_append(&text, "", 1);
	assert_string_equal(text.data, expected);
	buffer_release(&text);
}

static void describe(struct place *place, const char *user, const char *document, const char *title, const char *author)
{
	static struct description description;
	struct operation set = operation_of(place, OPERATION_SET_DOCUMENT, user, NOW);

	memset(&description, 0, sizeof description);
	set.document = named(document);
	set.description = &description;
	set.given = (title ? GIVEN_TITLE : 0) | (author ? GIVEN_AUTHORS : 0);
	if (title) {
		description.title_size = (uint16_t)strlen(title);
		memcpy(description.title, title, strlen(title));
	}
	if (author && *author) {
		description.author_count = 2;
		description.authors[0] = named(author);
		description.authors[1] = named("et al");
	}
	assert_carried_out(place, &set, STATUS_OK);
}

static void documents(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	init_user(place, "anna");
	assert_documents(place, "ann", "");
	describe(place, "anna", "a", "theirs", NULL);
	describe(place, "ann", "b", "B", "Bea");
	describe(place, "ann", "a", "A", NULL);
	describe(place, "ann", "ab", NULL, "Abe");
	assert_documents(place, "ann", "a=A;ab=/Abe+et al;b=B/Bea+et al;");
	describe(place, "ann", "b", NULL, ""); /* the title stays */
	describe(place, "ann", "a", NULL, "Ann");
	describe(place, "ann", "ab", "", NULL);
	assert_documents(place, "ann", "a=A/Ann+et al;ab=/Abe+et al;b=B;");
	place_reopen(place);
	describe(place, "ann", "a", "", ""); /* cleared */
	assert_documents(place, "ann", "a=;ab=/Abe+et al;b=B;");
	assert_documents(place, "anna", "a=theirs;");
	assert_documents(place, "bob", "");
}

/* A reader sees one moment, whatever is written meanwhile. */
static void reader_stands_still(void **state)
{
	struct place *place = *state;
	struct identifier ann = named("ann");
	struct visited before = {0}, after;
	struct store_reader *reader;
	struct stats stats;
	struct error error;

	init_user(place, "ann");
	make_sessions(place, "ann", 60, HOUR_MS, 4);
	assert_int_equal(store_reader_open(place->store, &reader, &error), STATUS_OK);
	make_sessions(place, "ann", 60, HOUR_MS, 4);
	assert_int_equal(store_reader_user(reader, &ann, &stats, &error), STATUS_OK);
	assert_int_equal(stats.sessions, 60);
	struct store_scan scan = {.user = &ann, .stats = &stats, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
	assert_int_equal(store_reader_sessions(reader, &scan, note_visit, &before, &error), STATUS_OK);
	assert_int_equal(before.count, 60);
	store_reader_close(reader);
	after = read_all(place, "ann");
	assert_int_equal(after.count, 120);
	visited_release(&before);
	visited_release(&after);
	assert_int_equal(store_ping(place->store, &error), STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranges_hold_what_touches_them, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(small_ranges_cost_little, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(empty_ranges, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(after_goes_on_where_it_was, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(descends_through_steady_days, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(descends_through_gaps_and_crowds, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(descends_from_one_crowd, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(visits_end_where_the_visitor_says, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(find, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(documents, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(reader_stands_still, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
