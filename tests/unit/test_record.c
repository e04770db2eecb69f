/* The records of sessions, and their keys in the indexes: store/record.h. */
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

/* Which facts a session has, as bits. */
enum { ENDED = 1, SEEN = 2, REPORTED = 4, MOVED = 8, ALL_FACTS = 15 };

static struct session session_of(size_t size, int64_t start_ms, unsigned facts)
{
	struct session session = {
		.id = uuid_of(0xA5),
		.user = identifier_of_size(size, 'u'),
		.document = identifier_of_size(size, 'd'),
		.library = identifier_of_size(size, 'l'),
		.facts = {.start_ms = start_ms,
			  .ended = facts & ENDED,
			  .seen = facts & SEEN,
			  .reported = facts & REPORTED},
	};

	if (facts & MOVED)
		session.started = identifier_of_size(size, 's');
	if (facts & ENDED)
		session.facts.end_ms = start_ms;
	if (facts & SEEN)
		session.facts.last_seen_ms = start_ms / 2 + 3;
	if (facts & REPORTED) {
		session.facts.progress = 0.1;
		session.facts.progress_ms = start_ms / 3 + 5;
	}
	return session;
}

static uint8_t *put_id(uint8_t *to, const struct identifier *id)
{
	*to++ = id->size;
	memcpy(to, id->data, id->size);
	return to + id->size;
}

/* A value as version 1 wrote it: doc/schema.md. */
static size_t encode_session_1(const struct session *session, uint8_t value[SESSION_VALUE_MAX])
{
	uint8_t *to = value;

	*to++ = 1;
	*to++ = session->facts.ended;
	to = put_number(to, (uint64_t)session->facts.start_ms);
	to = put_number(to, session->facts.ended ? (uint64_t)session->facts.end_ms : 0);
	to = put_id(put_id(put_id(to, &session->user), &session->document), &session->library);
	return (size_t)(to - value);
}

/* Decode from a copy that ends where the record ends, so that a sanitizer sees every byte read beyond it. */
static bool decode_session_copy(const uint8_t *value, size_t size, struct session *session, int *version)
{
	struct uuid id = uuid_of(0xA5);
	uint8_t *copy = copy_of(value, size);

	memset(session, 0xEE, sizeof *session); /* nothing that was there before may show */
	bool decoded = record_decode_session(&id, copy, size, session, version);
	free(copy);
	return decoded;
}

static bool decode_by_user_copy(const uint8_t *rest, size_t size)
{
	struct session_entry entry;
	uint8_t *copy = copy_of(rest, size);

	bool decoded = record_decode_by_user(copy, size, &entry);
	record_by_user_version(copy, size);
	free(copy);
	return decoded;
}

static void assert_same_facts(const struct session_facts *a, const struct session_facts *b)
{
	assert_int_equal(a->start_ms, b->start_ms);
	assert_int_equal(a->ended, b->ended);
	assert_int_equal(a->end_ms, b->end_ms);
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->last_seen_ms, b->last_seen_ms);
	assert_int_equal(a->reported, b->reported);
	assert_memory_equal(&a->progress, &b->progress, sizeof a->progress);
	assert_int_equal(a->progress_ms, b->progress_ms);
}

static void assert_same_id(const struct identifier *a, const struct identifier *b)
{
	assert_true(text_equal(identifier_text(a), identifier_text(b)));
}

static void assert_same_session(const struct session *a, const struct session *b)
{
	assert_true(uuid_equal(&a->id, &b->id));
	assert_same_id(&a->user, &b->user);
	assert_same_id(&a->document, &b->document);
	assert_same_id(&a->library, &b->library);
	assert_same_id(&a->started, &b->started);
	assert_same_facts(&a->facts, &b->facts);
}

static const size_t sizes[] = {1, 2, 127, 128, 254, 255};
static const int64_t instants[] = {0, 1, 255, 256, INT64_C(1762778461000), INT64_C(253402300799999), INT64_MAX};

enum { SIZES = sizeof sizes / sizeof sizes[0], INSTANTS = sizeof instants / sizeof instants[0] };
enum { COMBINATIONS = SIZES * INSTANTS * (ALL_FACTS + 1) };

