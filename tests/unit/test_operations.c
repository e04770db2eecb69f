/* What each operation requires, what it stores, and what becomes of one that is sent twice: store/operation.h. After every one of
 * them the sums must be those of the sessions. */
#include "place.h"

enum { MINUTE_MS = 60000 };

static const int64_t NOW = INT64_C(1762778461000);

/* Carry it out, look at the sums. */
static void assert_ends(struct place *place, const struct operation *operation, enum status status)
{
	struct stats stats;

	assert_carried_out(place, operation, status);
	if (find_stats(place, "ann", &stats) == STATUS_OK)
		assert_whole(place, "ann");
}

/* What must be there for each kind. */
static void users_and_sessions_are_required(void **state)
{
	static const enum operation_kind of_user[] = {OPERATION_START_SESSION, OPERATION_ADD_SESSION,
						      OPERATION_SET_DOCUMENT, OPERATION_SET_SETTINGS,
						      OPERATION_REMOVE_USER};
	static const enum operation_kind of_session[] = {OPERATION_HEARTBEAT, OPERATION_END_SESSION,
							 OPERATION_EDIT_SESSION, OPERATION_REMOVE_SESSION};
	struct place *place = *state;
	struct operation init = operation_of(place, OPERATION_INIT_USER, "ann", 1);

	for (size_t i = 0; i < sizeof of_user / sizeof of_user[0]; i++) {
		struct operation operation = operation_of(place, of_user[i], "ann", NOW);
		operation.description = &(const struct description){0};
		assert_ends(place, &operation, STATUS_NOT_FOUND);
	}
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof of_session / sizeof of_session[0]; i++) {
			struct operation operation = on_session(of_session[i], &init.id, NOW);
			assert_ends(place, &operation, STATUS_NOT_FOUND);
		}
		assert_ends(place, &init, STATUS_OK); /* the second time, too */
	}
	struct operation again = operation_of(place, OPERATION_INIT_USER, "ann", 600);
	assert_ends(place, &again, STATUS_CONFLICT);
	struct stats stats = stats_of(place, "ann");
	assert_true(uuid_equal(&stats.id, &init.id));
	assert_true(text_equal(zone_name_text(&stats.settings.timezone), text_of("UTC")));
}

static void another_ones_session_does_not_exist(void **state)
{
	static const enum operation_kind kinds[] = {OPERATION_HEARTBEAT, OPERATION_EDIT_SESSION, OPERATION_END_SESSION,
						    OPERATION_REMOVE_SESSION};
	struct place *place = *state;

	init_user(place, "ann");
	struct uuid id = start_session(place, "ann", NOW);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
			struct operation operation = on_session(kinds[i], &id, NOW + 1000);
			operation.restricted = true;
			operation.actor = named(round == 0 ? "bob" : "ann");
			assert_ends(place, &operation, round == 0 ? STATUS_NOT_FOUND : STATUS_OK);
		}
		assert_counts(place, "ann", round == 0 ? 1 : 0, 0);
	}
}

static void start(void **state)
{
	struct place *place = *state;
	struct operation start = operation_of(place, OPERATION_START_SESSION, "ann", NOW);

	init_user(place, "ann");
	init_user(place, "bob");
	assert_ends(place, &start, STATUS_OK);
	struct visit session = find_one(place, "ann", &start.id);
	assert_int_equal(session.facts.start_ms, NOW);
	assert_false(session.facts.ended || session.facts.seen || session.facts.reported);

	struct operation again = start;
	again.now_ms += 5000;
	again.library = named("elsewhere"); /* is not compared, and not taken */
	assert_ends(place, &again, STATUS_OK);
	session = find_one(place, "ann", &start.id);
	assert_true(identifier_equal(&session.library, &start.library));
	struct operation other = start;
	other.document = named("e");
	assert_ends(place, &other, STATUS_CONFLICT);
	other = start;
	other.user = named("bob");
	assert_ends(place, &other, STATUS_CONFLICT);
	assert_counts(place, "ann", 1, 0);
	assert_counts(place, "bob", 0, 0);

	struct operation end = on_session(OPERATION_END_SESSION, &start.id, NOW + 9000);
	assert_ends(place, &end, STATUS_OK);
	assert_ends(place, &again, STATUS_OK);
	assert_counts(place, "ann", 1, 1);
	struct operation remove = on_session(OPERATION_REMOVE_SESSION, &start.id, NOW + 9000);
	assert_ends(place, &remove, STATUS_OK);
	other.now_ms = NOW + 10000; /* now the id is free for anybody */
	assert_ends(place, &other, STATUS_OK);
	assert_counts(place, "bob", 1, 0);
}

