/* Shared counters; see metrics.h. */
#include "base/metrics.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char FILE_NAME[] = "metrics";
static const char NEW_NAME[] = "metrics.new"; /* locked by who makes it; renamed once it is whole */

enum {
	/* Making the file is a few system calls: who finds another process at it waits that long at most. */
	MAKING_ROUNDS = 250,
	MAKING_PAUSE_NS = 2000000,
};

const int64_t metrics_time_bounds_us[METRICS_TIME_BUCKETS - 1] = {
	100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000,
};
const unsigned metrics_size_bounds[METRICS_SIZE_BUCKETS - 1] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

/* The file that this process has mapped, for the handler below. */
static struct {
	struct metrics *start; /* NULL: nothing is shared */
	const char *name;      /* the folder's, for the log */
	_Atomic bool lost, told;
} shared;

/* Memory takes the place of a file that somebody has cut off, or whose blocks a full disk cannot give (a file system that
 * writes elsewhere what is overwritten, as btrfs does). Any other SIGBUS ends the process at the same instruction. */
static void replace_lost(int number, siginfo_t *info, void *context)
{
	const char *start = (const char *)shared.start, *at = info->si_addr;
	int reason = errno;

	(void)context;
	if (!start || at < start || at >= start + sizeof *shared.start ||
	    mmap(shared.start, sizeof *shared.start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) == MAP_FAILED) {
		signal(number, SIG_DFL);
	} else {
		shared.start->head.begun_ms = clock_wall_ms();
		atomic_store(&shared.lost, true);
	}
	errno = reason;
}

static void tell(const char *name, const char *why)
{
	log_line("metrics: %s/%s: %s; this process counts for itself", name, FILE_NAME, why);
}

/* Open the file that is there. Returns 0 or an errno: ENOENT where what has the name, if anything, is of no use. */
static int open_file(int folder, uint64_t layout, int *fd)
{
	struct metrics_head head;
	struct stat info;

	*fd = openat(folder, FILE_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0) /* the others: a symbolic link, one without rights, a folder, a socket */
		return errno == ELOOP || errno == EACCES || errno == EISDIR || errno == ENXIO ? ENOENT : errno;
	if (fstat(*fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == (off_t)sizeof(struct metrics) &&
	    pread(*fd, &head, sizeof head, 0) == (ssize_t)sizeof head && head.layout == layout)
		return 0;
	close(*fd);
	return ENOENT;
}

/* Open the new file and lock it: its holder makes it. Returns 0 or an errno: EAGAIN where another process is at it. */
static int begin_making(int folder, int *fd)
{
	const struct timespec pause = {.tv_nsec = MAKING_PAUSE_NS};
	struct stat opened, named;
	int reason = 0;

	*fd = openat(folder, NEW_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (*fd < 0)
		return errno;
	if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
		reason = errno == EWOULDBLOCK ? EAGAIN : errno;
	/* Between the open and the lock the other one may have given it its name. */
	else if (fstat(*fd, &opened) != 0 || fstatat(folder, NEW_NAME, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
		 opened.st_ino != named.st_ino)
		reason = EAGAIN;
	if (reason != 0)
		close(*fd);
	if (reason == EAGAIN)
		nanosleep(&pause, NULL);
	return reason;
}

static int write_file(int fd, uint64_t layout)
{
	const struct metrics_head head = {.layout = layout, .begun_ms = clock_wall_ms()};

	/* What another process left behind may be anything. */
	if (ftruncate(fd, 0) != 0)
		return errno;
	int reason = posix_fallocate(fd, 0, sizeof(struct metrics));
	if (reason != 0)
		return reason;
	ssize_t written = pwrite(fd, &head, sizeof head, 0);
	return written < 0 ? errno : written == (ssize_t)sizeof head ? 0 : EIO;
}

/* Make the file and put it in place, unless another process has done so. Returns 0 or an errno; EAGAIN: look again. */
static int make_file(int folder, uint64_t layout)
{
	int fd, other;
	int reason = begin_making(folder, &fd);

	if (reason != 0)
		return reason;
	bool there = open_file(folder, layout, &other) == 0;
	if (there)
		close(other);
	else
		reason = write_file(fd, layout);
	if (!there && reason == 0 && renameat(folder, NEW_NAME, folder, FILE_NAME) != 0)
		reason = errno;
	if (there || reason != 0)
		unlinkat(folder, NEW_NAME, 0);
	close(fd);
	return reason;
}

/* Returns 0 and the descriptor of the file, or an errno: EAGAIN where another process is at it all the time. */
static int find_file(int folder, uint64_t layout, int *fd)
{
	int reason = open_file(folder, layout, fd);

	for (int round = 0; round < MAKING_ROUNDS && reason == ENOENT; round++) {
		reason = make_file(folder, layout);
		if (reason == 0 || reason == EAGAIN)
			reason = open_file(folder, layout, fd);
	}
	return reason == ENOENT ? EAGAIN : reason;
}

static struct metrics *map(int fd)
{
	struct metrics *mapped = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE,
				      fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

struct metrics *metrics_open(int folder, const char *name, uint64_t layout)
{
	struct sigaction action = {.sa_sigaction = replace_lost, .sa_flags = SA_SIGINFO};
	struct metrics *metrics = NULL;
	int fd;

	shared.name = name;
	int reason = find_file(folder, layout, &fd);
	if (reason == 0) {
		reason = (metrics = map(fd)) ? 0 : errno;
		close(fd);
	}
	if (metrics) {
		shared.start = metrics;
		sigaction(SIGBUS, &action, NULL);
		return metrics;
	}
	tell(name, strerror(reason));
	metrics = map(-1);
	if (metrics)
		metrics->head.begun_ms = clock_wall_ms();
	return metrics;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	shared.start = NULL;
	munmap(metrics, sizeof *metrics);
}

bool metrics_shared(const struct metrics *metrics)
{
	return metrics && metrics == shared.start && !atomic_load(&shared.lost);
}

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
	atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static void add_time(struct metrics_times *times, int64_t ns)
{
	unsigned bucket = 0;

	if (ns < 0)
		ns = 0;
	while (bucket < METRICS_TIME_BUCKETS - 1 && ns > metrics_time_bounds_us[bucket] * 1000)
		bucket++;
	add(&times->buckets[bucket], 1);
	add(&times->sum_ns, (uint64_t)ns);
}

void metrics_count_request(struct metrics *metrics, unsigned kind, unsigned outcome, int64_t ns)
{
	if (!metrics || kind >= METRICS_KINDS || outcome >= METRICS_OUTCOMES)
		return;
	add(&metrics->requests[kind].outcomes[outcome], 1);
	add_time(&metrics->requests[kind].times, ns);
	if (atomic_load_explicit(&shared.lost, memory_order_relaxed) && !atomic_exchange(&shared.told, true))
		tell(shared.name, "was cut off, or the disk is full");
}

void metrics_count_commit(struct metrics *metrics, unsigned operations, int64_t ns, bool stored)
{
	unsigned bucket = 0;

	if (!metrics)
		return;
	if (!stored) {
		add(&metrics->commits.failed, 1);
		return;
	}
	while (bucket < METRICS_SIZE_BUCKETS - 1 && operations > metrics_size_bounds[bucket])
		bucket++;
	add(&metrics->commits.sizes[bucket], 1);
	add(&metrics->commits.operations, operations);
	add_time(&metrics->commits.times, ns);
}
