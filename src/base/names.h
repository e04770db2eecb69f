/* Distinct texts, numbered from 0 in the order in which they come. */
#ifndef FOCUSSTATS_BASE_NAMES_H
#define FOCUSSTATS_BASE_NAMES_H

#include "base/buffer.h"

#include <stdint.h>

struct names {
	struct buffer bytes; /* one after the other */
	size_t *ends;        /* where each ends there */
	size_t count, capacity;
	uint32_t *slots; /* a hash table of numbers + 1, twice as large as it must be; 0 is free */
	size_t slot_count;
	uint64_t seed; /* not known outside, so that nobody can choose texts that collide */
};

enum { NAMES_FAILED = -1 };

void names_init(struct names *names);
void names_release(struct names *names);

/* The text's number, a new one where it has none yet; NAMES_FAILED where memory runs out. */
int64_t names_number(struct names *names, struct text text);

/* The number of a text that is there; NAMES_FAILED where it is not. */
int64_t names_find(const struct names *names, struct text text);

/* The text of a number; valid until the next one is added. */
struct text names_text(const struct names *names, size_t number);

#endif
