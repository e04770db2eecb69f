/* Instants: milliseconds since 1970-01-01T00:00Z, written as RFC 3339. */
#ifndef FOCUSSTATS_DOMAIN_INSTANT_H
#define FOCUSSTATS_DOMAIN_INSTANT_H

#include "base/text.h"

#include <stdint.h>

enum { INSTANT_TEXT_SIZE = 24 }; /* 2025-11-10T12:41:01.000Z, without a NUL */

#define INSTANT_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Write INSTANT_TEXT_SIZE bytes in UTC, no NUL. The instant is in the years 0 to 9999: those of sessions are never
 * negative, but the day or year in which one begins may have begun before 1970. */
void instant_format(int64_t ms, char text[INSTANT_TEXT_SIZE]);

/* Read RFC 3339 with any offset; digits behind the milliseconds are cut off, T and Z may be lower case. *ms is 0 to
 * INSTANT_MAX_MS. False, and *ms untouched, for anything else: leap seconds, a space for the T, no offset, and years
 * that are not 1970 to 9999, where it is written as well as in UTC. */
bool instant_parse(struct text text, int64_t *ms);

#endif
