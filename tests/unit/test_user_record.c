/* The records of users, documents and totals: store/record.h. */
#include "check.h"

#include "store/record.h"

#include <stdlib.h>
#include <string.h>

static struct uuid uuid_of(uint8_t fill)
{
	struct uuid uuid;

	memset(uuid.bytes, fill, sizeof uuid.bytes);
	return uuid;
}

static bool same_settings(const struct settings *a, const struct settings *b)
{
	return text_equal(zone_name_text(&a->timezone), zone_name_text(&b->timezone)) &&
	       a->day_start_minutes == b->day_start_minutes && a->week_start == b->week_start &&
	       a->daily_goal_seconds == b->daily_goal_seconds && a->idle_timeout_seconds == b->idle_timeout_seconds;
}

static bool decode_stats_copy(const uint8_t *value, size_t size, struct stats *stats, int *version)
{
	uint8_t *copy = copy_of(value, size);

	memset(stats, 0xEE, sizeof *stats);
	bool decoded = record_decode_stats(copy, size, stats, version);
	free(copy);
	return decoded;
}

static struct stats some_stats(size_t zone_size)
{
	struct stats stats = {
		.id = uuid_of(7),
		.sessions = 9,
		.ended = 5,
		.ended_ms = 77777,
		.longest_ms = 44444,
		.watched = 2,
		.first_seen_ms = INT64_C(1762778461000),
		.settings = {.day_start_minutes = 1439,
			     .week_start = 7,
			     .daily_goal_seconds = GOAL_MAX_SECONDS,
			     .idle_timeout_seconds = IDLE_TIMEOUT_MAX_SECONDS},
	};

	stats.settings.timezone.size = (uint8_t)zone_size;
	memset(stats.settings.timezone.data, 'Z', zone_size);
	return stats;
}

static void stats_come_back(void **state)
{
	static const uint64_t counts[] = {0, 1, 0xFF, 0x100, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX};
	enum { COUNTS = sizeof counts / sizeof counts[0], FIELDS = 6 };

	(void)state;
	for (int i = 0; i < COUNTS * FIELDS * 2; i++) {
		struct stats stats = some_stats(1 + (size_t)i % ZONE_NAME_MAX_BYTES), back;
		uint64_t count = counts[i % COUNTS];
		uint8_t value[STATS_VALUE_MAX];
		int version = 0;

		switch (i / COUNTS % FIELDS) {
		case 0:
			stats.sessions = count;
			break;
		case 1:
			stats.ended = count;
			break;
		case 2:
			stats.ended_ms = (int64_t)count;
			break;
		case 3:
			stats.longest_ms = (int64_t)count;
			break;
		case 4:
			stats.watched = count;
			break;
		default:
			stats.first_seen_ms = (int64_t)count;
			break;
		}
		stats.removed = i / COUNTS / FIELDS == 1;
		assert_true(decode_stats_copy(value, record_encode_stats(&stats, value), &back, &version));
		assert_int_equal(version, RECORD_VERSION);
		assert_true(uuid_equal(&stats.id, &back.id));
		assert_true(stats.sessions == back.sessions && stats.ended == back.ended);
		assert_true(stats.ended_ms == back.ended_ms && stats.longest_ms == back.longest_ms);
		assert_true(stats.watched == back.watched && stats.first_seen_ms == back.first_seen_ms);
		assert_int_equal(stats.removed, back.removed);
		assert_true(same_settings(&stats.settings, &back.settings));
	}
}

static void stats_of_version_1_are_read(void **state)
{
	const struct settings defaults = settings_default();
	uint8_t value[1 + 16 + 8 + 8 + 1] = {1};
	struct stats back;
	int version = 0;

	(void)state;
	memset(value + 1, 0x5A, 16);
	put_number(put_number(value + 17, 300), 200);
	for (size_t size = 0; size <= sizeof value; size++)
		assert_int_equal(decode_stats_copy(value, size, &back, &version), size == 33);
	assert_true(decode_stats_copy(value, 33, &back, &version));
	assert_int_equal(version, 1);
	assert_true(back.sessions == 300 && back.ended == 200 && back.ended_ms == 0 && back.longest_ms == 0);
	assert_true(back.watched == 0 && back.first_seen_ms == 0 && !back.removed);
	assert_true(same_settings(&back.settings, &defaults));
}

