/* Sessions that nobody ends: what counts as ended is stored so by the next write of its user, whichever that is. */
#include "place.h"

static const int64_t NOW = INT64_C(1762778461000), IDLE_MS = 600000, MINUTE_MS = 60000;

static struct uuid seen_session(struct place *place, const char *user, int64_t start_ms, int64_t seen_ms)
{
	struct uuid id = start_session(place, user, start_ms);
	struct operation heartbeat = on_session(OPERATION_HEARTBEAT, &id, seen_ms);

	assert_carried_out(place, &heartbeat, STATUS_OK);
	return id;
}

static void assert_ended(struct place *place, const char *user, const struct uuid *id, int64_t end_ms)
{
	struct session_facts facts = find_one(place, user, id).facts;

	assert_true(facts.ended);
	assert_int_equal(facts.end_ms, end_ms);
	assert_whole(place, user);
}

/* Every kind of write does it, one that is refused as well. */
static void any_write_of_the_user_settles(void **state)
{
	enum { KINDS = 9 };
	static const enum operation_kind kinds[KINDS] = {
		OPERATION_START_SESSION, OPERATION_HEARTBEAT,    OPERATION_END_SESSION,
		OPERATION_ADD_SESSION,   OPERATION_EDIT_SESSION, OPERATION_REMOVE_SESSION,
		OPERATION_SET_DOCUMENT,  OPERATION_SET_SETTINGS, OPERATION_ADD_SESSION};
	struct place *place = *state;

	for (int i = 0; i < KINDS; i++) {
		char user[] = {(char)('a' + i), 0};
		init_user(place, user);
		struct uuid others[] = {start_session(place, user, NOW), start_session(place, user, NOW)};
		struct uuid id = seen_session(place, user, NOW, NOW + 3 * MINUTE_MS);
		struct operation operation = operation_of(place, kinds[i], user, NOW + 3 * MINUTE_MS + IDLE_MS - 1);
		operation.description = &(const struct description){0};
		bool on_other = kinds[i] == OPERATION_HEARTBEAT || kinds[i] == OPERATION_END_SESSION ||
				kinds[i] == OPERATION_EDIT_SESSION || kinds[i] == OPERATION_REMOVE_SESSION;
		/* The last one is refused. */
		operation.start_ms = i == KINDS - 1 ? 1 : 0;
		for (int late = 0; late < 2; late++) {
			struct error error;
			if (on_other)
				operation.id = others[late];
			enum status status = store_write(place->store, &operation, NULL, &error);
			if (i == KINDS - 1)
				assert_int_equal(status, STATUS_INVALID);
			assert_int_equal(find_one(place, user, &id).facts.ended, late);
			operation.now_ms++;
		}
		assert_ended(place, user, &id, NOW + 3 * MINUTE_MS);
	}
}

static void a_write_of_somebody_else_does_not(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	init_user(place, "bob");
	struct uuid id = seen_session(place, "ann", NOW, NOW);
	start_session(place, "bob", NOW + 100 * IDLE_MS);
	struct operation foreign = on_session(OPERATION_REMOVE_SESSION, &id, NOW + 100 * IDLE_MS);
	foreign.restricted = true;
	foreign.actor = named("bob");
	assert_carried_out(place, &foreign, STATUS_NOT_FOUND);
	assert_false(find_one(place, "ann", &id).facts.ended);
	assert_whole(place, "ann");
}

static void it_is_an_ended_one_then(void **state)
{
	struct place *place = *state;
	const int64_t seen_ms = NOW + MINUTE_MS, late_ms = seen_ms + IDLE_MS;

	init_user(place, "ann");
	struct uuid id = seen_session(place, "ann", NOW, seen_ms);
	struct operation heartbeat = on_session(OPERATION_HEARTBEAT, &id, late_ms);
	assert_carried_out(place, &heartbeat, STATUS_CONFLICT);
	assert_ended(place, "ann", &id, seen_ms);
	heartbeat.now_ms = seen_ms + 1; /* a request that came in before, and waited: nothing revives it */
	assert_carried_out(place, &heartbeat, STATUS_CONFLICT);
	struct operation end = on_session(OPERATION_END_SESSION, &id, late_ms);
	assert_carried_out(place, &end, STATUS_CONFLICT);
	end.given = GIVEN_END;
	end.end_ms = late_ms;
	assert_carried_out(place, &end, STATUS_CONFLICT);
	end.end_ms = seen_ms; /* that is how it ended */
	assert_carried_out(place, &end, STATUS_OK);
	struct operation edit = on_session(OPERATION_EDIT_SESSION, &id, late_ms);
	edit.given = GIVEN_END;
	edit.end_ms = seen_ms + 1;
	assert_carried_out(place, &edit, STATUS_OK);
	assert_ended(place, "ann", &id, seen_ms + 1);
	assert_int_equal(stats_of(place, "ann").ended_ms, MINUTE_MS + 1);
}

