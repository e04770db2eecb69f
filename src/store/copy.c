/* Copies of the open store; see copy.h. Facts about the engine that are not in its manual are from the sources of Berkeley DB
 * 5.3.28. */
#include "store/copy.h"

#include "store/pages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is read at a time. */
enum { CHUNK_BYTES = 256 << 10 };

/* Lines of DB_CONFIG that lead out of the folder: the copy would be recovered with the log of the store itself. */
static const char *const places[] = {"set_lg_dir",     "set_data_dir", "add_data_dir",
				     "set_create_dir", "set_tmp_dir",  "set_metadata_dir"};

/* A file that is being written. The engine's callbacks know nothing but the environment, so it is theirs by the handle. */
struct target {
	struct copying *copying;
	const char *name;
	int fd;
	bool ended;
};

static int write_at(struct copying *copying, int fd, const uint8_t *data, size_t size, off_t offset)
{
	for (size_t done = 0; done < size;) {
		if (atomic_load(&copying->stopping))
			return ECANCELED;
		ssize_t written = pwrite(fd, data + done, size - done, offset + (off_t)done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : EIO;
		done += (size_t)written;
	}
	atomic_fetch_add(&copying->bytes, size);
	return 0;
}

/* The one target at a time: the open callback hands it on as the file's handle. */
static _Thread_local struct target *current;

static int begin_file(DB_ENV *env, const char *name, const char *folder, void **handle)
{
	(void)env;
	(void)name;
	(void)folder;
	*handle = current;
	return 0;
}

/* A page that was written while it was read. */
static void complete_pages(const struct target *target, u_int32_t size, u_int8_t *data, off_t offset)
{
	for (u_int32_t at = 0; at + PAGES_BYTES <= size; at += PAGES_BYTES)
		if (!pages_is_whole(data + at))
			(void)pages_reread(target->name, offset + at, data + at);
}

/* A read that comes to the file's end is short, and what the engine reads after it may be elsewhere than it says
 * (__memp_backup_mpf goes on a page too far). What is behind was not on the disk yet, and all of it is in the log. */
static int write_pages(DB_ENV *env, u_int32_t gigabytes, u_int32_t offset, u_int32_t size, u_int8_t *data, void *handle)
{
	struct target *target = handle;
	off_t place = ((off_t)gigabytes << 30) + (off_t)offset;

	(void)env;
	if (target->ended)
		return 0;
	target->ended = size < CHUNK_BYTES;
	complete_pages(target, size, data, place);
	return write_at(target->copying, target->fd, data, size, place);
}

static int end_file(DB_ENV *env, const char *name, void *handle)
{
	(void)env;
	(void)name;
	(void)handle;
	return 0;
}

bool store_is_file(const char *name)
{
	for (const char *const *file = environment_files; *file; file++)
		if (strcmp(name, *file) == 0)
			return true;
	return strncmp(name, "log.", 4) == 0 || strncmp(name, "__db.", 5) == 0 || strcmp(name, "DB_CONFIG") == 0 ||
	       strcmp(name, pages_journal) == 0;
}

/* What a copy that was given up has left. */
static int clear(int folder)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *entries = again >= 0 ? fdopendir(again) : NULL;

	if (!entries)
		return errno;
	for (struct dirent *entry = readdir(entries); result == 0 && entry; entry = readdir(entries))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    unlinkat(folder, entry->d_name, 0) != 0)
			result = errno;
	closedir(entries);
	return result;
}