/* The document that it was started with is remembered, through any number of edits. */
static void start_is_known_again_after_edits(void **state)
{
	struct place *place = *state;
	struct operation start = operation_of(place, OPERATION_START_SESSION, "ann", NOW), same = start;
	struct operation edit = on_session(OPERATION_EDIT_SESSION, &start.id, NOW + 1000);

	init_user(place, "ann");
	assert_ends(place, &start, STATUS_OK);
	edit.given = GIVEN_DOCUMENT;
	for (int i = 0; i < 3; i++) {
		static const char *const documents[] = {"e", "f", "d"};
		edit.document = named(documents[i]);
		assert_ends(place, &edit, STATUS_OK);
		struct visit session = find_one(place, "ann", &start.id);
		assert_true(identifier_equal(&session.document, &edit.document));
		assert_ends(place, &start, STATUS_OK);
		same.document = edit.document;
		assert_ends(place, &same, STATUS_OK);
		same.document = named("g");
		assert_ends(place, &same, STATUS_CONFLICT);
	}
	assert_counts(place, "ann", 1, 0);
}

static void heartbeat(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	struct uuid id = start_session(place, "ann", NOW);
	struct operation heartbeat = on_session(OPERATION_HEARTBEAT, &id, NOW + 1000);
	assert_ends(place, &heartbeat, STATUS_OK);
	struct session_facts facts = find_one(place, "ann", &id).facts;
	assert_true(facts.seen && !facts.reported);
	assert_int_equal(facts.last_seen_ms, NOW + 1000);
	assert_int_equal(stats_of(place, "ann").watched, 1);

	heartbeat.now_ms = NOW - 5000; /* the clock was set back */
	heartbeat.given = GIVEN_PROGRESS;
	heartbeat.progress = 0.25;
	assert_ends(place, &heartbeat, STATUS_OK);
	facts = find_one(place, "ann", &id).facts;
	assert_int_equal(facts.last_seen_ms, NOW + 1000);
	assert_true(facts.reported && facts.progress <= 0.25 && facts.progress >= 0.25);
	assert_int_equal(facts.progress_ms, NOW - 5000);

	heartbeat.now_ms = NOW + 2000;
	heartbeat.given = 0; /* the report stays */
	assert_ends(place, &heartbeat, STATUS_OK);
	assert_true(find_one(place, "ann", &id).facts.reported);
	assert_int_equal(stats_of(place, "ann").watched, 1);
	struct operation end = on_session(OPERATION_END_SESSION, &id, NOW + 3000);
	assert_ends(place, &end, STATUS_OK);
	assert_int_equal(stats_of(place, "ann").watched, 0);
	assert_ends(place, &heartbeat, STATUS_CONFLICT);
	assert_int_equal(find_one(place, "ann", &id).facts.last_seen_ms, NOW + 2000);
}

static void end_by_the_clock(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	struct uuid id = start_session(place, "ann", NOW), other = start_session(place, "ann", NOW);
	struct operation end = on_session(OPERATION_END_SESSION, &id, NOW + 1000);
	assert_ends(place, &end, STATUS_OK);
	assert_int_equal(find_one(place, "ann", &id).facts.end_ms, NOW + 1000);
	assert_ends(place, &end, STATUS_CONFLICT);
	end.repeated = true; /* only who does not know whether it was carried out may ask again */
	assert_ends(place, &end, STATUS_OK);
	end.now_ms++;
	assert_ends(place, &end, STATUS_CONFLICT);
	assert_counts(place, "ann", 2, 1);

	end = on_session(OPERATION_END_SESSION, &other, NOW - 1000); /* the clock was set back */
	end.given = GIVEN_PROGRESS;
	end.progress = 1;
	assert_ends(place, &end, STATUS_OK);
	struct session_facts facts = find_one(place, "ann", &other).facts;
	assert_int_equal(facts.end_ms, NOW);
	assert_true(facts.reported && facts.progress >= 1);
	end.repeated = true;
	assert_ends(place, &end, STATUS_OK);
	assert_int_equal(stats_of(place, "ann").ended_ms, 1000);
}