static void stats_of_another_size_or_version_are_refused(void **state)
{
	struct stats stats = some_stats(ZONE_NAME_MAX_BYTES), back;
	uint8_t value[STATS_VALUE_MAX + 1] = {0};

	(void)state;
	assert_int_equal(record_encode_stats(&stats, value), STATS_VALUE_MAX);
	for (size_t size = 0; size <= STATS_VALUE_MAX + 1; size++)
		assert_int_equal(decode_stats_copy(value, size, &back, NULL), size == STATS_VALUE_MAX);
	for (int version = 0; version < 256; version++) {
		value[0] = (uint8_t)version;
		assert_int_equal(decode_stats_copy(value, STATS_VALUE_MAX, &back, NULL), version == RECORD_VERSION);
	}
}

static void settings_out_of_their_bounds_are_refused(void **state)
{
	enum { DAY_START_AT = 1 + 16 + 6 * 8 + 1, WEEK_START_AT = DAY_START_AT + 2, ZONE_AT = WEEK_START_AT + 9 };
	struct stats stats = some_stats(3), back;
	uint8_t value[STATS_VALUE_MAX + ZONE_NAME_MAX_BYTES], good[STATS_VALUE_MAX];
	size_t size = record_encode_stats(&stats, good);

	(void)state;
	for (int week_start = 0; week_start < 256; week_start++) {
		memcpy(value, good, size);
		value[WEEK_START_AT] = (uint8_t)week_start;
		assert_int_equal(decode_stats_copy(value, size, &back, NULL), week_start >= 1 && week_start <= 7);
	}
	for (int minutes = 1430; minutes < 1450; minutes++) {
		memcpy(value, good, size);
		value[DAY_START_AT] = (uint8_t)(minutes >> 8);
		value[DAY_START_AT + 1] = (uint8_t)minutes;
		assert_int_equal(decode_stats_copy(value, size, &back, NULL), minutes < 1440);
	}
	for (size_t zone_size = 0; zone_size < 100; zone_size++) {
		memcpy(value, good, size);
		value[ZONE_AT] = (uint8_t)zone_size;
		memset(value + ZONE_AT + 1, 'Z', zone_size);
		assert_int_equal(decode_stats_copy(value, ZONE_AT + 1 + zone_size, &back, NULL),
				 zone_size >= 1 && zone_size <= ZONE_NAME_MAX_BYTES);
	}
}

static void descriptions_come_back(void **state)
{
	static const size_t sizes[] = {1, 2, 127, 128, 254, 255};
	static const size_t titles[] = {0, 1, 255, 256, TITLE_MAX_BYTES};
	static const size_t counts[] = {0, 1, 2, AUTHORS_MAX};

	(void)state;
	for (size_t i = 0; i < 5 * 4 * 6; i++) {
		static struct description description, back;
		static uint8_t value[DOCUMENT_VALUE_MAX + 1];

		memset(&description, 0, sizeof description);
		memset(&back, 0xEE, sizeof back);
		description.title_size = (uint16_t)titles[i % 5];
		memset(description.title, 't', description.title_size);
		description.author_count = (uint8_t)counts[i / 5 % 4];
		for (int author = 0; author < description.author_count; author++) {
			struct identifier *one = &description.authors[author];
			one->size = (uint8_t)sizes[i / 20];
			memset(one->data, 'A' + author, one->size);
		}
		size_t size = record_encode_description(&description, value);
		assert_in_range(size, 4, DOCUMENT_VALUE_MAX);
		uint8_t *copy = copy_of(value, size);
		assert_true(record_decode_description(copy, size, &back));
		assert_int_equal(back.title_size, description.title_size);
		assert_memory_equal(back.title, description.title, description.title_size);
		assert_int_equal(back.author_count, description.author_count);
		for (int author = 0; author < description.author_count; author++)
			assert_true(text_equal(identifier_text(&back.authors[author]),
					       identifier_text(&description.authors[author])));
		copy[0] = DESCRIPTION_VERSION + 1;
		assert_false(record_decode_description(copy, size, &back));
		free(copy);
		for (size_t less = 0; less < size; less += 1 + size / 50) {
			copy = copy_of(value, less);
			assert_false(record_decode_description(copy, less, &back));
			free(copy);
		}
		assert_false(record_decode_description(value, size + 1, &back));
	}
}

