/* Pages that a power failure has torn, and the journal that mends them: store/pages.h. The pages are those of a real store. */
#include "place.h"

#include "store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SESSIONS = 40, SECTOR = 512, JOURNAL_PAGES_AT = 8192 };

static const char *const names[] = {"stats.db", "sessions.db", NULL};
enum { STATS, SESSIONS_DB };

/* A home whose store is closed, and what sessions.db is like. */
struct torn {
	struct place *place;
	uint8_t *content;
	uint32_t pages;
	int syncs, refused; /* the sync that fails, or 0 */
};

/* The hook has no context. */
static struct torn *current;

static int count_sync(int fd)
{
	return ++current->syncs == current->refused ? EIO : fdatasync(fd);
}

static int open_in(const struct torn *torn, const char *name, int flags)
{
	char path[96];

	snprintf(path, sizeof path, "%s/%s", torn->place->home, name);
	int fd = open(path, flags | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void read_page(const struct torn *torn, uint32_t number, uint8_t page[PAGES_BYTES])
{
	int fd = open_in(torn, "sessions.db", O_RDONLY);

	assert_int_equal(pread(fd, page, PAGES_BYTES, (off_t)number * PAGES_BYTES), PAGES_BYTES);
	close(fd);
}

static void put(const struct torn *torn, const char *name, const void *bytes, size_t size, off_t offset)
{
	int fd = open_in(torn, name, O_WRONLY | O_CREAT);

	assert_int_equal(pwrite(fd, bytes, size, offset), size);
	close(fd);
}

/* As a disk leaves it that wrote some sectors of another version of the page. */
static void tear(const struct torn *torn, uint32_t number)
{
	uint8_t sector[SECTOR];

	memset(sector, 0xA5, sizeof sector);
	put(torn, "sessions.db", sector, sizeof sector, (off_t)number * PAGES_BYTES + 3 * SECTOR);
}

static const uint8_t *page_of(const struct torn *torn, uint32_t number)
{
	return torn->content + (size_t)number * PAGES_BYTES;
}

/* A journal of one page. */
static void put_journal(const struct torn *torn, const char *magic, uint32_t count, uint32_t file, uint32_t number,
			const uint8_t *page)
{
	const uint32_t fields[] = {count, 0, file, number};
	uint8_t head[JOURNAL_PAGES_AT] = {0};

	memcpy(head, magic, 8);
	memcpy(head + 8, fields, sizeof fields);
	put(torn, pages_journal, head, sizeof head, 0);
	put(torn, pages_journal, page, PAGES_BYTES, JOURNAL_PAGES_AT);
}

static unsigned opened_with(struct torn *torn)
{
	const char *failed;
	unsigned mended;

	torn->syncs = 0;
	assert_int_equal(pages_open(torn->place->home, names, count_sync, &mended, &failed), 0);
	return mended;
}

static unsigned mended_by_opening(struct torn *torn)
{
	unsigned mended = opened_with(torn);

	pages_close();
	return mended;
}

static int set_up(void **state)
{
	struct torn *torn = calloc(1, sizeof *torn);
	struct operation operations[SESSIONS];
	struct stat info;

	assert_non_null(torn);
	assert_int_equal(place_set_up((void **)&torn->place), 0);
	init_user(torn->place, "ann");
	for (int i = 0; i < SESSIONS; i++)
		operations[i] = adding(torn->place, "ann", 1000 + i, 2000 + i);
	carry_out_all(torn->place, operations, SESSIONS);
	place_close(torn->place);
	int fd = open_in(torn, "sessions.db", O_RDONLY);
	assert_int_equal(fstat(fd, &info), 0);
	torn->pages = (uint32_t)(info.st_size / PAGES_BYTES);
	torn->content = malloc((size_t)info.st_size);
	assert_true(torn->pages > 1 && torn->content);
	assert_int_equal(read(fd, torn->content, (size_t)info.st_size), info.st_size);
	close(fd);
	current = torn;
	*state = torn;
	return 0;
}

static int tear_down(void **state)
{
	struct torn *torn = *state;
	void *place = torn->place;

	pages_close();
	place_open(torn->place);
	free(torn->content);
	free(torn);
	return place_tear_down(&place);
}

static void pages_of_the_engine_are_whole(void **state)
{
	struct torn *torn = *state;
	uint8_t page[PAGES_BYTES];

	for (uint32_t i = 0; i < torn->pages; i++) {
		assert_true(pages_is_whole(page_of(torn, i)));
		memcpy(page, page_of(torn, i), sizeof page);
		page[i == 0 ? SECTOR - 60 : PAGES_BYTES - 1] ^= 1;
		assert_false(pages_is_whole(page));
	}
	memset(page, 0, sizeof page);
	assert_true(pages_is_whole(page));
}

static void torn_page_is_mended(void **state)
{
	struct torn *torn = *state;
	uint8_t page[PAGES_BYTES];

	put_journal(torn, "FSPAGES1", 1, SESSIONS_DB, 1, page_of(torn, 1));
	tear(torn, 1);
	assert_int_equal(mended_by_opening(torn), 1);
	assert_int_equal(torn->syncs, 1);
	read_page(torn, 1, page);
	assert_memory_equal(page, page_of(torn, 1), PAGES_BYTES);
	assert_int_equal(mended_by_opening(torn), 0);
}

/* One that lies at the end, of which the disk has only a part. */
static void page_that_is_cut_off_is_mended(void **state)
{
	struct torn *torn = *state;
	uint32_t last = torn->pages - 1;
	uint8_t page[PAGES_BYTES];

	put_journal(torn, "FSPAGES1", 1, SESSIONS_DB, last, page_of(torn, last));
	int fd = open_in(torn, "sessions.db", O_WRONLY);
	assert_int_equal(ftruncate(fd, (off_t)last * PAGES_BYTES + SECTOR), 0);
	close(fd);
	assert_int_equal(mended_by_opening(torn), 1);
	read_page(torn, last, page);
	assert_memory_equal(page, page_of(torn, last), PAGES_BYTES);
}

/* A journal of another time or another store: a whole page stays as it is, whatever the journal has. */
static void whole_pages_stay(void **state)
{
	struct torn *torn = *state;
	uint8_t page[PAGES_BYTES];

	put_journal(torn, "FSPAGES1", 1, SESSIONS_DB, 1, page_of(torn, 0));
	assert_int_equal(mended_by_opening(torn), 0);
	/* A process that was killed may have put it there without a sync, and the journal is about to be written over. */
	assert_int_equal(torn->syncs, 1);
	put_journal(torn, "FSPAGES1", 1, SESSIONS_DB, torn->pages, page_of(torn, 1));
	assert_int_equal(mended_by_opening(torn), 0);
	int fd = open_in(torn, "sessions.db", O_RDONLY);
	assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)torn->pages * PAGES_BYTES);
	close(fd);
	read_page(torn, 1, page);
	assert_memory_equal(page, page_of(torn, 1), PAGES_BYTES);
}

