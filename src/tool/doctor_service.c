/* Who runs the service: the processes that are at work on the home, and what starts some by the configuration of Debian's web
 * servers and of systemd; see doctor.h. It is looked for where Debian has it, and no configuration is understood further than
 * to the line that names the home. */
#include "tool/doctor.h"

#include "tool/process.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* Where the units put it (systemd/focusstats.socket). */
static const char SOCKET[] = "/run/focusstats/focusstats.sock";

/* What starts processes of the service, as whom. A place is a file, or a folder whose files count. */
static const struct starter {
	const char *name;
	const char *places[4];
	const char *user_place, *user_key; /* the place is NULL where it is that with the home */
	const char *setting;               /* how its user is called there */
} starters[] = {
	{
		"systemd",
		{"/etc/systemd/system/focusstats.service", "/lib/systemd/system/focusstats.service"},
		NULL,
		"User",
		"User= of focusstats.service",
	},
	{
		"lighttpd",
		{"/etc/lighttpd/lighttpd.conf", "/etc/lighttpd/conf-enabled"},
		"/etc/lighttpd/lighttpd.conf",
		"server.username",
		"server.username",
	},
	{
		"Apache",
		{"/etc/apache2/apache2.conf", "/etc/apache2/conf-enabled", "/etc/apache2/sites-enabled",
		 "/etc/apache2/mods-enabled"},
		"/etc/apache2/envvars",
		"export APACHE_RUN_USER",
		"APACHE_RUN_USER",
	},
};

/* Whether a line gives FOCUSSTATS_HOME this value; a comment does not. */
static bool names_home(const char *line, const char *home)
{
	line += strspn(line, " \t");
	const char *name = line[0] == '#' ? NULL : strstr(line, "FOCUSSTATS_HOME");
	const char *value = name ? strstr(name, home) : NULL;

	return value && strchr("\"' \t\r\n,;", value[strlen(home)]); /* its NUL, too */
}

static bool file_names_home(const char *path, const char *home)
{
	char *line = NULL;
	size_t capacity = 0;
	bool found = false;

	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &capacity, file) > 0)
		found = names_home(line, home);
	free(line);
	fclose(file);
	return found;
}

/* The file of a place that names the home. */
static bool place_names_home(const char *place, const char *home, char path[512])
{
	DIR *folder = opendir(place);
	bool found = false;

	if (!folder) {
		snprintf(path, 512, "%s", place);
		return file_names_home(path, home);
	}
	for (struct dirent *entry = readdir(folder); entry && !found; entry = readdir(folder)) {
		snprintf(path, 512, "%s/%s", place, entry->d_name);
		found = entry->d_name[0] != '.' && file_names_home(path, home);
	}
	closedir(folder);
	return found;
}

/* The value behind `key`, blanks, "=", blanks and perhaps a quotation mark. */
static bool read_user(const char *path, const char *key, char user[DOCTOR_NAME_SIZE])
{
	char *line = NULL;
	size_t capacity = 0, length = strlen(key);
	bool found = false;

	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &capacity, file) > 0) {
		const char *at = line + strspn(line, " \t");
		if (strncmp(at, key, length) != 0)
			continue;
		at += length;
		at += strspn(at, " \t");
		if (*at != '=')
			continue;
		at += 1 + strspn(at + 1, " \t\"'");
		size_t size = strcspn(at, " \t\"';\r\n");
		found = size > 0 && size < DOCTOR_NAME_SIZE;
		if (found)
			snprintf(user, DOCTOR_NAME_SIZE, "%.*s", (int)size, at);
	}
	free(line);
	fclose(file);
	return found;
}

