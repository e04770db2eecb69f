/* What the unit tests share: cmocka with what it must be included behind, random numbers that are the same in every run, so
 * that a failure comes back, and a few bytes.
 */
#ifndef FOCUSSTATS_TESTS_UNIT_CHECK_H
#define FOCUSSTATS_TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A generator's state, never 0 (xorshift64*). */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static inline size_t random_below(uint64_t *state, size_t limit)
{
	return (size_t)(next_random(state) % limit);
}

/* A copy that ends where the bytes end, so that a sanitizer sees every byte read beyond them. The caller frees it. */
static inline void *copy_of(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

/* Write 8 bytes, big-endian. Returns where the next ones go. */
static inline uint8_t *put_number(uint8_t *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		*to++ = (uint8_t)(value >> (56 - 8 * i));
	return to;
}

#endif