static void the_first_operation_on_it_finds_it_ended(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	struct uuid id = seen_session(place, "ann", NOW, NOW + 5);
	struct operation edit = on_session(OPERATION_EDIT_SESSION, &id, NOW + 5 + IDLE_MS);
	edit.given = GIVEN_END;
	edit.end_ms = NOW + 7;
	assert_carried_out(place, &edit, STATUS_OK);
	assert_ended(place, "ann", &id, NOW + 7);
	id = seen_session(place, "ann", NOW, NOW + 5);
	struct operation remove = on_session(OPERATION_REMOVE_SESSION, &id, NOW + 2 * IDLE_MS);
	assert_carried_out(place, &remove, STATUS_OK);
	assert_counts(place, "ann", 1, 1);
	assert_int_equal(stats_of(place, "ann").watched, 0);
}

static void the_old_timeout_counts_before_it_is_changed(void **state)
{
	struct place *place = *state;
	struct operation set = operation_of(place, OPERATION_SET_SETTINGS, "ann", NOW + IDLE_MS);

	init_user(place, "ann");
	struct uuid over = seen_session(place, "ann", NOW, NOW);
	struct uuid still = seen_session(place, "ann", NOW, NOW + 1);
	set.settings_given = SETTING_IDLE_TIMEOUT;
	set.settings.idle_timeout_seconds = 86400;
	assert_carried_out(place, &set, STATUS_OK);
	assert_ended(place, "ann", &over, NOW);
	assert_false(find_one(place, "ann", &still).facts.ended);
	set.settings.idle_timeout_seconds = 60; /* from now on it counts as ended, and the next write says so */
	assert_carried_out(place, &set, STATUS_OK);
	assert_false(find_one(place, "ann", &still).facts.ended);
	start_session(place, "ann", NOW + IDLE_MS);
	assert_ended(place, "ann", &still, NOW + 1);
}

/* More than fit into one page, of which some are not over yet. */
static void many_at_once(void **state)
{
	enum { COUNT = 3000 };
	struct place *place = *state;
	struct operation *starts = calloc(COUNT, sizeof *starts), *heartbeats = calloc(COUNT, sizeof *heartbeats);
	uint64_t random = 9;

	assert_non_null(starts);
	assert_non_null(heartbeats);
	init_user(place, "ann");
	for (int i = 0; i < COUNT; i++) {
		starts[i] = operation_of(place, OPERATION_START_SESSION, "ann", NOW);
		for (size_t at = 0; at < 16; at += 8) /* each on a page of its own, as clients choose them */
			put_number(starts[i].id.bytes + at, next_random(&random));
		starts[i].document.size = starts[i].library.size = IDENTIFIER_MAX_BYTES;
		memset(starts[i].document.data, 'd', IDENTIFIER_MAX_BYTES);
		memset(starts[i].library.data, 'l', IDENTIFIER_MAX_BYTES);
		heartbeats[i] = on_session(OPERATION_HEARTBEAT, &starts[i].id, NOW + (i % 10 == 0 ? MINUTE_MS : i % 7));
	}
	carry_out_all(place, starts, COUNT);
	carry_out_all(place, heartbeats, COUNT);
	assert_counts(place, "ann", COUNT, 0);
	assert_int_equal(stats_of(place, "ann").watched, COUNT);
	start_session(place, "ann", NOW + 6 + IDLE_MS);
	assert_counts(place, "ann", COUNT + 1, COUNT - COUNT / 10);
	assert_int_equal(stats_of(place, "ann").watched, COUNT / 10);
	assert_int_equal(stats_of(place, "ann").first_seen_ms, NOW + MINUTE_MS);
	free(starts);
	free(heartbeats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_write_of_the_user_settles, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(a_write_of_somebody_else_does_not, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(it_is_an_ended_one_then, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(the_first_operation_on_it_finds_it_ended, place_set_up,
						place_tear_down),
		cmocka_unit_test_setup_teardown(the_old_timeout_counts_before_it_is_changed, place_set_up,
						place_tear_down),
		cmocka_unit_test_setup_teardown(many_at_once, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests_name("settling", tests, NULL, NULL);
}