/* Whether it is configured to start processes on this home as somebody who cannot use it. True where it starts some at all. */
static bool judge_starter(struct doctor *doctor, const struct starter *starter)
{
	char path[512], user[DOCTOR_NAME_SIZE];
	bool found = false;

	for (size_t i = 0; i < sizeof starter->places / sizeof starter->places[0] && !found; i++)
		found = starter->places[i] && place_names_home(starter->places[i], doctor->path, path);
	if (!found || !read_user(starter->user_place ? starter->user_place : path, starter->user_key, user))
		return found;
	const struct passwd *entry = getpwnam(user);
	if (entry && entry->pw_uid == doctor->info.st_uid)
		return true;
	doctor_problem(doctor, "by %s %s runs the program as %s, and the home belongs to %s", path, starter->name, user,
		       doctor->user);
	doctor_advice(doctor, "chown -R %s %s, or have %s there (%s)", user, doctor->path, doctor->user,
		      starter->setting);
	return true;
}

struct running {
	struct doctor *doctor;
	char entry[4096];
	unsigned count;
};

static bool judge_process(void *context, const struct process *process)
{
	struct running *running = context;
	struct doctor *doctor = running->doctor;
	char user[DOCTOR_NAME_SIZE];

	if (strcmp(process->name, "focusstats.fcgi") != 0 || !process_has(process->pid, running->entry))
		return true;
	running->count++;
	if (process->uid == doctor->info.st_uid)
		return true;
	doctor_problem(doctor, "the web server runs the program as %s (process %ld), and the home belongs to %s",
		       doctor_user(process->uid, user), (long)process->pid, doctor->user);
	if (process->uid == 0)
		doctor_advice(doctor, "start it as %s", doctor->user);
	else
		doctor_advice(doctor, "chown -R %s %s, or start it as %s", user, doctor->path, doctor->user);
	return true;
}

static bool find_web_server(void *context, const struct process *process)
{
	static const char *const names[] = {"lighttpd", "nginx", "apache2", "httpd"};
	uid_t *user = context;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (process->uid != 0 && strcmp(process->name, names[i]) == 0)
			*user = process->uid;
	return *user == 0;
}

static bool is_in_group(const struct passwd *user, gid_t group)
{
	enum { GROUPS = 256 };
	gid_t groups[GROUPS];
	int count = GROUPS;

	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		return false;
	for (int i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* The web server's way in, where systemd listens there. */
static void judge_socket(struct doctor *doctor)
{
	struct stat info;
	uid_t uid = 0;

	if (stat(SOCKET, &info) != 0)
		return;
	process_each(find_web_server, &uid);
	const struct passwd *user = uid != 0 ? getpwuid(uid) : getpwnam("www-data");
	if (!user)
		return;
	bool may = user->pw_uid == info.st_uid      ? info.st_mode & S_IWUSR
		   : is_in_group(user, info.st_gid) ? info.st_mode & S_IWGRP
						    : info.st_mode & S_IWOTH;
	if (S_ISSOCK(info.st_mode) && may)
		return;
	doctor_problem(doctor, "%s, the user of the web server, may not connect to %s", user->pw_name, SOCKET);
	doctor_advice(doctor,
		      "SocketUser=%s below [Socket] in what systemctl edit focusstats.socket opens, then systemctl "
		      "restart focusstats.socket",
		      user->pw_name);
}

void doctor_service(struct doctor *doctor)
{
	struct running running = {.doctor = doctor};
	unsigned configured = 0;

	snprintf(running.entry, sizeof running.entry, "FOCUSSTATS_HOME=%s", doctor->path);
	process_each(judge_process, &running);
	for (size_t i = 0; i < sizeof starters / sizeof starters[0]; i++)
		configured += judge_starter(doctor, &starters[i]);
	judge_socket(doctor);
	if (running.count > 0)
		doctor_ok(doctor, "processes at work on the home: %u, of %s", running.count, doctor->user);
	else if (configured > 0)
		doctor_ok(doctor, "no process of it runs now; it is started as %s", doctor->user);
	else
		doctor_ok(doctor,
			  "no process of it is seen, and no configuration in Debian's places that names the home");
}