static void descriptions_out_of_their_bounds_are_refused(void **state)
{
	static struct description back;
	static uint8_t value[DOCUMENT_VALUE_MAX + 2000] = {DESCRIPTION_VERSION};

	(void)state;
	for (size_t size = TITLE_MAX_BYTES - 1; size <= TITLE_MAX_BYTES + 1; size++) {
		value[1] = (uint8_t)(size >> 8);
		value[2] = (uint8_t)size;
		assert_int_equal(record_decode_description(value, 3 + size + 1, &back), size <= TITLE_MAX_BYTES);
	}
	for (size_t count = AUTHORS_MAX - 1; count <= AUTHORS_MAX + 1; count++) {
		value[1] = value[2] = 0;
		value[3] = (uint8_t)count;
		memset(value + 4, 1, 2 * count); /* of one byte each */
		assert_int_equal(record_decode_description(value, 4 + 2 * count, &back), count <= AUTHORS_MAX);
	}
	value[3] = 1;
	value[4] = 0;
	assert_false(record_decode_description(value, 5, &back)); /* an author without a name */
}

static void totals_come_back(void **state)
{
	const struct totals totals = {UINT64_C(0x0102030405060708), UINT64_MAX};
	uint8_t value[TOTALS_VALUE_SIZE + 1] = {0};
	struct totals back;

	(void)state;
	record_encode_totals(&totals, value);
	for (size_t size = 0; size <= TOTALS_VALUE_SIZE + 1; size++)
		assert_int_equal(record_decode_totals(value, size, &back), size == TOTALS_VALUE_SIZE);
	assert_true(record_decode_totals(value, TOTALS_VALUE_SIZE, &back));
	assert_true(back.users == totals.users && back.sessions == totals.sessions);
	value[0] = TOTALS_VERSION + 1;
	assert_false(record_decode_totals(value, TOTALS_VALUE_SIZE, &back));
}

/* What a damaged file may hold: none of it may be read past its end, and what decodes must be within the bounds. */
static void random_bytes_do_no_harm(void **state)
{
	uint64_t random = 4;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		static struct description description;
		struct totals totals;
		struct stats stats;
		uint8_t value[STATS_VALUE_MAX];
		size_t size = random_below(&random, sizeof value);

		for (size_t at = 0; at < size; at++)
			value[at] = (uint8_t)(random_below(&random, 4) ? random_below(&random, 12)
								       : random_below(&random, 256));
		if (decode_stats_copy(value, size, &stats, NULL))
			assert_true(stats.settings.timezone.size > 0 && stats.settings.week_start <= 7);
		uint8_t *copy = copy_of(value, size);
		if (record_decode_description(copy, size, &description))
			assert_true(description.author_count <= AUTHORS_MAX &&
				    description.title_size <= TITLE_MAX_BYTES);
		record_decode_totals(copy, size, &totals);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stats_come_back),
		cmocka_unit_test(stats_of_version_1_are_read),
		cmocka_unit_test(stats_of_another_size_or_version_are_refused),
		cmocka_unit_test(settings_out_of_their_bounds_are_refused),
		cmocka_unit_test(descriptions_come_back),
		cmocka_unit_test(descriptions_out_of_their_bounds_are_refused),
		cmocka_unit_test(totals_come_back),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests_name("user records", tests, NULL, NULL);
}
