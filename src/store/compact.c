/* Making the databases smaller; see compact.h. */
#include "store/compact.h"

#include "store/environment.h"

#include <stdlib.h>

enum {
	STEP_PAGES = 20000, /* freed before the next checkpoint, without which the log of all of it is kept */
	PASSES_MAX = 3,     /* a pass may leave pages that the next one can move */
};

struct compacting {
	struct environment *environment;
	void (*progress)(void *context, uint64_t pages);
	void *context;
	uint64_t pages;
};

/* One step, from where the last one ended. */
static int step(struct compacting *compacting, DB *db, DBT *from, bool *more, bool *gained)
{
	DB_COMPACT what = {.compact_pages = STEP_PAGES};
	DBT to = {.flags = DB_DBT_MALLOC};

	int result = db->compact(db, NULL, from->size > 0 ? from : NULL, NULL, &what, DB_FREE_SPACE, &to);
	free(from->data);
	*from = (DBT){.data = to.data, .size = to.size};
	*more = what.compact_pages_free >= STEP_PAGES && to.size > 0;
	*gained |= what.compact_pages_truncated > 0;
	compacting->pages += what.compact_pages_free;
	if (compacting->progress)
		compacting->progress(compacting->context, compacting->pages);
	return result != 0 ? result : environment_write_checkpoint(compacting->environment);
}

static int compact(struct compacting *compacting, DB *db)
{
	bool gained = true, more;
	int result = 0;

	for (int pass = 0; result == 0 && gained && pass < PASSES_MAX; pass++) {
		DBT from = {.size = 0};
		gained = false;
		do {
			result = step(compacting, db, &from, &more, &gained);
		} while (result == 0 && more);
		free(from.data);
	}
	return result;
}

enum status compact_store(const struct store_options *options, void (*progress)(void *context, uint64_t pages),
			  void *context, struct error *error)
{
	struct environment environment;
	struct compacting compacting = {&environment, progress, context, 0};
	struct error closing;
	int result = 0;

	if (environment_open(options, &environment, error) != STATUS_OK)
		return error->status;
	DB *databases[] = {environment.meta,    environment.stats,  environment.sessions,
			   environment.by_user, environment.active, environment.documents};
	for (size_t i = 0; result == 0 && i < sizeof databases / sizeof databases[0]; i++)
		result = compact(&compacting, databases[i]);
	error->status = STATUS_OK;
	if (result != 0)
		environment_error(error, result, "compacting a database");
	if (environment_close(&environment, true, &closing) != STATUS_OK && error->status == STATUS_OK)
		*error = closing;
	return error->status;
}
