/* What the engine tells of itself, for the metrics. Its own counts begin anew with each owner. */
#ifndef FOCUSSTATS_STORE_FIGURES_H
#define FOCUSSTATS_STORE_FIGURES_H

#include "base/error.h"

#include <stdint.h>

struct engine_figures {
	/* The cache. */
	uint64_t cache_bytes, pages, dirty_pages;
	uint64_t hits, misses;              /* pages looked for */
	uint64_t pages_read, pages_written; /* from and to the disk */
	/* The log. */
	uint64_t log_written_bytes;
	uint64_t log_syncs;
	uint64_t log_file;             /* number of the file that is written to */
	uint64_t log_checkpoint_bytes; /* written since the last checkpoint, so for recovery to look at */
	int64_t checkpoint_ms;         /* when that was, since 1970; 0 where there was none yet */
	/* Transactions that are open. */
	uint64_t transactions, snapshots;
	/* Files that old page versions had to make room in the cache for. */
	uint64_t freezer_files;
};

struct environment;

/* Any thread may call. STATUS_UNAVAILABLE where the engine cannot say. */
enum status figures_read(struct environment *environment, struct engine_figures *figures, struct error *error);

#endif