static int create(struct copying *copying, const char *name)
{
	return openat(copying->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int close_file(int fd, int result)
{
	int reason = close(fd) == 0 ? 0 : errno;

	return result != 0 ? result : reason;
}

static int copy_database(struct copying *copying, const char *name)
{
	DB_ENV *env = copying->environment->handle;
	struct target target = {copying, name, create(copying, name), false};

	if (target.fd < 0)
		return errno;
	current = &target;
	int result = env->dbbackup(env, name, ".", 0);
	current = NULL;
	return close_file(target.fd, result);
}

static int copy_plain(struct copying *copying, const char *path, const char *name)
{
	uint8_t *bytes = malloc(CHUNK_BYTES);
	int from = bytes ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	int result = bytes ? (from >= 0 ? 0 : errno) : ENOMEM;
	int to = result == 0 ? create(copying, name) : -1;
	off_t offset = 0;
	ssize_t got = 1;

	if (result == 0 && to < 0)
		result = errno;
	while (result == 0 && got > 0) {
		got = read(from, bytes, CHUNK_BYTES);
		if (got < 0)
			result = errno;
		else
			result = write_at(copying, to, bytes, (size_t)got, offset);
		offset += got;
	}
	if (to >= 0)
		result = close_file(to, result);
	if (from >= 0)
		close(from);
	free(bytes);
	return result;
}

/* From the first to the last. What is appended while the last one is read may end in half a record; recovery ends before it. */
static int copy_log(struct copying *copying)
{
	DB_ENV *env = copying->environment->handle;
	char **paths = NULL;

	int result = env->log_flush(env, NULL);
	if (result == 0)
		result = env->log_archive(env, &paths, DB_ARCH_LOG | DB_ARCH_ABS);
	for (char **path = paths; result == 0 && path && *path; path++) {
		const char *slash = strrchr(*path, '/');
		result = copy_plain(copying, *path, slash ? slash + 1 : *path);
	}
	free(paths);
	return result;
}

static bool is_place(const char *line)
{
	line += strspn(line, " \t");
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strncmp(line, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

bool store_leads_elsewhere(int folder)
{
	int fd = openat(folder, "DB_CONFIG", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	char *line = NULL;
	size_t capacity = 0;
	bool elsewhere = false;

	while (file && !elsewhere && getline(&line, &capacity, file) >= 0)
		elsewhere = is_place(line);
	free(line);
	if (file)
		fclose(file);
	else if (fd >= 0)
		close(fd);
	return elsewhere;
}

static int path_in_home(struct copying *copying, const char *name, char path[4096])
{
	DB_ENV *env = copying->environment->handle;
	const char *home;

	int result = env->get_home(env, &home);
	if (result == 0 && snprintf(path, 4096, "%s/%s", home, name) >= 4096)
		result = ENAMETOOLONG;
	return result;
}

static int copy_settings(struct copying *copying)
{
	char path[4096], *line = NULL;
	size_t capacity = 0;
	off_t offset = 0;

	int result = path_in_home(copying, "DB_CONFIG", path);
	if (result != 0)
		return result;
	FILE *from = fopen(path, "re");
	if (!from)
		return errno == ENOENT ? 0 : errno;
	int to = create(copying, "DB_CONFIG");
	if (to < 0)
		result = errno;
	while (result == 0) {
		ssize_t size = getline(&line, &capacity, from);
		if (size < 0)
			break;
		if (is_place(line))
			continue;
		result = write_at(copying, to, (const uint8_t *)line, (size_t)size, offset);
		offset += size;
	}
	if (to >= 0)
		result = close_file(to, result);
	free(line);
	fclose(from);
	return result;
}

static int count_expected(struct copying *copying)
{
	DB_ENV *env = copying->environment->handle;
	uint64_t bytes = 0;
	char path[4096], **logs = NULL;
	struct stat info;

	for (const char *const *name = environment_files; *name; name++)
		if (path_in_home(copying, *name, path) == 0 && stat(path, &info) == 0)
			bytes += (uint64_t)info.st_size;
	int result = env->log_archive(env, &logs, DB_ARCH_LOG | DB_ARCH_ABS);
	for (char **log = logs; result == 0 && log && *log; log++)
		if (stat(*log, &info) == 0)
			bytes += (uint64_t)info.st_size;
	free(logs);
	atomic_store(&copying->expected_bytes, bytes);
	return result;
}

/* No log file is removed from before the first page is read until the last file of the log is. */
static int copy_all(struct copying *copying, const char **doing)
{
	DB_ENV *env = copying->environment->handle;
	int removes = 0; /* DB_CONFIG may have that off */

	*doing = "keeping the log for a copy";
	int result = env->log_get_config(env, DB_LOG_AUTO_REMOVE, &removes);
	if (result == 0)
		result = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 0);
	if (result == 0)
		result = count_expected(copying);
	*doing = "copying a database";
	for (const char *const *name = environment_files; result == 0 && *name; name++)
		result = copy_database(copying, *name);
	if (result == 0) {
		*doing = "copying the log";
		result = copy_log(copying);
	}
	if (result == 0) {
		*doing = "copying DB_CONFIG";
		result = copy_settings(copying);
	}
	int kept = env->log_set_config(env, DB_LOG_AUTO_REMOVE, removes);
	return result != 0 ? result : kept;
}

static void *run(void *context)
{
	struct copying *copying = context;
	struct error error = {.status = STATUS_OK};
	const char *doing;

	int result = copy_all(copying, &doing);
	if (result == ECANCELED)
		error_set(&error, STATUS_UNAVAILABLE, "the copy was given up");
	else if (result != 0)
		environment_error(&error, result, doing);
	close(copying->folder);
	pthread_mutex_lock(&copying->mutex);
	copying->running = false;
	copying->error = error;
	pthread_mutex_unlock(&copying->mutex);
	return NULL;
}

enum status copying_init(struct copying *copying, struct environment *environment, struct error *error)
{
	DB_ENV *env = environment->handle;

	*copying = (struct copying){.environment = environment, .folder = -1};
	int result = env->set_backup_callbacks(env, begin_file, write_pages, end_file);
	if (result == 0)
		result = env->set_backup_config(env, DB_BACKUP_SIZE, CHUNK_BYTES);
	if (result != 0)
		return environment_error(error, result, "preparing for copies");
	pthread_mutex_init(&copying->control, NULL);
	pthread_mutex_init(&copying->mutex, NULL);
	return STATUS_OK;
}

/* Under control. */
static void give_up(struct copying *copying)
{
	if (!copying->started)
		return;
	atomic_store(&copying->stopping, true);
	pthread_join(copying->thread, NULL);
	copying->started = false;
}

void copying_destroy(struct copying *copying)
{
	give_up(copying);
	pthread_mutex_destroy(&copying->control);
	pthread_mutex_destroy(&copying->mutex);
}

static enum status start(struct copying *copying, const struct uuid *id, struct error *error)
{
	char path[4096];

	int result = path_in_home(copying, STORE_COPY, path);
	if (result == 0 && (copying->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		result = errno;
	else if (result == 0 && (result = clear(copying->folder)) != 0)
		close(copying->folder);
	if (result != 0)
		return environment_error(error, result, "preparing the folder for a copy");
	atomic_store(&copying->stopping, false);
	atomic_store(&copying->bytes, 0);
	atomic_store(&copying->expected_bytes, 0);
	pthread_mutex_lock(&copying->mutex);
	copying->id = *id;
	copying->running = true;
	copying->error.status = STATUS_OK;
	pthread_mutex_unlock(&copying->mutex);
	result = pthread_create(&copying->thread, NULL, run, copying);
	copying->started = result == 0;
	if (result == 0)
		return STATUS_OK;
	close(copying->folder);
	environment_error(error, result, "starting a copy");
	pthread_mutex_lock(&copying->mutex);
	copying->running = false;
	copying->error = *error;
	pthread_mutex_unlock(&copying->mutex);
	return error->status;
}

enum status copying_begin(struct copying *copying, const struct uuid *id, struct error *error)
{
	enum status status = STATUS_OK;

	pthread_mutex_lock(&copying->control);
	pthread_mutex_lock(&copying->mutex);
	bool begun = uuid_equal(&copying->id, id);
	pthread_mutex_unlock(&copying->mutex);
	if (!begun) {
		give_up(copying);
		status = start(copying, id, error);
	}
	pthread_mutex_unlock(&copying->control);
	return status;
}

void copying_get(struct copying *copying, struct store_copy *copy)
{
	pthread_mutex_lock(&copying->mutex);
	copy->id = copying->id;
	copy->running = copying->running;
	copy->error = copying->error;
	pthread_mutex_unlock(&copying->mutex);
	copy->bytes = atomic_load(&copying->bytes);
	copy->expected_bytes = atomic_load(&copying->expected_bytes);
}
