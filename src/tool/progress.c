/* The line that tells how far work has got; see progress.h. */
#include "tool/progress.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { INTERVAL_MS = 200, PERCENT = 100 };

struct progress progress_begin(const struct options *options, const char *what, const char *unit, uint64_t total)
{
	return (struct progress){
		.what = what,
		.unit = unit,
		.total = total,
		.off = options->quiet || !isatty(STDERR_FILENO),
		.shown_at_ms = clock_boot_ms(),
	};
}

void progress_show(struct progress *progress, uint64_t done)
{
	int64_t now_ms = progress->off ? 0 : clock_boot_ms();

	if (progress->off || now_ms - progress->shown_at_ms < INTERVAL_MS)
		return;
	progress->shown_at_ms = now_ms;
	progress->shown = true;
	/* "\r" to the line's begin, "\033[K" clears to its end (ECMA-48, 8.3.41). */
	fprintf(stderr, "\r\033[K%s: %" PRIu64, progress->what, done);
	if (progress->total > 0)
		fprintf(stderr, " of %" PRIu64 " %s, %" PRIu64 " %%", progress->total, progress->unit,
			(done < progress->total ? done : progress->total) * PERCENT / progress->total);
	else
		fprintf(stderr, " %s", progress->unit);
	fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->shown = false;
}
