/* Ids: domain/uuid.h. */
#include "check.h"

#include "domain/uuid.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 100000, THREADS = 8, PER_THREAD = 20000, COUNTER_HALF = 1 << 11 };

static const int64_t NOW = INT64_C(1762778461000);

static int64_t ms_of(const struct uuid *uuid)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | uuid->bytes[i];
	return ms;
}

static uint64_t rand_b_of(const struct uuid *uuid)
{
	uint64_t bits = 0;

	for (int i = 8; i < 16; i++)
		bits = bits << 8 | uuid->bytes[i];
	return bits & (UINT64_MAX >> 2);
}

static int compare_uuids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void assert_no_two_alike(struct uuid *uuids, size_t count)
{
	qsort(uuids, count, sizeof *uuids, compare_uuids);
	for (size_t i = 1; i < count; i++)
		assert_true(compare_uuids(&uuids[i - 1], &uuids[i]) < 0);
}

static struct uuid made(struct uuid_source *source, int64_t now_ms)
{
	struct uuid uuid;

	assert_true(uuid_make(source, now_ms, &uuid));
	assert_int_equal(uuid.bytes[6] >> 4, 7); /* version */
	assert_int_equal(uuid.bytes[8] >> 6, 2); /* variant */
	return uuid;
}

static void carries_the_time(void **state)
{
	struct uuid_source source = UUID_SOURCE_INIT;
	static const int64_t times[] = {0, 1, 255, INT64_C(1762778461000), (INT64_C(1) << 48) - 1};

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct uuid uuid = made(&source, times[i]);
		assert_int_equal(ms_of(&uuid), times[i]);
	}
}

static void form_is_lower_case_and_comes_back(void **state)
{
	struct uuid_source source = UUID_SOURCE_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct uuid uuid = made(&source, NOW + i), back;
		char text[UUID_TEXT_SIZE];

		uuid_format(&uuid, text);
		for (int at = 0; at < UUID_TEXT_SIZE; at++) {
			if (at == 8 || at == 13 || at == 18 || at == 23)
				assert_int_equal(text[at], '-');
			else
				assert_true(isdigit((unsigned char)text[at]) || (text[at] >= 'a' && text[at] <= 'f'));
		}
		assert_int_equal(text[14], '7');
		assert_non_null(memchr("89ab", text[19], 4));
		assert_true(uuid_parse((struct text){text, sizeof text}, &back));
		assert_true(uuid_equal(&uuid, &back));
		for (int at = 0; at < UUID_TEXT_SIZE; at++)
			text[at] = (char)toupper((unsigned char)text[at]);
		assert_true(uuid_parse((struct text){text, sizeof text}, &back));
		assert_true(uuid_equal(&uuid, &back));
	}
}

static void other_forms_are_refused(void **state)
{
	static const char form[] = "0190a1b2-c3d4-7e5f-8a6b-0123456789ab";
	struct uuid back, before;

	(void)state;
	memset(before.bytes, 0x5A, sizeof before.bytes);
	back = before;
	assert_false(uuid_parse((struct text){NULL, 0}, &back));
	for (size_t size = 0; size < UUID_TEXT_SIZE; size++)
		assert_false(uuid_parse((struct text){form, size}, &back));
	assert_false(uuid_parse(text_of("{0190a1b2-c3d4-7e5f-8a6b-0123456789ab}"), &back));
	assert_false(uuid_parse(text_of("0190a1b2-c3d4-7e5f-8a6b-0123456789ab0"), &back));
	for (size_t at = 0; at < UUID_TEXT_SIZE; at++) {
		for (int c = 0; c < 256; c++) {
			char text[UUID_TEXT_SIZE];

			memcpy(text, form, sizeof text);
			text[at] = (char)c;
			bool right = form[at] == '-' ? c == '-' : isxdigit(c) != 0;
			back = before;
			assert_int_equal(uuid_parse((struct text){text, sizeof text}, &back), right);
			if (!right)
				assert_true(uuid_equal(&back, &before));
		}
	}
}

