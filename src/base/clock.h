/* The clocks, in milliseconds. */
#ifndef FOCUSSTATS_BASE_CLOCK_H
#define FOCUSSTATS_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00Z. May be set back and forward. Never negative. */
int64_t clock_wall_ms(void);

/* Milliseconds since the machine started, the time it slept included (CLOCK_BOOTTIME, clock_gettime(2)): runs on
 * evenly, and is the same for all processes of the machine. */
int64_t clock_boot_ms(void);

#endif
