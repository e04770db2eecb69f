/* Having the owner make a copy; see staging.h. */
#include "tool/staging.h"

#include "api/local.h"
#include "tool/members.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_LEAST_MS = 2, PAUSE_MOST_MS = 100 };

/* Whether the folder that was locked is still the one that the name is of: who had the lock may have renamed or removed it. */
static bool is_still_there(const struct staging *staging)
{
	struct stat opened, named;

	return fstat(staging->folder.fd, &opened) == 0 &&
	       fstatat(staging->home.fd, STORE_COPY, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static enum status take_folder(struct staging *staging, struct error *error)
{
	for (;;) {
		if (folder_open_within(&staging->folder, &staging->home, STORE_COPY, staging->path, error) != STATUS_OK)
			return error->status;
		if (flock(staging->folder.fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
			folder_close(&staging->folder);
			return error_set(error, STATUS_CONFLICT, "%s: another backup or verify is at it",
					 staging->path);
		}
		if (is_still_there(staging))
			return STATUS_OK;
		folder_close(&staging->folder);
	}
}

/* One look at how far the copy is. */
static enum status look(struct client *client, json_object *copy, struct progress *progress, bool *running,
			struct error *error)
{
	json_object *state = NULL;

	if (client_ask(client, LOCAL_COPY_STATE, NULL, &state, error) != STATUS_OK)
		return error->status;
	*running = json_object_get_boolean(members_get(state, "running"));
	progress->total = (uint64_t)members_number(state, "expectedBytes");
	progress_show(progress, (uint64_t)members_number(state, "bytes"));
	if (strcmp(members_string(state, "copy", ""), members_string(copy, "copy", "")) != 0)
		error_set(error, STATUS_UNAVAILABLE,
			  "the process that owned the store ended before the copy was complete: try again");
	else if (*members_string(state, "error", ""))
		error_set(error, STATUS_UNAVAILABLE, "the store could not be copied: %s",
			  members_string(state, "error", ""));
	json_object_put(state);
	return error->status;
}

static enum status copy(struct client *client, const struct options *options, struct error *error)
{
	struct progress progress = progress_begin(options, "copying", "bytes", 0);
	json_object *answer = NULL;
	bool running = true;

	if (client_ask(client, LOCAL_COPY, NULL, &answer, error) != STATUS_OK)
		return error->status;
	for (int pause_ms = PAUSE_LEAST_MS; running && error->status == STATUS_OK;) {
		nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000L}, NULL);
		look(client, answer, &progress, &running, error);
		pause_ms = 2 * pause_ms < PAUSE_MOST_MS ? 2 * pause_ms : PAUSE_MOST_MS;
	}
	progress_clear(&progress);
	json_object_put(answer);
	return error->status;
}

enum status staging_make(struct staging *staging, const struct config *config, const struct options *options,
			 struct error *error)
{
	struct client client;

	*staging = (struct staging){.home = {.fd = -1}, .folder = {.fd = -1}};
	snprintf(staging->path, sizeof staging->path, "%s/%s", config->home, STORE_COPY);
	if (client_open(&client, config, error) != STATUS_OK)
		return error->status;
	if (folder_open(&staging->home, config->home, error) == STATUS_OK && take_folder(staging, error) == STATUS_OK &&
	    copy(&client, options, error) != STATUS_OK)
		staging_remove(staging);
	client_close(&client);
	if (error->status != STATUS_OK)
		staging_leave(staging);
	return error->status;
}

bool staging_rename(const struct staging *staging, const char *path)
{
	return renameat(staging->home.fd, STORE_COPY, AT_FDCWD, path) == 0;
}

void staging_remove(struct staging *staging)
{
	struct error ignored;

	/* It may have been renamed, and another one be in its place. */
	if (!is_still_there(staging))
		return;
	folder_clear(&staging->folder, &ignored);
	unlinkat(staging->home.fd, STORE_COPY, AT_REMOVEDIR);
}

void staging_leave(struct staging *staging)
{
	folder_close(&staging->folder);
	folder_close(&staging->home);
}
