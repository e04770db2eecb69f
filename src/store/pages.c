/* Pages that are written twice; see pages.h. The layout of a page and its checksum are those of Berkeley DB 5.3.28: dbinc/db_page.h
 * (PAGE, BTMETA, PG_CHKSUM), hmac/hmac.c (__db_chksum), hash/hash_func.c (__ham_func4). */
#include "store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BATCH_PAGES = 512,
	SLOTS = 1024, /* a power of two */
	FILES_MAX = 8,
	PAGES_AT = 8192,
	/* In a page. */
	NUMBER_AT = 8,
	TYPE_AT = 25,
	CHECKSUM_AT = 28,
	/* In the first page of a btree, of which only the first sector is used. */
	META_TYPE = 9,
	META_CHECKSUM_AT = 492,
	META_BYTES = 512,
};

const char pages_journal[] = "pages.journal";
static const char MAGIC[8] = {'F', 'S', 'P', 'A', 'G', 'E', 'S', '1'};

/* As it lies in the journal. */
struct header {
	char magic[sizeof MAGIC];
	uint32_t count, unused;
	struct {
		uint32_t file, number;
	} pages[BATCH_PAGES];
};

struct image {
	union {
		struct header header;
		uint8_t bytes[PAGES_AT];
	} head;
	uint8_t pages[BATCH_PAGES][PAGES_BYTES];
};

struct batch {
	struct image *image;
	uint16_t slots[SLOTS]; /* by file and number: 0 is free, otherwise a place in the image, counted from 1 */
};

static struct {
	bool open;
	int home, journal;
	const char *const *names;
	int (*sync)(int fd);
	struct {
		int fd; /* -1 where there is no such file yet */
		dev_t device;
		ino_t inode;
		bool written; /* past the journal, and not synced since */
	} files[FILES_MAX];
	int file_count;
	struct batch batches[2];
	struct batch *waiting; /* takes what is written */
	struct batch *going;   /* is on its way to the disk, or could not be written there yet */
	_Atomic unsigned kept; /* pages in both */
	bool used;             /* the journal holds pages */
} pages;

/* Who holds `turn` writes to the disk; `mutex` is for the batches, and held for moments only. In this order. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER, mutex = PTHREAD_MUTEX_INITIALIZER;

/* Four bytes at a time: each of the engine's steps waits for the one before. */
static uint32_t add_up(uint32_t sum, const uint8_t *bytes, size_t size)
{
	enum {
		FACTOR = 33,
		FACTOR_2 = FACTOR * FACTOR,
		FACTOR_3 = FACTOR * FACTOR_2,
		FACTOR_4 = FACTOR * FACTOR_3,
		STEP = 4
	};

	for (; size >= STEP; size -= STEP, bytes += STEP)
		sum = sum * FACTOR_4 + (uint32_t)bytes[0] * FACTOR_3 + (uint32_t)bytes[1] * FACTOR_2 +
		      (uint32_t)bytes[2] * FACTOR + bytes[3];
	for (; size > 0; size--)
		sum = sum * FACTOR + *bytes++;
	return sum;
}

/* The checksum stands for zeros itself. */
static uint32_t sum_of(const uint8_t *bytes, size_t size, size_t checksum_at)
{
	static const uint8_t nothing[sizeof(uint32_t)];
	size_t behind = checksum_at + sizeof nothing;
	uint32_t sum = add_up(add_up(0, bytes, checksum_at), nothing, sizeof nothing);

	return add_up(sum, bytes + behind, size - behind);
}

bool pages_is_unwritten(const void *page)
{
	static const uint8_t nothing[NUMBER_AT + sizeof(uint32_t)];
	const uint8_t *bytes = page;

	return bytes[TYPE_AT] == 0 && memcmp(bytes, nothing, sizeof nothing) == 0;
}

bool pages_is_whole(const void *page)
{
	const uint8_t *bytes = page;
	bool is_meta = bytes[TYPE_AT] == META_TYPE;
	size_t at = is_meta ? META_CHECKSUM_AT : CHECKSUM_AT;
	uint32_t sum;

	if (pages_is_unwritten(page))
		return true;
	memcpy(&sum, bytes + at, sizeof sum);
	return sum_of(bytes, is_meta ? META_BYTES : PAGES_BYTES, at) == sum;
}