/* What is no journal, or not one of this page, mends nothing. */
static void wrong_journals_mend_nothing(void **state)
{
	struct torn *torn = *state;
	uint8_t page[PAGES_BYTES], before[PAGES_BYTES];

	tear(torn, 1);
	read_page(torn, 1, before);
	memcpy(page, page_of(torn, 1), sizeof page);
	page[100] ^= 1;
	put_journal(torn, "FSPAGES1", 1, SESSIONS_DB, 1, page); /* torn as well */
	assert_int_equal(mended_by_opening(torn), 0);
	put_journal(torn, "FSPAGES1", 1, SESSIONS_DB, 1, page_of(torn, 0)); /* of another place */
	assert_int_equal(mended_by_opening(torn), 0);
	put_journal(torn, "FSPAGES0", 1, SESSIONS_DB, 1, page_of(torn, 1));
	assert_int_equal(mended_by_opening(torn), 0);
	put_journal(torn, "FSPAGES1", 513, SESSIONS_DB, 1, page_of(torn, 1));
	assert_int_equal(mended_by_opening(torn), 0);
	put_journal(torn, "FSPAGES1", 1, 7, 1, page_of(torn, 1));
	assert_int_equal(mended_by_opening(torn), 0);
	put_journal(torn, "FSPAGES1", 0, SESSIONS_DB, 1, page_of(torn, 1));
	assert_int_equal(mended_by_opening(torn), 0);
	read_page(torn, 1, page);
	assert_memory_equal(page, before, PAGES_BYTES);
	put(torn, "sessions.db", page_of(torn, 1), PAGES_BYTES, PAGES_BYTES);
}

