/* The checksums of pages, looked at without the engine. That one has to give up the whole environment where it meets a page whose checksum
 * is wrong, which is the end of the process for everybody; DB->verify may then never return (db/db_vrfyutil.c, __db_vrfy_dbinfo_destroy:
 * it waits for a list to become empty from which nothing is taken any more); and a page of zeros passes for an empty one.
 */
#ifndef FOCUSSTATS_STORE_SUMS_H
#define FOCUSSTATS_STORE_SUMS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Look at all pages of a database as it lies there, where nobody has it open, and none is in the log only. Calls found for each page whose
 * checksum is wrong, in which nothing is written, or that is missing at the end, with a text about it. True where there is none, the
 * file cannot be read, or its first page does not say that its pages have checksums and the size that this program gives them: what
 * the engine says of it then is all that can be said. */
bool sums_check(const char *path, void (*found)(void *context, const char *what), void *context);

/* From now on the engine reads pages by read_at, as pread, and gets EBADMSG in the place of one that is damaged; a line in the log names it.
 * So a request that needs the page fails, and others do not. */
void sums_guard(ssize_t (*read_at)(int fd, void *data, size_t size, off_t offset));

/* Which damage is looked for; none until it is said. */
enum sums_watch {
	SUMS_IGNORED,
	SUMS_OF_WRITTEN, /* while recovery reads pages that were never written, and writes them */
	SUMS_OF_ALL,     /* once all pages are written that the file's first page counts, or in the cache */
};

void sums_watch(enum sums_watch what);

#endif
