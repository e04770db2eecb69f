/* The Berkeley DB environment of a home folder and its databases: opening with recovery, closing, checkpoints, and
 * what the engine's errors mean. Only src/store knows the engine; only this file knows its settings.
 */
#ifndef FOCUSSTATS_STORE_ENVIRONMENT_H
#define FOCUSSTATS_STORE_ENVIRONMENT_H

#include "store/store.h"

#include <db.h>

enum { ENVIRONMENT_CACHE_LEAST_BYTES = 1 << 20 }; /* less DB_CONFIG may not set */

struct environment {
	DB_ENV *handle;
	DB *meta, *stats, *documents;
	DB *sessions;         /* for the committer alone: it keeps no versions for snapshots */
	DB *by_user, *active; /* its indexes, kept by table.c */
};

/* The files of the databases; ends with NULL. */
extern const char *const environment_files[];

/* Open (and recover, and where it is new create) the environment. The caller holds the home's lock.
 * STATUS_UNAVAILABLE with a detail where the engine, the disk or the schema version does not let it. */
enum status environment_open(const struct store_options *options, struct environment *environment, struct error *error);

/* Close all; where something was written since the last checkpoint, after another one. Returns STATUS_OK or what the engine said;
 * closed in any case. */
enum status environment_close(struct environment *environment, bool written, struct error *error);

/* Write the pages of the cache and a checkpoint record, so that recovery begins here. */
enum status environment_checkpoint(struct environment *environment, struct error *error);

/* The same; 0 or what the engine said. */
int environment_write_checkpoint(struct environment *environment);

/* Before a commit: whether the log file that it goes into has begun on the disk; begin it there otherwise. 0 or what the engine
 * said, and then nothing may be committed. */
int environment_begin_commit(struct environment *environment);

/* After a commit that the engine took for done: it is on the disk, or this process ends here. */
void environment_ensure_commit(struct environment *environment);

/* The error for what an engine call returned while `doing`. A full disk is named as that. */
enum status environment_error(struct error *error, int result, const char *doing);

#endif
