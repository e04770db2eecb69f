/* Faults and a clock for the tests, preloaded into the program (LD_PRELOAD). Files in the folder that FAULTS_DIR names say which;
 * they are looked at in every call, so a test makes and removes them while the program runs:
 *
 *   sync-fail      the next fsync or fdatasync fails with EIO and removes the file; what was written to a log file since its last
 *                  sync is lost, as when the kernel has dropped the pages that it could not write
 *   sync-fail-at   holds a number N: the N-th one of each process fails with EIO
 *   sync-block     an fsync or fdatasync waits until the file is gone; it appends the name of its file to `sync-waiting`
 *   sync-slow      an fsync or fdatasync takes the milliseconds longer that it holds
 *   no-space       write, pwrite and posix_fallocate fail with ENOSPC for files in the folder that FOCUSSTATS_HOME names;
 *                  where it is not empty, for those whose name begins with what it holds
 *   write-slow     holds milliseconds and, behind a blank, how a name begins: a write or pwrite takes so much longer for files in the
 *                  folder that FOCUSSTATS_HOME names whose name begins so
 *   die-at         holds a number N: the N-th fsync, mkdirat, renameat or unlinkat of each process ends it by SIGKILL instead
 *   network        statfs and fstatfs report NFS
 *   hostname       gethostname gives what it holds
 *   read-only      statvfs and fstatvfs report a file system that is read-only
 *   free-bytes     they report that so many bytes are free
 *   free-inodes    and so many inodes
 *   no-proc        access finds nothing in /proc
 *   system         holds a folder, in which fopen, opendir and stat look for what is below /etc, /lib/systemd and /run/focusstats
 *   engine         holds a version, 1.2.3, which Berkeley DB says that it is
 *   clock          the wall clock (CLOCK_REALTIME) stands at the milliseconds since 1970 that it holds
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* The next definition of a function behind this object's. */
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static bool path_of(const char *name, char path[4096])
{
	const char *folder = getenv("FAULTS_DIR");

	return folder && snprintf(path, 4096, "%s/%s", folder, name) < 4096;
}

/* Whether the fault is asked for, and what its file holds. Keeps errno. */
static bool asked(const char *name, char content[256])
{
	int before = errno;
	char path[4096];
	int fd = path_of(name, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	errno = before;
	if (fd < 0)
		return false;
	ssize_t size = read(fd, content, 255);
	content[size > 0 ? size : 0] = '\0';
	close(fd);
	errno = before;
	return true;
}

/* The path of an open file; an empty one where it has none. */
static void name_of(int fd, char path[4096])
{
	char link[64];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, 4095);
	path[size > 0 ? size : 0] = '\0';
}

