/* A recorder for the tests, preloaded into the program (LD_PRELOAD): what it does to the files of the folder that FOCUSSTATS_HOME
 * names, in one order, is appended to the file that RECORD_FILE names; test_power.py makes disks of it. A record is a line of
 * blank-separated fields, behind which lie as many bytes as its last one says:
 *
 *   create NAME 0                 the file was made, or an empty one is in its place
 *   write NAME OFFSET SIZE        the bytes follow; all of them were taken
 *   truncate NAME SIZE 0          also what makes a file longer
 *   begin NAME NUMBER 0           a sync begins; the folder itself has the name "."
 *   synced NAME NUMBER 0          that sync succeeded
 *   rename NAME SIZE              the new name follows
 *   unlink NAME 0
 *
 * A write stands where the kernel had taken it, and a sync covers those writes that stand before its beginning: the call and its
 * record are one step. What is mapped into memory is not seen.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The next definition of a function behind this object's. */
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static pthread_mutex_t step = PTHREAD_MUTEX_INITIALIZER;

/* The part of a path that is below the home, "." for itself; NULL where it is elsewhere. */
static const char *below(const char *path)
{
	const char *home = getenv("FOCUSSTATS_HOME");
	size_t size = home ? strlen(home) : 0;

	if (size == 0 || strncmp(path, home, size) != 0)
		return NULL;
	if (path[size] == '\0')
		return ".";
	return path[size] == '/' ? path + size + 1 : NULL;
}

/* The name of an open file, or of a folder's entry where NAME is not NULL. The program names its home by a descriptor, in /proc. Keeps
 * errno. */
static const char *place(int fd, const char *name, char path[2 * PATH_MAX])
{
	char link[PATH_MAX];
	int before = errno;
	bool found;

	if (name && name[0] == '/') {
		snprintf(link, sizeof link, "%.*s", (int)(strrchr(name, '/') - name), name);
		found = realpath(link[0] ? link : "/", path) != NULL;
		name = strrchr(name, '/') + 1;
	} else {
		snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
		ssize_t size = readlink(link, path, PATH_MAX - 1);
		found = size > 0;
		path[found ? size : 0] = '\0';
	}
	errno = before;
	if (!found)
		return NULL;
	if (name)
		snprintf(path + strlen(path), PATH_MAX, "/%s", name);
	return below(path);
}

/* Appends a record with one write. Without it there is no test, so it ends the program where it cannot. */
static void record(const void *data, size_t size, const char *format, ...)
{
	static int file = -1;
	char line[2 * PATH_MAX];
	int before = errno;
	va_list values;

	if (file < 0) {
		const char *path = getenv("RECORD_FILE");
		file = path ? REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	}
	va_start(values, format);
	int used = vsnprintf(line, sizeof line, format, values);
	va_end(values);
	union {
		const void *given;
		void *taken; /* as writev has it, which changes nothing */
	} bytes = {data};
	struct iovec parts[] = {{line, (size_t)used}, {bytes.taken, size}};
	if (used < 0 || REAL(writev)(file, parts, 2) != (ssize_t)(parts[0].iov_len + size))
		abort();
	errno = before;
}

static ssize_t put(int fd, const void *data, size_t size, off_t offset, bool at)
{
	char path[2 * PATH_MAX];
	const char *name = fd > 2 ? place(fd, NULL, path) : NULL;

	if (!name)
		return at ? REAL(pwrite)(fd, data, size, offset) : REAL(write)(fd, data, size);
	pthread_mutex_lock(&step);
	ssize_t written = at ? REAL(pwrite)(fd, data, size, offset) : REAL(write)(fd, data, size);
	if (!at)
		offset = lseek(fd, 0, SEEK_CUR) - (written > 0 ? written : 0);
	if (written > 0 && offset >= 0)
		record(data, (size_t)written, "write %s %lld %zd\n", name, (long long)offset, written);
	pthread_mutex_unlock(&step);
	return written;
}

