/* focusstats verify; see verify.h. */
#include "tool/verify.h"

#include "gateway/home.h"
#include "tool/findings.h"
#include "tool/staging.h"

#include <inttypes.h>
#include <stdio.h>

static void print_counts(const struct findings *findings)
{
	const struct verify_counts *counts = &findings->counts;

	if (findings->options->json)
		printf("{\"findings\":%" PRIu64 ",\"users\":%" PRIu64 ",\"sessions\":%" PRIu64 ",\"documents\":%" PRIu64
		       ",\"schema\":%d}\n",
		       findings->count, counts->users, counts->sessions, counts->documents, counts->schema);
	else if (findings->count == 0 && !findings->options->quiet)
		printf("all of %" PRIu64 " users, %" PRIu64 " sessions and %" PRIu64
		       " described documents is whole (schema version %d)\n",
		       counts->users, counts->sessions, counts->documents, counts->schema);
}

/* Where the store cannot be opened, and so not be copied: which pages are bad. Recovery changes files, so it says so only where
 * nobody has them open. */
static void look_at_pages(const struct config *config, const struct options *options)
{
	struct findings findings = {.count = 0};
	struct folder folder;
	struct error ignored;
	struct home home = {.folder = -1, .lock = -1};
	bool taken;

	if (home_open(&home, config->home, &ignored) != STATUS_OK)
		return;
	if (home_lock(&home, 0, &taken, &ignored) == STATUS_OK && taken) {
		if (folder_open(&folder, config->home, &ignored) == STATUS_OK) {
			findings_of_pages(&findings, &folder, options);
			folder_close(&folder);
		}
		home_unlock(&home);
	}
	home_close(&home);
}

enum status verify_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error)
{
	struct staging staging;
	struct findings findings = {.count = 0};

	(void)operands;
	if (staging_make(&staging, config, options, error) != STATUS_OK) {
		if (error->status == STATUS_UNAVAILABLE)
			look_at_pages(config, options);
		return error->status;
	}
	if (findings_of_copy(&findings, &staging.folder, config->home, options, error) != STATUS_UNAVAILABLE)
		print_counts(&findings);
	staging_remove(&staging);
	staging_leave(&staging);
	return error->status;
}
