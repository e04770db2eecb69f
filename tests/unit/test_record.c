/* The records of the databases: store/record.h. */
#include "check.h"

#include "store/record.h"

#include <stdlib.h>
#include <string.h>

static struct identifier identifier_of_size(size_t size, char letter)
{
	struct identifier identifier = {.size = (uint8_t)size};

	memset(identifier.data, letter, size);
	return identifier;
}

static struct uuid uuid_of(uint8_t fill)
{
	struct uuid uuid;

	memset(uuid.bytes, fill, sizeof uuid.bytes);
	return uuid;
}

static struct session session_of(size_t size, int64_t start_ms, bool ended)
{
	return (struct session){
		.id = uuid_of(0xA5),
		.user = identifier_of_size(size, 'u'),
		.document = identifier_of_size(size, 'd'),
		.library = identifier_of_size(size, 'l'),
		.start_ms = start_ms,
		.end_ms = ended ? start_ms : 0,
		.ended = ended,
	};
}

/* Decode from a copy that ends where the record ends, so that a sanitizer sees every byte read beyond it. */
static bool decode_session_copy(const uint8_t *value, size_t size, struct session *session)
{
	struct uuid id = uuid_of(0xA5);
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, value, size);
	bool decoded = record_decode_session(&id, copy, size, session);
	free(copy);
	return decoded;
}

static bool decode_by_user_copy(const uint8_t *rest, size_t size)
{
	struct session_entry entry;
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, rest, size);
	bool decoded = record_decode_by_user(copy, size, &entry);
	free(copy);
	return decoded;
}

static void assert_same_session(const struct session *a, const struct session *b)
{
	assert_true(uuid_equal(&a->id, &b->id));
	assert_true(identifier_equal(&a->user, &b->user));
	assert_true(identifier_equal(&a->document, &b->document));
	assert_true(identifier_equal(&a->library, &b->library));
	assert_int_equal(a->start_ms, b->start_ms);
	assert_int_equal(a->ended, b->ended);
	if (a->ended)
		assert_int_equal(a->end_ms, b->end_ms);
}

static const size_t sizes[] = {1, 2, 127, 128, 254, 255};
static const int64_t instants[] = {0, 1, 255, 256, INT64_C(1762778461000), INT64_C(253402300799999), INT64_MAX};

enum { SIZES = sizeof sizes / sizeof sizes[0], INSTANTS = sizeof instants / sizeof instants[0] };

static void session_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES * INSTANTS * 2; i++) {
		struct session session =
			session_of(sizes[i % SIZES], instants[i / SIZES % INSTANTS], i / SIZES / INSTANTS == 1);
		struct session back;
		uint8_t value[SESSION_VALUE_MAX];

		session.user.data[0] = (char)0xF4; /* any byte may be in there */
		size_t size = record_encode_session(&session, value);
		assert_in_range(size, 1, SESSION_VALUE_MAX);
		assert_true(decode_session_copy(value, size, &back));
		assert_same_session(&session, &back);
	}
}

static void longest_session_fits_exactly(void **state)
{
	struct session session = session_of(IDENTIFIER_MAX_BYTES, INT64_MAX, true);
	uint8_t value[SESSION_VALUE_MAX], key[BY_USER_KEY_MAX];

	(void)state;
	assert_int_equal(record_encode_session(&session, value), SESSION_VALUE_MAX);
	assert_int_equal(record_encode_by_user(&session, key), BY_USER_KEY_MAX);
	assert_true(BY_USER_KEY_MAX <= 1006);
}

static void session_of_another_size_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES; i++) {
		struct session session = session_of(sizes[i], instants[4], true), back;
		uint8_t value[SESSION_VALUE_MAX + 1] = {0};
		size_t size = record_encode_session(&session, value);

		for (size_t less = 0; less < size; less++)
			assert_false(decode_session_copy(value, less, &back));
		assert_false(decode_session_copy(value, size + 1, &back));
	}
}

