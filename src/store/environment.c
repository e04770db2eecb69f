/* The engine's environment; see environment.h. Facts about the engine that are not in its manual are from the
 * sources of Berkeley DB 5.3.28. */
#include "store/environment.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/admission.h"
#include "store/disk.h"
#include "store/pages.h"
#include "store/schema.h"
#include "store/sums.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CACHE_BYTES = 64 << 20,
	CACHE_ONCE_BYTES = 4 << 20, /* for one request there is nothing to keep */
	CACHE_JOB_BYTES = 48 << 20,
	/* Opening reads the current log file: small ones open fast. */
	LOG_FILE_BYTES = 1 << 20,
	LOG_FILE_ONCE_BYTES = 256 << 10,
	LOG_BUFFER_BYTES = 128 << 10,
	LOG_SPARE_BYTES = 64 << 10, /* of the current log file, for a start where the disk is full */
	/* A batch locks some pages an operation. */
	LOCKS_MAX = 10000,
	LOCK_BUCKETS = 1021,
	MEMORY_ASKED_MAX =
		10000, /* times a second, for what there is not; one that goes round in circles does so ten times as often */
	TRANSACTIONS_MAX = 5000, /* those whose page versions are still in the cache count too */
	/* Mutexes to begin with. Left alone the engine makes one for each page that the cache may hold and each lock that
	 * there may be, some megabytes; it makes more where these do not do. */
	MUTEXES = 1000,
	MUTEXES_ONCE = 200,
	CACHE_MUTEXES =
		509, /* those of the cache's buckets, which share them: none where the number above is given alone */
	CACHE_MUTEXES_ONCE = 31,
};

const char *const environment_files[] = {"meta.db",           "stats.db",     "sessions.db", "sessions_by_user.db",
					 "active_by_user.db", "documents.db", NULL};

/* The engine's callbacks know no store; and a process has one. */
static struct {
	char home[4096], name[4096];
	_Atomic bool now;
} serving;

/* Short of memory the engine may ask for it for ever, while it holds what all others wait for. */
static void end_circles(void)
{
	static _Atomic int64_t second;
	static atomic_uint asked;
	int64_t now = clock_boot_ms() / 1000;

	if (atomic_exchange(&second, now) != now)
		atomic_store(&asked, 0);
	if (atomic_fetch_add(&asked, 1) == MEMORY_ASKED_MAX && serving.now)
		disk_fatal("the engine finds no memory and does not stop asking for it");
}

static void report(const DB_ENV *handle, const char *prefix, const char *message)
{
	const char *found = strstr(message, serving.home);

	(void)handle;
	(void)prefix;
	/* It takes the refusal of a damaged page (sums.h) for a fault of a system call. */
	if (strncmp(message, "BDB0171 ", 8) == 0 && strstr(message, strerror(EBADMSG)))
		return;
	if (strstr(message, strerror(ENOMEM)))
		end_circles();
	if (found)
		log_repeated("engine: %.*s%s%s", (int)(found - message), message, serving.name,
			     found + strlen(serving.home));
	else
		log_repeated("engine: %s", message);
}

static void notify(DB_ENV *handle, u_int32_t event, void *info)
{
	(void)handle;
	(void)info;
	/* While opening, the open itself fails and the caller says so. */
	if (event == DB_EVENT_PANIC && serving.now)
		disk_fatal("the engine needs recovery (where it says so again and again a file is "
			   "damaged: restore a backup)");
}

enum status environment_error(struct error *error, int result, const char *doing)
{
	bool full = result == ENOSPC || result == EDQUOT;

	/* Pages that cannot be written fill the cache, and the engine says that memory is short; or recovery cannot be
	 * completed, and it says that it is needed. */
	if ((result == ENOMEM || result == DB_RUNRECOVERY) && disk_was_full())
		full = true;
	error_set(error, STATUS_UNAVAILABLE,
		  full ? "no space left on the disk" : "the store cannot be used now: the log says why");
	return error_detail(error, "%s: %s", doing,
			    full                ? "no space left on the disk"
			    : result == EBADMSG ? "what is stored is damaged there; restore a backup"
						: db_strerror(result));
}

