/* UUIDs; see uuid.h. */
#include "domain/uuid.h"

#include <endian.h>
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

/* The eight hexadecimal digits of four bytes, all at once: each half of a byte in a byte of its own, '0' added, and 39 more, up to 'a',
 * where it is above 9. */
static uint64_t digits_of(const uint8_t from[4])
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint32_t bytes;

	memcpy(&bytes, from, sizeof bytes);
	uint64_t digits = le32toh(bytes);
	digits = (digits | digits << 16) & UINT64_C(0x0000FFFF0000FFFF);
	digits = (digits | digits << 8) & UINT64_C(0x00FF00FF00FF00FF);
	digits = (digits >> 4 | digits << 8) & 0x0F * ones;
	return htole64(digits + '0' * ones + ((digits + 6 * ones) >> 4 & ones) * ('a' - '0' - 10));
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE])
{
	enum { HALF = 4 };
	uint64_t digits[4];

	for (size_t i = 0; i < 4; i++)
		digits[i] = digits_of(uuid->bytes + 4 * i);
	memcpy(text, &digits[0], 2 * HALF);
	text[8] = '-';
	memcpy(text + 9, &digits[1], HALF);
	text[13] = '-';
	memcpy(text + 14, (const char *)&digits[1] + HALF, HALF);
	text[18] = '-';
	memcpy(text + 19, &digits[2], HALF);
	text[23] = '-';
	memcpy(text + 24, (const char *)&digits[2] + HALF, HALF);
	memcpy(text + 28, &digits[3], 2 * HALF);
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
