/* Fuzzing the records of the store and those in bulk. The first byte tells which, the rest is the record. What is read must be
 * written so that it reads the same. */
#include "fuzz.h"

#include "api/records.h"
#include "store/record.h"

#include <string.h>

static void fuzz_session(const uint8_t *data, size_t size)
{
	const struct uuid id = {{1}};
	struct session session, again;
	uint8_t value[SESSION_VALUE_MAX], value_again[SESSION_VALUE_MAX], key[BY_USER_KEY_MAX];
	struct session_entry entry;
	int version;

	if (!record_decode_session(&id, data, size, &session, &version))
		return;
	size_t written = record_encode_session(&session, value);
	FUZZ_CHECK(written <= sizeof value);
	FUZZ_CHECK(record_decode_session(&id, value, written, &again, NULL));
	FUZZ_CHECK(record_encode_session(&again, value_again) == written && memcmp(value, value_again, written) == 0);
	size_t key_size = record_encode_by_user(&session, version, key);
	size_t prefix_size = record_encode_user_prefix(identifier_text(&session.user), value_again);
	FUZZ_CHECK(key_size <= sizeof key && prefix_size < key_size && memcmp(key, value_again, prefix_size) == 0);
	FUZZ_CHECK(record_decode_by_user(key + prefix_size, key_size - prefix_size, &entry));
	FUZZ_CHECK(text_equal(entry.document, identifier_text(&session.document)));
	FUZZ_CHECK(record_by_user_version(key + prefix_size, key_size - prefix_size) == version);
}

static void fuzz_stats(const uint8_t *data, size_t size)
{
	struct stats stats, again;
	uint8_t value[STATS_VALUE_MAX], value_again[STATS_VALUE_MAX];

	if (!record_decode_stats(data, size, &stats, NULL))
		return;
	size_t written = record_encode_stats(&stats, value);
	FUZZ_CHECK(written <= sizeof value);
	FUZZ_CHECK(record_decode_stats(value, written, &again, NULL));
	FUZZ_CHECK(record_encode_stats(&again, value_again) == written && memcmp(value, value_again, written) == 0);
}

static void fuzz_description(const uint8_t *data, size_t size)
{
	struct description description, again;
	uint8_t value[DOCUMENT_VALUE_MAX], value_again[DOCUMENT_VALUE_MAX];

	if (!record_decode_description(data, size, &description))
		return;
	size_t written = record_encode_description(&description, value);
	FUZZ_CHECK(written <= sizeof value);
	FUZZ_CHECK(record_decode_description(value, written, &again));
	FUZZ_CHECK(record_encode_description(&again, value_again) == written &&
		   memcmp(value, value_again, written) == 0);
}

static void fuzz_totals(const uint8_t *data, size_t size)
{
	struct totals totals;
	uint8_t value[TOTALS_VALUE_SIZE];

	if (!record_decode_totals(data, size, &totals))
		return;
	record_encode_totals(&totals, value);
	FUZZ_CHECK(size == sizeof value && memcmp(value, data, size) == 0);
}

static void fuzz_by_user(const uint8_t *data, size_t size)
{
	struct session_entry entry;

	if (record_decode_by_user(data, size, &entry)) {
		FUZZ_CHECK(entry.document.size <= IDENTIFIER_MAX_BYTES && entry.library.size <= IDENTIFIER_MAX_BYTES);
		record_by_user_version(data, size);
	}
}

static void fuzz_bulk(const uint8_t *data, size_t size)
{
	struct text records = {(const char *)data, size};
	struct record_item item;
	bool taken = true;

	while (taken && records.size > 0) {
		size_t before = records.size;
		taken = records_take(&records, &item);
		FUZZ_CHECK(!taken || records.size < before);
		if (taken && item.kind == RECORD_SESSION)
			FUZZ_CHECK(text_is_utf8(identifier_text(&item.session.document)) &&
				   text_is_utf8(identifier_text(&item.session.library)));
		record_item_release(&item); /* also where it is none */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const uint8_t *, size_t) = {fuzz_session, fuzz_stats,   fuzz_description,
								 fuzz_totals,  fuzz_by_user, fuzz_bulk};

	if (size > 0)
		kinds[data[0] % (sizeof kinds / sizeof kinds[0])](data + 1, size - 1);
	return 0;
}
