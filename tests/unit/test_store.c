/* The store on a folder of its own: gates, many writes at once, and that readers see whole commits: store/store.h. What each
 * operation does is in test_operations.c. */
#include "place.h"

#include <pthread.h>
#include <stdatomic.h>

static bool never(void *context)
{
	++*(int *)context;
	return false;
}

static void closed_gate_leaves_nothing(void **state)
{
	struct place *place = *state;
	int asked = 0;
	const struct store_gate gate = {never, &asked};
	struct operation init = operation_of(place, OPERATION_INIT_USER, "ann", 500);
	struct stats stats;
	struct error error;

	assert_int_equal(store_write(place->store, &init, &gate, &error), STATUS_UNAVAILABLE);
	assert_int_equal(asked, 1);
	assert_int_equal(find_stats(place, "ann", &stats), STATUS_NOT_FOUND);
	assert_int_equal(totals_of(place).users, 0);
}

/* A gate that closes after so many. */
static bool for_a_while(void *context)
{
	return --*(int *)context >= 0;
}

static void gate_closes_in_the_middle(void **state)
{
	enum { COUNT = 10, OPEN_FOR = 4 };
	struct place *place = *state;
	int left = OPEN_FOR;
	const struct store_gate gate = {for_a_while, &left};
	struct operation operations[COUNT];
	struct error errors[COUNT];

	init_user(place, "ann");
	for (int i = 0; i < COUNT; i++)
		operations[i] = adding(place, "ann", 1000 + i, 2000 + i);
	store_write_all(place->store, operations, COUNT, &gate, errors);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(errors[i].status, i < OPEN_FOR ? STATUS_OK : STATUS_UNAVAILABLE);
	assert_counts(place, "ann", OPEN_FOR, OPEN_FOR);
	assert_int_equal(totals_of(place).sessions, OPEN_FOR);
}

/* Each sees what those before it did, and has its own outcome. */
static void many_are_carried_out_in_their_order(void **state)
{
	struct place *place = *state;
	struct operation init = operation_of(place, OPERATION_INIT_USER, "ann", 1);
	struct operation other_init = operation_of(place, OPERATION_INIT_USER, "ann", 2);
	struct operation start = operation_of(place, OPERATION_START_SESSION, "ann", 1000);
	struct operation heartbeat = on_session(OPERATION_HEARTBEAT, &start.id, 1500);
	struct operation end = on_session(OPERATION_END_SESSION, &start.id, 2000);
	struct operation late = on_session(OPERATION_HEARTBEAT, &start.id, 2500);
	struct operation add = adding(place, "ann", 100, 300), again = add, another = add,
			 bad = adding(place, "ann", 300, 100);
	struct operation nobody = adding(place, "bob", 100, 300);
	struct operation remove = on_session(OPERATION_REMOVE_SESSION, &start.id, 3000);

	another.end_ms++;
	const struct operation operations[] = {heartbeat, init,  start,   other_init, heartbeat, end,    late,
					       add,       again, another, bad,        nobody,    remove, remove};
	static const enum status expected[] = {STATUS_NOT_FOUND, STATUS_OK,       STATUS_OK,       STATUS_CONFLICT,
					       STATUS_OK,        STATUS_OK,       STATUS_CONFLICT, STATUS_OK,
					       STATUS_OK,        STATUS_CONFLICT, STATUS_INVALID,  STATUS_NOT_FOUND,
					       STATUS_OK,        STATUS_NOT_FOUND};
	enum { COUNT = sizeof operations / sizeof operations[0] };
	struct error errors[COUNT];

	store_write_all(place->store, operations, COUNT, NULL, errors);
	for (int i = 0; i < COUNT; i++)
		if (errors[i].status != expected[i])
			fail_msg("operation %d ended with %d: %s", i, (int)errors[i].status, errors[i].text);
	assert_counts(place, "ann", 1, 1);
	assert_int_equal(stats_of(place, "ann").ended_ms, 200);
	assert_int_equal(totals_of(place).users, 1);
	assert_int_equal(totals_of(place).sessions, 1);
}

