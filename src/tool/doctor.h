/* `focusstats doctor`: what is wrong with this installation. A check looks at one thing and says what it found; nothing is
 * changed, and the store is opened only where no process has it open and nothing was found to be wrong.
 *
 * The checks are in doctor_system.c (settings, engine, limits, clock), doctor_service.c (who runs the service), doctor_home.c
 * (the folder, its file system and files), doctor_store.c (databases, owner, opening); doctor.c runs them in their order.
 */
#ifndef FOCUSSTATS_TOOL_DOCTOR_H
#define FOCUSSTATS_TOOL_DOCTOR_H

#include "base/config.h"
#include "gateway/home.h"
#include "tool/commands.h"

#include <sys/stat.h>

enum doctor_level { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_PROBLEM };

enum { DOCTOR_NAME_SIZE = 64 };

struct doctor {
	const struct config *config; /* with the defaults in the place of what is wrong */
	const struct options *options;
	const char *path;            /* of the home */
	bool there;                  /* it is a folder; what follows is known */
	struct stat info;            /* of it */
	char user[DOCTOR_NAME_SIZE]; /* whose it is */
	struct home home;            /* folder is -1 while it is not open */
	int64_t largest_bytes;       /* of the files in it */
	int64_t newest_ms;           /* when one of them was last written, since 1970 */
	bool empty, older_schema;    /* no store yet; one of an older version */
	bool held;                   /* another process has the lock */
	unsigned warnings, problems;

	/* The check that runs, and what it has found last. */
	const char *check;
	unsigned found;
	bool pending;
	enum doctor_level level;
	char text[1024], advice[1024];
};

/* What a check found: once or several times, each followed by what to do about it; or once that it is well, which counts only
 * where nothing else was found. Formatted as printf does. */
void doctor_ok(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_warning(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_problem(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_advice(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The name of a user, or "user N". */
const char *doctor_user(uid_t uid, char name[DOCTOR_NAME_SIZE]);

/* "12 MiB", or bytes where it is less than ten of them. */
const char *doctor_size(int64_t bytes, char text[32]);

/* The checks. */
void doctor_settings(struct doctor *doctor);
void doctor_engine(struct doctor *doctor);
void doctor_limits(struct doctor *doctor);
void doctor_file_size(struct doctor *doctor); /* part of doctor_space */
void doctor_clock(struct doctor *doctor);
void doctor_home(struct doctor *doctor);
void doctor_access(struct doctor *doctor);
void doctor_files(struct doctor *doctor);
void doctor_file_system(struct doctor *doctor);
void doctor_space(struct doctor *doctor);
void doctor_service(struct doctor *doctor);
void doctor_databases(struct doctor *doctor);
void doctor_leftovers(struct doctor *doctor);
void doctor_owner(struct doctor *doctor);
void doctor_store(struct doctor *doctor);

/* The command; struct command. */
enum status doctor_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error);

#endif
