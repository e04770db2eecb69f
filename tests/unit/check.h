/* What the unit tests share: cmocka with what it must be included behind, and random numbers that are the same in every
 * run, so that a failure comes back.
 */
#ifndef FOCUSSTATS_TESTS_UNIT_CHECK_H
#define FOCUSSTATS_TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
