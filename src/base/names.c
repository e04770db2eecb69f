/* Numbered texts; see names.h. */
#include "base/names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_CAPACITY = 32 };

void names_init(struct names *names)
{
	*names = (struct names){.bytes = BUFFER_INIT};
	/* Without random bytes yet, the seed is 0; that costs only time, and only where somebody means harm. */
	if (getrandom(&names->seed, sizeof names->seed, GRND_NONBLOCK) < 0)
		names->seed = 0;
}

void names_release(struct names *names)
{
	buffer_release(&names->bytes);
	free(names->ends);
	free(names->slots);
}

/* The halves of a word multiplied with each other. As the seed has made them unknown outside, nobody can tell what another text, or a
 * difference between two, makes of the sum (as in NH: Black and others, "UMAC", 1999). */
static uint64_t mixed(uint64_t word)
{
	return (word & UINT32_MAX) * (word >> 32);
}

/* Eight bytes at a time. */
static uint64_t hash(const struct names *names, struct text text)
{
	const uint64_t spread = UINT64_C(0x9E3779B97F4A7C15); /* odd, with bits all over */
	uint64_t value = text.size, word = 0;
	size_t last =
		text.size > sizeof word ? text.size - sizeof word : 0; /* the last eight may overlap those before */

	for (size_t at = 0; at < last; at += sizeof word) {
		memcpy(&word, text.data + at, sizeof word);
		value = value * spread + mixed(word ^ names->seed);
	}
	if (text.size >= sizeof word)
		memcpy(&word, text.data + last, sizeof word);
	else if (text.size > 0)
		memcpy(&word, text.data, text.size);
	value = (value * spread + mixed(word ^ names->seed)) * spread;
	return value ^ value >> 32; /* the table looks at the lower bits only */
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t *slot_of(const struct names *names, struct text text)
{
	size_t mask = names->slot_count - 1;

	for (size_t at = hash(names, text) & mask;; at = (at + 1) & mask) {
		uint32_t *slot = &names->slots[at];
		if (*slot == 0 || text_equal(names_text(names, *slot - 1), text))
			return slot;
	}
}

static bool grow(struct names *names)
{
	size_t capacity = names->capacity ? 2 * names->capacity : FIRST_CAPACITY;
	size_t *ends = realloc(names->ends, capacity * sizeof *ends);

	if (!ends)
		return false;
	names->ends = ends;
	uint32_t *slots = calloc(2 * capacity, sizeof *slots);
	if (!slots)
		return false;
	free(names->slots);
	names->slots = slots;
	names->slot_count = 2 * capacity;
	names->capacity = capacity;
	for (size_t i = 0; i < names->count; i++)
		*slot_of(names, names_text(names, i)) = (uint32_t)i + 1;
	return true;
}

int64_t names_number(struct names *names, struct text text)
{
	if (names->count == names->capacity && (names->count >= UINT32_MAX / 2 || !grow(names)))
		return NAMES_FAILED;
	uint32_t *slot = slot_of(names, text);
	if (*slot == 0) {
		buffer_append_text(&names->bytes, text);
		if (buffer_failed(&names->bytes))
			return NAMES_FAILED;
		names->ends[names->count++] = names->bytes.size;
		*slot = (uint32_t)names->count;
	}
	return *slot - 1;
}

int64_t names_find(const struct names *names, struct text text)
{
	uint32_t slot = names->slot_count > 0 ? *slot_of(names, text) : 0;

	return slot > 0 ? (int64_t)slot - 1 : NAMES_FAILED;
}

struct text names_text(const struct names *names, size_t number)
{
	size_t begin = number > 0 ? names->ends[number - 1] : 0;

	return (struct text){names->bytes.data + begin, names->ends[number] - begin};
}