static void rise_while_the_clock_stands_still(void **state)
{
	struct uuid_source source = UUID_SOURCE_INIT;
	struct uuid last = made(&source, NOW);

	(void)state;
	for (int i = 1; i < MANY; i++) {
		struct uuid uuid = made(&source, NOW);
		assert_true(compare_uuids(&last, &uuid) < 0);
		last = uuid;
	}
	/* A millisecond has room for half of the counter at least, so the ids run ahead of the clock no further than that. */
	assert_true(ms_of(&last) <= NOW + MANY / COUNTER_HALF);
}

static void rise_while_the_clock_jumps(void **state)
{
	struct uuid_source source = UUID_SOURCE_INIT;
	struct uuid last = made(&source, NOW);
	uint64_t random = 1;

	(void)state;
	for (int i = 1; i < MANY; i++) {
		int64_t jump = (int64_t)random_below(&random, 4000) - 2000;
		struct uuid uuid = made(&source, random_below(&random, 100) ? NOW + jump : NOW + jump * 100000);
		assert_true(compare_uuids(&last, &uuid) < 0);
		last = uuid;
	}
}

static void rise_after_the_clock_was_set_back(void **state)
{
	struct uuid_source source = UUID_SOURCE_INIT;
	struct uuid last = made(&source, NOW);

	(void)state;
	for (int64_t now = NOW - 1; now > NOW - MANY; now--) {
		struct uuid uuid = made(&source, now);
		assert_true(compare_uuids(&last, &uuid) < 0);
		last = uuid;
	}
	struct uuid uuid = made(&source, 0);
	assert_true(compare_uuids(&last, &uuid) < 0);
}

static void nobody_guesses_the_neighbour(void **state)
{
	struct uuid_source source = UUID_SOURCE_INIT;
	uint64_t *bits = calloc(MANY, sizeof *bits);
	int set[62] = {0};

	(void)state;
	assert_non_null(bits);
	for (int i = 0; i < MANY; i++) {
		struct uuid uuid = made(&source, NOW);
		bits[i] = rand_b_of(&uuid);
		for (int bit = 0; bit < 62; bit++)
			set[bit] += (int)(bits[i] >> bit & 1);
	}
	/* Half of them, give or take: 10 standard deviations are 1,582. */
	for (int bit = 0; bit < 62; bit++)
		assert_in_range(set[bit], MANY / 2 - 1582, MANY / 2 + 1582);
	qsort(bits, MANY, sizeof *bits, compare_numbers);
	for (int i = 1; i < MANY; i++)
		assert_true(bits[i - 1] < bits[i]);
	free(bits);
}

struct maker {
	struct uuid_source *source;
	struct uuid uuids[PER_THREAD];
	bool rising;
};

static void *make_many(void *context)
{
	struct maker *maker = context;

	maker->rising = true;
	for (int i = 0; i < PER_THREAD; i++) {
		if (!uuid_make(maker->source, NOW + i / 1000, &maker->uuids[i]))
			return NULL;
		maker->rising &= i == 0 || compare_uuids(&maker->uuids[i - 1], &maker->uuids[i]) < 0;
	}
	return maker;
}

static void threads_never_get_the_same(void **state)
{
	struct uuid_source source = UUID_SOURCE_INIT;
	struct maker *makers = calloc(THREADS, sizeof *makers);
	struct uuid *all = calloc(THREADS * PER_THREAD, sizeof *all);
	pthread_t threads[THREADS];

	(void)state;
	assert_non_null(makers);
	assert_non_null(all);
	for (int i = 0; i < THREADS; i++) {
		makers[i].source = &source;
		assert_int_equal(pthread_create(&threads[i], NULL, make_many, &makers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *done;
		assert_int_equal(pthread_join(threads[i], &done), 0);
		assert_non_null(done);
		assert_true(makers[i].rising);
		memcpy(all + (size_t)i * PER_THREAD, makers[i].uuids, sizeof makers[i].uuids);
	}
	assert_no_two_alike(all, THREADS * PER_THREAD);
	free(makers);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_the_time),
		cmocka_unit_test(form_is_lower_case_and_comes_back),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(rise_while_the_clock_stands_still),
		cmocka_unit_test(rise_while_the_clock_jumps),
		cmocka_unit_test(rise_after_the_clock_was_set_back),
		cmocka_unit_test(nobody_guesses_the_neighbour),
		cmocka_unit_test(threads_never_get_the_same),
	};

	return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