static void session_of_another_version_is_refused(void **state)
{
	struct session session = session_of(8, instants[4], true), back;
	uint8_t value[SESSION_VALUE_MAX];
	size_t size = record_encode_session(&session, value);

	(void)state;
	for (int version = 0; version < 256; version++) {
		value[0] = (uint8_t)version;
		assert_int_equal(decode_session_copy(value, size, &back), version == RECORD_VERSION);
	}
}

static void empty_identifier_is_refused(void **state)
{
	struct session session = session_of(1, instants[4], false), back;
	uint8_t value[SESSION_VALUE_MAX];

	(void)state;
	session.document.size = 0;
	assert_false(decode_session_copy(value, record_encode_session(&session, value), &back));
}

static void instant_beyond_the_range_is_refused(void **state)
{
	struct session session = session_of(1, 0, true), back;
	uint8_t value[SESSION_VALUE_MAX];

	(void)state;
	size_t size = record_encode_session(&session, value);
	value[2] = 0x80;
	assert_false(decode_session_copy(value, size, &back));
	value[2] = 0;
	value[10] = 0x80;
	assert_false(decode_session_copy(value, size, &back));
	value[10] = 0;
	assert_true(decode_session_copy(value, size, &back));
}

static bool decode_stats_copy(const uint8_t *value, size_t size, struct stats *stats)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, value, size);
	bool decoded = record_decode_stats(copy, size, stats);
	free(copy);
	return decoded;
}

static void stats_come_back(void **state)
{
	static const uint64_t counts[] = {0, 1, 0xFF, 0x100, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
	enum { COUNTS = sizeof counts / sizeof counts[0] };

	(void)state;
	for (int i = 0; i < COUNTS * COUNTS; i++) {
		struct stats stats = {uuid_of((uint8_t)i), counts[i % COUNTS], counts[i / COUNTS]}, back;
		uint8_t value[STATS_VALUE_SIZE];

		record_encode_stats(&stats, value);
		assert_true(decode_stats_copy(value, sizeof value, &back));
		assert_true(uuid_equal(&stats.id, &back.id));
		assert_true(stats.sessions == back.sessions && stats.ended == back.ended);
	}
}

static void stats_of_another_size_or_version_are_refused(void **state)
{
	struct stats stats = {uuid_of(7), 3, 2}, back;
	uint8_t value[STATS_VALUE_SIZE + 1] = {0};

	(void)state;
	record_encode_stats(&stats, value);
	for (size_t size = 0; size <= STATS_VALUE_SIZE + 1; size++)
		assert_int_equal(decode_stats_copy(value, size, &back), size == STATS_VALUE_SIZE);
	for (int version = 0; version < 256; version++) {
		value[0] = (uint8_t)version;
		assert_int_equal(decode_stats_copy(value, STATS_VALUE_SIZE, &back), version == RECORD_VERSION);
	}
}

static void key_tells_what_lists_need(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES * INSTANTS * 2; i++) {
		struct session session =
			session_of(sizes[i % SIZES], instants[i / SIZES % INSTANTS], i / SIZES / INSTANTS == 1);
		uint8_t key[BY_USER_KEY_MAX], prefix[IDENTIFIER_MAX_BYTES + 1];
		struct session_entry entry;

		size_t size = record_encode_by_user(&session, key);
		size_t skip = record_encode_by_user_prefix(identifier_text(&session.user), prefix);
		assert_int_equal(skip, session.user.size + 1);
		assert_memory_equal(key, prefix, skip);
		assert_true(record_decode_by_user(key + skip, size - skip, &entry));
		assert_true(uuid_equal(&entry.id, &session.id));
		assert_int_equal(entry.start_ms, session.start_ms);
		assert_int_equal(entry.ended, session.ended);
		if (session.ended)
			assert_int_equal(entry.end_ms, session.end_ms);
		assert_true(text_equal(entry.document, identifier_text(&session.document)));
		assert_true(text_equal(entry.library, identifier_text(&session.library)));
		for (size_t less = 0; less < size - skip; less++)
			assert_false(decode_by_user_copy(key + skip, less));
	}
}

