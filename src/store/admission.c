/* What has to be so before the engine is let at a home; see admission.h. */
#include "store/admission.h"

#include "base/log.h"
#include "store/environment.h"
#include "store/look.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 + 32 };

static enum status unusable(struct error *error, const char *text)
{
	return error_set(error, STATUS_UNAVAILABLE, "%s", text);
}

/* meta.db is the first one that is made, so it is lost where it is not there and this one is. */
bool admission_has_records(const struct store_options *options)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof path, "%s/sessions.db", options->home);
	return access(path, F_OK) == 0;
}

/* At a pipe in the place of a file the engine would wait for good. */
static enum status check_files(const struct store_options *options, struct error *error)
{
	char path[PATH_SIZE];
	struct stat info;

	for (const char *const *name = environment_files; *name; name++) {
		snprintf(path, sizeof path, "%s/%s", options->home, *name);
		if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
			unusable(error, "the store cannot be used: the log says why");
			return error_detail(error, "%s: is no plain file; restore a backup", *name);
		}
	}
	return STATUS_OK;
}

/* The engine would begin another log, and what its last words are about would be hidden. */
static enum status check_log(const struct store_options *options, struct error *error)
{
	int folder = open(options->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool gone = folder >= 0 && look_log_is_gone(folder);

	if (folder >= 0)
		close(folder);
	if (!gone)
		return STATUS_OK;
	unusable(error, "the store cannot be used: the log says why");
	return error_detail(error,
			    "the databases were written with a log, and no file of it (log.*) is there; put it back, "
			    "or restore a backup");
}

/* A folder that was not completed is no store. */
static enum status check_completed(const struct store_options *options, struct error *error)
{
	const struct {
		const char *name, *text;
	} marks[] = {
		{STORE_RESTORING, "a restore into this folder was interrupted: run focusstats restore again"},
		{STORE_INCOMPLETE, "this is no backup: it was not completed"},
	};
	char path[PATH_SIZE];

	for (size_t i = 0; !options->copy && i < sizeof marks / sizeof marks[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", options->home, marks[i].name);
		if (access(path, F_OK) == 0) {
			unusable(error, "the store cannot be used: the log says why");
			return error_detail(error, "%s", marks[i].text);
		}
	}
	return STATUS_OK;
}

/* The engine's words about a recovery that failed name no file. */
void admission_name_faults(const struct store_options *options)
{
	int folder = open(options->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (const char *const *name = environment_files; folder >= 0 && *name; name++) {
		const char *fault = look_fault(folder, *name);
		if (fault)
			log_repeated("%s: %s; restore a backup", *name, fault);
	}
	if (folder >= 0)
		close(folder);
}

enum status admission_check(const struct store_options *options, struct error *error)
{
	if (check_completed(options, error) != STATUS_OK || check_files(options, error) != STATUS_OK ||
	    check_log(options, error) != STATUS_OK)
		return error->status;
	return STATUS_OK;
}
