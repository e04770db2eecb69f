/* Time zones: what the wall clock of a zone of the system's database shows. The database is the folder that TZDIR names,
 * or /usr/share/zoneinfo. */
#ifndef FOCUSSTATS_BASE_ZONE_H
#define FOCUSSTATS_BASE_ZONE_H

#include "base/text.h"

#include <stdint.h>

/* Immutable, lives as long as the process, may be used by any thread. It is exact from 1968 to 2199;
 * before and after that the clock is taken to stay as it is then. */
struct zone;

/* Needs no database. */
const struct zone *zone_utc(void);

/* A zone or link of the database by its name in the exact case. It is read once and kept. NULL with ENOENT in errno where the database has no such
 * zone, or not in a file of its form; NULL with another reason where there may be one that cannot be read now. */
const struct zone *zone_find(struct text name);

/* How far the wall clock is ahead at an instant: wall = instant + offset. *until_ms, which may be NULL, becomes the next
 * instant at which the offset is another, INT64_MAX where there is none. */
int64_t zone_offset_ms(const struct zone *zone, int64_t ms, int64_t *until_ms);

/* The first instant at which the wall clock shows wall_ms, ms since it showed 1970-01-01T00:00; where it leaps over
 * that, the first instant after the leap. */
int64_t zone_instant_of(const struct zone *zone, int64_t wall_ms);

#endif