ssize_t write(int fd, const void *data, size_t size)
{
	return put(fd, data, size, 0, false);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return put(fd, data, size, offset, true);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	return put(fd, data, size, offset, true);
}

static int sync_file(int fd, int (*real)(int fd))
{
	static atomic_int count;
	char path[2 * PATH_MAX];
	const char *name = place(fd, NULL, path);
	int number = atomic_fetch_add(&count, 1) + 1;

	if (!name)
		return real(fd);
	pthread_mutex_lock(&step);
	record("", 0, "begin %s %d 0\n", name, number);
	pthread_mutex_unlock(&step);
	int result = real(fd);
	pthread_mutex_lock(&step);
	if (result == 0)
		record("", 0, "synced %s %d 0\n", name, number);
	pthread_mutex_unlock(&step);
	return result;
}

int fsync(int fd)
{
	return sync_file(fd, REAL(fsync));
}

int fdatasync(int fd)
{
	return sync_file(fd, REAL(fdatasync));
}

static int resize(int fd, off_t size, int (*real)(int fd, off_t size))
{
	char path[2 * PATH_MAX];
	const char *name = place(fd, NULL, path);

	pthread_mutex_lock(&step);
	int result = real(fd, size);
	if (name && result == 0)
		record("", 0, "truncate %s %lld 0\n", name, (long long)size);
	pthread_mutex_unlock(&step);
	return result;
}

int ftruncate(int fd, off_t size)
{
	return resize(fd, size, REAL(ftruncate));
}

int ftruncate64(int fd, off64_t size)
{
	return resize(fd, size, REAL(ftruncate));
}

static int open_file(int folder, const char *entry, int flags, mode_t mode)
{
	char path[2 * PATH_MAX];
	const char *name = flags & (O_CREAT | O_TRUNC) ? place(folder, entry, path) : NULL;
	struct stat info;

	if (!name)
		return REAL(openat)(folder, entry, flags, mode);
	pthread_mutex_lock(&step);
	bool there = fstatat(folder, entry, &info, AT_SYMLINK_NOFOLLOW) == 0 && !(flags & O_TRUNC);
	int fd = REAL(openat)(folder, entry, flags, mode);
	if (fd >= 0 && !there)
		record("", 0, "create %s 0\n", name);
	pthread_mutex_unlock(&step);
	return fd;
}

/* The third argument of open, which is there only where a file may be made. */
static mode_t mode_of(int flags, va_list values)
{
	return flags & O_CREAT ? va_arg(values, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list values;

	va_start(values, flags);
	mode_t mode = mode_of(flags, values);
	va_end(values);
	return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list values;

	va_start(values, flags);
	mode_t mode = mode_of(flags, values);
	va_end(values);
	return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	va_list values;

	va_start(values, flags);
	mode_t mode = mode_of(flags, values);
	va_end(values);
	return open_file(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
	va_list values;

	va_start(values, flags);
	mode_t mode = mode_of(flags, values);
	va_end(values);
	return open_file(folder, path, flags, mode);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	char path[2 * PATH_MAX], to_path[2 * PATH_MAX];
	const char *name = place(from_folder, from, path), *to_name = place(to_folder, to, to_path);

	pthread_mutex_lock(&step);
	int result = REAL(renameat)(from_folder, from, to_folder, to);
	if (result == 0 && name && to_name)
		record(to_name, strlen(to_name), "rename %s %zu\n", name, strlen(to_name));
	pthread_mutex_unlock(&step);
	return result;
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int folder, const char *entry, int flags)
{
	char path[2 * PATH_MAX];
	const char *name = place(folder, entry, path);

	pthread_mutex_lock(&step);
	int result = REAL(unlinkat)(folder, entry, flags);
	if (result == 0 && name)
		record("", 0, "unlink %s 0\n", name);
	pthread_mutex_unlock(&step);
	return result;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}
