/* What the engine does to the files of the home: its hooks for system calls. They are for the process, not for an environment; and
 * a process has one store at a time. Nothing is acknowledged whose sync failed, a full disk is remembered, and pages of the databases are
 * written twice (pages.h), but in a copy, which is given up where it is not completed.
 */
#ifndef FOCUSSTATS_STORE_DISK_H
#define FOCUSSTATS_STORE_DISK_H

#include "store/store.h"

/* Before the engine opens the home. Returns 0 or an errno, and then *failed names the file. */
int disk_open(const struct store_options *options, const char *const *databases, const char **failed);

/* After a database was opened, which may have made its file. 0 or an errno. */
int disk_find(void);

/* After the engine has closed all. */
void disk_close(void);

/* Have everything that the engine has written in its place and on the disk. 0 or an errno. */
int disk_flush(void);

/* This process must not go on with the store: store_options.fatal. */
void disk_fatal(const char *what);

/* Whether an earlier process ended for a sync that failed; and forget that. 0 or an errno. */
bool disk_has_marker(void);
int disk_remove_marker(void);

/* Whether a write found no space in the last seconds. */
bool disk_was_full(void);

#endif