static void none_is_nothing(void **state)
{
	struct place *place = *state;

	store_write_all(place->store, NULL, 0, NULL, NULL);
	assert_int_equal(totals_of(place).users, 0);
}

/* More than one transaction takes. */
static void thousand_at_once(void **state)
{
	enum { COUNT = 1200 };
	struct place *place = *state;
	struct operation *operations = calloc(COUNT, sizeof *operations);
	uint64_t random = 5;

	assert_non_null(operations);
	init_user(place, "ann");
	for (int i = 0; i < COUNT; i++) {
		operations[i] = adding(place, "ann", 1000 * i, 1000 * i + 7);
		for (size_t at = 0; at < 16; at += 8) /* ids that a client chose are all over the place */
			put_number(operations[i].id.bytes + at, next_random(&random));
	}
	carry_out_all(place, operations, COUNT);
	carry_out_all(place, operations, COUNT); /* the same once more */
	assert_counts(place, "ann", COUNT, COUNT);
	place_reopen(place);
	assert_counts(place, "ann", COUNT, COUNT);
	assert_int_equal(totals_of(place).sessions, COUNT);
	free(operations);
}

static void totals_count_users_and_sessions(void **state)
{
	struct place *place = *state;

	assert_int_equal(totals_of(place).users + totals_of(place).sessions, 0);
	init_user(place, "ann");
	init_user(place, "bob");
	struct uuid id = start_session(place, "ann", 1000);
	start_session(place, "ann", 2000);
	start_session(place, "bob", 3000);
	assert_int_equal(totals_of(place).users, 2);
	assert_int_equal(totals_of(place).sessions, 3);
	struct operation remove = on_session(OPERATION_REMOVE_SESSION, &id, 4000);
	assert_carried_out(place, &remove, STATUS_OK);
	assert_carried_out(place, &remove, STATUS_NOT_FOUND);
	assert_int_equal(totals_of(place).sessions, 2);
	place_reopen(place);
	assert_int_equal(totals_of(place).users, 2);
	assert_int_equal(totals_of(place).sessions, 2);
}

/* What a reader has seen of a list. */
struct seen {
	struct session_entry last;
	uint64_t sessions, ended;
	bool sorted;
};

static bool see(void *context, const struct session_entry *entry)
{
	struct seen *seen = context;

	if (seen->sessions > 0) {
		int order = (entry->facts.start_ms > seen->last.facts.start_ms) -
			    (entry->facts.start_ms < seen->last.facts.start_ms);
		if (order == 0)
			order = memcmp(entry->id.bytes, seen->last.id.bytes, sizeof entry->id.bytes);
		seen->sorted &= order > 0;
	}
	seen->last = *entry;
	seen->sessions++;
	seen->ended += entry->facts.ended;
	return true;
}

