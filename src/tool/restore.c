/* focusstats restore; see restore.h. A copy of the backup is verified in the home (RESTORE_STAGED), then takes the place of what is there.
 * From the first file that is moved to the last one the mark STORE_RESTORING keeps everybody from opening the store; whoever
 * finds it goes on where it stopped: with the old files while RESTORE_STAGED is there, with the new ones once it is READY. */
#include "tool/restore.h"

#include "gateway/home.h"
#include "tool/confirm.h"
#include "tool/findings.h"
#include "tool/identity.h"
#include "tool/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READY "restore.ready"
#define NEW_MARK STORE_RESTORING ".new"

enum { LOCK_WAIT_MS = 500, NAME_SIZE = 64 };

struct restore {
	const struct options *options;
	struct folder source, home;
	char replaced[NAME_SIZE]; /* folder in the home for what was there; "" where there was nothing */
	char backup[4096];        /* the source, as the mark says */
};

static enum status refuse(struct error *error, const char *path, const char *why)
{
	return error_set(error, STATUS_INVALID, "%s: %s", path, why);
}

static enum status failed(struct error *error, const struct restore *restore, const char *name)
{
	return error_set(error, STATUS_UNAVAILABLE, "%s/%s: %s", restore->home.path, name, strerror(errno));
}

/* What takes the place of the old files, and they that of the new ones. */
static bool is_replaced(const char *name)
{
	return store_is_file(name) || strcmp(name, "sync-failed") == 0;
}

static bool is_same(const struct folder *a, const struct folder *b)
{
	struct stat first, second;

	return fstat(a->fd, &first) == 0 && fstat(b->fd, &second) == 0 && first.st_ino == second.st_ino &&
	       first.st_dev == second.st_dev;
}

static enum status check_source(const struct restore *restore, struct error *error)
{
	const struct folder *source = &restore->source;

	if (is_same(source, &restore->home))
		return refuse(error, source->path, "is the home folder itself");
	if (faccessat(source->fd, "meta.db", R_OK, AT_EACCESS) != 0 && errno == EACCES)
		return refuse(error, source->path, "cannot be read by the home's user: Permission denied");
	if (folder_has(source, STORE_INCOMPLETE))
		return refuse(error, source->path, "is no backup: it was not completed");
	if (folder_has(source, STORE_RESTORING))
		return refuse(error, source->path, "is no backup: a restore into it was interrupted");
	if (!folder_has(source, "meta.db"))
		return refuse(error, source->path, "is no backup: there is no meta.db");
	/* It would be recovered with, and into, the log that another store may be using. */
	if (store_leads_elsewhere(source->fd))
		return refuse(
			error, source->path,
			"is no backup: its DB_CONFIG names folders elsewhere: put the files of the log into it, and "
			"remove these lines");
	return STATUS_OK;
}

