/* The clocks, in milliseconds where the name says nothing else. */
#ifndef FOCUSSTATS_BASE_CLOCK_H
#define FOCUSSTATS_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since 1970-01-01T00:00Z. May be set back and forward. Never negative. */
int64_t clock_wall_ms(void);

/* Milliseconds since the machine started, the time it slept included (CLOCK_BOOTTIME, clock_gettime(2)): runs on
 * evenly, and is the same for all processes of the machine. */
int64_t clock_boot_ms(void);

/* Nanoseconds of CLOCK_MONOTONIC, to take the difference of. */
int64_t clock_monotonic_ns(void);

/* The point of CLOCK_MONOTONIC that is ms from now, for waits with a time limit; now where ms is negative. */
struct timespec clock_monotonic_in(int64_t ms);

#endif
