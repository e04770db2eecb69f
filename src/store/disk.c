/* The engine's hooks; see disk.h. Facts about the engine that are not in its manual are from the sources of Berkeley DB 5.3.28. */
#include "store/disk.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/pages.h"
#include "store/sums.h"

#include <db.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FULL_MEMORY_MS = 10000 };

static const char MARKER[] = "sync-failed";

static struct {
	void (*fatal)(void *context, const char *what);
	void *context;
	char marker[4096 + sizeof MARKER];
	_Atomic int64_t full_at_ms; /* when a write last found no space, CLOCK_BOOTTIME; 0 for never */
} disk;

void disk_fatal(const char *what)
{
	disk.fatal(disk.context, what);
}

/* After a failed sync nothing may be acknowledged: what the kernel could not write it may have dropped, and the engine
 * would carry on (it makes the commit an abort and syncs again, __log_flush_commit). So this owner ends here, and leaves
 * word to the next one. A sync is never tried again, whatever the error. */
static int sync_now(int fd)
{
	if (fdatasync(fd) == 0)
		return 0;
	int reason = errno;
	int marker = open(disk.marker, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (marker >= 0)
		close(marker);
	char what[128];
	snprintf(what, sizeof what, "a sync to the disk failed: %s", strerror(reason));
	disk_fatal(what);
	return reason;
}

static int note_full(int result)
{
	if (result == ENOSPC || result == EDQUOT)
		disk.full_at_ms = clock_boot_ms();
	return result;
}

static int sync_file(int fd)
{
	int file = pages_file(fd);

	return file < 0 ? sync_now(fd) : note_full(pages_sync(file));
}

/* With this hook the engine writes all by it, the pages too (os_rw.c, __os_io); and it takes a short one for an error without a
 * reason (__os_physwrite): all, or the error. */
static ssize_t write_on(int fd, const void *data, size_t size)
{
	int file = pages_file(fd);
	ssize_t written = file < 0 ? 0 : pages_write(file, fd, data, size);

	for (size_t done = 0; file < 0 && done < size; done += (size_t)(written > 0 ? written : 0)) {
		written = write(fd, (const char *)data + done, size - done);
		if (written == 0) {
			errno = EIO;
			written = -1;
			break;
		}
		if (written < 0 && errno != EINTR)
			break;
	}
	if (written < 0)
		note_full(errno);
	return written < 0 ? -1 : (ssize_t)size;
}

/* A database that is opened is read, and asked for its size, as it lies on the disk. With this hook the engine does not see to
 * O_CLOEXEC, and does not wait for up to 12 s, and all writes with it, where there is no space or no descriptor left (os_open.c). */
static int open_file(const char *path, int flags, ...)
{
	va_list arguments;

	va_start(arguments, flags);
	mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	int fd;
	do
		fd = open(path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	int result = fd < 0 ? note_full(errno) : pages_file(fd) >= 0 ? note_full(pages_flush()) : 0;
	if (result == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	errno = result;
	return -1;
}

static int truncate_file(int fd, off_t size)
{
	int result = pages_file(fd) >= 0 ? note_full(pages_flush()) : 0;

	errno = result;
	return result == 0 ? ftruncate(fd, size) : -1;
}

/* The cached pages of the home's files may be newer than what is on the disk: have them read again. */
static void drop_cached_pages(const char *home)
{
	DIR *folder = opendir(home);

	if (!folder)
		return;
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			continue;
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	closedir(folder);
}

static bool is_there(const char *home, const char *name)
{
	char path[4096 + 32];

	return (size_t)snprintf(path, sizeof path, "%s/%s", home, name) < sizeof path && access(path, F_OK) == 0;
}

int disk_open(const struct store_options *options, const char *const *databases, const char **failed)
{
	unsigned mended = 0;
	int result = 0;

	disk.full_at_ms = 0;
	disk.fatal = options->fatal;
	disk.context = options->context;
	*failed = options->home;
	if ((size_t)snprintf(disk.marker, sizeof disk.marker, "%s/%s", options->home, MARKER) >= sizeof disk.marker)
		return ENAMETOOLONG;
	db_env_set_func_fsync(sync_file);
	db_env_set_func_write(write_on);
	sums_guard(pages_read);
	db_env_set_func_open(open_file);
	db_env_set_func_ftruncate(truncate_file);
	if (disk_has_marker())
		drop_cached_pages(options->home);
	if (!options->copy || is_there(options->home, pages_journal))
		result = note_full(pages_open(options->home, databases, sync_now, &mended, failed));
	if (options->copy)
		pages_close();
	if (mended > 0)
		log_line("%s: mended %u pages of the databases that a power failure had torn", pages_journal, mended);
	return result;
}

int disk_find(void)
{
	return pages_find();
}

void disk_close(void)
{
	(void)pages_flush(); /* what is not in its place is in the log */
	pages_close();
}

int disk_flush(void)
{
	return note_full(pages_flush());
}

bool disk_has_marker(void)
{
	return access(disk.marker, F_OK) == 0;
}

int disk_remove_marker(void)
{
	return unlink(disk.marker) == 0 ? 0 : errno;
}

bool disk_was_full(void)
{
	int64_t full_at_ms = disk.full_at_ms;

	return full_at_ms > 0 && clock_boot_ms() - full_at_ms < FULL_MEMORY_MS;
}