static int write_all(int fd, const void *data, size_t size, off_t offset)
{
	for (size_t done = 0; done < size;) {
		ssize_t written = pwrite(fd, (const char *)data + done, size - done, offset + (off_t)done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : EIO;
		done += (size_t)written;
	}
	return 0;
}

/* How much there is of it, less where the file ends before; or -1. */
static ssize_t read_all(int fd, void *data, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)data + done, size - done, offset + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static off_t place_of(uint32_t number)
{
	return (off_t)number * PAGES_BYTES;
}

/* The slot of a page, or the free one where it belongs. */
static uint16_t *slot_of(struct batch *batch, uint32_t file, uint32_t number)
{
	uint32_t at = number * UINT32_C(2654435761) + file * UINT32_C(40503);

	for (at = (at >> 16) ^ at;; at++) {
		uint16_t *slot = &batch->slots[at % SLOTS];
		if (*slot == 0 || (batch->image->head.header.pages[*slot - 1].file == file &&
				   batch->image->head.header.pages[*slot - 1].number == number))
			return slot;
	}
}

static void empty(struct batch *batch)
{
	batch->image->head.header.count = 0;
	memset(batch->slots, 0, sizeof batch->slots);
}

int pages_find(void)
{
	struct stat info;

	for (int i = 0; pages.open && i < pages.file_count; i++) {
		if (pages.files[i].fd >= 0)
			continue;
		int fd = openat(pages.home, pages.names[i], O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &info) != 0) {
			int reason = errno;
			if (fd >= 0)
				close(fd);
			return reason;
		}
		pthread_mutex_lock(&mutex);
		pages.files[i].device = info.st_dev;
		pages.files[i].inode = info.st_ino;
		pages.files[i].written = true;
		pages.files[i].fd = fd;
		pthread_mutex_unlock(&mutex);
	}
	return 0;
}

int pages_file(int fd)
{
	struct stat info;
	int found = -1;

	if (!pages.open || fstat(fd, &info) != 0)
		return -1;
	pthread_mutex_lock(&mutex);
	for (int i = 0; found < 0 && i < pages.file_count; i++)
		if (pages.files[i].fd >= 0 && pages.files[i].inode == info.st_ino &&
		    pages.files[i].device == info.st_dev)
			found = i;
	pthread_mutex_unlock(&mutex);
	return found;
}

/* Mend one page, where it is torn and the journal has it whole. */
static int mend_page(const struct header *header, uint32_t place, bool *mended)
{
	uint32_t file = header->pages[place].file, number = header->pages[place].number, found;
	uint8_t page[PAGES_BYTES];

	*mended = false;
	if (file >= (uint32_t)pages.file_count || pages.files[file].fd < 0)
		return 0;
	ssize_t size = read_all(pages.files[file].fd, page, sizeof page, place_of(number));
	if (size <= 0 || (size == sizeof page && pages_is_whole(page)))
		return size < 0 ? errno : 0;
	size = read_all(pages.journal, page, sizeof page, PAGES_AT + place_of(place));
	memcpy(&found, page + NUMBER_AT, sizeof found);
	if (size < (ssize_t)sizeof page || found != number || !pages_is_whole(page))
		return size < 0 ? errno : 0;
	*mended = true;
	return write_all(pages.files[file].fd, page, sizeof page, place_of(number));
}

/* The pages that a cut of the power tore. A process that was killed may have written to the places without syncing them: that is done
 * here, as what is torn there then is in no journal once this one is written over. */
static int mend(struct image *image, unsigned *mended)
{
	const struct header *header = &image->head.header;
	bool touched[FILES_MAX] = {false}, is_mended;
	int result = 0;

	ssize_t size = read_all(pages.journal, &image->head, sizeof image->head, 0);
	if (size < (ssize_t)sizeof image->head || memcmp(header->magic, MAGIC, sizeof MAGIC) != 0 ||
	    header->count > BATCH_PAGES)
		return size < 0 ? errno : 0;
	pages.used = header->count > 0;
	for (uint32_t i = 0; result == 0 && i < header->count; i++) {
		uint32_t file = header->pages[i].file;
		result = mend_page(header, i, &is_mended);
		if (file < (uint32_t)pages.file_count && pages.files[file].fd >= 0)
			touched[file] = true;
		*mended += is_mended;
	}
	for (int i = 0; result == 0 && i < pages.file_count; i++)
		if (touched[i])
			result = pages.sync(pages.files[i].fd);
	return result;
}

