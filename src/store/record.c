/* Records as bytes; see record.h. */
#include "store/record.h"

#include <string.h>

enum { FLAG_ENDED = 1 };

static uint8_t *put_u64(uint8_t *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(value >> (56 - 8 * i));
	return to + 8;
}

static uint8_t *put_identifier(uint8_t *to, const struct identifier *identifier)
{
	*to++ = identifier->size;
	memcpy(to, identifier->data, identifier->size);
	return to + identifier->size;
}

/* Reads from the front of what is left; `bad` once something did not fit, and stays so. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static const uint8_t *take(struct reader *reader, size_t size)
{
	const uint8_t *taken = reader->at;

	if (reader->bad || (size_t)(reader->end - reader->at) < size) {
		reader->bad = true;
		return NULL;
	}
	reader->at += size;
	return taken;
}

static uint8_t take_u8(struct reader *reader)
{
	const uint8_t *from = take(reader, 1);

	return from ? *from : 0;
}

static uint64_t take_u64(struct reader *reader)
{
	const uint8_t *from = take(reader, 8);
	uint64_t value = 0;

	for (int i = 0; from && i < 8; i++)
		value = value << 8 | from[i];
	return value;
}

static int64_t take_instant(struct reader *reader)
{
	uint64_t value = take_u64(reader);

	if (value > INT64_MAX)
		reader->bad = true;
	return reader->bad ? 0 : (int64_t)value;
}

static void take_uuid(struct reader *reader, struct uuid *uuid)
{
	const uint8_t *from = take(reader, sizeof uuid->bytes);

	if (from)
		memcpy(uuid->bytes, from, sizeof uuid->bytes);
}

static struct text take_text(struct reader *reader)
{
	size_t size = take_u8(reader);
	const uint8_t *from = take(reader, size);

	if (size == 0)
		reader->bad = true;
	return from ? (struct text){(const char *)from, size} : (struct text){NULL, 0};
}

static void take_identifier(struct reader *reader, struct identifier *identifier)
{
	struct text text = take_text(reader);

	identifier->size = (uint8_t)text.size;
	if (text.size > 0)
		memcpy(identifier->data, text.data, text.size);
}

static bool complete(const struct reader *reader)
{
	return !reader->bad && reader->at == reader->end;
}

static struct reader reader_of(const void *data, size_t size)
{
	return (struct reader){data, (const uint8_t *)data + size, false};
}

size_t record_encode_session(const struct session *session, uint8_t value[SESSION_VALUE_MAX])
{
	uint8_t *to = value;

	*to++ = RECORD_VERSION;
	*to++ = session->ended ? FLAG_ENDED : 0;
	to = put_u64(to, (uint64_t)session->start_ms);
	to = put_u64(to, session->ended ? (uint64_t)session->end_ms : 0);
	to = put_identifier(to, &session->user);
	to = put_identifier(to, &session->document);
	to = put_identifier(to, &session->library);
	return (size_t)(to - value);
}

bool record_decode_session(const struct uuid *id, const void *value, size_t size, struct session *session)
{
	struct reader reader = reader_of(value, size);

	if (take_u8(&reader) != RECORD_VERSION)
		return false;
	session->id = *id;
	session->ended = take_u8(&reader) & FLAG_ENDED;
	session->start_ms = take_instant(&reader);
	session->end_ms = take_instant(&reader);
	take_identifier(&reader, &session->user);
	take_identifier(&reader, &session->document);
	take_identifier(&reader, &session->library);
	return complete(&reader);
}

void record_encode_stats(const struct stats *stats, uint8_t value[STATS_VALUE_SIZE])
{
	uint8_t *to = value;

	*to++ = RECORD_VERSION;
	memcpy(to, stats->id.bytes, sizeof stats->id.bytes);
	to = put_u64(to + sizeof stats->id.bytes, stats->sessions);
	put_u64(to, stats->ended);
}

bool record_decode_stats(const void *value, size_t size, struct stats *stats)
{
	struct reader reader = reader_of(value, size);

	if (take_u8(&reader) != RECORD_VERSION)
		return false;
	take_uuid(&reader, &stats->id);
	stats->sessions = take_u64(&reader);
	stats->ended = take_u64(&reader);
	return complete(&reader);
}

size_t record_encode_by_user_prefix(struct text user, uint8_t prefix[IDENTIFIER_MAX_BYTES + 1])
{
	memcpy(prefix, user.data, user.size);
	prefix[user.size] = 0;
	return user.size + 1;
}

size_t record_encode_by_user(const struct session *session, uint8_t key[BY_USER_KEY_MAX])
{
	uint8_t *to = key + record_encode_by_user_prefix(identifier_text(&session->user), key);

	to = put_u64(to, (uint64_t)session->start_ms);
	memcpy(to, session->id.bytes, sizeof session->id.bytes);
	to += sizeof session->id.bytes;
	*to++ = session->ended ? FLAG_ENDED : 0;
	to = put_u64(to, session->ended ? (uint64_t)session->end_ms : 0);
	to = put_identifier(to, &session->document);
	to = put_identifier(to, &session->library);
	return (size_t)(to - key);
}

bool record_decode_by_user(const void *rest, size_t size, struct session_entry *entry)
{
	struct reader reader = reader_of(rest, size);

	entry->start_ms = take_instant(&reader);
	take_uuid(&reader, &entry->id);
	entry->ended = take_u8(&reader) & FLAG_ENDED;
	entry->end_ms = take_instant(&reader);
	entry->document = take_text(&reader);
	entry->library = take_text(&reader);
	return complete(&reader);
}