static void key_with_more_behind_it_is_refused(void **state)
{
	struct session session = session_of(3, instants[4], true);
	uint8_t key[BY_USER_KEY_MAX + 1] = {0};

	(void)state;
	size_t size = record_encode_by_user(&session, key);
	assert_true(decode_by_user_copy(key + 4, size - 4));
	assert_false(decode_by_user_copy(key + 4, size - 3));
}

/* As the engine's btrees compare keys. */
static int compare_bytes(const void *a, size_t a_size, const void *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_sessions(const struct session *a, const struct session *b)
{
	int order = compare_bytes(a->user.data, a->user.size, b->user.data, b->user.size);

	if (order == 0)
		order = (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
	return order != 0 ? order : memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

/* Users that are one another's beginnings, instants that differ in any byte, ids that differ little. */
static struct session random_session(uint64_t *random)
{
	static const unsigned char bytes[] = {0x20, 'a', 'b', 0xC3, 0xFF};
	struct session session = session_of(1 + random_below(random, 4), 0, random_below(random, 2) == 1);

	for (size_t i = 0; i < session.user.size; i++)
		session.user.data[i] = (char)bytes[random_below(random, sizeof bytes)];
	session.start_ms = (int64_t)(random_below(random, 3) << 8 * random_below(random, 7));
	session.end_ms = session.start_ms + (int64_t)random_below(random, 1000);
	session.id.bytes[random_below(random, 16)] = (uint8_t)random_below(random, 256);
	return session;
}

static void keys_sort_by_user_start_and_id(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct session a = random_session(&random), b = random_session(&random);
		uint8_t a_key[BY_USER_KEY_MAX], b_key[BY_USER_KEY_MAX];
		size_t a_size = record_encode_by_user(&a, a_key), b_size = record_encode_by_user(&b, b_key);
		int order = compare_sessions(&a, &b);

		if (order != 0)
			assert_int_equal(sign(compare_bytes(a_key, a_size, b_key, b_size)), sign(order));
	}
}

static void prefix_is_of_one_user_alone(void **state)
{
	uint64_t random = 2;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct session a = random_session(&random), b = random_session(&random);
		uint8_t key[BY_USER_KEY_MAX], prefix[IDENTIFIER_MAX_BYTES + 1];
		size_t key_size = record_encode_by_user(&a, key);
		size_t size = record_encode_by_user_prefix(identifier_text(&b.user), prefix);

		assert_int_equal(size <= key_size && memcmp(key, prefix, size) == 0,
				 identifier_equal(&a.user, &b.user));
	}
}

/* What a damaged file may hold: none of it may be read past its end, and what decodes must be within the bounds. */
static void random_bytes_do_no_harm(void **state)
{
	uint64_t random = 3;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct session session;
		struct stats stats;
		uint8_t value[64];
		size_t size = random_below(&random, sizeof value);

		for (size_t at = 0; at < size; at++)
			value[at] = (uint8_t)(random_below(&random, 4) ? random_below(&random, 12)
								       : random_below(&random, 256));
		if (decode_session_copy(value, size, &session)) {
			assert_true(session.start_ms >= 0 && session.end_ms >= 0);
			assert_true(session.user.size > 0 && session.document.size > 0 && session.library.size > 0);
		}
		decode_stats_copy(value, size, &stats);
		decode_by_user_copy(value, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_comes_back),
		cmocka_unit_test(longest_session_fits_exactly),
		cmocka_unit_test(session_of_another_size_is_refused),
		cmocka_unit_test(session_of_another_version_is_refused),
		cmocka_unit_test(empty_identifier_is_refused),
		cmocka_unit_test(instant_beyond_the_range_is_refused),
		cmocka_unit_test(stats_come_back),
		cmocka_unit_test(stats_of_another_size_or_version_are_refused),
		cmocka_unit_test(key_tells_what_lists_need),
		cmocka_unit_test(key_with_more_behind_it_is_refused),
		cmocka_unit_test(keys_sort_by_user_start_and_id),
		cmocka_unit_test(prefix_is_of_one_user_alone),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
