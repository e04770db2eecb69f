/* Folders of plain files; see folder.h. */
#include "tool/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 << 10 };

static enum status failed(struct error *error, const struct folder *folder, const char *name, int reason)
{
	return error_set(error, STATUS_UNAVAILABLE, "%s%s%s: %s", folder->path, name ? "/" : "", name ? name : "",
			 strerror(reason));
}

enum status folder_open(struct folder *folder, const char *path, struct error *error)
{
	*folder = (struct folder){path, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	return folder->fd >= 0 ? STATUS_OK : failed(error, folder, NULL, errno);
}

enum status folder_open_within(struct folder *folder, const struct folder *parent, const char *name, const char *path,
			       struct error *error)
{
	*folder = (struct folder){path, -1};
	if (mkdirat(parent->fd, name, 0700) != 0 && errno != EEXIST)
		return failed(error, folder, NULL, errno);
	folder->fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return folder->fd >= 0 ? STATUS_OK : failed(error, folder, NULL, errno);
}

/* The new folder, still root's, empty, and no link: what it is now it stays, as long as nobody else may write in it. */
static bool is_new(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == 0 && (info.st_mode & 07777) == 0700 &&
	       info.st_nlink <= 2;
}

bool folder_make_for(const char *path, uid_t user, gid_t group)
{
	if (mkdir(path, 0700) != 0)
		return false;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool any = true;
	struct error ignored;
	const struct folder folder = {path, fd};
	bool made = is_new(fd) && folder_has_any(&folder, NULL, &any, &ignored) == STATUS_OK && !any &&
		    fchown(fd, user, group) == 0;
	if (!made)
		errno = EPERM;
	close(fd);
	return made;
}

void folder_close(struct folder *folder)
{
	if (folder->fd >= 0)
		close(folder->fd);
	folder->fd = -1;
}

const char *folder_reach(const struct folder *folder, char text[64])
{
	snprintf(text, 64, "/proc/self/fd/%d", folder->fd);
	return access(text, F_OK) == 0 ? text : folder->path;
}

bool folder_has(const struct folder *folder, const char *name)
{
	return faccessat(folder->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Call visit for each file that is selected. */
static enum status each(const struct folder *folder, folder_selects *selects,
			enum status (*visit)(void *context, const char *name, struct error *error), void *context,
			struct error *error)
{
	int again = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again >= 0 ? fdopendir(again) : NULL;

	error->status = STATUS_OK;
	if (!entries)
		return failed(error, folder, NULL, errno);
	for (struct dirent *entry = readdir(entries); entry && error->status == STATUS_OK; entry = readdir(entries))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    (!selects || selects(entry->d_name)))
			visit(context, entry->d_name, error);
	closedir(entries);
	return error->status;
}

static enum status note(void *context, const char *name, struct error *error)
{
	(void)name;
	*(bool *)context = true;
	return error->status;
}

enum status folder_has_any(const struct folder *folder, folder_selects *selects, bool *any, struct error *error)
{
	*any = false;
	return each(folder, selects, note, any, error);
}

enum status folder_mark(const struct folder *folder, const char *name, struct error *error)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return failed(error, folder, name, errno);
	close(fd);
	return STATUS_OK;
}

enum status folder_remove(const struct folder *folder, const char *name, struct error *error)
{
	return unlinkat(folder->fd, name, 0) == 0 ? STATUS_OK : failed(error, folder, name, errno);
}

static enum status remove_one(void *context, const char *name, struct error *error)
{
	return folder_remove(context, name, error);
}

enum status folder_clear(const struct folder *folder, struct error *error)
{
	return each(folder, NULL, remove_one, (void *)folder, error);
}

struct transfer {
	const struct folder *from, *to;
	struct progress *progress; /* or NULL */
	uint64_t bytes;
};

/* 0 or an errno; *at_source tells whose. */
static int copy_bytes(struct transfer *transfer, int from, int to, char *bytes, bool *at_source)
{
	for (;;) {
		ssize_t got = read(from, bytes, CHUNK_BYTES);
		*at_source = got < 0;
		if (got <= 0)
			return got < 0 ? errno : 0;
		for (ssize_t done = 0; done < got;) {
			ssize_t written = write(to, bytes + done, (size_t)(got - done));
			if (written < 0 && errno != EINTR)
				return errno;
			done += written > 0 ? written : 0;
		}
		transfer->bytes += (uint64_t)got;
		if (transfer->progress)
			progress_show(transfer->progress, transfer->bytes);
	}
}

static enum status copy_one(void *context, const char *name, struct error *error)
{
	struct transfer *transfer = context;
	char *bytes = malloc(CHUNK_BYTES);
	bool at_source = true;
	int to = -1, reason = 0;

	int from = bytes ? openat(transfer->from->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (from < 0) {
		reason = bytes ? errno : ENOMEM;
	} else {
		to = openat(transfer->to->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		at_source = false;
		reason = to >= 0 ? copy_bytes(transfer, from, to, bytes, &at_source) : errno;
		close(from);
	}
	if (to >= 0 && close(to) != 0 && reason == 0)
		reason = errno;
	free(bytes);
	return reason == 0 ? STATUS_OK : failed(error, at_source ? transfer->from : transfer->to, name, reason);
}

enum status folder_copy(const struct folder *from, const struct folder *to, folder_selects *selects,
			struct progress *progress, struct error *error)
{
	struct transfer transfer = {from, to, progress, 0};

	return each(from, selects, copy_one, &transfer, error);
}

static enum status move_one(void *context, const char *name, struct error *error)
{
	const struct transfer *transfer = context;

	if (renameat(transfer->from->fd, name, transfer->to->fd, name) == 0)
		return STATUS_OK;
	return failed(error, transfer->to, name, errno);
}

enum status folder_move(const struct folder *from, const struct folder *to, folder_selects *selects,
			struct error *error)
{
	struct transfer transfer = {from, to, NULL, 0};

	return each(from, selects, move_one, &transfer, error);
}

static enum status add_bytes(void *context, const char *name, struct error *error)
{
	struct transfer *transfer = context;
	struct stat info;

	if (fstatat(transfer->from->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode))
		transfer->bytes += (uint64_t)info.st_size;
	return error->status;
}

uint64_t folder_bytes(const struct folder *folder, folder_selects *selects)
{
	struct transfer transfer = {folder, NULL, NULL, 0};
	struct error ignored;

	each(folder, selects, add_bytes, &transfer, &ignored);
	return transfer.bytes;
}

static enum status sync_one(void *context, const char *name, struct error *error)
{
	const struct folder *folder = context;
	int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return failed(error, folder, name, errno);
	if (fsync(fd) != 0)
		failed(error, folder, name, errno);
	close(fd);
	return error->status;
}

enum status folder_sync(const struct folder *folder, struct error *error)
{
	if (each(folder, NULL, sync_one, (void *)folder, error) != STATUS_OK)
		return error->status;
	return folder_sync_names(folder, error);
}

enum status folder_sync_names(const struct folder *folder, struct error *error)
{
	/* EINVAL: that file system has no such thing, fsync(2). */
	return fsync(folder->fd) == 0 || errno == EINVAL ? STATUS_OK : failed(error, folder, NULL, errno);
}
