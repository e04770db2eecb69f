/* focusstats compact; see compact.h. */
#include "tool/compact.h"

#include "gateway/owner.h"
#include "store/compact.h"
#include "tool/folder.h"
#include "tool/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 500, PAGE_BYTES = 4096 };

static bool is_database(const char *name)
{
	size_t size = strlen(name);

	return store_is_file(name) && size > 3 && strcmp(name + size - 3, ".db") == 0;
}

static void show(void *context, uint64_t pages)
{
	progress_show(context, pages);
}

/* What removed users still have is no room to give back otherwise. */
static enum status remove_rest(const struct store_options *options, struct error *error)
{
	struct store_options once = *options;
	struct store *store;

	once.once = true;
	if (store_open(&once, &store, error) != STATUS_OK)
		return error->status;
	store_complete_removals(store);
	store_close(store);
	return STATUS_OK;
}

/* Under the home's lock. */
static enum status carry_out(const struct home *home, const struct options *options, struct error *error)
{
	struct progress progress = progress_begin(options, "compacting", "pages", 0);
	const struct folder folder = {home->path, home->folder};
	uint64_t before = folder_bytes(&folder, is_database);
	const struct store_options store = {
		.home = home_reach(home),
		.name = home->path,
		.locks = (uint32_t)(before / PAGE_BYTES), /* the engine locks all pages that it cuts off at a time */
		.fatal = owner_end_process,
	};

	if (remove_rest(&store, error) != STATUS_OK)
		return error->status;
	compact_store(&store, show, &progress, error);
	progress_clear(&progress);
	if (error->status != STATUS_OK)
		return error->status;
	uint64_t after = folder_bytes(&folder, is_database);
	if (options->json)
		printf("{\"bytesBefore\":%" PRIu64 ",\"bytesAfter\":%" PRIu64 "}\n", before, after);
	else if (!options->quiet)
		printf("%" PRIu64 " bytes before, %" PRIu64 " bytes after\n", before, after);
	return STATUS_OK;
}

enum status compact_run(const struct config *config, const struct options *options, char *const *operands,
			struct error *error)
{
	struct home home = {.folder = -1, .lock = -1};
	bool taken;

	(void)operands;
	if (identity_become(config->home, error) != STATUS_OK || home_open(&home, config->home, error) != STATUS_OK)
		return error->status;
	if (home_lock(&home, LOCK_WAIT_MS, &taken, error) == STATUS_OK && !taken) {
		error_set(error, STATUS_INVALID, "%s: a process of the service has it open: stop the service first",
			  config->home);
	} else if (error->status == STATUS_OK) {
		carry_out(&home, options, error);
		home_unlock(&home);
	}
	home_close(&home);
	return error->status;
}
