/* The engine's figures; see figures.h. */
#include "store/figures.h"

#include "store/environment.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_cache(DB_ENV *env, struct engine_figures *figures)
{
	DB_MPOOL_STAT *stat;
	int result = env->memp_stat(env, &stat, NULL, 0);

	if (result != 0)
		return result;
	figures->cache_bytes = ((uint64_t)stat->st_gbytes << 30) + stat->st_bytes;
	figures->pages = stat->st_pages;
	figures->dirty_pages = stat->st_page_dirty;
	figures->hits = stat->st_cache_hit;
	figures->misses = stat->st_cache_miss;
	figures->pages_read = stat->st_page_in;
	figures->pages_written = stat->st_page_out;
	free(stat);
	return 0;
}

static int read_log(DB_ENV *env, struct engine_figures *figures)
{
	DB_LOG_STAT *stat;
	int result = env->log_stat(env, &stat, 0);

	if (result != 0)
		return result;
	figures->log_written_bytes = ((uint64_t)stat->st_w_mbytes << 20) + stat->st_w_bytes;
	figures->log_syncs = stat->st_scount;
	figures->log_file = stat->st_cur_file;
	figures->log_checkpoint_bytes = ((uint64_t)stat->st_wc_mbytes << 20) + stat->st_wc_bytes;
	free(stat);
	return 0;
}

static int read_transactions(DB_ENV *env, struct engine_figures *figures)
{
	DB_TXN_STAT *stat;
	int result = env->txn_stat(env, &stat, 0);

	if (result != 0)
		return result;
	figures->checkpoint_ms = (int64_t)stat->st_time_ckp * 1000;
	figures->transactions = stat->st_nactive;
	figures->snapshots = stat->st_nsnapshot;
	free(stat);
	return 0;
}

/* The names are those of the engine's mp/mp_mvcc.c. */
static int count_freezer_files(DB_ENV *env, struct engine_figures *figures)
{
	static const char prefix[] = "__db.freezer.";
	const char *home;
	int result = env->get_home(env, &home);

	if (result != 0)
		return result;
	DIR *folder = opendir(home);
	if (!folder)
		return errno;
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		figures->freezer_files += strncmp(entry->d_name, prefix, sizeof prefix - 1) == 0;
	closedir(folder);
	return 0;
}

enum status figures_read(struct environment *environment, struct engine_figures *figures, struct error *error)
{
	DB_ENV *env = environment->handle;
	struct engine_figures read = {0};
	int result;

	if ((result = read_cache(env, &read)) != 0 || (result = read_log(env, &read)) != 0 ||
	    (result = read_transactions(env, &read)) != 0 || (result = count_freezer_files(env, &read)) != 0)
		return environment_error(error, result, "reading the engine's figures");
	*figures = read;
	return STATUS_OK;
}
