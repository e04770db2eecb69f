/* Other programs' databases: tool/foreign.h. What is in them tests/tool/test_import_koreader.py has; here is what happens to a
 * file while it is read. */
#include "check.h"

#include "tool/foreign.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char path[64], file[80], wal[80];
};

static void carry_out(sqlite3 *database, const char *sql)
{
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3 *opened(const char *file)
{
	sqlite3 *database = NULL;

	assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
	return database;
}

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof *folder);

	assert_non_null(folder);
	*folder = (struct folder){.path = "/tmp/focusstats-foreign-XXXXXX"};
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof folder->file, "%s/db", folder->path);
	snprintf(folder->wal, sizeof folder->wal, "%s/db-wal", folder->path);
	sqlite3 *database = opened(folder->file);
	carry_out(database, "CREATE TABLE numbers (number); INSERT INTO numbers VALUES (1), (2)");
	sqlite3_close(database);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;
	DIR *entries = opendir(folder->path);

	for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
		unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static int64_t sum_in(const struct foreign *foreign)
{
	struct error error = {.status = STATUS_OK};
	int64_t sum = -1;

	assert_int_equal(foreign_number(foreign, "SELECT sum(number) FROM numbers", &sum, &error), STATUS_OK);
	return sum;
}

/* Open the file, do something to it, and look what the check says. */
static void assert_check(struct folder *folder, void (*meanwhile)(struct folder *folder), enum status expected)
{
	struct foreign foreign;
	struct error error = {.status = STATUS_OK};

	assert_int_equal(foreign_open(&foreign, folder->file, &error), STATUS_OK);
	assert_int_equal(sum_in(&foreign), 3);
	assert_int_equal(foreign_check(&foreign, &error), STATUS_OK);
	meanwhile(folder);
	assert_int_equal(foreign_check(&foreign, &error), expected);
	if (expected != STATUS_OK)
		assert_memory_equal(error.text, folder->file, strlen(folder->file));
	foreign_close(&foreign);
}

static void write_in_place(struct folder *folder)
{
	/* Whatever the file system's clock does between two writes. */
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000}};

	assert_int_equal(utimensat(AT_FDCWD, folder->file, times, 0), 0);
}

static void make_larger(struct folder *folder)
{
	sqlite3 *database = opened(folder->file);

	carry_out(database, "CREATE TABLE more (text); INSERT INTO more VALUES (zeroblob(100000))");
	sqlite3_close(database);
}

static void make_wal(struct folder *folder)
{
	int file = open(folder->wal, O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

	assert_true(file >= 0);
	close(file);
}

static void nothing(struct folder *folder)
{
	(void)folder;
}

static void a_file_that_changes_is_noticed(void **state)
{
	assert_check(*state, nothing, STATUS_OK);
	assert_check(*state, write_in_place, STATUS_UNAVAILABLE);
	assert_check(*state, make_wal, STATUS_UNAVAILABLE);
	assert_check(*state, make_larger, STATUS_UNAVAILABLE);
}

static void a_copy_stays_as_it_is(void **state)
{
	struct folder *folder = *state;
	sqlite3 *database = opened(folder->file);

	carry_out(database, "PRAGMA journal_mode = WAL; DELETE FROM numbers; INSERT INTO numbers VALUES (3)");
	assert_check(folder, make_larger, STATUS_OK);
	sqlite3_close(database);
}

static void nobody_writes_through_it(void **state)
{
	struct folder *folder = *state;
	struct foreign foreign;
	struct error error = {.status = STATUS_OK};

	assert_int_equal(foreign_open(&foreign, folder->file, &error), STATUS_OK);
	assert_int_equal(sqlite3_exec(foreign.database, "DELETE FROM numbers", NULL, NULL, NULL), SQLITE_READONLY);
	foreign_close(&foreign);
}

static void what_is_asked_for_must_be_there(void **state)
{
	struct folder *folder = *state;
	struct foreign foreign;
	struct error error = {.status = STATUS_OK};
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;

	assert_int_equal(foreign_open(&foreign, folder->file, &error), STATUS_OK);
	assert_int_equal(foreign_prepare(&foreign, "SELECT letter FROM numbers", &statement, &error), STATUS_INVALID);
	assert_null(statement);
	assert_non_null(strstr(error.text, "no such column"));
	error.status = STATUS_OK;
	assert_int_equal(foreign_number(&foreign, "SELECT number FROM numbers WHERE number > 5", &number, &error),
			 STATUS_OK);
	assert_int_equal(number, 0);
	foreign_close(&foreign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_that_changes_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_copy_stays_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_writes_through_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_asked_for_must_be_there, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