static struct session combination(int i)
{
	return session_of(sizes[i % SIZES], instants[i / SIZES % INSTANTS], (unsigned)(i / SIZES / INSTANTS));
}

static void session_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < COMBINATIONS; i++) {
		struct session session = combination(i), back;
		uint8_t value[SESSION_VALUE_MAX];
		int version = 0;

		session.user.data[0] = (char)0xF4; /* any byte may be in there */
		size_t size = record_encode_session(&session, value);
		assert_in_range(size, 1, SESSION_VALUE_MAX);
		assert_true(decode_session_copy(value, size, &back, &version));
		assert_int_equal(version, RECORD_VERSION);
		assert_same_session(&session, &back);
	}
}

static void session_of_version_1_is_read(void **state)
{
	(void)state;
	for (int i = 0; i < SIZES * INSTANTS * 2; i++) {
		struct session session = combination(i), back;
		uint8_t value[SESSION_VALUE_MAX];
		int version = 0;

		size_t size = encode_session_1(&session, value);
		assert_true(decode_session_copy(value, size, &back, &version));
		assert_int_equal(version, 1);
		assert_same_session(&session, &back);
		for (size_t less = 0; less < size; less++)
			assert_false(decode_session_copy(value, less, &back, NULL));
		value[1] |= SEEN | REPORTED | MOVED; /* meant nothing then */
		assert_true(decode_session_copy(value, size, &back, NULL));
		assert_same_session(&session, &back);
	}
}

static void progress_keeps_every_bit(void **state)
{
	static const double portions[] = {0, 1, 0.5, 1.0 / 3, 0.1 + 0.2, 5e-324, 0x1.fffffffffffffp-1};

	(void)state;
	for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
		struct session session = session_of(3, instants[4], REPORTED), back;
		uint8_t value[SESSION_VALUE_MAX];

		session.facts.progress = portions[i];
		assert_true(decode_session_copy(value, record_encode_session(&session, value), &back, NULL));
		assert_same_session(&session, &back);
	}
}

static void progress_out_of_its_bounds_is_refused(void **state)
{
	static const uint64_t bits[] = {
		UINT64_C(0x3FF0000000000001), /* right above 1 */
		UINT64_C(0xBFF0000000000000), /* -1 */
		UINT64_C(0x8000000000000001), /* right below 0 */
		UINT64_C(0x7FF0000000000000), /* infinity */
		UINT64_C(0x7FF8000000000000), /* not a number */
	};

	(void)state;
	for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
		struct session session = session_of(3, instants[4], REPORTED), back;
		uint8_t value[SESSION_VALUE_MAX], key[BY_USER_KEY_MAX];

		size_t size = record_encode_session(&session, value);
		put_number(value + 10, bits[i]);
		assert_false(decode_session_copy(value, size, &back, NULL));
		size = record_encode_by_user(&session, RECORD_VERSION, key);
		put_number(key + 4 + 25, bits[i]);
		assert_false(decode_by_user_copy(key + 4, size - 4));
	}
}

static void longest_records_fit_exactly(void **state)
{
	struct session session = session_of(IDENTIFIER_MAX_BYTES, INT64_MAX, ALL_FACTS);
	uint8_t value[SESSION_VALUE_MAX], key[BY_USER_KEY_MAX];

	(void)state;
	assert_int_equal(record_encode_session(&session, value), SESSION_VALUE_MAX);
	assert_int_equal(record_encode_by_user(&session, RECORD_VERSION, key), BY_USER_KEY_MAX);
	assert_true(BY_USER_KEY_MAX < 1007); /* from there on a key goes to pages of its own */
	assert_true(DOCUMENT_KEY_MAX < 1007);
}

static void session_of_another_size_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < COMBINATIONS; i++) {
		struct session session = combination(i), back;
		uint8_t value[SESSION_VALUE_MAX + 1] = {0};
		size_t size = record_encode_session(&session, value);

		for (size_t less = 0; less < size; less++)
			assert_false(decode_session_copy(value, less, &back, NULL));
		assert_false(decode_session_copy(value, size + 1, &back, NULL));
	}
}

