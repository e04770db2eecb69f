/* The home folder; see home.h. */
#include "gateway/home.h"

#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char LOCK[] = "lock";
static const char HOST[] = "host";
static const char SOCKET[] = "relay.sock";
static const char NEW_SOCKET[] = "relay.sock.new"; /* bound, not yet in place */

enum { HOST_NAME_SIZE = 256, BACKLOG = 1024 };

static enum status unusable(struct error *error, const char *path, const char *why)
{
	return error_set(error, STATUS_INVALID, "FOCUSSTATS_HOME: %s: %s", path, why);
}

/* File systems that several hosts can have mounted (statfs(2)); FUSE, because sshfs and GlusterFS are that. */
static bool is_network(int folder)
{
	static const unsigned long types[] = {
		NFS_SUPER_MAGIC,         SMB_SUPER_MAGIC,       SMB2_SUPER_MAGIC,
		CIFS_SUPER_MAGIC,        AFS_SUPER_MAGIC,       AFS_FS_MAGIC,
		CODA_SUPER_MAGIC,        CEPH_SUPER_MAGIC,      V9FS_MAGIC,
		FUSE_SUPER_MAGIC,        OCFS2_SUPER_MAGIC,     0x01161970 /* GFS2 */,
		0x0BD00BD0 /* Lustre */, 0x47504653 /* GPFS */,
	};
	struct statfs info;

	if (fstatfs(folder, &info) != 0)
		return false;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if ((unsigned long)(unsigned int)info.f_type == types[i])
			return true;
	return false;
}

static enum status check_folder(int folder, const char *path, struct error *error)
{
	struct stat info;
	char why[160];

	if (fstat(folder, &info) != 0)
		return unusable(error, path, strerror(errno));
	if (info.st_uid != geteuid()) {
		snprintf(why, sizeof why, "belongs to user %ld, and this process runs as user %ld", (long)info.st_uid,
			 (long)geteuid());
		return unusable(error, path, why);
	}
	if (info.st_mode & (S_IRWXG | S_IRWXO)) {
		snprintf(why, sizeof why, "has mode %04o, open to others: make it private with chmod 700",
			 (unsigned)(info.st_mode & 07777));
		return unusable(error, path, why);
	}
	if (faccessat(folder, ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0)
		return unusable(error, path, "is not writable");
	return STATUS_OK;
}

int home_look(struct home *home, const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return errno;
	*home = (struct home){.path = path, .folder = folder, .lock = -1, .network = is_network(folder)};
	snprintf(home->reach, sizeof home->reach, "/proc/self/fd/%d", folder);
	if (access(home->reach, F_OK) != 0)
		home->reach[0] = '\0';
	return 0;
}

enum status home_open(struct home *home, const char *path, struct error *error)
{
	struct home opened = {.folder = -1};

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return unusable(error, path,
				errno == ENOENT ? "cannot be created: its parent folder is missing" : strerror(errno));
	int reason = home_look(&opened, path);
	if (reason != 0)
		return unusable(error, path, reason == ENOTDIR ? "is not a folder" : strerror(reason));
	if (check_folder(opened.folder, path, error) != STATUS_OK) {
		home_close(&opened);
		return error->status;
	}
	*home = opened;
	return STATUS_OK;
}

const char *home_reach(const struct home *home)
{
	return home->reach[0] ? home->reach : home->path;
}

void home_close(struct home *home)
{
	close(home->folder);
}

static enum status cannot(struct error *error, const struct home *home, const char *doing, const char *name, int reason)
{
	error_set(error, STATUS_UNAVAILABLE,
		  reason == ENOSPC || reason == EDQUOT ? "no space left on the disk"
						       : "the store cannot be used now: the log says why");
	return error_detail(error, "%s %s/%s: %s", doing, home->path, name, strerror(reason));
}

/* On a network file system: make `host` say this host, unless it says another one. */
static enum status claim_host(struct home *home, struct error *error)
{
	char own[HOST_NAME_SIZE] = "", other[HOST_NAME_SIZE];