static void end_by_the_client(void **state)
{
	struct place *place = *state;
	const int64_t later = NOW + 10 * MINUTE_MS;

	init_user(place, "ann");
	struct uuid id = start_session(place, "ann", NOW);
	struct operation heartbeat = on_session(OPERATION_HEARTBEAT, &id, NOW + 9 * MINUTE_MS);
	assert_ends(place, &heartbeat, STATUS_OK);
	struct operation end = on_session(OPERATION_END_SESSION, &id, later);
	end.given = GIVEN_END;
	end.end_ms = NOW - 1;
	assert_ends(place, &end, STATUS_INVALID);
	end.end_ms = later + SESSION_AHEAD_MAX_MS + 1;
	assert_ends(place, &end, STATUS_INVALID);
	assert_counts(place, "ann", 1, 0);
	end.end_ms = NOW + 1; /* before the last heartbeat is all right */
	assert_ends(place, &end, STATUS_OK);
	assert_int_equal(find_one(place, "ann", &id).facts.end_ms, NOW + 1);
	end.now_ms += MINUTE_MS;
	assert_ends(place, &end, STATUS_OK);
	end.end_ms++;
	assert_ends(place, &end, STATUS_CONFLICT);
	end.given = 0;
	assert_ends(place, &end, STATUS_CONFLICT);
	assert_counts(place, "ann", 1, 1);
	assert_int_equal(stats_of(place, "ann").ended_ms, 1);

	struct uuid ahead = start_session(place, "ann", NOW);
	end = on_session(OPERATION_END_SESSION, &ahead, later);
	end.given = GIVEN_END;
	end.end_ms = later + SESSION_AHEAD_MAX_MS;
	assert_ends(place, &end, STATUS_OK);
	struct uuid empty = start_session(place, "ann", NOW);
	end = on_session(OPERATION_END_SESSION, &empty, later);
	end.given = GIVEN_END;
	end.end_ms = NOW;
	assert_ends(place, &end, STATUS_OK);
	assert_int_equal(stats_of(place, "ann").ended, 3);
}

static void add(void **state)
{
	struct place *place = *state;
	struct operation add = adding(place, "ann", NOW - 5000, NOW);

	init_user(place, "ann");
	init_user(place, "bob");
	add.now_ms = NOW;
	assert_ends(place, &add, STATUS_OK);
	assert_ends(place, &add, STATUS_OK);
	assert_counts(place, "ann", 1, 1);
	for (int i = 0; i < 5; i++) {
		struct operation other = add;
		switch (i) {
		case 0:
			other.user = named("bob");
			break;
		case 1:
			other.document = named("e");
			break;
		case 2:
			other.library = named("m");
			break;
		case 3:
			other.start_ms--;
			break;
		default:
			other.end_ms--;
			break;
		}
		assert_ends(place, &other, STATUS_CONFLICT);
	}
	struct operation bad = operation_of(place, OPERATION_ADD_SESSION, "ann", NOW);
	bad.start_ms = NOW;
	bad.end_ms = NOW - 1;
	assert_ends(place, &bad, STATUS_INVALID);
	bad.end_ms = NOW + SESSION_AHEAD_MAX_MS + 1;
	assert_ends(place, &bad, STATUS_INVALID);
	bad.end_ms--;
	assert_ends(place, &bad, STATUS_OK);
	bad = operation_of(place, OPERATION_ADD_SESSION, "ann", NOW);
	assert_ends(place, &bad, STATUS_OK); /* all of 1970-01-01T00:00 */
	bad.id = start_session(place, "ann", NOW);
	bad.start_ms = bad.end_ms = NOW;
	assert_ends(place, &bad, STATUS_CONFLICT); /* that one is open */
	assert_counts(place, "ann", 4, 3);
	assert_counts(place, "bob", 0, 0);
}

static void edit(void **state)
{
	struct place *place = *state;

	init_user(place, "ann");
	struct uuid id = start_session(place, "ann", NOW);
	struct operation heartbeat = on_session(OPERATION_HEARTBEAT, &id, NOW + 1000);
	assert_ends(place, &heartbeat, STATUS_OK);
	struct operation edit = on_session(OPERATION_EDIT_SESSION, &id, NOW + 2000);
	edit.given = GIVEN_END;
	edit.end_ms = NOW + 1500;
	assert_ends(place, &edit, STATUS_CONFLICT);
	edit.given = GIVEN_START;
	edit.start_ms = NOW + 2000 + SESSION_AHEAD_MAX_MS + 1;
	assert_ends(place, &edit, STATUS_INVALID);
	edit.start_ms = NOW + 1200; /* behind the last heartbeat */
	assert_ends(place, &edit, STATUS_OK);
	struct session_facts facts = find_one(place, "ann", &id).facts;
	assert_int_equal(facts.start_ms, NOW + 1200);
	assert_int_equal(facts.last_seen_ms, NOW + 1200);
	assert_false(facts.ended);

	struct operation end = on_session(OPERATION_END_SESSION, &id, NOW + 3000);
	assert_ends(place, &end, STATUS_OK);
	edit.start_ms = NOW + 3001;
	assert_ends(place, &edit, STATUS_INVALID);
	edit.given = GIVEN_END;
	edit.end_ms = NOW + 1199;
	assert_ends(place, &edit, STATUS_INVALID);
	edit.end_ms = NOW + 2000 + SESSION_AHEAD_MAX_MS + 1;
	assert_ends(place, &edit, STATUS_INVALID);
	edit.given = GIVEN_START | GIVEN_END | GIVEN_DOCUMENT;
	edit.start_ms = 0;
	edit.end_ms = 500;
	edit.document = named("e");
	for (int i = 0; i < 2; i++) { /* once more changes nothing */
		assert_ends(place, &edit, STATUS_OK);
		struct visit session = find_one(place, "ann", &id);
		assert_true(session.facts.start_ms == 0 && session.facts.end_ms == 500);
		assert_true(identifier_equal(&session.document, &edit.document));
		assert_int_equal(stats_of(place, "ann").ended_ms, 500);
	}
	assert_counts(place, "ann", 1, 1);
}