static int open_handle(const struct store_options *options, DB_ENV **handle)
{
	u_int32_t cache_bytes = options->once ? CACHE_ONCE_BYTES : options->job ? CACHE_JOB_BYTES : CACHE_BYTES;
	int result = db_env_create(handle, 0);

	if (result != 0)
		return result;
	DB_ENV *env = *handle;
	u_int32_t locks = LOCKS_MAX + options->locks;
	env->set_errcall(env, report);
	(void)env->set_event_notify(env, notify);
	if ((result = env->set_lg_max(env, options->once ? LOG_FILE_ONCE_BYTES : LOG_FILE_BYTES)) != 0 ||
	    (result = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1)) != 0 ||
	    (result = env->set_cachesize(env, 0, cache_bytes, 1)) != 0 ||
	    (result = env->mutex_set_init(env, options->once ? MUTEXES_ONCE : MUTEXES)) != 0 ||
	    (result = env->set_mp_mtxcount(env, options->once ? CACHE_MUTEXES_ONCE : CACHE_MUTEXES)) != 0)
		return result;
	if (!options->once &&
	    ((result = env->set_lg_bsize(env, LOG_BUFFER_BYTES)) != 0 ||
	     (result = env->set_lk_max_locks(env, locks)) != 0 || (result = env->set_lk_max_objects(env, locks)) != 0 ||
	     (result = env->set_lk_tablesize(env, LOCK_BUCKETS + options->locks)) != 0 ||
	     (result = env->set_tx_max(env, TRANSACTIONS_MAX)) != 0))
		return result;
	/* Pages of a copy may be older than the last checkpoint of its log, so all of that is to be carried out again. */
	return env->open(env, options->home,
			 (options->copy ? DB_RECOVER_FATAL : DB_RECOVER) | DB_CREATE | DB_PRIVATE | DB_THREAD |
				 DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN | DB_INIT_LOCK,
			 0600);
}

static int open_database(DB_ENV *handle, const char *file, u_int32_t flags, DB **db)
{
	int result = db_create(db, handle, 0);

	if (result != 0)
		return result;
	if ((result = (*db)->set_flags(*db, DB_CHKSUM)) != 0 || (result = (*db)->set_pagesize(*db, PAGES_BYTES)) != 0)
		return result;
	return (*db)->open(*db, NULL, file, NULL, DB_BTREE, DB_THREAD | DB_AUTO_COMMIT | flags, 0600);
}

static enum status unusable(struct error *error, const char *text)
{
	return error_set(error, STATUS_UNAVAILABLE, "%s", text);
}

static enum status open_one(struct environment *environment, const char *file, u_int32_t flags, DB **db,
			    struct error *error)
{
	int result = open_database(environment->handle, file, flags, db);

	if (result == 0)
		result = disk_find();
	if (result == 0)
		return STATUS_OK;
	environment_error(error, result, result == ENOENT ? "missing; restore a backup" : "opening the database");
	return error_context(error, "%s", file);
}

/* Open what is there. Files are made only for a store whose schema has not got so far that they must be there: an empty file in
 * the place of a lost one would pass for a loss of records. */
static enum status open_databases(struct environment *environment, bool is_new, struct error *error)
{
	const struct {
		const char *file;
		u_int32_t flags; /* what readers never look at needs no versions of its pages */
		int since;       /* schema version */
		DB **db;
	} files[] = {
		{"stats.db", DB_MULTIVERSION, 1, &environment->stats},
		{"sessions.db", 0, 1, &environment->sessions},
		{"sessions_by_user.db", DB_MULTIVERSION, 1, &environment->by_user},
		{"active_by_user.db", DB_MULTIVERSION, 2, &environment->active},
		{"documents.db", DB_MULTIVERSION, 2, &environment->documents},
	};
	int version;

	if (open_one(environment, "meta.db", DB_MULTIVERSION | (is_new ? DB_CREATE : 0), &environment->meta, error) !=
		    STATUS_OK ||
	    schema_read(environment, &version, error) != STATUS_OK)
		return error->status;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		u_int32_t create = version < files[i].since ? DB_CREATE : 0;
		if (open_one(environment, files[i].file, files[i].flags | create, files[i].db, error) != STATUS_OK)
			return error->status;
	}
	return schema_complete(environment, version, error);
}

/* Settings of DB_CONFIG that would break what the store promises. */
static enum status check_settings(struct environment *environment, struct error *error)
{
	DB_ENV *env = environment->handle;
	u_int32_t gigabytes = 0, bytes = 0;
	int in_memory = 0, dsync = 0, caches;

