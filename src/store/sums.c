/* Checksums of pages; see sums.h. The sum itself is in pages.c. The layout of a page is that of Berkeley DB 5.3.28: dbinc/db_page.h
 * (DBMETA, PAGE). */
#include "store/sums.h"

#include "base/log.h"
#include "store/environment.h"
#include "store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CHUNK_PAGES = 64,
	/* In the first page, of which only the first sector counts. */
	META_MAGIC_AT = 12,
	META_PAGE_SIZE_AT = 20,
	META_FLAGS_AT = 26,
	META_LAST_PAGE_AT = 32,
	META_HAS_CHECKSUMS = 1,
	META_BYTES = 512,
};

static uint32_t number_at(const uint8_t *page, size_t at)
{
	uint32_t number;

	memcpy(&number, page + at, sizeof number);
	return number;
}

static bool has_checksums(const uint8_t *first)
{
	return number_at(first, META_MAGIC_AT) == DB_BTREEMAGIC && number_at(first, META_PAGE_SIZE_AT) == PAGES_BYTES &&
	       first[META_FLAGS_AT] & META_HAS_CHECKSUMS;
}

/* As many bytes as there are, at most that many; what comes before a part that cannot be read counts. */
static size_t read_bytes(int fd, uint8_t *bytes, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, bytes + done, size - done, offset + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

/* What is wrong with a page that the file has, and its first page counts or not; NULL where nothing is. */
static const char *judge(const uint8_t *page, bool counted)
{
	if (pages_is_unwritten(page))
		return counted ? "nothing is written in it" : NULL;
	return pages_is_whole(page) ? NULL : "its checksum is wrong";
}

bool sums_check(const char *path, void (*found)(void *context, const char *what), void *context)
{
	const size_t chunk_bytes = (size_t)CHUNK_PAGES * PAGES_BYTES;
	uint8_t *chunk = malloc(chunk_bytes);
	int fd = chunk ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	size_t size = chunk_bytes;
	uint32_t number = 0, last = 0;
	bool whole = true;
	char what[96];

	while (fd >= 0 && size == chunk_bytes) {
		size = read_bytes(fd, chunk, chunk_bytes, (off_t)number * PAGES_BYTES);
		if (number == 0 && (size < META_BYTES || !has_checksums(chunk)))
			break;
		if (number == 0)
			last = number_at(chunk, META_LAST_PAGE_AT);
		for (size_t at = 0; at + PAGES_BYTES <= size; at += PAGES_BYTES, number++) {
			const char *wrong = judge(chunk + at, number <= last);
			if (!wrong)
				continue;
			whole = false;
			snprintf(what, sizeof what, "page %lu: %s", (unsigned long)number, wrong);
			found(context, what);
		}
	}
	if (number <= last && last > 0) {
		whole = false;
		snprintf(what, sizeof what, "page %lu: the file ends before it, and has pages up to %lu",
			 (unsigned long)number, (unsigned long)last);
		found(context, what);
	}
	if (fd >= 0)
		close(fd);
	free(chunk);
	return whole;
}

static struct {
	ssize_t (*read_at)(int fd, void *data, size_t size, off_t offset);
	_Atomic enum sums_watch watch;
} guard;

/* This thread's last read. */
static _Thread_local bool refused;

/* The name of a database that is open; NULL where it is something else. */
static const char *name_of(int fd)
{
	char path[4096], link[64];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, sizeof path - 1);
	if (size <= 0)
		return NULL;
	path[size] = '\0';
	const char *slash = strrchr(path, '/');
	for (const char *const *file = environment_files; slash && *file; file++)
		if (strcmp(slash + 1, *file) == 0)
			return *file;
	return NULL;
}

/* Whether the file's first page counts that one. The engine reads no page that is in its cache and not written yet. */
static bool is_counted(int fd, uint32_t page)
{
	uint8_t first[PAGES_BYTES];

	return guard.read_at(fd, first, sizeof first, 0) == sizeof first && has_checksums(first) &&
	       page <= number_at(first, META_LAST_PAGE_AT);
}

static bool is_damaged(int fd, const uint8_t *page, uint32_t number)
{
	enum sums_watch watch = atomic_load(&guard.watch);
	const char *wrong = watch == SUMS_IGNORED ? NULL : judge(page, watch == SUMS_OF_ALL);
	const char *name = wrong ? name_of(fd) : NULL;

	if (!name || (pages_is_unwritten(page) && !is_counted(fd, number)))
		return false;
	log_repeated("%s: page %lu: %s; restore a backup", name, (unsigned long)number, wrong);
	return true;
}

static ssize_t read_page(int fd, void *data, size_t size, off_t offset)
{
	ssize_t got = guard.read_at(fd, data, size, offset);

	if (got != PAGES_BYTES || offset % PAGES_BYTES != 0 || !is_damaged(fd, data, (uint32_t)(offset / PAGES_BYTES)))
		return got;
	refused = true;
	errno = EBADMSG;
	return -1;
}

/* Where the former fails the engine tries it in another way, which begins here (os_rw.c, __os_io). It takes EIO for a reason to try again
 * and again (RETRY_CHK in os.h). */
static int seek(int fd, off_t offset, int whence)
{
	if (refused) {
		refused = false;
		return EBADMSG;
	}
	return lseek(fd, offset, whence) < 0 ? errno : 0;
}

void sums_guard(ssize_t (*read_at)(int fd, void *data, size_t size, off_t offset))
{
	guard.read_at = read_at;
	db_env_set_func_pread(read_page);
	db_env_set_func_seek(seek);
}

void sums_watch(enum sums_watch what)
{
	atomic_store(&guard.watch, what);
}