/* The journal, and its name on the disk. */
static int open_journal(void)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

	if ((pages.journal = openat(pages.home, pages_journal, flags)) >= 0)
		return 0;
	if (errno != ENOENT || (pages.journal = openat(pages.home, pages_journal, flags | O_CREAT | O_EXCL, 0600)) < 0)
		return errno;
	return pages.sync(pages.home);
}

int pages_open(const char *home, const char *const *names, int (*sync)(int fd), unsigned *mended, const char **failed)
{
	int result = 0;

	*mended = 0;
	*failed = home;
	pages.names = names;
	pages.sync = sync;
	pages.journal = -1;
	pages.used = false;
	pages.file_count = 0;
	for (; names[pages.file_count]; pages.file_count++)
		pages.files[pages.file_count].fd = -1;
	if ((pages.home = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return errno;
	pages.open = true;
	for (size_t i = 0; result == 0 && i < sizeof pages.batches / sizeof pages.batches[0]; i++) {
		if (!(pages.batches[i].image = malloc(sizeof *pages.batches[i].image)))
			result = ENOMEM;
		else
			empty(&pages.batches[i]);
	}
	pages.waiting = &pages.batches[0];
	pages.going = &pages.batches[1];
	if (result == 0)
		result = pages_find();
	if (result == 0) {
		*failed = pages_journal;
		result = open_journal();
	}
	if (result == 0)
		result = mend(pages.waiting->image, mended);
	if (result == 0)
		empty(pages.waiting);
	else
		pages_close();
	return result;
}

void pages_close(void)
{
	static const struct header nothing = {.count = 0};

	if (!pages.open)
		return;
	pages.open = false;
	/* All is in its place: the next one need not look. Where that is not written it looks in vain. */
	if (pages.used && atomic_load(&pages.kept) == 0)
		(void)write_all(pages.journal, &nothing, sizeof nothing, 0);
	for (int i = 0; i < pages.file_count; i++)
		if (pages.files[i].fd >= 0)
			close(pages.files[i].fd);
	if (pages.journal >= 0)
		close(pages.journal);
	close(pages.home);
	for (size_t i = 0; i < sizeof pages.batches / sizeof pages.batches[0]; i++) {
		free(pages.batches[i].image);
		pages.batches[i].image = NULL;
	}
	atomic_store(&pages.kept, 0);
}

/* The batch that is going, to the journal and then to its places. The caller has the turn. */
static int put_in_place(void)
{
	struct image *image = pages.going->image;
	uint32_t count = image->head.header.count;
	bool touched[FILES_MAX] = {false};
	int result;

	memcpy(image->head.header.magic, MAGIC, sizeof MAGIC);
	image->head.header.unused = 0;
	pages.used = true;
	if ((result = write_all(pages.journal, image, offsetof(struct image, pages) + count * PAGES_BYTES, 0)) != 0 ||
	    (result = pages.sync(pages.journal)) != 0)
		return result;
	for (uint32_t i = 0; result == 0 && i < count; i++) {
		uint32_t file = image->head.header.pages[i].file;
		touched[file] = true;
		result = write_all(pages.files[file].fd, image->pages[i], PAGES_BYTES,
				   place_of(image->head.header.pages[i].number));
	}
	for (int i = 0; result == 0 && i < pages.file_count; i++)
		if (touched[i])
			result = pages.sync(pages.files[i].fd);
	if (result != 0)
		return result;
	pthread_mutex_lock(&mutex);
	empty(pages.going);
	atomic_fetch_sub(&pages.kept, count);
	pthread_mutex_unlock(&mutex);
	return 0;
}

/* The caller has the turn. What could not be written the last time is first: the batch behind it may hold newer versions. */
static int flush(void)
{
	int result = pages.going->image->head.header.count > 0 ? put_in_place() : 0;

	if (result != 0)
		return result;
	pthread_mutex_lock(&mutex);
	struct batch *next = pages.waiting;
	if (next->image->head.header.count > 0) {
		pages.waiting = pages.going;
		pages.going = next;
	}
	pthread_mutex_unlock(&mutex);
	return pages.going->image->head.header.count > 0 ? put_in_place() : 0;
}

int pages_flush(void)
{
	int result = 0;

	if (atomic_load(&pages.kept) == 0)
		return 0;
	pthread_mutex_lock(&turn);
	if (pages.open)
		result = flush();
	pthread_mutex_unlock(&turn);
	return result;
}

int pages_sync(int file)
{
	pthread_mutex_lock(&turn);
	int result = flush();
	if (result == 0 && pages.files[file].written && (result = pages.sync(pages.files[file].fd)) == 0)
		pages.files[file].written = false;
	pthread_mutex_unlock(&turn);
	return result;
}

/* Take a page; false where the batch is full. */
static bool keep(int file, uint32_t number, const void *data)
{
	pthread_mutex_lock(&mutex);
	struct image *image = pages.waiting->image;
	struct header *header = &image->head.header;
	uint16_t *slot = slot_of(pages.waiting, (uint32_t)file, number);
	bool room = *slot != 0 || header->count < BATCH_PAGES;
	if (room && *slot == 0) {
		header->pages[header->count].file = (uint32_t)file;
		header->pages[header->count].number = number;
		*slot = (uint16_t)++header->count;
		atomic_fetch_add(&pages.kept, 1);
	}
	if (room)
		memcpy(image->pages[*slot - 1], data, PAGES_BYTES);
	pthread_mutex_unlock(&mutex);
	return room;
}

/* What is no page: the engine writes so only while it makes a file. */
static ssize_t write_past(int file, const void *data, size_t size, off_t offset)
{
	pthread_mutex_lock(&turn);
	int result = flush();
	pages.files[file].written = true;
	if (result == 0)
		result = write_all(pages.files[file].fd, data, size, offset);
	pthread_mutex_unlock(&turn);
	errno = result;
	return result == 0 ? (ssize_t)size : -1;
}

ssize_t pages_write(int file, int fd, const void *data, size_t size)
{
	off_t offset = lseek(fd, (off_t)size, SEEK_CUR) - (off_t)size;
	int result = 0;

	if (offset < 0)
		return -1;
	if (size != PAGES_BYTES || offset % PAGES_BYTES != 0 || offset / PAGES_BYTES > UINT32_MAX)
		return write_past(file, data, size, offset);
	while (!keep(file, (uint32_t)(offset / PAGES_BYTES), data))
		if ((result = pages_flush()) != 0) {
			errno = result;
			return -1;
		}
	return PAGES_BYTES;
}

ssize_t pages_read(int fd, void *data, size_t size, off_t offset)
{
	bool found = false;
	int file =
		atomic_load(&pages.kept) > 0 && size == PAGES_BYTES && offset % PAGES_BYTES == 0 ? pages_file(fd) : -1;
	if (file < 0)
		return pread(fd, data, size, offset);
	pthread_mutex_lock(&mutex);
	struct batch *const batches[] = {pages.waiting, pages.going};
	for (size_t i = 0; !found && i < sizeof batches / sizeof batches[0]; i++) {
		uint16_t slot = *slot_of(batches[i], (uint32_t)file, (uint32_t)(offset / PAGES_BYTES));
		found = slot != 0;
		if (found)
			memcpy(data, batches[i]->image->pages[slot - 1], PAGES_BYTES);
	}
	pthread_mutex_unlock(&mutex);
	return found ? PAGES_BYTES : pread(fd, data, size, offset);
}

bool pages_reread(const char *name, off_t offset, void *page)
{
	bool read = false;

	pthread_mutex_lock(&turn);
	for (int i = 0; i < pages.file_count && pages.open; i++)
		if (strcmp(pages.names[i], name) == 0 && pages.files[i].fd >= 0)
			read = read_all(pages.files[i].fd, page, PAGES_BYTES, offset) == PAGES_BYTES;
	pthread_mutex_unlock(&turn);
	return read;
}
