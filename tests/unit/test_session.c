/* When a session begins, is seen, reports and ends: domain/session.h. */
#include "check.h"

#include "domain/instant.h"
#include "domain/session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const int64_t NOW = INT64_C(1762778461000);
static const int64_t IDLE = INT64_C(600000);

static struct session_facts open_since(int64_t start_ms)
{
	return (struct session_facts){.start_ms = start_ms};
}

static struct session_facts seen_at(int64_t start_ms, int64_t last_seen_ms)
{
	return (struct session_facts){.start_ms = start_ms, .seen = true, .last_seen_ms = last_seen_ms};
}

static void only_a_heartbeat_that_is_long_past_ends_it(void **state)
{
	const struct {
		int64_t since_ms; /* the last heartbeat */
		bool over;
	} cases[] = {{0, false},       {1, false},         {IDLE - 1, false}, {IDLE, true},
		     {IDLE + 1, true}, {100 * IDLE, true}, {-5000, false}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct session_facts facts = seen_at(NOW - 1000 * IDLE, NOW - cases[i].since_ms), before = facts;
		assert_int_equal(session_is_over(&facts, NOW, IDLE), cases[i].over);
		assert_int_equal(session_settle(&facts, NOW, IDLE), cases[i].over);
		assert_int_equal(facts.ended, cases[i].over);
		if (cases[i].over)
			assert_int_equal(facts.end_ms, facts.last_seen_ms);
		assert_int_equal(facts.start_ms, before.start_ms);
		assert_int_equal(facts.last_seen_ms, before.last_seen_ms);
	}
	/* The timeout is the user's. */
	struct session_facts facts = seen_at(NOW - 1000, NOW - 70000);
	assert_true(session_is_over(&facts, NOW, 60000));
	assert_false(session_is_over(&facts, NOW, 80000));
}

static void without_a_heartbeat_it_stays_open(void **state)
{
	struct session_facts facts = open_since(0);

	(void)state;
	assert_false(session_is_over(&facts, NOW, IDLE));
	assert_false(session_settle(&facts, NOW, IDLE));
	assert_false(facts.ended);
}

static void an_ended_one_is_not_settled_again(void **state)
{
	struct session_facts facts = seen_at(1000, 2000);

	(void)state;
	session_end(&facts, 3000);
	assert_false(session_is_over(&facts, NOW, IDLE));
	assert_false(session_settle(&facts, NOW, IDLE));
	assert_int_equal(facts.end_ms, 3000);
}

static void stale_is_who_never_had_a_heartbeat_for_long(void **state)
{
	struct session_facts facts = open_since(NOW - SESSION_STALE_MS + 1);

	(void)state;
	assert_false(session_is_stale(&facts, NOW));
	assert_true(session_is_stale(&facts, NOW + 1));
	session_see(&facts, NOW);
	assert_false(session_is_stale(&facts, NOW + 2 * SESSION_STALE_MS));
	facts = open_since(0);
	assert_true(session_is_stale(&facts, NOW));
	session_end(&facts, NOW);
	assert_false(session_is_stale(&facts, NOW));
	facts = open_since(NOW + 5000);
	assert_false(session_is_stale(&facts, NOW));
}

static void the_clock_may_be_set_back(void **state)
{
	struct session_facts facts = open_since(NOW);

	(void)state;
	session_see(&facts, NOW - 1000);
	assert_true(facts.seen);
	assert_int_equal(facts.last_seen_ms, NOW);
	session_see(&facts, NOW + 500);
	assert_int_equal(facts.last_seen_ms, NOW + 500);
	session_see(&facts, NOW + 400);
	assert_int_equal(facts.last_seen_ms, NOW + 500);
	session_end(&facts, NOW - 1);
	assert_true(facts.ended);
	assert_int_equal(facts.end_ms, NOW);
	facts = open_since(NOW);
	session_end(&facts, NOW + 1);
	assert_int_equal(facts.end_ms, NOW + 1);
}

static void a_report_replaces_the_one_before(void **state)
{
	struct session_facts facts = open_since(NOW);

	(void)state;
	session_report(&facts, 0.75, NOW + 1000);
	session_report(&facts, 0.25, NOW + 2000); /* readers turn back, too */
	assert_true(facts.reported && !facts.seen && !facts.ended);
	assert_true(facts.progress <= 0.25 && facts.progress >= 0.25);
	assert_int_equal(facts.progress_ms, NOW + 2000);
}

