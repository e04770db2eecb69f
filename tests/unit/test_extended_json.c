/* Values of MongoDB's Extended JSON, and times of other programs: tool/extended_json.h, tool/foreign_time.h. */
#include "check.h"

#include "domain/instant.h"
#include "tool/extended_json.h"
#include "tool/foreign_time.h"

static const int64_t NOW = INT64_C(1762778461123); /* 2025-11-10T12:41:01.123Z */

/* NULL for null, as in an object. */
static json_object *parsed(const char *json)
{
	enum json_tokener_error problem;
	json_object *value = json_tokener_parse_verbose(json, &problem);

	assert_int_equal(problem, json_tokener_success);
	return value;
}

static enum status read_instant(const char *json, int64_t *ms, struct error *error)
{
	json_object *value = parsed(json);
	enum status status = extended_instant(value, "startTime", ms, error);

	json_object_put(value);
	return status;
}

static void instants(void **state)
{
	static const struct {
		const char *json;
		int64_t ms;
	} cases[] = {
		/* Version 2, relaxed and canonical. */
		{"{\"$date\":\"2025-11-10T12:41:01.123Z\"}", NOW},
		{"{\"$date\":\"2025-11-10T12:41:01Z\"}", NOW - 123},
		{"{\"$date\":\"2025-11-10T12:41:01.1Z\"}", NOW - 23},
		{"{\"$date\":{\"$numberLong\":\"1762778461123\"}}", NOW},
		{"{\"$date\":{\"$numberLong\":\"0\"}}", 0},
		{"{\"$date\":{\"$numberLong\":\"253402300799999\"}}", INSTANT_MAX_MS},
		{"{\"$date\":{\"$numberInt\":\"5\"}}", 5},
		/* Version 1. */
		{"{\"$date\":1762778461123}", NOW},
		{"{\"$date\":\"2025-11-10T13:41:01.123+0100\"}", NOW},
		{"{\"$date\":\"2025-11-10T07:41:01.123-0500\"}", NOW},
		{"{\"$date\":\"2025-11-10T12:41:01.123+0000\"}", NOW},
		{"{\"$date\":\"2025-11-10T18:26:01.123+05:45\"}", NOW},
		{"{\"$date\":\"2025-11-10T14:41:01.123+02\"}", NOW},
		/* What a server may have stored instead. */
		{"\"2025-11-10T12:41:01.123Z\"", NOW},
		{"\"2025-11-10 13:41:01.123+01:00\"", NOW},
		{"1762778461123", NOW},
		{"1762778461123.0", NOW},
		{"1.762778461123e12", NOW},
		{"{\"$numberLong\":\"1762778461123\"}", NOW},
		{"{\"$numberDouble\":\"1762778461123.0\"}", NOW},
		{"{\"$numberDouble\":\"1.762778461123E+12\"}", NOW},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error error;
		int64_t ms = -1;
		assert_int_equal(read_instant(cases[i].json, &ms, &error), STATUS_OK);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void no_instants(void **state)
{
	static const struct {
		const char *json, *reason;
	} cases[] = {
		{"null", "startTime: is missing, and no date, text or number"},
		{"{\"$timestamp\":{\"t\":1762778461,\"i\":1}}",
		 "startTime: is $timestamp, and no date, text or number"},
		{"{\"$oid\":\"5d505646cf6d4fe581014ab2\"}", "startTime: is $oid, and no date, text or number"},
		{"{\"$date\":null}", "startTime: is $date, and no date, text or number"},
		{"{\"$date\":true}", "startTime: is $date, and no date, text or number"},
		{"{\"$date\":\"2025-11-10T12:41:01Z\",\"x\":1}", "startTime: is $date, and no date, text or number"},
		{"{\"$date\":{\"$numberLong\":\"12 \"}}", "startTime: is $date, and no date, text or number"},
		{"{\"$date\":{\"$numberLong\":\" 12\"}}", "startTime: is $date, and no date, text or number"},
		{"{\"$date\":{\"$numberLong\":\"\"}}", "startTime: is $date, and no date, text or number"},
		{"{\"$date\":{\"$numberLong\":\"9223372036854775808\"}}",
		 "startTime: is $date, and no date, text or number"},
		{"{\"$date\":{\"$numberLong\":\"12\\u0000\"}}", "startTime: is $date, and no date, text or number"},
		{"{\"$date\":{\"$numberLong\":12}}", "startTime: is $date, and no date, text or number"},
		{"{\"$numberDouble\":\"NaN\"}", "startTime: is $numberDouble, and no date, text or number"},
		{"{\"$numberDouble\":\"Infinity\"}", "startTime: is $numberDouble, and no date, text or number"},
		{"{\"$numberDecimal\":\"12\"}", "startTime: is $numberDecimal, and no date, text or number"},
		{"1762778461123.5", "startTime: is double, and no date, text or number"},
		{"true", "startTime: is boolean, and no date, text or number"},
		{"[]", "startTime: is array, and no date, text or number"},
		{"{}", "startTime: is object, and no date, text or number"},
		{"{\"a\":1}", "startTime: is object, and no date, text or number"},
		{"{\"$date\":{\"$numberLong\":\"-1\"}}", "startTime: -1 ms is not within 1970 to 9999"},
		{"{\"$date\":-62135596800000}", "startTime: -62135596800000 ms is not within 1970 to 9999"},
		{"{\"$date\":{\"$numberLong\":\"253402300800000\"}}",
		 "startTime: 253402300800000 ms is not within 1970 to 9999"},
		{"99999999999999999999", "startTime: 9223372036854775807 ms is not within 1970 to 9999"},
		{"{\"$date\":\"1969-12-31T23:59:59.999Z\"}",
		 "startTime: '1969-12-31T23:59:59.999Z' is no instant of 1970 to 9999 as RFC 3339 writes it"},
		{"\"2025-11-10T12:41:01\"",
		 "startTime: '2025-11-10T12:41:01' has no offset from UTC, as 2025-11-10T12:41:01Z has"},
		{"\"2025-11-10 12:41:01.5\"",
		 "startTime: '2025-11-10 12:41:01.5' has no offset from UTC, as 2025-11-10T12:41:01Z has"},
		{"\"2025-11-10\"", "startTime: '2025-11-10' is no instant of 1970 to 9999 as RFC 3339 writes it"},
		{"\"Mon Nov 10 2025 07:41:01 GMT-0500\"",
		 "startTime: 'Mon Nov 10 2025 07:41:01 GMT-0500' is no instant of 1970 to 9999 as RFC 3339 writes it"},
		{"\"\"", "startTime: must not be empty"},
		{"\"2025-11-10T12:41:01Z\\u001b[2J\"", "startTime: is no instant as RFC 3339 writes it"},
		{"\"\\u00e9\"", "startTime: is no instant as RFC 3339 writes it"},
		{"\"2025-11-10T12:41:01Z\\u0000\"", "startTime: is no instant as RFC 3339 writes it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error error;
		int64_t ms = -5;
		assert_int_equal(read_instant(cases[i].json, &ms, &error), STATUS_INVALID);
		assert_string_equal(error.text, cases[i].reason);
		assert_int_equal(ms, -5);
	}
}

/* Texts of every length up to beyond the longest, cut from and made of the characters that instants have. */
static void texts_like_instants(void **state)
{
	static const char characters[] = "0123456789-+:.TZ ";
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char whole[80] = "2025-11-10T12:41:01.123456789123456789123456789123456789+01:00";
		size_t size = random_below(&random, sizeof whole);
		for (size_t at = random_below(&random, 4); at > 0; at--)
			whole[random_below(&random, sizeof whole)] =
				characters[random_below(&random, sizeof characters - 1)];
		char *copy = copy_of(whole, size);
		struct error error;
		int64_t ms = -1, exact = -1;
		bool right = instant_parse((struct text){copy, size}, &exact);
		enum status status = foreign_time_read((struct text){copy, size}, "t", &ms, &error);
		if (right && size <= 64)
			assert_int_equal(status, STATUS_OK);
		if (status == STATUS_OK && right)
			assert_int_equal(ms, exact);
		if (status != STATUS_OK)
			assert_int_equal(ms, -1);
		free(copy);
	}
}

static void assert_id(const char *json, const char *expected)
{
	json_object *value = parsed(json);
	char text[UUID_TEXT_SIZE + 1] = "";
	struct error error;
	struct uuid id;

	assert_int_equal(extended_id(value, "_id", &id, &error), STATUS_OK);
	uuid_format(&id, text);
	assert_string_equal(text, expected);
	json_object_put(value);
}

static void ids(void **state)
{
	static const char uuid[] = "c8edabc3-f738-4ca3-b68d-ab92a91478a3";

	(void)state;
	assert_id("\"c8edabc3-f738-4ca3-b68d-ab92a91478a3\"", uuid);
	assert_id("\"C8EDABC3-F738-4CA3-B68D-AB92A91478A3\"", uuid);
	assert_id("{\"$uuid\":\"c8edabc3-f738-4ca3-b68d-ab92a91478a3\"}", uuid);
	assert_id("{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqRR4ow==\",\"subType\":\"04\"}}", uuid);
	assert_id("{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqRR4ow==\",\"subType\":\"4\"}}", uuid);
	assert_id("{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqRR4ow==\",\"subType\":\"03\"}}", uuid);
	assert_id("{\"$binary\":\"yO2rw/c4TKO2jauSqRR4ow==\",\"$type\":\"04\"}", uuid);
	assert_id("{\"$binary\":\"yO2rw/c4TKO2jauSqRR4ow==\",\"$type\":\"3\"}", uuid);
	/* python3: uuid.uuid5(uuid.UUID("e7dfee13-021b-402e-95d1-2e188c037fb6"), "5d505646cf6d4fe581014ab2") */
	assert_id("{\"$oid\":\"5d505646cf6d4fe581014ab2\"}", "dbb781c5-f23b-5cdb-96a5-76dcbd867627");
	assert_id("\"5d505646cf6d4fe581014ab2\"", "dbb781c5-f23b-5cdb-96a5-76dcbd867627");
	assert_id("\"session 1\"", "625bb84e-6bef-5640-be67-a503460d0d03");
	assert_id("{\"$numberLong\":\"17\"}", "62d2b990-4467-591f-9a8c-eb084cd3ff8d");
	assert_id("17", "62d2b990-4467-591f-9a8c-eb084cd3ff8d");
	assert_id("\"c8edabc3f7384ca3b68dab92a91478a3\"", "3b5f43ad-0b8b-526c-a2ee-3ccb043db445");
}

static void no_ids(void **state)
{
	static const char *const cases[] = {
		"null",
		"{}",
		"[]",
		"true",
		"1.5",
		"\"\"",
		"\"a\\nb\"",
		"{\"$oid\":\"5d505646cf6d4fe581014ab\"}",
		"{\"$oid\":\"5d505646cf6d4fe581014abg\"}",
		"{\"$oid\":5}",
		"{\"$uuid\":\"c8edabc3\"}",
		"{\"$uuid\":5}",
		"{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqRR4ow==\",\"subType\":\"00\"}}",
		"{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqRR4\",\"subType\":\"04\"}}",
		"{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqRR4ow==\"}}",
		"{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqR!4ow==\",\"subType\":\"04\"}}",
		"{\"$binary\":{\"base64\":7,\"subType\":\"04\"}}",
		"{\"$binary\":\"yO2rw/c4TKO2jauSqRR4ow==\"}",
		"{\"$binary\":\"========================\",\"$type\":\"04\"}",
		"{\"$binary\":null,\"$type\":null}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_object *value = parsed(cases[i]);
		struct error error;
		struct uuid id;
		assert_int_equal(extended_id(value, "_id", &id, &error), STATUS_INVALID);
		assert_ptr_equal(strstr(error.text, "_id: "), error.text);
		json_object_put(value);
	}
}

static void identifiers(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"\"ann\"", "ann"},
		{"\"\\u00e9 \\ud83d\\udcda\"", "é 📚"},
		{"{\"$oid\":\"5d505646cf6d4fe581014ab2\"}", "5d505646cf6d4fe581014ab2"},
		{"{\"$uuid\":\"C8EDABC3-f738-4ca3-b68d-ab92a91478a3\"}", "c8edabc3-f738-4ca3-b68d-ab92a91478a3"},
		{"{\"$binary\":{\"base64\":\"yO2rw/c4TKO2jauSqRR4ow==\",\"subType\":\"04\"}}",
		 "c8edabc3-f738-4ca3-b68d-ab92a91478a3"},
		{"42", "42"},
		{"{\"$numberLong\":\"-42\"}", "-42"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_object *value = parsed(cases[i].json);
		struct identifier identifier;
		struct error error;
		assert_int_equal(extended_identifier(value, "user", &identifier, &error), STATUS_OK);
		assert_true(text_equal(identifier_text(&identifier), text_of(cases[i].text)));
		json_object_put(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instants), cmocka_unit_test(no_instants), cmocka_unit_test(texts_like_instants),
		cmocka_unit_test(ids),      cmocka_unit_test(no_ids),      cmocka_unit_test(identifiers),
	};

	return cmocka_run_group_tests_name("extended_json", tests, NULL, NULL);
}