static void session_of_another_version_is_refused(void **state)
{
	struct session session = session_of(8, instants[4], ALL_FACTS), back;
	uint8_t value[SESSION_VALUE_MAX];
	size_t size = record_encode_session(&session, value);

	(void)state;
	for (int version = 0; version < 256; version++) {
		value[0] = (uint8_t)version;
		assert_int_equal(decode_session_copy(value, size, &back, NULL), version == RECORD_VERSION);
	}
}

static void empty_identifiers_are_refused(void **state)
{
	(void)state;
	for (int which = 0; which < 3; which++) {
		struct session session = session_of(1, instants[4], 0), back;
		struct identifier *ids[] = {&session.user, &session.document, &session.library};
		uint8_t value[SESSION_VALUE_MAX];

		ids[which]->size = 0;
		assert_false(decode_session_copy(value, record_encode_session(&session, value), &back, NULL));
		assert_false(decode_session_copy(value, encode_session_1(&session, value), &back, NULL));
	}
}

/* Instants are 63 bits; each of those of a record is looked at. */
static void instants_beyond_the_range_are_refused(void **state)
{
	static const size_t places[] = {2, 10, 18, 34}; /* start, end, last seen, when progress was told */
	struct session session = session_of(1, instants[4], ENDED | SEEN | REPORTED), back;
	uint8_t value[SESSION_VALUE_MAX];

	(void)state;
	size_t size = record_encode_session(&session, value);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		value[places[i]] |= 0x80;
		assert_false(decode_session_copy(value, size, &back, NULL));
		value[places[i]] &= 0x7F;
		assert_true(decode_session_copy(value, size, &back, NULL));
	}
}

static void key_tells_what_lists_need(void **state)
{
	(void)state;
	for (int i = 0; i < COMBINATIONS; i++) {
		struct session session = combination(i);
		uint8_t key[BY_USER_KEY_MAX], prefix[USER_PREFIX_MAX], place[BY_USER_KEY_MAX];
		struct session_entry entry;
		bool had_version_1 = i < SIZES * INSTANTS * 2; /* no facts but an end */

		size_t skip = record_encode_user_prefix(identifier_text(&session.user), prefix);
		assert_int_equal(skip, session.user.size + 1);
		for (int version = had_version_1 ? 1 : 2; version <= RECORD_VERSION; version++) {
			size_t size = record_encode_by_user(&session, version, key);
			assert_in_range(size, 1, BY_USER_KEY_MAX);
			assert_memory_equal(key, prefix, skip);
			assert_int_equal(record_by_user_version(key + skip, size - skip), version);
			memset(&entry, 0xEE, sizeof entry);
			assert_true(record_decode_by_user(key + skip, size - skip, &entry));
			assert_true(uuid_equal(&entry.id, &session.id));
			assert_same_facts(&entry.facts, &session.facts);
			assert_true(text_equal(entry.document, identifier_text(&session.document)));
			assert_true(text_equal(entry.library, identifier_text(&session.library)));
			for (size_t less = 0; less < size - skip; less++)
				assert_false(decode_by_user_copy(key + skip, less));
		}
		size_t size =
			record_encode_position(identifier_text(&session.user), session.facts.start_ms, NULL, place);
		assert_int_equal(size, skip + 8);
		assert_memory_equal(key, place, size);
		size = record_encode_position(identifier_text(&session.user), session.facts.start_ms, &session.id,
					      place);
		assert_int_equal(size, skip + 8 + 16);
		assert_memory_equal(key, place, size);
	}
}

/* The keys that version 1 wrote must stay what they were: they are looked up when their session changes. */
static void key_of_version_1_is_as_it_was(void **state)
{
	static const uint8_t expected[] = {'u',  0,    0,    0,    1,    0x9A, 0x6E, 0x09, 0x0A, 0x88, 0xA5, 0xA5, 0xA5,
					   0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5,
					   1,    0,    0,    1,    0x9A, 0x6E, 0x09, 0x0E, 0x70, 1,    'd',  1,    'l'};
	struct session session = session_of(1, INT64_C(0x19A6E090A88), ENDED);
	uint8_t key[BY_USER_KEY_MAX];

	(void)state;
	session.facts.end_ms = INT64_C(0x19A6E090E70);
	assert_int_equal(record_encode_by_user(&session, 1, key), sizeof expected);
	assert_memory_equal(key, expected, sizeof expected);
}

