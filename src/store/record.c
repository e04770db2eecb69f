/* Records as bytes; see record.h. */
#include "store/record.h"

#include <endian.h>
#include <string.h>

enum {
	FLAG_ENDED = 1,
	FLAG_SEEN = 2,
	FLAG_REPORTED = 4,
	FLAG_MOVED = 8,       /* only in values of sessions: it was started with another document */
	FLAG_VERSION_2 = 128, /* only in keys of sessions_by_user, which carry no version */
	FLAGS_OF_FACTS = FLAG_ENDED | FLAG_SEEN | FLAG_REPORTED,

	STATS_REMOVED = 1,
};

static uint8_t *put_u64(uint8_t *to, uint64_t value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof value);
	return to + sizeof value;
}

static uint8_t *put_small(uint8_t *to, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
	return to + bytes;
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

static uint8_t *put_identifier(uint8_t *to, const struct identifier *identifier)
{
	*to++ = identifier->size;
	return put_bytes(to, identifier->data, identifier->size);
}

/* Reads from the front of what is left; `bad` once something did not fit, and stays so. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static inline const uint8_t *take(struct reader *reader, size_t size)
{
	const uint8_t *taken = reader->at;

	if (reader->bad || (size_t)(reader->end - reader->at) < size) {
		reader->bad = true;
		return NULL;
	}
	reader->at += size;
	return taken;
}

static inline uint8_t take_u8(struct reader *reader)
{
	const uint8_t *from = take(reader, 1);

	return from ? *from : 0;
}

static uint64_t take_number(struct reader *reader, int bytes)
{
	const uint8_t *from = take(reader, (size_t)bytes);
	uint64_t value = 0;

	for (int i = 0; from && i < bytes; i++)
		value = value << 8 | from[i];
	return value;
}

static inline uint64_t take_u64(struct reader *reader)
{
	uint64_t value;
	const uint8_t *from = take(reader, sizeof value);

	if (!from)
		return 0;
	memcpy(&value, from, sizeof value);
	return be64toh(value);
}

static inline int64_t take_instant(struct reader *reader)
{
	uint64_t value = take_u64(reader);

	if (value > INT64_MAX)
		reader->bad = true;
	return reader->bad ? 0 : (int64_t)value;
}

static inline void take_uuid(struct reader *reader, struct uuid *uuid)
{
	const uint8_t *from = take(reader, sizeof uuid->bytes);

	if (from)
		memcpy(uuid->bytes, from, sizeof uuid->bytes);
}

static inline struct text take_text(struct reader *reader)
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

static inline bool complete(const struct reader *reader)
{
	return !reader->bad && reader->at == reader->end;
}

static inline struct reader reader_of(const void *data, size_t size)
{
	return (struct reader){data, (const uint8_t *)data + size, false};
}

/* A number from 0 to 1 as the bits of an IEEE 754 double. */
static uint8_t *put_portion(uint8_t *to, double portion)
{
	uint64_t bits;

	memcpy(&bits, &portion, sizeof bits);
	return put_u64(to, bits);
}

static inline double take_portion(struct reader *reader)
{
	uint64_t bits = take_u64(reader);
	double portion;

	memcpy(&portion, &bits, sizeof portion);
	if (!(portion >= 0 && portion <= 1))
		reader->bad = true;
	return reader->bad ? 0 : portion;
}

static uint8_t flags_of(const struct session_facts *facts)
{
	return (uint8_t)((facts->ended ? FLAG_ENDED : 0) | (facts->seen ? FLAG_SEEN : 0) |
			 (facts->reported ? FLAG_REPORTED : 0));
}

/* The facts behind the start, those that there are. */
static uint8_t *put_facts(uint8_t *to, const struct session_facts *facts)
{
	if (facts->ended)
		to = put_u64(to, (uint64_t)facts->end_ms);
	if (facts->seen)
		to = put_u64(to, (uint64_t)facts->last_seen_ms);
	if (facts->reported)
		to = put_u64(put_portion(to, facts->progress), (uint64_t)facts->progress_ms);
	return to;
}

static void take_facts(struct reader *reader, uint8_t flags, struct session_facts *facts)
{
	facts->ended = flags & FLAG_ENDED;
	facts->end_ms = facts->ended ? take_instant(reader) : 0;
	facts->seen = flags & FLAG_SEEN;
	facts->last_seen_ms = facts->seen ? take_instant(reader) : 0;
	facts->reported = flags & FLAG_REPORTED;
	facts->progress = facts->reported ? take_portion(reader) : 0;
	facts->progress_ms = facts->reported ? take_instant(reader) : 0;
}

/* Version 1 has an end in any case, and nothing else. */
static void take_facts_1(struct reader *reader, uint8_t flags, struct session_facts *facts)
{
	int64_t end_ms = take_instant(reader);
	bool ended = flags & FLAG_ENDED;

	*facts = (struct session_facts){.start_ms = facts->start_ms, .ended = ended, .end_ms = ended ? end_ms : 0};
}

size_t record_encode_session(const struct session *session, uint8_t value[SESSION_VALUE_MAX])
{
	uint8_t *to = value;

	*to++ = RECORD_VERSION;
	*to++ = (uint8_t)(flags_of(&session->facts) | (session->started.size > 0 ? FLAG_MOVED : 0));
	to = put_u64(to, (uint64_t)session->facts.start_ms);
	to = put_facts(to, &session->facts);
	to = put_identifier(to, &session->user);
	to = put_identifier(to, &session->document);
	to = put_identifier(to, &session->library);
	if (session->started.size > 0)
		to = put_identifier(to, &session->started);
	return (size_t)(to - value);
}

bool record_decode_session(const struct uuid *id, const void *value, size_t size, struct session *session, int *version)
{
	struct reader reader = reader_of(value, size);
	uint8_t found = take_u8(&reader);
	uint8_t flags = take_u8(&reader);

	if (found < 1 || found > RECORD_VERSION)
		return false;
	session->id = *id;
	session->facts.start_ms = take_instant(&reader);
	if (found == 1)
		take_facts_1(&reader, flags, &session->facts);
	else
		take_facts(&reader, flags, &session->facts);
	take_identifier(&reader, &session->user);
	take_identifier(&reader, &session->document);
	take_identifier(&reader, &session->library);
	session->started.size = 0;
	if (found > 1 && (flags & FLAG_MOVED))
		take_identifier(&reader, &session->started);
	if (version)
		*version = found;
	return complete(&reader);
}

size_t record_encode_stats(const struct stats *stats, uint8_t value[STATS_VALUE_MAX])
{
	const struct settings *settings = &stats->settings;
	uint8_t *to = value;

	*to++ = RECORD_VERSION;
	to = put_bytes(to, stats->id.bytes, sizeof stats->id.bytes);
	to = put_u64(to, stats->sessions);
	to = put_u64(to, stats->ended);
	to = put_u64(to, (uint64_t)stats->ended_ms);
	to = put_u64(to, (uint64_t)stats->longest_ms);
	to = put_u64(to, stats->watched);
	to = put_u64(to, (uint64_t)stats->first_seen_ms);
	*to++ = stats->removed ? STATS_REMOVED : 0;
	to = put_small(to, settings->day_start_minutes, 2);
	*to++ = settings->week_start;
	to = put_small(to, settings->daily_goal_seconds, 4);
	to = put_small(to, settings->idle_timeout_seconds, 4);
	*to++ = settings->timezone.size;
	to = put_bytes(to, settings->timezone.data, settings->timezone.size);
	return (size_t)(to - value);
}

static void take_settings(struct reader *reader, struct settings *settings)
{
	settings->day_start_minutes = (uint16_t)take_number(reader, 2);
	settings->week_start = take_u8(reader);
	settings->daily_goal_seconds = (uint32_t)take_number(reader, 4);
	settings->idle_timeout_seconds = (uint32_t)take_number(reader, 4);
	struct text timezone = take_text(reader);
	if (settings->day_start_minutes >= 24 * 60 || settings->week_start < 1 || settings->week_start > 7 ||
	    timezone.size > sizeof settings->timezone.data) {
		reader->bad = true;
		return;
	}
	settings->timezone.size = (uint8_t)timezone.size;
	if (timezone.size > 0)
		memcpy(settings->timezone.data, timezone.data, timezone.size);
}

bool record_decode_stats(const void *value, size_t size, struct stats *stats, int *version)
{
	struct reader reader = reader_of(value, size);
	uint8_t found = take_u8(&reader);

	if (found < 1 || found > RECORD_VERSION)
		return false;
	*stats = (struct stats){.settings = settings_default()};
	take_uuid(&reader, &stats->id);
	stats->sessions = take_u64(&reader);
	stats->ended = take_u64(&reader);
	if (found > 1) {
		stats->ended_ms = take_instant(&reader);
		stats->longest_ms = take_instant(&reader);
		stats->watched = take_u64(&reader);
		stats->first_seen_ms = take_instant(&reader);
		stats->removed = take_u8(&reader) & STATS_REMOVED;
		take_settings(&reader, &stats->settings);
	}
	if (version)
		*version = found;
	return complete(&reader);
}

size_t record_encode_user_prefix(struct text user, uint8_t prefix[USER_PREFIX_MAX])
{
	memcpy(prefix, user.data, user.size);
	prefix[user.size] = 0;
	return user.size + 1;
}

size_t record_encode_position(struct text user, int64_t start_ms, const struct uuid *id, uint8_t key[BY_USER_KEY_MAX])
{
	uint8_t *to = put_u64(key + record_encode_user_prefix(user, key), (uint64_t)start_ms);

	if (id)
		to = put_bytes(to, id->bytes, sizeof id->bytes);
	return (size_t)(to - key);
}

size_t record_encode_by_user(const struct session *session, int version, uint8_t key[BY_USER_KEY_MAX])
{
	const struct session_facts *facts = &session->facts;
	uint8_t *to = key + record_encode_position(identifier_text(&session->user), facts->start_ms, &session->id, key);

	if (version == 1) {
		*to++ = facts->ended ? FLAG_ENDED : 0;
		to = put_u64(to, (uint64_t)facts->end_ms);
	} else {
		*to++ = FLAG_VERSION_2 | flags_of(facts);
		to = put_facts(to, facts);
	}
	to = put_identifier(to, &session->document);
	to = put_identifier(to, &session->library);
	return (size_t)(to - key);
}

bool record_decode_by_user(const void *rest, size_t size, struct session_entry *entry)
{
	struct reader reader = reader_of(rest, size);

	entry->facts.start_ms = take_instant(&reader);
	take_uuid(&reader, &entry->id);
	uint8_t flags = take_u8(&reader);
	if (flags & FLAG_VERSION_2)
		take_facts(&reader, flags & FLAGS_OF_FACTS, &entry->facts);
	else
		take_facts_1(&reader, flags, &entry->facts);
	entry->document = take_text(&reader);
	entry->library = take_text(&reader);
	return complete(&reader);
}

int record_by_user_version(const void *rest, size_t size)
{
	enum { FLAGS_AT = 8 + 16 };

	return size > FLAGS_AT && ((const uint8_t *)rest)[FLAGS_AT] & FLAG_VERSION_2 ? 2 : 1;
}

size_t record_encode_description(const struct description *description, uint8_t value[DOCUMENT_VALUE_MAX])
{
	uint8_t *to = value;

	*to++ = DESCRIPTION_VERSION;
	to = put_small(to, description->title_size, 2);
	to = put_bytes(to, description->title, description->title_size);
	*to++ = description->author_count;
	for (int i = 0; i < description->author_count; i++)
		to = put_identifier(to, &description->authors[i]);
	return (size_t)(to - value);
}

bool record_decode_description(const void *value, size_t size, struct description *description)
{
	struct reader reader = reader_of(value, size);

	if (take_u8(&reader) != DESCRIPTION_VERSION)
		return false;
	size_t title_size = take_number(&reader, 2);
	const uint8_t *title = take(&reader, title_size);
	uint8_t authors = take_u8(&reader);
	if (reader.bad || title_size > TITLE_MAX_BYTES || authors > AUTHORS_MAX)
		return false;
	description->title_size = (uint16_t)title_size;
	memcpy(description->title, title, title_size);
	description->author_count = authors;
	for (int i = 0; i < authors; i++)
		take_identifier(&reader, &description->authors[i]);
	return complete(&reader);
}

void record_encode_totals(const struct totals *totals, uint8_t value[TOTALS_VALUE_SIZE])
{
	value[0] = TOTALS_VERSION;
	put_u64(put_u64(value + 1, totals->users), totals->sessions);
}

bool record_decode_totals(const void *value, size_t size, struct totals *totals)
{
	struct reader reader = reader_of(value, size);

	if (take_u8(&reader) != TOTALS_VERSION)
		return false;
	totals->users = take_u64(&reader);
	totals->sessions = take_u64(&reader);
	return complete(&reader);
}