	if (env->log_get_config(env, DB_LOG_IN_MEMORY, &in_memory) == 0 &&
	    env->log_get_config(env, DB_LOG_DSYNC, &dsync) == 0 && !in_memory && !dsync &&
	    env->get_cachesize(env, &gigabytes, &bytes, &caches) == 0 &&
	    (gigabytes > 0 || bytes >= ENVIRONMENT_CACHE_LEAST_BYTES))
		return STATUS_OK;
	unusable(error, "the store cannot be used: the log says why");
	if (in_memory || dsync)
		return error_detail(error,
				    "DB_CONFIG: DB_LOG_%s takes away that what is acknowledged is on the disk: "
				    "remove it",
				    in_memory ? "IN_MEMORY" : "DSYNC");
	return error_detail(error, "DB_CONFIG: set_cachesize: less than %d bytes, with which writes hang",
			    ENVIRONMENT_CACHE_LEAST_BYTES);
}

/* Begin a new log file, so that nothing is appended to one that the disk could not take. The engine has no call for
 * that: a record larger than what is left of the file makes it. */
static int begin_log_file(struct environment *environment)
{
	enum { FILLER_BYTES = 128 << 10, ROUNDS_MAX = 2 * LOG_FILE_BYTES / FILLER_BYTES };
	static char name[] = "filler";
	DB_ENV *env = environment->handle;
	DBT key = {.data = name, .size = sizeof name - 1};
	DBT value = {.size = FILLER_BYTES};
	u_int32_t first = 0;
	int result = 0;

	if (!(value.data = calloc(1, FILLER_BYTES)))
		return ENOMEM;
	for (int round = 0; result == 0 && round < ROUNDS_MAX; round++) {
		DB_LOG_STAT *stat;
		if ((result = env->log_stat(env, &stat, 0)) != 0)
			break;
		u_int32_t current = stat->st_cur_file;
		free(stat);
		if (first == 0)
			first = current;
		if (current > first)
			break;
		if ((result = environment->meta->put(environment->meta, NULL, &key, &value, 0)) == 0)
			result = environment->meta->del(environment->meta, NULL, &key, 0);
	}
	free(value.data);
	return result;
}

/* Pages that an earlier checkpoint could not write the engine takes for written. */
int environment_write_checkpoint(struct environment *environment)
{
	int result = disk_flush();

	return result != 0 ? result : environment->handle->txn_checkpoint(environment->handle, 0, 0, 0);
}

enum status environment_checkpoint(struct environment *environment, struct error *error)
{
	int result = environment_write_checkpoint(environment);

	return result == 0 ? STATUS_OK : environment_error(error, result, "writing a checkpoint");
}

/* Where writing a commit out fails, the engine takes it for done if nothing of its log file is on the disk yet: it compares
 * only the files (log_put.c, __log_flush_commit). So the first record of a file goes there before. A commit's record that is
 * then the first in the engine's buffer it would look for on the disk, and crash on what it finds: another one goes first. */
int environment_begin_commit(struct environment *environment)
{
	DB_ENV *env = environment->handle;
	DB_LOG_STAT *stat;

	int result = env->log_stat(env, &stat, 0);
	if (result != 0)
		return result;
	bool begun = stat->st_cur_file == stat->st_disk_file;
	free(stat);
	if (begun)
		return 0;
	result = env->log_flush(env, NULL);
	return result == 0 ? env->log_printf(env, NULL, "begun") : result;
}

/* It may still be the commit's own record that began a file. There is nothing to do where all is on the disk. */
void environment_ensure_commit(struct environment *environment)
{
	DB_ENV *env = environment->handle;
	char what[128];

	int result = env->log_flush(env, NULL);
	if (result == 0)
		return;
	snprintf(what, sizeof what, "a commit could not be written to the log: %s", db_strerror(result));
	disk_fatal(what);
}

/* What a failed sync left behind is settled once recovery has read the disk and a checkpoint stands in a new log. */
static enum status settle_failed_sync(struct environment *environment, struct error *error)
{
	int result = begin_log_file(environment);