static void wait_while_blocked(int fd)
{
	char content[256], path[4096], name[4096];

	if (!asked("sync-block", content))
		return;
	if (path_of("sync-waiting", path)) {
		int list = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		name_of(fd, name);
		if (list >= 0) {
			dprintf(list, "%s\n", name);
			close(list);
		}
	}
	while (asked("sync-block", content))
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* How long each file was when it was last synced; by descriptor, as few are open. */
enum { DESCRIPTORS = 1024 };
static struct synced {
	ino_t file;
	off_t size;
} synced[DESCRIPTORS];

/* Only log files grow at their end alone, so only of them it is known what was not synced. */
static void lose_unsynced(int fd)
{
	struct stat info;
	char name[4096];

	name_of(fd, name);
	if (fd < DESCRIPTORS && strstr(name, "/log.") && fstat(fd, &info) == 0 && synced[fd].file == info.st_ino &&
	    ftruncate(fd, synced[fd].size) != 0)
		abort();
}

static bool sync_fails(int fd)
{
	static atomic_int count;
	int number = atomic_fetch_add(&count, 1) + 1;
	char content[256], path[4096];

	wait_while_blocked(fd);
	if (asked("sync-slow", content))
		usleep((useconds_t)atoi(content) * 1000);
	bool next = path_of("sync-fail", path) && unlink(path) == 0;
	if (next)
		lose_unsynced(fd);
	if (next || (asked("sync-fail-at", content) && atoi(content) == number)) {
		errno = EIO;
		return true;
	}
	return false;
}

static int sync_file(int fd, int (*real)(int fd))
{
	struct stat before;

	if (sync_fails(fd))
		return -1;
	bool known = fd < DESCRIPTORS && fstat(fd, &before) == 0;
	int result = real(fd);
	if (result == 0 && known)
		synced[fd] = (struct synced){before.st_ino, before.st_size};
	return result;
}

/* A step that can be the last one. */
static void may_die(void)
{
	static atomic_int count;
	int number = atomic_fetch_add(&count, 1) + 1;
	char content[256];

	if (asked("die-at", content) && atoi(content) == number)
		raise(SIGKILL);
}

int mkdirat(int folder, const char *name, mode_t mode)
{
	may_die();
	return REAL(mkdirat)(folder, name, mode);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	may_die();
	return REAL(renameat)(from_folder, from, to_folder, to);
}

int unlinkat(int folder, const char *name, int flags)
{
	may_die();
	return REAL(unlinkat)(folder, name, flags);
}

int fsync(int fd)
{
	may_die();
	return sync_file(fd, REAL(fsync));
}

int fdatasync(int fd)
{
	return sync_file(fd, REAL(fdatasync));
}

/* Whether the descriptor is of a file in the home whose name begins so. */
static bool is_in_home(int fd, const char *beginning)
{
	const char *home = getenv("FOCUSSTATS_HOME");
	size_t folder = home ? strlen(home) : 0;
	char path[4096];

	name_of(fd, path);
	return home && strncmp(path, home, folder) == 0 && path[folder] == '/' &&
	       strncmp(path + folder + 1, beginning, strlen(beginning)) == 0;
}

static bool no_space(int fd)
{
	char content[256];

	if (!asked("no-space", content) || !is_in_home(fd, content))
		return false;
	errno = ENOSPC;
	return true;
}

static void be_slow(int fd)
{
	char content[256], *name;

	if (!asked("write-slow", content))
		return;
	long ms = strtol(content, &name, 10);
	if (is_in_home(fd, name + (*name == ' ')))
		usleep((useconds_t)ms * 1000);
}

ssize_t write(int fd, const void *data, size_t size)
{
	be_slow(fd);
	return no_space(fd) ? -1 : REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	be_slow(fd);
	return no_space(fd) ? -1 : REAL(pwrite)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	be_slow(fd);
	return no_space(fd) ? -1 : REAL(pwrite64)(fd, data, size, offset);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
	return no_space(fd) ? ENOSPC : REAL(posix_fallocate)(fd, offset, size);
}

int statfs(const char *path, struct statfs *info)
{
	char content[256];
	int result = REAL(statfs)(path, info);

	if (result == 0 && asked("network", content))
		info->f_type = NFS_SUPER_MAGIC;
	return result;
}

int fstatfs(int fd, struct statfs *info)
{
	char content[256];
	int result = REAL(fstatfs)(fd, info);

	if (result == 0 && asked("network", content))
		info->f_type = NFS_SUPER_MAGIC;
	return result;
}

static void spoil(struct statvfs *info)
{
	char content[256];

	if (asked("read-only", content))
		info->f_flag |= ST_RDONLY;
	if (asked("free-bytes", content))
		info->f_bavail = strtoull(content, NULL, 10) / info->f_frsize;
	if (asked("free-inodes", content)) {
		info->f_files = 1 << 20;
		info->f_favail = strtoull(content, NULL, 10);
	}
}

int statvfs(const char *path, struct statvfs *info)
{
	int result = REAL(statvfs)(path, info);

	if (result == 0)
		spoil(info);
	return result;
}

int fstatvfs(int fd, struct statvfs *info)
{
	int result = REAL(fstatvfs)(fd, info);

	if (result == 0)
		spoil(info);
	return result;
}

int access(const char *path, int mode)
{
	char content[256];

	if (strncmp(path, "/proc/", 6) != 0 || !asked("no-proc", content))
		return REAL(access)(path, mode);
	errno = ENOENT;
	return -1;
}

/* Where a path of the system is to be looked for. */
static const char *of_system(const char *path, char changed[4096])
{
	static const char *const places[] = {"/etc/", "/lib/systemd/", "/run/focusstats/"};
	char content[256];

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0 && asked("system", content) &&
		    snprintf(changed, 4096, "%s%s", content, path) < 4096)
			return changed;
	return path;
}

FILE *fopen(const char *path, const char *mode)
{
	char changed[4096];

	return REAL(fopen)(of_system(path, changed), mode);
}

DIR *opendir(const char *path)
{
	DIR *(*real)(const char *path) = REAL(opendir);
	char changed[4096];

	return real(of_system(path, changed));
}

int stat(const char *path, struct stat *info)
{
	char changed[4096];

	return REAL(stat)(of_system(path, changed), info);
}

/* As db.h declares it. */
char *db_version(int *major, int *minor, int *patch);

char *db_version(int *major, int *minor, int *patch)
{
	char content[256];
	char *text = REAL(db_version)(major, minor, patch);

	if (text && asked("engine", content))
		sscanf(content, "%d.%d.%d", major, minor, patch);
	return text;
}

int gethostname(char *name, size_t size)
{
	char content[256];

	if (!asked("hostname", content))
		return REAL(gethostname)(name, size);
	snprintf(name, size, "%s", content);
	return 0;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	char content[256];

	if (id != CLOCK_REALTIME || !asked("clock", content))
		return REAL(clock_gettime)(id, now);
	long long ms = atoll(content);
	*now = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	return 0;
}
