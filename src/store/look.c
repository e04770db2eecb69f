/* A store from outside; see look.h. The places of magic numbers and versions are those of Berkeley DB 5.3.28, dbinc/db_page.h
 * (DBMETA) and dbinc/log.h (HDR, LOGP). */
#include "store/look.h"

#include "base/text.h"
#include "store/environment.h"
#include "store/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC_AT = 12, VERSION_AT = 16, HEAD_BYTES = 20, PAGE_SIZE_AT = 20 };

const struct look_database look_databases[] = {
	{"meta.db", 1},           {"stats.db", 1},     {"sessions.db", 1}, {"sessions_by_user.db", 1},
	{"active_by_user.db", 2}, {"documents.db", 2}, {NULL, 0},
};

struct look_engine look_engine(void)
{
	struct look_engine engine = {.built = {DB_VERSION_MAJOR, DB_VERSION_MINOR, DB_VERSION_PATCH}};

	db_version(&engine.loaded[0], &engine.loaded[1], &engine.loaded[2]);
	return engine;
}

static enum look_kind look_at(int folder, const char *file, uint32_t magic, uint32_t newest)
{
	uint8_t head[HEAD_BYTES];
	uint32_t found, version;

	int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? LOOK_MISSING : LOOK_UNREADABLE;
	ssize_t size = read(fd, head, sizeof head);
	int reason = errno;
	close(fd);
	errno = reason;
	if (size < 0)
		return LOOK_UNREADABLE;
	if (size == 0)
		return LOOK_EMPTY;
	if (size < HEAD_BYTES)
		return LOOK_FOREIGN;
	memcpy(&found, head + MAGIC_AT, sizeof found);
	memcpy(&version, head + VERSION_AT, sizeof version);
	if (found != magic)
		return LOOK_FOREIGN;
	return version > newest ? LOOK_NEWER : LOOK_GOOD;
}

enum look_kind look_database(int folder, const char *file)
{
	return look_at(folder, file, DB_BTREEMAGIC, DB_BTREEVERSION);
}

enum look_kind look_log(int folder, const char *file)
{
	return look_at(folder, file, DB_LOGMAGIC, DB_LOGVERSION);
}

const char *look_fault(int folder, const char *file)
{
	enum { PAGE_BYTES = 4096 };
	struct stat info;

	switch (look_database(folder, file)) {
	case LOOK_EMPTY:
		return "is empty";
	case LOOK_FOREIGN:
		return "is no database";
	case LOOK_GOOD:
		return fstatat(folder, file, &info, 0) == 0 && info.st_size % PAGE_BYTES != 0 ? "ends within a page"
											      : NULL;
	default:
		return NULL;
	}
}

/* The first number of a page is the file of the log that its last change is in, 0 where there was no log (dbinc/db_page.h, PAGE;
 * db/db.c, LSN_NOT_LOGGED). The first record of meta.db is in its second page. */
bool look_is_logged(int folder)
{
	uint32_t page_bytes = 0, log_file = 0;

	int fd = openat(folder, "meta.db", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	bool read = pread(fd, &page_bytes, sizeof page_bytes, PAGE_SIZE_AT) == sizeof page_bytes &&
		    pread(fd, &log_file, sizeof log_file, page_bytes) == sizeof log_file;
	close(fd);
	return read && log_file > 0;
}

static void say_nothing(const DB_ENV *handle, const char *prefix, const char *message)
{
	(void)handle;
	(void)prefix;
	(void)message;
}

/* By itself, without its environment, as db_dump reads a file. */
/* The engine would wait for somebody to write to a pipe. */
static bool is_plain_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

int look_schema(const char *home)
{
	static char name[] = "schema"; /* the engine wants its keys writable */
	char path[4096], text[24];
	DBT key = {.data = name, .size = sizeof name - 1};
	DBT value = {.data = text, .ulen = sizeof text, .flags = DB_DBT_USERMEM};
	long long version = 0;
	DB *meta;

	if ((size_t)snprintf(path, sizeof path, "%s/meta.db", home) >= sizeof path || !is_plain_file(path) ||
	    db_create(&meta, NULL, 0) != 0)
		return 0;
	meta->set_errcall(meta, say_nothing);
	if (meta->open(meta, NULL, path, NULL, DB_BTREE, DB_RDONLY, 0) != 0 ||
	    meta->get(meta, NULL, &key, &value, 0) != 0 ||
	    !text_to_integer((struct text){text, value.size}, &version) || version > INT32_MAX)
		version = 0;
	meta->close(meta, 0);
	return (int)version;
}

int look_schema_known(void)
{
	return SCHEMA_VERSION;
}

/* "set_cachesize GIGABYTES BYTES CACHES" with too little. The engine adds a quarter (env/env_region.c, __memp_set_cachesize). */
static bool is_small_cache(const char *line)
{
	static const char name[] = "set_cachesize ";
	char *end;

	if (strncmp(line, name, sizeof name - 1) != 0)
		return false;
	unsigned long gigabytes = strtoul(line + sizeof name - 1, &end, 10), bytes = strtoul(end, NULL, 10);
	return gigabytes == 0 && bytes + bytes / 4 < ENVIRONMENT_CACHE_LEAST_BYTES;
}

static bool is_refused(const char *line)
{
	static const char *const refused[] = {"log_set_config DB_LOG_IN_MEMORY on", "log_set_config DB_LOG_DSYNC on"};

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (strncmp(line, refused[i], strlen(refused[i])) == 0)
			return true;
	return is_small_cache(line);
}

static bool sets_log_folder(const char *line)
{
	return strncmp(line, "set_lg_dir ", 11) == 0;
}

/* The first line of DB_CONFIG that is wanted. */
static bool find_line(int folder, bool (*wanted)(const char *line), char *line, size_t size)
{
	char *read = NULL;
	size_t capacity = 0;
	bool found = false;

	int fd = openat(folder, "DB_CONFIG", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!file) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && getline(&read, &capacity, file) > 0) {
		read[strcspn(read, "\r\n")] = '\0';
		found = wanted(read);
	}
	if (found)
		snprintf(line, size, "%s", read);
	free(read);
	fclose(file);
	return found;
}

bool look_refused_setting(int folder, char *line, size_t size)
{
	return find_line(folder, is_refused, line, size);
}

bool look_log_is_elsewhere(int folder)
{
	char line[256];

	return find_line(folder, sets_log_folder, line, sizeof line);
}

bool look_log_is_gone(int folder)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again >= 0 ? fdopendir(again) : NULL;
	bool found = false;

	if (!entries && again >= 0)
		close(again);
	if (!entries || !look_is_logged(folder) || look_log_is_elsewhere(folder))
		found = true; /* or it cannot be told */
	for (struct dirent *entry = found ? NULL : readdir(entries); entry && !found; entry = readdir(entries))
		found = strncmp(entry->d_name, "log.", 4) == 0 && look_log(folder, entry->d_name) == LOOK_GOOD;
	if (entries)
		closedir(entries);
	return !found;
}