	if (result != 0)
		return environment_error(error, result, "beginning a new log file after a failed sync");
	if (environment_checkpoint(environment, error) != STATUS_OK)
		return error->status;
	if ((result = disk_remove_marker()) != 0)
		return environment_error(error, result, "removing the marker of a failed sync");
	log_line("recovered after a failed sync; check the disk that holds the home folder");
	return STATUS_OK;
}

/* Where the log ends. */
struct log_end {
	u_int32_t file, offset;
};

static struct log_end find_log_end(DB_ENV *env)
{
	struct log_end end = {0, 0};
	DB_LOG_STAT *stat;

	if (env->log_stat(env, &stat, 0) == 0) {
		end = (struct log_end){stat->st_cur_file, stat->st_cur_offset};
		free(stat);
	}
	return end;
}

/* The engine makes log files as long as they may become, and recovery fills the rest of the last one with zeros: cut nearly all of that
 * off. Behind the end there is nothing but zeros then, if the engine has not written more while it closed (a record begins
 * with the place of the one before, and its length: log.h, HDR). Where that fails, opening takes longer. */
static void cut_log(struct log_end end)
{
	static const uint8_t nothing[12];
	uint8_t header[sizeof nothing];
	char path[sizeof serving.home + 32];
	off_t size = (off_t)end.offset + LOG_SPARE_BYTES;
	struct stat info;

	snprintf(path, sizeof path, "%s/log.%010u", serving.home, end.file);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	if (fstat(fd, &info) == 0 && info.st_size > size &&
	    pread(fd, header, sizeof header, end.offset) == sizeof header &&
	    memcmp(header, nothing, sizeof header) == 0)
		(void)!ftruncate(fd, size);
	close(fd);
}

static void close_all(struct environment *environment, int *result, struct log_end *end)
{
	DB **databases[] = {&environment->active,    &environment->by_user, &environment->sessions,
			    &environment->documents, &environment->stats,   &environment->meta};

	for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++) {
		DB *db = *databases[i];
		int closed = db ? db->close(db, 0) : 0;
		if (*result == 0)
			*result = closed;
		*databases[i] = NULL;
	}
	if (environment->handle) {
		*end = find_log_end(environment->handle);
		int closed = environment->handle->close(environment->handle, 0);
		if (*result == 0)
			*result = closed;
	}
	environment->handle = NULL;
	sums_watch(SUMS_IGNORED);
}

enum status environment_open(const struct store_options *options, struct environment *environment, struct error *error)
{
	struct environment opened = {0};
	const char *failed;

	serving.now = false;
	snprintf(serving.name, sizeof serving.name, "%s", options->name);
	if ((size_t)snprintf(serving.home, sizeof serving.home, "%s", options->home) >= sizeof serving.home)
		return environment_error(error, ENAMETOOLONG, "opening the environment");
	if (admission_check(options, error) != STATUS_OK)
		return error->status;
	int prepared = disk_open(options, environment_files, &failed);
	if (prepared != 0) {
		environment_error(error, prepared, "opening");
		return error_context(error, "%s", failed);
	}
	bool sync_failed = disk_has_marker();
	sums_watch(SUMS_OF_WRITTEN);
	int result = open_handle(options, &opened.handle);
	if (result != 0)
		environment_error(error, result,
				  result == EINVAL ? "opening the environment, or DB_CONFIG"
						   : "opening the environment");
	sums_watch(SUMS_OF_ALL);
	if (result == 0 && check_settings(&opened, error) == STATUS_OK &&
	    open_databases(&opened, !options->copy && !admission_has_records(options), error) == STATUS_OK &&
	    (!sync_failed || settle_failed_sync(&opened, error) == STATUS_OK)) {
		*environment = opened;
		serving.now = true;
		return STATUS_OK;
	}
	struct log_end end;
	int ignored = 0;
	close_all(&opened, &ignored, &end);
	disk_close();
	admission_name_faults(options);
	return error->status;
}

enum status environment_close(struct environment *environment, bool written, struct error *error)
{
	struct log_end end = {0, 0};
	int result = 0;
	enum status status = written ? environment_checkpoint(environment, error) : STATUS_OK;

	serving.now = false;
	close_all(environment, &result, &end);
	disk_close();
	if (status == STATUS_OK && result != 0)
		status = environment_error(error, result, "closing the environment");
	if (status == STATUS_OK && end.file > 0)
		cut_log(end);
	return status;
}
