/* How far long work has got, as one line on standard error that is written anew: only where that is a terminal, and not with
 * --quiet. One thread, one piece of work at a time.
 */
#ifndef FOCUSSTATS_TOOL_PROGRESS_H
#define FOCUSSTATS_TOOL_PROGRESS_H

#include "tool/commands.h"

struct progress {
	const char *what; /* the caller's: "importing" */
	const char *unit; /* the caller's: "records" */
	uint64_t total;   /* 0 where nobody knows */
	bool shown;       /* there is a line to be cleared */
	bool off;
	int64_t shown_at_ms; /* CLOCK_BOOTTIME */
};

struct progress progress_begin(const struct options *options, const char *what, const char *unit, uint64_t total);

/* So much is done; writes at most some times a second. */
void progress_show(struct progress *progress, uint64_t done);

/* Clear the line. Needed before anything else is written to standard error, and at the end. */
void progress_clear(struct progress *progress);

#endif