/* Written pages are read back before they are in their place, and are there after a flush; the batch grows over its bounds. */
static void pages_wait_in_memory(void **state)
{
	enum { MANY = 1200 };
	struct torn *torn = *state;
	uint8_t page[PAGES_BYTES];

	assert_int_equal(opened_with(torn), 0);
	int fd = open_in(torn, "sessions.db", O_RDWR), file = pages_file(fd);
	assert_int_equal(file, SESSIONS_DB);
	memcpy(page, page_of(torn, 1), sizeof page);
	page[PAGES_BYTES - 1] ^= 1;
	assert_int_equal(lseek(fd, PAGES_BYTES, SEEK_SET), PAGES_BYTES);
	assert_int_equal(pages_write(file, fd, page, sizeof page), PAGES_BYTES);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 2 * PAGES_BYTES);
	assert_int_equal(pages_read(fd, page, sizeof page, PAGES_BYTES), PAGES_BYTES);
	assert_int_equal(page[PAGES_BYTES - 1], page_of(torn, 1)[PAGES_BYTES - 1] ^ 1);
	read_page(torn, 1, page);
	assert_memory_equal(page, page_of(torn, 1), PAGES_BYTES);
	assert_int_equal(torn->syncs, 0);
	assert_int_equal(pages_flush(), 0);
	assert_int_equal(torn->syncs, 2);
	read_page(torn, 1, page);
	assert_int_equal(page[PAGES_BYTES - 1], page_of(torn, 1)[PAGES_BYTES - 1] ^ 1);
	for (uint32_t i = 0; i < MANY; i++) {
		memcpy(page, &i, sizeof i);
		assert_int_equal(lseek(fd, (off_t)(torn->pages + i) * PAGES_BYTES, SEEK_SET),
				 (off_t)(torn->pages + i) * PAGES_BYTES);
		assert_int_equal(pages_write(file, fd, page, sizeof page), PAGES_BYTES);
	}
	for (uint32_t i = 0, found; i < MANY; i++) {
		assert_int_equal(pages_read(fd, page, sizeof page, (off_t)(torn->pages + i) * PAGES_BYTES),
				 PAGES_BYTES);
		memcpy(&found, page, sizeof found);
		assert_int_equal(found, i);
	}
	put(torn, "sessions.db", torn->content, (size_t)torn->pages * PAGES_BYTES, 0);
	assert_int_equal(pages_sync(file), 0);
	assert_int_equal(ftruncate(fd, (off_t)torn->pages * PAGES_BYTES), 0);
	close(fd);
}

/* A journal that could not be synced: the pages stay out of their places. */
static void failed_sync_leaves_the_places(void **state)
{
	struct torn *torn = *state;
	uint8_t page[PAGES_BYTES];

	assert_int_equal(opened_with(torn), 0);
	torn->refused = torn->syncs + 1;
	int fd = open_in(torn, "sessions.db", O_RDWR);
	memset(page, 7, sizeof page);
	assert_int_equal(lseek(fd, PAGES_BYTES, SEEK_SET), PAGES_BYTES);
	assert_int_equal(pages_write(SESSIONS_DB, fd, page, sizeof page), PAGES_BYTES);
	assert_int_equal(pages_flush(), EIO);
	close(fd);
	read_page(torn, 1, page);
	assert_memory_equal(page, page_of(torn, 1), PAGES_BYTES);
	pages_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_of_the_engine_are_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(torn_page_is_mended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(page_that_is_cut_off_is_mended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whole_pages_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_journals_mend_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pages_wait_in_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failed_sync_leaves_the_places, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("torn_pages", tests, NULL, NULL);
}