static void key_with_more_behind_it_is_refused(void **state)
{
	struct session session = session_of(3, instants[4], ENDED);
	uint8_t key[BY_USER_KEY_MAX + 1] = {0};

	(void)state;
	for (int version = 1; version <= RECORD_VERSION; version++) {
		size_t size = record_encode_by_user(&session, version, key);
		key[size] = 0;
		assert_true(decode_by_user_copy(key + 4, size - 4));
		assert_false(decode_by_user_copy(key + 4, size - 3));
	}
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
		order = (a->facts.start_ms > b->facts.start_ms) - (a->facts.start_ms < b->facts.start_ms);
	return order != 0 ? order : memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

/* Users that are one another's beginnings, instants that differ in any byte, ids that differ little, any facts. */
static struct session random_session(uint64_t *random)
{
	static const unsigned char bytes[] = {0x20, 'a', 'b', 0xC3, 0xFF};
	struct session session =
		session_of(1 + random_below(random, 4), 0, (unsigned)random_below(random, ALL_FACTS + 1));

	for (size_t i = 0; i < session.user.size; i++)
		session.user.data[i] = (char)bytes[random_below(random, sizeof bytes)];
	session.facts.start_ms = (int64_t)(random_below(random, 3) << 8 * random_below(random, 7));
	if (session.facts.ended)
		session.facts.end_ms = session.facts.start_ms + (int64_t)random_below(random, 1000);
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
		/* A store that was brought up to this schema has keys of both versions. */
		size_t a_size = record_encode_by_user(&a, 1 + i % 2, a_key);
		size_t b_size = record_encode_by_user(&b, 1 + i / 2 % 2, b_key);
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
		uint8_t key[BY_USER_KEY_MAX], prefix[USER_PREFIX_MAX];
		size_t key_size = record_encode_by_user(&a, RECORD_VERSION, key);
		size_t size = record_encode_user_prefix(identifier_text(&b.user), prefix);

		assert_int_equal(size <= key_size && memcmp(key, prefix, size) == 0,
				 identifier_equal(&a.user, &b.user));
	}
}

/* What a damaged file may hold: none of it may be read past its end, and what decodes must be within the bounds. */
static void random_bytes_do_no_harm(void **state)
{
	uint64_t random = 3;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct session session;
		uint8_t value[96];
		size_t size = random_below(&random, sizeof value);

		for (size_t at = 0; at < size; at++)
			value[at] = (uint8_t)(random_below(&random, 4) ? random_below(&random, 12)
								       : random_below(&random, 256));
		if (decode_session_copy(value, size, &session, NULL)) {
			assert_true(session.facts.start_ms >= 0 && session.facts.end_ms >= 0);
			assert_true(session.facts.last_seen_ms >= 0 && session.facts.progress_ms >= 0);
			assert_true(session.facts.progress >= 0 && session.facts.progress <= 1);
			assert_true(session.user.size > 0 && session.document.size > 0 && session.library.size > 0);
		}
		decode_by_user_copy(value, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_comes_back),
		cmocka_unit_test(session_of_version_1_is_read),
		cmocka_unit_test(progress_keeps_every_bit),
		cmocka_unit_test(progress_out_of_its_bounds_is_refused),
		cmocka_unit_test(longest_records_fit_exactly),
		cmocka_unit_test(session_of_another_size_is_refused),
		cmocka_unit_test(session_of_another_version_is_refused),
		cmocka_unit_test(empty_identifiers_are_refused),
		cmocka_unit_test(instants_beyond_the_range_are_refused),
		cmocka_unit_test(key_tells_what_lists_need),
		cmocka_unit_test(key_of_version_1_is_as_it_was),
		cmocka_unit_test(key_with_more_behind_it_is_refused),
		cmocka_unit_test(keys_sort_by_user_start_and_id),
		cmocka_unit_test(prefix_is_of_one_user_alone),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
