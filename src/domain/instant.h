/* Instants: milliseconds since 1970-01-01T00:00Z, written as RFC 3339 in UTC. */
#ifndef FOCUSSTATS_DOMAIN_INSTANT_H
#define FOCUSSTATS_DOMAIN_INSTANT_H

#include <stdint.h>

enum { INSTANT_TEXT_SIZE = 24 }; /* 2025-11-10T12:41:01.000Z, without a NUL */

#define INSTANT_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Write INSTANT_TEXT_SIZE bytes, no NUL. ms is 0 to INSTANT_MAX_MS. */
void instant_format(int64_t ms, char text[INSTANT_TEXT_SIZE]);

#endif