/* True where the list is sorted and the sums are those of the list. Any thread may ask. */
static bool list_is_whole(struct store *store, const char *user, uint64_t *sessions)
{
	struct identifier identifier = {.size = (uint8_t)strlen(user)};
	struct store_scan scan = {.user = &identifier, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
	struct seen seen = {.sorted = true};
	struct store_reader *reader;
	struct stats stats;
	struct error error;

	memcpy(identifier.data, user, identifier.size);
	if (store_reader_open(store, &reader, &error) != STATUS_OK)
		return false;
	scan.stats = &stats;
	bool read = store_reader_user(reader, &identifier, &stats, &error) == STATUS_OK &&
		    store_reader_sessions(reader, &scan, see, &seen, &error) == STATUS_OK;
	store_reader_close(reader);
	*sessions = seen.sessions;
	return read && seen.sorted && stats.sessions == seen.sessions && stats.ended == seen.ended;
}

/* Lists that fill several bulk reads, of users whose names are one another's beginnings. */
static void long_lists_of_neighbours(void **state)
{
	static const char *const users[] = {"a", "a ", "aa", "a\xC3\xA9", "b"};
	enum { USERS = sizeof users / sizeof users[0] };
	static const unsigned counts[USERS] = {350, 0, 33, 40, 1};
	struct place *place = *state;
	uint64_t sessions;

	for (int i = 0; i < USERS; i++) {
		init_user(place, users[i]);
		for (unsigned n = 0; n < counts[i]; n++) {
			struct operation start =
				operation_of(place, OPERATION_START_SESSION, users[i], (int64_t)(n * 7919 % 5000));
			start.document.size = IDENTIFIER_MAX_BYTES;
			memset(start.document.data, 'd', IDENTIFIER_MAX_BYTES);
			assert_carried_out(place, &start, STATUS_OK);
		}
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < USERS; i++) {
			assert_true(list_is_whole(place->store, users[i], &sessions));
			assert_int_equal(sessions, counts[i]);
		}
		place_reopen(place);
	}
}

enum { WRITERS = 8, READERS = 4, ROUNDS = 60 };

struct crowd {
	struct place *place;
	atomic_bool done;
	atomic_int wrong;
};

/* Starts, ends and removes sessions of one user whom all share, and is refused in between. */
static void *write_much(void *context)
{
	struct crowd *crowd = context;
	struct uuid last = {0};
	struct error error;

	for (int i = 0; i < ROUNDS; i++) {
		struct operation start = {.kind = OPERATION_START_SESSION,
					  .user = {.size = 1, .data = "u"},
					  .document = {.size = 1, .data = "d"},
					  .library = {.size = 1, .data = "l"},
					  .now_ms = 1000 + i};
		struct operation no = {.kind = OPERATION_END_SESSION, .id = {{1}}, .now_ms = 1};
		struct store *store = crowd->place->store;
		uuid_make(&crowd->place->ids, start.now_ms, &start.id);
		struct operation end = on_session(OPERATION_END_SESSION, &start.id, 5000);
		struct operation remove = on_session(OPERATION_REMOVE_SESSION, &last, 0);
		struct operation heartbeat = on_session(OPERATION_HEARTBEAT, &start.id, 2000 + i);
		bool right = store_write(store, &start, NULL, &error) == STATUS_OK &&
			     store_write(store, &no, NULL, &error) == STATUS_NOT_FOUND &&
			     store_write(store, &heartbeat, NULL, &error) == STATUS_OK &&
			     store_write(store, &end, NULL, &error) == STATUS_OK &&
			     (i % 3 != 2 || store_write(store, &remove, NULL, &error) == STATUS_OK);
		atomic_fetch_add(&crowd->wrong, !right);
		last = start.id;
	}
	return NULL;
}

static void *read_much(void *context)
{
	struct crowd *crowd = context;
	uint64_t sessions;

	while (!atomic_load(&crowd->done))
		atomic_fetch_add(&crowd->wrong, !list_is_whole(crowd->place->store, "u", &sessions));
	return NULL;
}

static void readers_see_whole_commits(void **state)
{
	struct crowd crowd = {.place = *state};
	pthread_t writers[WRITERS], readers[READERS];
	uint64_t sessions;

	init_user(crowd.place, "u");
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_much, &crowd), 0);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, write_much, &crowd), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&crowd.done, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&crowd.wrong), 0);
	assert_true(list_is_whole(crowd.place->store, "u", &sessions));
	assert_whole(crowd.place, "u");
	assert_int_equal(sessions, WRITERS * (ROUNDS - ROUNDS / 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(closed_gate_leaves_nothing, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(gate_closes_in_the_middle, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(many_are_carried_out_in_their_order, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(none_is_nothing, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(thousand_at_once, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(totals_count_users_and_sessions, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(long_lists_of_neighbours, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(readers_see_whole_commits, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
