/* Looking through a copy; see verify.h. Recovery and the pages here, the records in verify_records.c. */
#include "store/verify.h"

#include "store/sums.h"
#include "store/verify_records.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { CACHE_BYTES = 16 << 20, TEXT_SIZE = 512 };

/* What the engine says while it looks at one file. */
struct listener {
	const struct verify_watch *watch;
	const char *file;
	bool heard;
};

static void tell(struct listener *listener, const char *message)
{
	char text[TEXT_SIZE];

	listener->heard = true;
	snprintf(text, sizeof text, "%s: %s", listener->file, message);
	listener->watch->found(listener->watch->context, text);
}

static void hear(const DB_ENV *env, const char *prefix, const char *message)
{
	struct listener *listener = env->app_private;

	(void)prefix;
	/* DB_VERIFY_BAD, the sum of what it has said. */
	if (!listener->heard || !strstr(message, "BDB0090 "))
		tell(listener, message);
}

static void tell_of_page(void *context, const char *what)
{
	tell(context, what);
}

/* Every page of a file: its checksum, its structure, its place in the tree. True where all is well. */
static bool check_pages(const char *home, const char *file, const struct verify_watch *watch)
{
	struct listener listener = {watch, file, false};
	char path[4096];
	struct stat info;
	DB *db;

	if (snprintf(path, sizeof path, "%s/%s", home, file) >= (int)sizeof path || db_create(&db, NULL, 0) != 0) {
		tell(&listener, "cannot be looked at: memory is short");
		return false;
	}
	bool found = stat(path, &info) == 0;
	if (!found || !S_ISREG(info.st_mode)) {
		tell(&listener, found ? "is no plain file" : errno == ENOENT ? "is missing" : strerror(errno));
		db->close(db, 0);
		return false;
	}
	if (!sums_check(path, tell_of_page, &listener)) {
		db->close(db, 0);
		return false;
	}
	db->get_env(db)->app_private = &listener;
	db->set_errcall(db, hear);
	int result = db->set_cachesize(db, 0, CACHE_BYTES, 1);
	/* The handle is gone afterwards, whatever comes of it. */
	if (result == 0)
		result = db->verify(db, path, NULL, NULL, 0);
	else
		db->close(db, 0);
	if (result != 0 && !listener.heard)
		tell(&listener, db_strerror(result));
	return result == 0;
}

bool verify_pages(const char *home, const struct verify_watch *watch)
{
	bool whole = true;

	for (const char *const *file = environment_files; *file; file++)
		whole &= check_pages(home, *file, watch);
	return whole;
}

void verify_closed(const char *home, const struct verify_watch *watch)
{
	if (verify_pages(home, watch))
		watch->found(
			watch->context,
			"log.*: nothing is wrong with the pages of the databases; where no other line says why the "
			"store cannot be opened, the log is damaged, or a file is of another time or store");
}

bool verify_sums(const char *home, const struct verify_watch *watch)
{
	char path[4096];
	bool whole = true;

	for (const char *const *file = environment_files; *file; file++) {
		struct listener listener = {watch, *file, false};
		if (snprintf(path, sizeof path, "%s/%s", home, *file) < (int)sizeof path)
			whole &= sums_check(path, tell_of_page, &listener);
	}
	return whole;
}

enum status verify_copy(const struct store_options *options, const struct verify_watch *watch,
			struct verify_counts *counts, struct error *error)
{
	struct environment environment;
	struct error closing;

	*counts = (struct verify_counts){0};
	if (environment_open(options, &environment, error) != STATUS_OK) {
		verify_closed(options->home, watch); /* it may say which one recovery could not go on with */
		return error->status;
	}
	if (environment_close(&environment, true, error) != STATUS_OK)
		return error->status;
	/* A bad page that is read through the environment would end it. */
	if (!verify_pages(options->home, watch))
		return STATUS_OK;
	if (environment_open(options, &environment, error) != STATUS_OK)
		return error->status;
	verify_records(&environment, watch, counts, error);
	if (environment_close(&environment, true, &closing) != STATUS_OK && error->status == STATUS_OK)
		*error = closing;
	return error->status;
}
