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

/* Look at the files of the home themselves, where nobody has them open. */
static void look_at_home(const struct config *config, void (*look)(void *context, const struct folder *home),
			 void *context)
{
	struct folder folder;
	struct error ignored;
	struct home home = {.folder = -1, .lock = -1};
	bool taken;

	if (home_open(&home, config->home, &ignored) != STATUS_OK)
		return;
	if (home_lock(&home, 0, &taken, &ignored) == STATUS_OK && taken) {
		if (folder_open(&folder, config->home, &ignored) == STATUS_OK) {
			look(context, &folder);
			folder_close(&folder);
		}
		home_unlock(&home);
	}
	home_close(&home);
}

struct verifying {
	const struct options *options;
	const char *home;
	struct findings findings;
	struct error *error;
};

/* Where the store cannot be opened, and so not be copied: which pages are bad. */
static void look_at_pages(void *context, const struct folder *home)
{
	struct verifying *verifying = context;

	findings_of_pages(&verifying->findings, home, verifying->options);
}

static void look_at_sums(void *context, const struct folder *home)
{
	struct verifying *verifying = context;

	findings_of_sums(&verifying->findings, home, verifying->home, verifying->options, verifying->error);
}

enum status verify_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error)
{
	struct verifying verifying = {.options = options, .home = config->home, .error = error};
	struct staging staging;

	(void)operands;
	if (staging_make(&staging, config, options, error) != STATUS_OK) {
		if (error->status == STATUS_UNAVAILABLE)
			look_at_home(config, look_at_pages, &verifying);
		return error->status;
	}
	if (findings_of_copy(&verifying.findings, &staging.folder, config->home, options, error) == STATUS_OK)
		look_at_home(config, look_at_sums, &verifying);
	if (error->status != STATUS_UNAVAILABLE)
		print_counts(&verifying.findings);
	staging_remove(&staging);
	staging_leave(&staging);
	return error->status;
}