	if (gethostname(own, sizeof own - 1) != 0)
		return cannot(error, home, "naming this host in", HOST, errno);
	int fd = openat(home->folder, HOST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		ssize_t size = (ssize_t)strlen(own), written = write(fd, own, (size_t)size);
		int reason = written == size && fsync(fd) == 0 ? 0 : written >= 0 && written < size ? EIO : errno;
		close(fd);
		if (reason == 0)
			return STATUS_OK;
		unlinkat(home->folder, HOST, 0); /* half a name would keep everybody out, this host too */
		return cannot(error, home, "writing", HOST, reason);
	}
	if (errno != EEXIST || (fd = openat(home->folder, HOST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return cannot(error, home, "opening", HOST, errno);
	ssize_t size = read(fd, other, sizeof other - 1);
	close(fd);
	other[size > 0 ? size : 0] = '\0';
	if (strcmp(own, other) == 0)
		return STATUS_OK;
	error_set(error, STATUS_UNAVAILABLE, "the store cannot be used now: the log says why");
	return error_detail(
		error,
		"on a network file system and in use by %s%s: stop FocusStats there; if that host is gone for "
		"good, remove %s/%s",
		other[0] ? "host " : "a host that did not get to write its name", other, home->path, HOST);
}

static void interrupt(int signal)
{
	(void)signal;
}

/* Wait for an open file description lock (fcntl_locking(2)), at most wait_ms. Returns 0 or an errno, EAGAIN where the time
 * is over. The call has no time limit of its own, so a timer interrupts this thread; it fires again and again, for
 * the first time may come before the call has begun to wait. */
static int lock_within(int fd, int wait_ms)
{
	enum { AGAIN_NS = 2000000 };
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct sigaction action = {.sa_handler = interrupt};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	const struct itimerspec time = {
		.it_value = {wait_ms / 1000, wait_ms % 1000 * 1000000L},
		.it_interval = {0, AGAIN_NS},
	};
	timer_t timer;

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	if (wait_ms == 0 || (errno != EAGAIN && errno != EACCES))
		return errno == EACCES ? EAGAIN : errno;
	event._sigev_un._tid = gettid();
	if (sigaction(SIGRTMIN, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		return errno;
	int reason = timer_settime(timer, 0, &time, NULL) == 0 && fcntl(fd, F_OFD_SETLKW, &whole) == 0 ? 0 : errno;
	timer_delete(timer);
	return reason == EINTR ? EAGAIN : reason;
}

enum status home_lock(struct home *home, int wait_ms, bool *taken, struct error *error)
{
	struct stat locked, named;

	*taken = false;
	int fd = openat(home->folder, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cannot(error, home, "opening", LOCK, errno);
	int reason = lock_within(fd, wait_ms);
	if (reason != 0) {
		close(fd);
		return reason == EAGAIN ? STATUS_OK : cannot(error, home, "locking", LOCK, reason);
	}
	/* Somebody may have removed or replaced the file between the open and the lock. */
	if (fstat(fd, &locked) != 0 || fstatat(home->folder, LOCK, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
	    locked.st_ino != named.st_ino || locked.st_dev != named.st_dev) {
		close(fd);
		return STATUS_OK;
	}
	/* Where somebody removes the lock file although its owner lives, the lock on the folder still holds. NFS has no
	 * locks on folders. */
	if (flock(home->folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		close(fd);
		return STATUS_OK;
	}
	if (home->network && claim_host(home, error) != STATUS_OK) {
		flock(home->folder, LOCK_UN);
		close(fd);
		return error->status;
	}
	home->lock = fd;
	*taken = true;
	return STATUS_OK;
}

int home_locked(const struct home *home, bool *held)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	*held = false;
	int fd = openat(home->folder, LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	int reason = fcntl(fd, F_OFD_GETLK, &whole) == 0 ? 0 : errno;
	close(fd);
	if (reason == 0)
		*held = whole.l_type != F_UNLCK;
	return reason;
}

enum status home_check_links(const struct home *home, struct error *error)
{
	struct stat info;
	int again = openat(home->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again >= 0 ? fdopendir(again) : NULL;

	if (!entries) {
		int reason = errno;
		if (again >= 0)
			close(again);
		return cannot(error, home, "looking through", ".", reason);
	}
	error->status = STATUS_OK;
	for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
		const char *name = entry->d_name;
		if (!store_is_file(name) || strcmp(name, "DB_CONFIG") == 0 ||
		    fstatat(home->folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(info.st_mode))
			continue;
		error_set(error, STATUS_UNAVAILABLE, "the store cannot be used: the log says why");
		error_detail(error, "%s: is a symbolic link; put the file itself in its place", name);
		break;
	}
	closedir(entries);
	return error->status;
}

void home_unlock(struct home *home)
{
	if (home->network)
		unlinkat(home->folder, HOST, 0);
	flock(home->folder, LOCK_UN);
	close(home->lock);
	home->lock = -1;
}

/* By descriptor it fits into a socket's address, however long the folder's path is. */
static struct sockaddr_un address_of(const struct home *home, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", home_reach(home), name);
	return address;
}

enum status home_listen(struct home *home, int *listener, struct error *error)
{
	struct sockaddr_un address = address_of(home, NEW_SOCKET);

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cannot(error, home, "making the socket", SOCKET, errno);
	/* The folder is private, so nobody else can connect before the mode is set. */
	if ((unlinkat(home->folder, NEW_SOCKET, 0) != 0 && errno != ENOENT) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    fchmodat(home->folder, NEW_SOCKET, 0600, 0) != 0 || listen(fd, BACKLOG) != 0 ||
	    renameat(home->folder, NEW_SOCKET, home->folder, SOCKET) != 0) {
		int reason = errno;
		close(fd);
		return cannot(error, home, "listening on", SOCKET, reason);
	}
	*listener = fd;
	return STATUS_OK;
}

void home_unlisten(struct home *home)
{
	unlinkat(home->folder, SOCKET, 0);
}

int home_connect(const struct home *home, int *connection)
{
	struct sockaddr_un address = address_of(home, SOCKET);

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		int reason = errno;
		close(fd);
		return reason;
	}
	*connection = fd;
	return 0;
}
