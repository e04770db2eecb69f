/* Pages of the databases, written so that a disk that loses power in the middle of one harms nothing. Recovery carries out again what
 * the log holds, on pages that are whole; a page of 4,096 bytes that is half old and half new (a disk writes 512 bytes, or what it says,
 * as one) it cannot read. So each page is written twice, as InnoDB's doublewrite buffer does it.
 *
 * What the engine writes is kept in memory, where its reads find it, until it syncs a file or BATCH_PAGES pages have come together. That
 * batch goes to the file pages.journal, which is synced; then to its places, which are synced. So where a page in its place is torn,
 * the journal holds it whole; and where the journal is torn, no page is. Opening mends pages in their places from it, those only
 * whose checksum is wrong: a journal beside files that it does not belong to (another copy of them) changes nothing.
 *
 * The journal, in the machine's byte order: 8 bytes of text, the number of pages, 4 bytes unused, and for each page the database's
 * place in environment_files and the page's number, 4 bytes each; the pages from byte 8,192 on.
 *
 * There is one set of pages in a process, as the engine's hooks are the process's.
 */
#ifndef FOCUSSTATS_STORE_PAGES_H
#define FOCUSSTATS_STORE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PAGES_BYTES = 4096 };

/* The journal's name in the home. */
extern const char pages_journal[];

/* Open the databases that are in the folder `home` and the journal, and mend torn pages; *mended is their number. SYNC syncs a file
 * (0 or an errno). NAMES are the databases, ended by NULL. Returns 0 or an errno, and then *failed names the file. */
int pages_open(const char *home, const char *const *names, int (*sync)(int fd), unsigned *mended, const char **failed);

/* Take over the databases that have been made since. 0 or an errno. */
int pages_find(void);

/* Close all; what is still in memory is dropped. */
void pages_close(void);

/* Which database an open file is, or -1. */
int pages_file(int fd);

/* Take what is written at the file's position and move that on, as write(2). */
ssize_t pages_write(int file, int fd, const void *data, size_t size);

/* As pread(2), of any file. */
ssize_t pages_read(int fd, void *data, size_t size, off_t offset);

/* Write what is in memory to its places, and sync those. 0 or an errno, and then it is still in memory, and may be tried again but
 * where a sync failed. */
int pages_flush(void);

/* The same, and sync this database whatever there was. */
int pages_sync(int file);

/* Whether a page is as the engine wrote it: its checksum is right, or nothing was ever written there. */
bool pages_is_whole(const void *page);

/* Whether nothing was ever written there: the engine makes files longer than it has written them, and lets such a page pass
 * (db/db_conv.c, __db_pgin). */
bool pages_is_unwritten(const void *page);

/* Read a page from its place, while none is written there: PAGES_BYTES bytes. False where it is not there. */
bool pages_reread(const char *name, off_t offset, void *page);

#endif
