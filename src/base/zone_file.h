/* The files of the time zone database (TZif, RFC 9636). */
#ifndef FOCUSSTATS_BASE_ZONE_FILE_H
#define FOCUSSTATS_BASE_ZONE_FILE_H

#include "base/zone_rule.h"

enum { ZONE_FILE_MAX_BYTES = 1 << 20 }; /* the database's longest has 4 KiB */

/* What is read of one; it points into its content. */
struct zone_file {
	const char *times, *indices, *types;
	size_t count, time_bytes; /* of the times */
	bool has_rule;
	struct zone_rule rule;
};

/* True where the content has all parts that its headers announce and nothing else, its times rise, its indices are within
 * their tables, and its offsets and its rule are of the right form. One with leap seconds is not: instants here have
 * none. Otherwise *file is undefined. */
bool zone_file_read(struct text content, struct zone_file *file);

/* The instant of a change, 0 to count - 1, in seconds since 1970, and how far the clock is ahead from then on. */
int64_t zone_file_change(const struct zone_file *file, size_t place, int32_t *offset_s);

/* How far the clock is ahead before the first change. */
int32_t zone_file_first_offset_s(const struct zone_file *file);

#endif