static void settings_are_changed_one_by_one(void **state)
{
	struct place *place = *state;
	struct operation set = operation_of(place, OPERATION_SET_SETTINGS, "ann", NOW);
	struct settings expected = settings_default();

	init_user(place, "ann");
	set.settings = (struct settings){{13, "Europe/Berlin"}, 240, 7, 3600, 120};
	for (unsigned which = SETTING_TIMEZONE; which <= SETTING_IDLE_TIMEOUT; which *= 2) {
		set.settings_given = which;
		settings_change(&expected, which, &set.settings);
		assert_ends(place, &set, STATUS_OK);
		place_reopen(place);
		struct settings found = stats_of(place, "ann").settings;
		assert_true(text_equal(zone_name_text(&found.timezone), zone_name_text(&expected.timezone)));
		assert_int_equal(found.day_start_minutes, expected.day_start_minutes);
		assert_int_equal(found.week_start, expected.week_start);
		assert_int_equal(found.daily_goal_seconds, expected.daily_goal_seconds);
		assert_int_equal(found.idle_timeout_seconds, expected.idle_timeout_seconds);
	}
	assert_int_equal(stats_of(place, "ann").settings.idle_timeout_seconds, 120);
}

enum { KINDS = 8 };

/* A random operation on one of the sessions; many are refused. */
static struct operation random_operation(struct place *place, uint64_t *random, struct uuid ids[8], int64_t *now_ms)
{
	static const enum operation_kind kinds[KINDS] = {
		OPERATION_START_SESSION, OPERATION_HEARTBEAT,      OPERATION_HEARTBEAT,   OPERATION_END_SESSION,
		OPERATION_EDIT_SESSION,  OPERATION_REMOVE_SESSION, OPERATION_ADD_SESSION, OPERATION_SET_SETTINGS};
	struct operation operation = operation_of(place, kinds[random_below(random, KINDS)], "ann", *now_ms);

	*now_ms += (int64_t)random_below(random, 5) * MINUTE_MS - MINUTE_MS / 2;
	if (operation.kind == OPERATION_START_SESSION || operation.kind == OPERATION_ADD_SESSION)
		ids[random_below(random, 8)] = operation.id;
	else
		operation.id = ids[random_below(random, 8)];
	operation.given = (unsigned)random_below(random, 16);
	operation.start_ms = NOW + (int64_t)random_below(random, 100) * MINUTE_MS;
	operation.end_ms = operation.start_ms + (int64_t)random_below(random, 20) * MINUTE_MS - MINUTE_MS;
	operation.progress = (double)random_below(random, 101) / 100;
	operation.settings_given = SETTING_IDLE_TIMEOUT;
	operation.settings.idle_timeout_seconds = 60 * (1 + (uint32_t)random_below(random, 20));
	return operation;
}

static void sums_are_right_whatever_happens(void **state)
{
	struct place *place = *state;
	struct uuid ids[8] = {0};
	int64_t now_ms = NOW;
	uint64_t random = 6;
	size_t done = 0;

	init_user(place, "ann");
	for (int i = 0; i < 1500; i++) {
		struct operation operation = random_operation(place, &random, ids, &now_ms);
		struct error error;
		done += store_write(place->store, &operation, NULL, &error) == STATUS_OK;
		assert_int_not_equal(error.status, STATUS_UNAVAILABLE);
		assert_whole(place, "ann");
	}
	assert_in_range(done, 500, 1400);
	assert_int_equal(totals_of(place).sessions, stats_of(place, "ann").sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(users_and_sessions_are_required, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(another_ones_session_does_not_exist, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(start, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(start_is_known_again_after_edits, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(heartbeat, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(end_by_the_clock, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(end_by_the_client, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(add, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(edit, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(settings_are_changed_one_by_one, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(sums_are_right_whatever_happens, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
