/* Pages joined into sessions: domain/pages.h. */
#include "check.h"

#include "domain/pages.h"

static const int64_t START = INT64_C(1745755121000);
static const int64_t GAP = INT64_C(300000);

static struct page page_at(int64_t after_ms, int64_t for_ms, int64_t number, int64_t count)
{
	return (struct page){START + after_ms, START + after_ms + for_ms, number, count};
}

static void one_page_is_a_session(void **state)
{
	struct page page = page_at(0, 10000, 6, 8);
	struct session_facts facts;

	(void)state;
	pages_begin(&facts, &page);
	assert_true(facts.ended && !facts.seen && facts.reported);
	assert_int_equal(facts.start_ms, START);
	assert_int_equal(facts.end_ms, START + 10000);
	assert_true(facts.progress == 0.75);
	assert_int_equal(facts.progress_ms, START + 10000);
}

static void the_gap_is_from_the_end_to_the_next_start(void **state)
{
	const struct {
		int64_t gap_ms, after_ms;
		bool joined;
	} cases[] = {{GAP, 10000, true}, {GAP, 10000 + GAP, true}, {GAP, 10001 + GAP, false},
		     {0, 10000, true},   {0, 10001, false},        {0, 5000, true},
		     {GAP, 0, true},     {1, 10001, true},         {1, 10002, false}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct page first = page_at(0, 10000, 1, 8), next = page_at(cases[i].after_ms, 20000, 2, 8);
		struct session_facts facts, before;
		pages_begin(&facts, &first);
		before = facts;
		assert_int_equal(pages_join(&facts, &next, cases[i].gap_ms), cases[i].joined);
		assert_int_equal(facts.start_ms, START);
		assert_int_equal(facts.end_ms, cases[i].joined ? next.end_ms : before.end_ms);
		assert_true(facts.progress == (cases[i].joined ? 0.25 : 0.125));
	}
}

/* Two devices' rows in one file, or a clock that was set. */
static void a_page_within_another_does_not_end_the_session_sooner(void **state)
{
	struct page long_one = page_at(0, 60000, 3, 8), within = page_at(1000, 2000, 4, 8),
		    behind = page_at(360000, 0, 5, 8);
	struct session_facts facts;

	(void)state;
	pages_begin(&facts, &long_one);
	assert_true(pages_join(&facts, &within, GAP));
	assert_int_equal(facts.end_ms, START + 60000);
	assert_true(facts.progress == 0.5);
	assert_int_equal(facts.progress_ms, START + 3000);
	assert_true(pages_join(&facts, &behind, GAP));
	assert_int_equal(facts.end_ms, START + 360000);
}

static void progress_has_bounds_and_may_be_unknown(void **state)
{
	struct page unknown = page_at(0, 1000, 3, 0), beyond = page_at(1000, 1000, 9, 8),
		    again = page_at(2000, 1000, 1, 0);
	struct session_facts facts;

	(void)state;
	pages_begin(&facts, &unknown);
	assert_false(facts.reported);
	assert_true(pages_join(&facts, &beyond, GAP));
	assert_true(facts.progress == 1);
	assert_true(pages_join(&facts, &again, GAP));
	assert_true(facts.progress == 1);
	assert_int_equal(facts.progress_ms, START + 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_is_a_session),
		cmocka_unit_test(the_gap_is_from_the_end_to_the_next_start),
		cmocka_unit_test(a_page_within_another_does_not_end_the_session_sooner),
		cmocka_unit_test(progress_has_bounds_and_may_be_unknown),
	};

	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
