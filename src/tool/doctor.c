/* The command; see doctor.h. */
#include "tool/doctor.h"

#include "tool/visible.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* When a check can be made. */
enum when { ALWAYS, THERE, OPEN };

/* In this order: as long as this process is root it can look at everybody's processes; `access` makes it the home's user. */
static const struct check {
	const char *name;
	enum when when;
	void (*look)(struct doctor *doctor);
} checks[] = {
	{"settings", ALWAYS, doctor_settings}, {"engine", ALWAYS, doctor_engine},
	{"limits", ALWAYS, doctor_limits},     {"home", ALWAYS, doctor_home},
	{"service", THERE, doctor_service},    {"access", THERE, doctor_access},
	{"files", OPEN, doctor_files},         {"file system", OPEN, doctor_file_system},
	{"space", OPEN, doctor_space},         {"clock", ALWAYS, doctor_clock},
	{"databases", OPEN, doctor_databases}, {"leftovers", OPEN, doctor_leftovers},
	{"owner", OPEN, doctor_owner},         {"store", OPEN, doctor_store},
};

/* No name of a file can begin a line or break the JSON. */
static void clean(char *text)
{
	text[text_make_visible(text, strlen(text))] = '\0';
}

static void print_json(const struct doctor *doctor, const char *level)
{
	json_object *line = json_object_new_object();

	json_object_object_add(line, "check", json_object_new_string(doctor->check));
	json_object_object_add(line, "level", json_object_new_string(level));
	json_object_object_add(line, "text", json_object_new_string(doctor->text));
	json_object_object_add(line, "advice", doctor->advice[0] ? json_object_new_string(doctor->advice) : NULL);
	visible_json(line);
	json_object_put(line);
}

/* Print what was found last. */
static void print(struct doctor *doctor)
{
	static const char *const levels[] = {"ok", "warning", "problem"};

	if (!doctor->pending)
		return;
	doctor->pending = false;
	doctor->warnings += doctor->level == DOCTOR_WARNING;
	doctor->problems += doctor->level == DOCTOR_PROBLEM;
	if (doctor->options->quiet && doctor->level == DOCTOR_OK)
		return;
	clean(doctor->text);
	clean(doctor->advice);
	if (doctor->options->json)
		print_json(doctor, levels[doctor->level]);
	else
		printf("%-8s %s: %s%s%s\n", levels[doctor->level], doctor->check, doctor->text,
		       doctor->advice[0] ? "; " : "", doctor->advice);
	fflush(stdout); /* the last check may end this process */
}

static void find(struct doctor *doctor, enum doctor_level level, const char *format, va_list list)
{
	print(doctor);
	doctor->found++;
	doctor->pending = true;
	doctor->level = level;
	doctor->advice[0] = '\0';
	vsnprintf(doctor->text, sizeof doctor->text, format, list);
}

void doctor_ok(struct doctor *doctor, const char *format, ...)
{
	va_list list;

	if (doctor->found > 0)
		return;
	va_start(list, format);
	find(doctor, DOCTOR_OK, format, list);
	va_end(list);
}

void doctor_warning(struct doctor *doctor, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	find(doctor, DOCTOR_WARNING, format, list);
	va_end(list);
}

void doctor_problem(struct doctor *doctor, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	find(doctor, DOCTOR_PROBLEM, format, list);
	va_end(list);
}

void doctor_advice(struct doctor *doctor, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(doctor->advice, sizeof doctor->advice, format, list);
	va_end(list);
}

const char *doctor_user(uid_t uid, char name[DOCTOR_NAME_SIZE])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(name, DOCTOR_NAME_SIZE, "%s", user->pw_name);
	else
		snprintf(name, DOCTOR_NAME_SIZE, "user %ld", (long)uid);
	return name;
}

const char *doctor_size(int64_t bytes, char text[32])
{
	enum { MEBIBYTE = 1 << 20, FEW = 10 };

	if (bytes < FEW * MEBIBYTE)
		snprintf(text, 32, "%" PRId64 " bytes", bytes);
	else
		snprintf(text, 32, "%" PRId64 " MiB", bytes / MEBIBYTE);
	return text;
}

enum status doctor_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error)
{
	struct doctor doctor = {.config = config, .options = options, .path = config->home, .home = {.folder = -1}};

	(void)operands;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		if ((checks[i].when >= THERE && !doctor.there) || (checks[i].when == OPEN && doctor.home.folder < 0))
			continue;
		doctor.check = checks[i].name;
		doctor.found = 0;
		checks[i].look(&doctor);
		print(&doctor);
	}
	if (doctor.home.folder >= 0)
		home_close(&doctor.home);
	if (doctor.problems == 0)
		return STATUS_OK;
	return error_set(error, STATUS_INVALID, "problems found: %u", doctor.problems);
}
