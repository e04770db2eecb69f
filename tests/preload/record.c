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
 * record are one step. What is mapped into memory is not seen, nor what the C library writes of its own streams.
 *
 * It also lets calls fail. RECORD_FAIL holds "KIND NUMBER ERROR TIMES": from the NUMBER-th call of that kind of the process on, so many
 * of them fail, all where TIMES is 0, those within -TIMES ms where it is below 0; NUMBER 0 lets none fail. KIND is write, sync, open, rename, unlink, resize or mkdir; ERROR is
 * EIO, ENOSPC, EINTR or short, with which a write takes half of what it is given. Then there are two more records:
 *
 *   call-KIND NAME NUMBER 0       such a call, before it is carried out
 *   fail-KIND NAME NUMBER 0       and it fails
 *
 * RECORD_ROOT names the folder where that is not the home.
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
#include <time.h>
#include <unistd.h>

/* The next definition of a function behind this object's. */
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static pthread_mutex_t step = PTHREAD_MUTEX_INITIALIZER;

/* The part of a path that is below the home, "." for itself; NULL where it is elsewhere. */
static const char *below(const char *path)
{
	const char *root = getenv("RECORD_ROOT"), *home = root ? root : getenv("FOCUSSTATS_HOME");
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

enum kind { WRITE, SYNC, OPEN, RENAME, UNLINK, RESIZE, MKDIR, KINDS };
enum { SHORT = -1 };

/* What the call is to fail with, 0 where it is not. Under `step`. */
static int fault(enum kind kind, const char *name)
{
	static const char *const kinds[] = {"write", "sync", "open", "rename", "unlink", "resize", "mkdir"};
	static const struct {
		const char *name;
		int number;
	} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EINTR", EINTR}, {"short", SHORT}};
	static long counts[KINDS], began_ms;
	struct timespec now;
	const char *asked = getenv("RECORD_FAIL");
	char which[16], error[16];
	long first, times;

	if (!asked || !name)
		return 0;
	long number = ++counts[kind];
	record("", 0, "call-%s %s %ld 0\n", kinds[kind], name, number);
	if (sscanf(asked, "%15s %ld %15s %ld", which, &first, error, &times) != 4)
		abort();
	clock_gettime(CLOCK_MONOTONIC, &now);
	long now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (strcmp(which, kinds[kind]) != 0 || first == 0 || number < first || (times > 0 && number >= first + times))
		return 0;
	if (number == first)
		began_ms = now_ms;
	if (times < 0 && now_ms - began_ms > -times)
		return 0;
	record("", 0, "fail-%s %s %ld 0\n", kinds[kind], name, number);
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(error, errors[i].name) == 0)
			return errors[i].number;
	abort();
}

/* The same for a call that returns -1 and sets errno; whether it fails. */
static bool fails(enum kind kind, const char *name)
{
	int reason = fault(kind, name);

	if (reason != 0)
		errno = reason;
	return reason != 0;
}

static ssize_t put(int fd, const void *data, size_t size, off_t offset, bool at)
{
	char path[2 * PATH_MAX];
	const char *name = fd > 2 ? place(fd, NULL, path) : NULL;

	if (!name)
		return at ? REAL(pwrite)(fd, data, size, offset) : REAL(write)(fd, data, size);
	pthread_mutex_lock(&step);
	int reason = fault(WRITE, name);
	if (reason > 0) {
		pthread_mutex_unlock(&step);
		errno = reason;
		return -1;
	}
	if (reason == SHORT)
		size -= size / 2;
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
	bool failed = fails(SYNC, name);
	pthread_mutex_unlock(&step);
	int result = failed ? -1 : real(fd);
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
	int result = fails(RESIZE, name) ? -1 : real(fd, size);
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

int posix_fallocate(int fd, off_t offset, off_t size)
{
	char path[2 * PATH_MAX];
	const char *name = place(fd, NULL, path);

	pthread_mutex_lock(&step);
	int reason = fault(RESIZE, name);
	pthread_mutex_unlock(&step);
	return reason != 0 ? reason : REAL(posix_fallocate)(fd, offset, size);
}

static int open_file(int folder, const char *entry, int flags, mode_t mode)
{
	char path[2 * PATH_MAX];
	bool looked_at = flags & (O_CREAT | O_TRUNC) || getenv("RECORD_FAIL");
	const char *name = looked_at ? place(folder, entry, path) : NULL;
	struct stat info;

	if (!name)
		return REAL(openat)(folder, entry, flags, mode);
	pthread_mutex_lock(&step);
	bool there = (fstatat(folder, entry, &info, AT_SYMLINK_NOFOLLOW) == 0 && !(flags & O_TRUNC)) ||
		     !(flags & (O_CREAT | O_TRUNC));
	int fd = fails(OPEN, name) ? -1 : REAL(openat)(folder, entry, flags, mode);
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
	int result = fails(RENAME, name ? name : to_name) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
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
	int result = fails(UNLINK, name) ? -1 : REAL(unlinkat)(folder, entry, flags);
	if (result == 0 && name)
		record("", 0, "unlink %s 0\n", name);
	pthread_mutex_unlock(&step);
	return result;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int mkdirat(int folder, const char *entry, mode_t mode)
{
	char path[2 * PATH_MAX];
	const char *name = place(folder, entry, path);

	pthread_mutex_lock(&step);
	bool failed = fails(MKDIR, name);
	pthread_mutex_unlock(&step);
	return failed ? -1 : REAL(mkdirat)(folder, entry, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}
