/* focusstats backup; see backup.h. The copy is made in the home (staging.h), moved to where it is wanted, verified there, and only then
 * loses the mark that says that it is none. */
#include "tool/backup.h"

#include "tool/findings.h"
#include "tool/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct destination {
	const char *path;
	struct folder folder;
	bool made; /* by this command */
};

static enum status cannot_be(struct error *error, const char *path, const char *why)
{
	return error_set(error, STATUS_INVALID, "%s: %s", path, why);
}

/* As root it is made for the home's user, whom this process becomes then. */
static bool make_folder(const char *path, const char *home)
{
	struct stat info;

	if (geteuid() == 0 && stat(home, &info) == 0 && info.st_uid != 0)
		return folder_make_for(path, info.st_uid, info.st_gid);
	return mkdir(path, 0700) == 0;
}

static enum status check_place(const char *path, const char *home, struct error *error)
{
	char real_path[PATH_MAX], real_home[PATH_MAX];

	if (!realpath(path, real_path) || !realpath(home, real_home))
		return STATUS_OK; /* what uses them says why */
	size_t size = strlen(real_home);
	if (strncmp(real_path, real_home, size) == 0 && (real_path[size] == '/' || real_path[size] == '\0'))
		return cannot_be(error, path, "is in the home folder: a backup must outlive that");
	return STATUS_OK;
}

static enum status check_empty(const struct folder *folder, struct error *error)
{
	bool any;

	if (folder_has(folder, STORE_INCOMPLETE))
		return cannot_be(error, folder->path, "holds a backup that was not completed: remove it first");
	if (folder_has_any(folder, NULL, &any, error) != STATUS_OK)
		return error->status;
	return any ? cannot_be(error, folder->path, "is not empty") : STATUS_OK;
}

static void remove_destination(struct destination *destination)
{
	struct error ignored;

	if (destination->folder.fd >= 0)
		folder_clear(&destination->folder, &ignored);
	if (destination->made)
		rmdir(destination->path);
}

static enum status open_destination(struct destination *destination, const char *path, const char *home,
				    struct error *error)
{
	*destination = (struct destination){.path = path, .folder = {.fd = -1}};
	destination->made = make_folder(path, home);
	if (!destination->made && errno != EEXIST)
		return cannot_be(error, path, errno == ENOENT ? "its parent folder is missing" : strerror(errno));
	if (folder_open(&destination->folder, path, error) == STATUS_OK && check_place(path, home, error) == STATUS_OK)
		check_empty(&destination->folder, error);
	if (error->status != STATUS_OK) {
		if (destination->made)
			rmdir(path);
		folder_close(&destination->folder);
	}
	return error->status;
}

/* The copy becomes the destination, or what is in it goes there. */
static enum status move(struct staging *staging, struct destination *destination, const struct options *options,
			struct error *error)
{
	if (folder_mark(&staging->folder, STORE_INCOMPLETE, error) != STATUS_OK)
		return error->status;
	if (staging_rename(staging, destination->path)) {
		folder_close(&destination->folder);
		return folder_open(&destination->folder, destination->path, error);
	}
	if (folder_mark(&destination->folder, STORE_INCOMPLETE, error) != STATUS_OK)
		return error->status;
	struct progress progress = progress_begin(options, "moving", "bytes", folder_bytes(&staging->folder, NULL));
	folder_copy(&staging->folder, &destination->folder, store_is_file, &progress, error);
	progress_clear(&progress);
	staging_remove(staging);
	return error->status;
}

/* The folder's own name; where this user may not read what it is in, its maker sees to that some time. */
static enum status sync_name(const char *path, struct error *error)
{
	char *copy = strdup(path);
	const char *name = copy ? dirname(copy) : NULL;
	struct folder parent;

	error->status = STATUS_OK;
	if (!copy)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	if ((faccessat(AT_FDCWD, name, R_OK, AT_EACCESS) == 0 || errno != EACCES) &&
	    folder_open(&parent, name, error) == STATUS_OK) {
		folder_sync_names(&parent, error);
		folder_close(&parent);
	}
	free(copy);
	return error->status;
}

static enum status complete(struct staging *staging, struct destination *destination, const struct options *options,
			    struct findings *findings, struct error *error)
{
	if (move(staging, destination, options, error) != STATUS_OK ||
	    findings_of_copy(findings, &destination->folder, destination->path, options, error) != STATUS_OK ||
	    folder_sync(&destination->folder, error) != STATUS_OK ||
	    folder_remove(&destination->folder, STORE_INCOMPLETE, error) != STATUS_OK ||
	    folder_sync_names(&destination->folder, error) != STATUS_OK ||
	    sync_name(destination->path, error) != STATUS_OK)
		return error_context(error, "no backup was made");
	return STATUS_OK;
}

static void print(const struct destination *destination, const struct findings *findings, const struct options *options)
{
	const struct verify_counts *counts = &findings->counts;
	uint64_t bytes = folder_bytes(&destination->folder, store_is_file);

	if (options->json)
		printf("{\"users\":%" PRIu64 ",\"sessions\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", counts->users,
		       counts->sessions, bytes);
	else if (!options->quiet)
		printf("backed up %" PRIu64 " users and %" PRIu64 " sessions, %" PRIu64 " bytes, and verified them\n",
		       counts->users, counts->sessions, bytes);
}

enum status backup_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error)
{
	struct destination destination;
	struct findings findings = {.count = 0};
	struct staging staging;

	if (open_destination(&destination, operands[0], config->home, error) != STATUS_OK)
		return error->status;
	if (staging_make(&staging, config, options, error) == STATUS_OK) {
		if (complete(&staging, &destination, options, &findings, error) == STATUS_OK)
			print(&destination, &findings, options);
		staging_remove(&staging);
		staging_leave(&staging);
	}
	if (error->status != STATUS_OK)
		remove_destination(&destination);
	folder_close(&destination.folder);
	return error->status;
}
