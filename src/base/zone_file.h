/* The files of the time zone database (TZif, RFC 9636): whether one is whole. GLib takes every count and index in them on
 * trust, so that a damaged one could end the process. */
#ifndef FOCUSSTATS_BASE_ZONE_FILE_H
#define FOCUSSTATS_BASE_ZONE_FILE_H

#include "base/text.h"

enum { ZONE_FILE_MAX_BYTES = 1 << 20 }; /* the database's longest has 4 KiB */

/* True where the content has all parts that its headers announce and nothing else, its times rise, its indices are within
 * their tables, and its offsets and its rule are of the right form. One with leap seconds is not: instants here have
 * none. */
bool zone_file_is_whole(struct text content);

#endif