/* The mark: the folder for the old files, and the backup, a line each. In one step, and on the disk. */
static enum status write_mark(const struct restore *restore, struct error *error)
{
	int fd = openat(restore->home.fd, NEW_MARK, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return failed(error, restore, NEW_MARK);
	bool written = dprintf(fd, "%s\n%s\n", restore->replaced, restore->source.path) > 0 && fsync(fd) == 0;
	if (!written)
		failed(error, restore, NEW_MARK);
	close(fd);
	if (!written)
		return error->status;
	if (renameat(restore->home.fd, NEW_MARK, restore->home.fd, STORE_RESTORING) != 0)
		return failed(error, restore, STORE_RESTORING);
	return folder_sync_names(&restore->home, error);
}

/* Take a line, which becomes shorter by nothing but its end. */
static bool take_line(FILE *file, char *line, size_t size)
{
	if (!fgets(line, (int)size, file))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static enum status read_mark(struct restore *restore, struct error *error)
{
	int fd = openat(restore->home.fd, STORE_RESTORING, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (!file)
		return failed(error, restore, STORE_RESTORING);
	bool read = take_line(file, restore->replaced, sizeof restore->replaced) &&
		    take_line(file, restore->backup, sizeof restore->backup);
	fclose(file);
	return read && !strchr(restore->replaced, '/')
		       ? STATUS_OK
		       : refuse(error, restore->home.path, "the mark of an interrupted restore is not readable");
}

static enum status move_old(struct restore *restore, struct error *error)
{
	struct folder replaced;
	char path[4096];

	if (restore->replaced[0]) {
		snprintf(path, sizeof path, "%s/%s", restore->home.path, restore->replaced);
		if (folder_open_within(&replaced, &restore->home, restore->replaced, path, error) != STATUS_OK)
			return error->status;
		if (folder_move(&restore->home, &replaced, is_replaced, error) == STATUS_OK)
			folder_sync_names(&replaced, error);
		folder_close(&replaced);
	}
	if (error->status == STATUS_OK && folder_sync_names(&restore->home, error) == STATUS_OK &&
	    renameat(restore->home.fd, RESTORE_STAGED, restore->home.fd, READY) != 0)
		failed(error, restore, READY);
	return error->status == STATUS_OK ? folder_sync_names(&restore->home, error) : error->status;
}

static enum status move_new(struct restore *restore, struct error *error)
{
	struct folder ready;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", restore->home.path, READY);
	if (folder_open_within(&ready, &restore->home, READY, path, error) != STATUS_OK)
		return error->status;
	if (folder_move(&ready, &restore->home, NULL, error) == STATUS_OK)
		folder_sync_names(&restore->home, error);
	folder_close(&ready);
	if (error->status == STATUS_OK && unlinkat(restore->home.fd, READY, AT_REMOVEDIR) != 0)
		return failed(error, restore, READY);
	return error->status;
}

/* All from the mark to its removal. */
static enum status replace(struct restore *restore, struct error *error)
{
	error->status = STATUS_OK;
	if (folder_has(&restore->home, RESTORE_STAGED) && move_old(restore, error) != STATUS_OK)
		return error->status;
	if (folder_has(&restore->home, READY) && move_new(restore, error) != STATUS_OK)
		return error->status;
	if (folder_remove(&restore->home, STORE_RESTORING, error) != STATUS_OK)
		return error->status;
	return folder_sync_names(&restore->home, error);
}

static void say_where_old(const struct restore *restore)
{
	if (restore->replaced[0])
		visible_line(stdout, "what was there before is in %s/%s", restore->home.path, restore->replaced);
}

static enum status go_on(struct restore *restore, struct error *error)
{
	if (read_mark(restore, error) != STATUS_OK || replace(restore, error) != STATUS_OK)
		return error->status;
	if (!restore->options->json && !restore->options->quiet) {
		visible_line(stdout, "completed the restore of %s, which had been interrupted", restore->backup);
		say_where_old(restore);
	}
	return STATUS_OK;
}

static enum status stage(struct restore *restore, struct findings *findings, struct error *error)
{
	struct folder staged;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", restore->home.path, RESTORE_STAGED);
	if (folder_open_within(&staged, &restore->home, RESTORE_STAGED, path, error) != STATUS_OK)
		return error->status;
	if (folder_clear(&staged, error) == STATUS_OK) {
		struct progress progress = progress_begin(restore->options, "copying", "bytes",
							  folder_bytes(&restore->source, store_is_file));
		folder_copy(&restore->source, &staged, store_is_file, &progress, error);
		progress_clear(&progress);
	}
	if (error->status == STATUS_OK &&
	    findings_of_copy(findings, &staged, restore->source.path, restore->options, error) == STATUS_OK)
		folder_sync(&staged, error);
	if (error->status != STATUS_OK) {
		struct error ignored;
		folder_clear(&staged, &ignored);
		unlinkat(restore->home.fd, RESTORE_STAGED, AT_REMOVEDIR);
		error_context(error, "nothing was restored");
	}
	folder_close(&staged);
	return error->status;
}

/* A name that no folder of the home has. */
static void name_replaced(struct restore *restore)
{
	char now[32];
	struct tm utc;
	time_t seconds = time(NULL);

	strftime(now, sizeof now, "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &utc));
	snprintf(restore->replaced, NAME_SIZE, RESTORE_REPLACED "%s", now);
	for (int number = 2; folder_has(&restore->home, restore->replaced); number++)
		snprintf(restore->replaced, NAME_SIZE, RESTORE_REPLACED "%s-%d", now, number);
}

static enum status ask(const struct restore *restore, struct error *error)
{
	char question[9000];

	snprintf(question, sizeof question, "This puts the backup %s in the place of what %s holds.",
		 restore->source.path, restore->home.path);
	return confirm("restore", question, "Type restore to go on: ", "restore",
		       "that is something else: nothing was restored", error);
}

static enum status begin(struct restore *restore, struct error *error)
{
	struct findings findings = {.count = 0};
	bool any;

	if (check_source(restore, error) != STATUS_OK ||
	    folder_has_any(&restore->home, is_replaced, &any, error) != STATUS_OK)
		return error->status;
	if (any && !restore->options->yes && ask(restore, error) != STATUS_OK)
		return error->status;
	if (stage(restore, &findings, error) != STATUS_OK)
		return error->status;
	restore->replaced[0] = '\0';
	if (any)
		name_replaced(restore);
	if (write_mark(restore, error) != STATUS_OK || replace(restore, error) != STATUS_OK)
		return error->status;
	if (restore->options->json) {
		printf("{\"users\":%" PRIu64 ",\"sessions\":%" PRIu64 "}\n", findings.counts.users,
		       findings.counts.sessions);
	} else if (!restore->options->quiet) {
		printf("restored %" PRIu64 " users and %" PRIu64 " sessions\n", findings.counts.users,
		       findings.counts.sessions);
		say_where_old(restore);
	}
	return STATUS_OK;
}

/* Under the home's lock. */
static enum status carry_out(struct restore *restore, struct error *error)
{
	if (folder_has(&restore->home, STORE_RESTORING)) {
		if (go_on(restore, error) != STATUS_OK)
			return error->status;
		if (strcmp(restore->backup, restore->source.path) == 0)
			return STATUS_OK;
	}
	return begin(restore, error);
}

/* As root, a home that is missing is made for the user whose the backup is. */
static enum status make_home(const char *path, const struct folder *source, struct error *error)
{
	struct stat info;

	if (geteuid() != 0 || fstat(source->fd, &info) != 0 || info.st_uid == 0 || access(path, F_OK) == 0)
		return STATUS_OK;
	if (!folder_make_for(path, info.st_uid, info.st_gid))
		return refuse(error, path, strerror(errno));
	return STATUS_OK;
}

static enum status open_home(struct home *home, const char *path, const struct folder *source, struct error *error)
{
	if (make_home(path, source, error) != STATUS_OK ||
	    (access(path, F_OK) == 0 && identity_become(path, error) != STATUS_OK))
		return error->status;
	return home_open(home, path, error);
}

enum status restore_run(const struct config *config, const struct options *options, char *const *operands,
			struct error *error)
{
	struct restore restore = {.options = options};
	struct home home = {.folder = -1, .lock = -1};
	bool taken;

	if (folder_open(&restore.source, operands[0], error) != STATUS_OK)
		return error->status;
	if (open_home(&home, config->home, &restore.source, error) == STATUS_OK) {
		restore.home = (struct folder){config->home, home.folder};
		if (home_lock(&home, LOCK_WAIT_MS, &taken, error) == STATUS_OK && !taken)
			refuse(error, config->home, "a process of the service has it open: stop the service first");
		else if (error->status == STATUS_OK) {
			carry_out(&restore, error);
			home_unlock(&home);
		}
		home_close(&home);
	}
	folder_close(&restore.source);
	return error->status;
}
