/* UUIDs; see uuid.h. */
#include "domain/uuid.h"

#include <string.h>
#include <sys/random.h>

enum { COUNTER_LIMIT = 1 << 12 };

bool uuid_make(struct uuid_source *source, int64_t now_ms, struct uuid *uuid)
{
	uint8_t bytes[16], random[10];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return false;
	unsigned first = (unsigned)(random[8] << 8 | random[9]) % (COUNTER_LIMIT / 2);

	pthread_mutex_lock(&source->mutex);
	if (now_ms > source->last_ms) {
		source->last_ms = now_ms;
		source->counter = first;
	} else if (++source->counter == COUNTER_LIMIT) {
		source->last_ms++;
		source->counter = first;
	}
	uint64_t ms = (uint64_t)source->last_ms;
	unsigned counter = source->counter;
	pthread_mutex_unlock(&source->mutex);

	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	bytes[6] = (uint8_t)(0x70 | counter >> 8);
	bytes[7] = (uint8_t)counter;
	memcpy(bytes + 8, random, 8);
	bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F));
	memcpy(uuid->bytes, bytes, sizeof bytes);
	return true;
}

static bool hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

struct uuid uuid_following(const struct uuid *first, size_t steps)
{
	struct uuid id = *first;

	for (size_t i = sizeof id.bytes - 1; steps > 0 && i > 8; i--) {
		steps += id.bytes[i];
		id.bytes[i] = (uint8_t)steps;
		steps >>= 8;
	}
	return id;
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	size_t byte = 0;

	for (size_t i = 0; i < UUID_TEXT_SIZE;) {
		if (hyphen_at(i)) {
			text[i++] = '-';
			continue;
		}
		text[i++] = hex[uuid->bytes[byte] >> 4];
		text[i++] = hex[uuid->bytes[byte++] & 15];
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool uuid_parse(struct text text, struct uuid *uuid)
{
	struct uuid read;
	size_t byte = 0;

	if (text.size != UUID_TEXT_SIZE)
		return false;
	for (size_t i = 0; i < UUID_TEXT_SIZE;) {
		if (hyphen_at(i)) {
			if (text.data[i++] != '-')
				return false;
			continue;
		}
		int high = digit(text.data[i]), low = digit(text.data[i + 1]);
		if (high < 0 || low < 0)
			return false;
		read.bytes[byte++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	*uuid = read;
	return true;
}

int64_t uuid_time_ms(const struct uuid *uuid)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | uuid->bytes[i];
	return ms;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
