/* Counters: which bucket takes what, what two processes share, and what becomes of a file of another layout. */
#include "base/metrics.h"

#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LAYOUT = 7 };

static char place[] = "/tmp/fs-metrics-XXXXXX";
static int folder = -1;

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(place));
	folder = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder < 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlinkat(folder, "metrics", 0);
	close(folder);
	return rmdir(place);
}

static struct metrics *open_empty(void)
{
	unlinkat(folder, "metrics", 0);
	struct metrics *metrics = metrics_open(folder, place, LAYOUT);
	assert_non_null(metrics);
	assert_true(metrics_shared(metrics));
	return metrics;
}

static uint64_t in_bucket(const struct metrics_times *times, int bucket)
{
	return atomic_load(&times->buckets[bucket]);
}

static void test_a_bound_is_in_its_bucket(void **state)
{
	(void)state;
	struct metrics *metrics = open_empty();
	const struct metrics_times *times = &metrics->requests[3].times;
	uint64_t sum = 0;

	for (int i = 0; i < METRICS_TIME_BUCKETS - 1; i++) {
		int64_t bound_ns = metrics_time_bounds_us[i] * 1000;
		metrics_count_request(metrics, 3, 0, bound_ns);
		metrics_count_request(metrics, 3, 0, bound_ns + 1);
		sum += 2 * (uint64_t)bound_ns + 1;
	}
	assert_int_equal(in_bucket(times, 0), 1);
	for (int i = 1; i < METRICS_TIME_BUCKETS - 1; i++)
		assert_int_equal(in_bucket(times, i), 2);
	assert_int_equal(in_bucket(times, METRICS_TIME_BUCKETS - 1), 1);
	assert_int_equal(atomic_load(&times->sum_ns), sum);
	metrics_count_request(metrics, 3, 0, -5);
	assert_int_equal(in_bucket(times, 0), 2);
	assert_int_equal(atomic_load(&times->sum_ns), sum);
	metrics_close(metrics);
}

static void test_requests_are_counted_by_kind_and_outcome(void **state)
{
	(void)state;
	struct metrics *metrics = open_empty();

	metrics_count_request(metrics, 0, 1, 0);
	metrics_count_request(metrics, METRICS_KINDS - 1, METRICS_OUTCOMES - 1, INT64_MAX);
	/* What there is no place for is not counted elsewhere. */
	metrics_count_request(metrics, METRICS_KINDS, 0, 0);
	metrics_count_request(metrics, 0, METRICS_OUTCOMES, 0);
	assert_int_equal(atomic_load(&metrics->requests[0].outcomes[1]), 1);
	assert_int_equal(in_bucket(&metrics->requests[0].times, 0), 1);
	assert_int_equal(atomic_load(&metrics->requests[METRICS_KINDS - 1].outcomes[METRICS_OUTCOMES - 1]), 1);
	assert_int_equal(in_bucket(&metrics->requests[METRICS_KINDS - 1].times, METRICS_TIME_BUCKETS - 1), 1);
	assert_int_equal(atomic_load(&metrics->commits.sizes[0]), 0);
	metrics_close(metrics);
}

static void test_commits(void **state)
{
	(void)state;
	struct metrics *metrics = open_empty();

	metrics_count_commit(metrics, 1, 10, true);
	metrics_count_commit(metrics, 2, 10, true);
	metrics_count_commit(metrics, 3, 10, true);
	metrics_count_commit(metrics, 513, 10, true);
	metrics_count_commit(metrics, 8, 10, false);
	assert_int_equal(atomic_load(&metrics->commits.sizes[0]), 1);
	assert_int_equal(atomic_load(&metrics->commits.sizes[1]), 1);
	assert_int_equal(atomic_load(&metrics->commits.sizes[2]), 1);
	assert_int_equal(atomic_load(&metrics->commits.sizes[METRICS_SIZE_BUCKETS - 1]), 1);
	assert_int_equal(atomic_load(&metrics->commits.operations), 519);
	assert_int_equal(atomic_load(&metrics->commits.failed), 1);
	assert_int_equal(atomic_load(&metrics->commits.times.sum_ns), 40);
	metrics_close(metrics);
}

static void test_nowhere(void **state)
{
	(void)state;
	metrics_count_request(NULL, 0, 0, 0);
	metrics_count_commit(NULL, 1, 0, true);
	assert_false(metrics_shared(NULL));
	metrics_close(NULL);
}

static void test_the_file_is_there_for_the_next_one(void **state)
{
	(void)state;
	struct metrics *metrics = open_empty();
	int64_t begun_ms = metrics->head.begun_ms;

	metrics_count_request(metrics, 1, 0, 0);
	metrics_close(metrics);
	metrics = metrics_open(folder, place, LAYOUT);
	assert_int_equal(atomic_load(&metrics->requests[1].outcomes[0]), 1);
	assert_true(metrics->head.begun_ms == begun_ms && begun_ms > 0);
	metrics_close(metrics);
	metrics = metrics_open(folder, place, LAYOUT + 1);
	assert_true(metrics_shared(metrics));
	assert_int_equal(atomic_load(&metrics->requests[1].outcomes[0]), 0);
	metrics_close(metrics);
}

static void test_without_a_folder_it_counts_alone(void **state)
{
	(void)state;
	struct metrics *metrics = metrics_open(-1, "nowhere", LAYOUT);

	assert_non_null(metrics);
	assert_false(metrics_shared(metrics));
	metrics_count_request(metrics, 1, 0, 0);
	assert_int_equal(atomic_load(&metrics->requests[1].outcomes[0]), 1);
	metrics_close(metrics);
}

enum { ALONE = 2 };

/* One of many processes that come at once: counts one request in the file that all of them want to make; ALONE where it waits in vain for
 * another one that does. */
static void be_one_of_many(int gate)
{
	char byte;

	if (read(gate, &byte, 1) != 0)
		_exit(1);
	struct metrics *metrics = metrics_open(folder, place, LAYOUT);
	metrics_count_request(metrics, 1, 0, 0);
	_exit(metrics_shared(metrics) ? 0 : ALONE);
}

static void test_many_make_it_at_once(void **state)
{
	enum { ROUNDS = 25, PROCESSES = 16 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int gate[2], outcome;
		unlinkat(folder, "metrics", 0);
		assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
		for (int i = 0; i < PROCESSES; i++) {
			pid_t child = fork();
			assert_true(child >= 0);
			if (child == 0) {
				close(gate[1]);
				be_one_of_many(gate[0]);
			}
		}
		close(gate[0]);
		close(gate[1]);
		unsigned alone = 0;
		for (int i = 0; i < PROCESSES; i++) {
			assert_true(wait(&outcome) > 0);
			assert_true(WIFEXITED(outcome) && (WEXITSTATUS(outcome) == 0 || WEXITSTATUS(outcome) == ALONE));
			alone += WEXITSTATUS(outcome) == ALONE;
		}
		struct metrics *metrics = metrics_open(folder, place, LAYOUT);
		assert_true(metrics_shared(metrics));
		assert_int_equal(atomic_load(&metrics->requests[1].outcomes[0]), PROCESSES - alone);
		assert_int_equal(faccessat(folder, "metrics.new", F_OK, 0), -1);
		metrics_close(metrics);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bound_is_in_its_bucket),
		cmocka_unit_test(test_requests_are_counted_by_kind_and_outcome),
		cmocka_unit_test(test_commits),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_the_file_is_there_for_the_next_one),
		cmocka_unit_test(test_without_a_folder_it_counts_alone),
		cmocka_unit_test(test_many_make_it_at_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
