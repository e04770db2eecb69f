/* UUIDs, and new ones of version 7 (RFC 9562, 5.7), which sort by the time they were made. */
#ifndef FOCUSSTATS_DOMAIN_UUID_H
#define FOCUSSTATS_DOMAIN_UUID_H

#include "base/text.h"

#include <pthread.h>
#include <stdint.h>

enum { UUID_TEXT_SIZE = 36 }; /* 8-4-4-4-12 hexadecimal digits, without a NUL */

struct uuid {
	uint8_t bytes[16];
};

/* Where new ids come from. Those of one source rise strictly, whatever the clock does: within a millisecond through
 * the counter in rand_a (RFC 9562, 6.2, method 1; 12 bits, begun at random in its lower half), and where the clock
 * was set back or the counter is used up through the millisecond itself. The 62 bits of rand_b are fresh from
 * getrandom(2) for each id, so that none can be guessed from its neighbour. Any thread may use a source. */
struct uuid_source {
	pthread_mutex_t mutex;
	int64_t last_ms;
	unsigned counter;
};

#define UUID_SOURCE_INIT \
	{ \
		PTHREAD_MUTEX_INITIALIZER, -1, 0 \
	}

/* Make an id. now_ms is milliseconds since 1970, 0 to 2^48 - 1. False where the system has no random bytes. */
bool uuid_make(struct uuid_source *source, int64_t now_ms, struct uuid *uuid);

/* The id that is `steps` behind another one of version 7: their rand_b are counted on from one to the next. */
struct uuid uuid_following(const struct uuid *first, size_t steps);

/* Write the lower-case form, UUID_TEXT_SIZE bytes, no NUL. */
void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE]);

/* Read the 8-4-4-4-12 form in any case. False, and *uuid untouched, for anything else. */
bool uuid_parse(struct text text, struct uuid *uuid);

/* The milliseconds since 1970 that a UUID of version 7 begins with; of others some number below 2^48. */
int64_t uuid_time_ms(const struct uuid *uuid);

bool uuid_equal(const struct uuid *a, const struct uuid *b);

#endif