static void a_client_s_times_have_bounds(void **state)
{
	const struct {
		int64_t start_ms, end_ms;
		const char *named; /* in the error; NULL where it is right */
	} cases[] = {
		{0, 0, NULL},
		{NOW, NOW, NULL},
		{NOW - 1, NOW, NULL},
		{0, NOW + SESSION_AHEAD_MAX_MS, NULL},
		{NOW + SESSION_AHEAD_MAX_MS, NOW + SESSION_AHEAD_MAX_MS, NULL},
		{0, NOW + SESSION_AHEAD_MAX_MS + 1, "endTime: is more than 5 minutes in the future"},
		{NOW, NOW - 1, "endTime: is before startTime"},
		{1, 0, "endTime: is before startTime"},
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum status status = session_check_end(cases[i].start_ms, cases[i].end_ms, NOW, &error);
		assert_int_equal(status, cases[i].named ? STATUS_INVALID : STATUS_OK);
		if (cases[i].named)
			assert_string_equal(error.text, cases[i].named);
	}
	assert_int_equal(session_check_start(0, NOW, &error), STATUS_OK);
	assert_int_equal(session_check_start(NOW + SESSION_AHEAD_MAX_MS, NOW, &error), STATUS_OK);
	assert_int_equal(session_check_start(NOW + SESSION_AHEAD_MAX_MS + 1, NOW, &error), STATUS_INVALID);
	assert_string_equal(error.text, "startTime: is more than 5 minutes in the future");
}

/* Facts that come from elsewhere. */
static void impossible_facts_are_named(void **state)
{
	const struct session_facts good = {.start_ms = NOW,
					   .ended = true,
					   .end_ms = NOW,
					   .seen = true,
					   .last_seen_ms = NOW,
					   .reported = true,
					   .progress = 1,
					   .progress_ms = NOW};
	const struct {
		struct session_facts facts;
		const char *named; /* NULL: these are possible */
	} cases[] = {
		{good, NULL},
		{{.start_ms = -1}, "startTime: is not in the years 1970 to 9999"},
		{{.start_ms = INSTANT_MAX_MS + 1}, "startTime: is not in the years 1970 to 9999"},
		{{.start_ms = NOW, .end_ms = -1}, NULL},
		{{.start_ms = 0, .ended = true, .end_ms = INSTANT_MAX_MS + 1},
		 "endTime: is not in the years 1970 to 9999"},
		{{.start_ms = NOW, .ended = true, .end_ms = NOW - 1}, "endTime: is before startTime"},
		{{.start_ms = NOW, .seen = true, .last_seen_ms = NOW - 1},
		 "lastSeen: is before startTime, or no instant"},
		{{.start_ms = NOW, .seen = true, .last_seen_ms = INSTANT_MAX_MS + 1},
		 "lastSeen: is before startTime, or no instant"},
		{{.start_ms = NOW, .reported = true, .progress = 1.5, .progress_ms = NOW},
		 "progress: must be a number from 0 to 1"},
		{{.start_ms = NOW, .reported = true, .progress = (double)NAN, .progress_ms = NOW},
		 "progress: must be a number from 0 to 1"},
		{{.start_ms = NOW, .reported = true, .progress_ms = -1},
		 "progressTime: is not in the years 1970 to 9999"},
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum status status = session_check_facts(&cases[i].facts, &error);
		assert_int_equal(status, cases[i].named ? STATUS_INVALID : STATUS_OK);
		if (cases[i].named)
			assert_string_equal(error.text, cases[i].named);
	}
}

/* Whatever comes in which order: no end and no last-seen before the start, last-seen never moves back. */
static void no_order_of_events_makes_a_negative_time(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct session_facts facts = open_since(NOW);
		for (int step = 0; step < 8 && !facts.ended; step++) {
			int64_t now_ms = NOW + (int64_t)random_below(&random, 4000000) - 2000000;
			int64_t seen_before = facts.seen ? facts.last_seen_ms : facts.start_ms;
			switch (random_below(&random, 4)) {
			case 0:
				session_end(&facts, now_ms);
				break;
			case 1:
				session_settle(&facts, now_ms, IDLE);
				break;
			default:
				session_see(&facts, now_ms);
			}
			assert_true(!facts.seen || facts.last_seen_ms >= seen_before);
			assert_true(!facts.ended || facts.end_ms >= facts.start_ms);
			assert_int_equal(facts.start_ms, NOW);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_heartbeat_that_is_long_past_ends_it),
		cmocka_unit_test(without_a_heartbeat_it_stays_open),
		cmocka_unit_test(an_ended_one_is_not_settled_again),
		cmocka_unit_test(stale_is_who_never_had_a_heartbeat_for_long),
		cmocka_unit_test(the_clock_may_be_set_back),
		cmocka_unit_test(a_report_replaces_the_one_before),
		cmocka_unit_test(a_client_s_times_have_bounds),
		cmocka_unit_test(impossible_facts_are_named),
		cmocka_unit_test(no_order_of_events_makes_a_negative_time),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
