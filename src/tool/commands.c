/* The commands; see commands.h. Each is a few actions and what they answer, printed. */
#include "tool/commands.h"

#include "api/local.h"
#include "tool/backup.h"
#include "tool/compact.h"
#include "tool/confirm.h"
#include "tool/doctor.h"
#include "tool/export.h"
#include "tool/import_command.h"
#include "tool/members.h"
#include "tool/restore.h"
#include "tool/verify.h"
#include "tool/visible.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_USERS = 1000, SECONDS_A_MINUTE = 60, SECONDS_AN_HOUR = 3600 };

/* "1 h 24 min", and seconds below a minute. */
static const char *duration(int64_t seconds, char text[48])
{
	if (seconds < SECONDS_A_MINUTE)
		snprintf(text, 48, "%" PRId64 " s", seconds);
	else if (seconds < SECONDS_AN_HOUR)
		snprintf(text, 48, "%" PRId64 " min", seconds / SECONDS_A_MINUTE);
	else
		snprintf(text, 48, "%" PRId64 " h %" PRId64 " min", seconds / SECONDS_AN_HOUR,
			 seconds % SECONDS_AN_HOUR / SECONDS_A_MINUTE);
	return text;
}

/* Ask with one field, the user; for all but the pages of users. */
static enum status ask_about(struct client *client, const char *path, const char *user, json_object **answer,
			     struct error *error)
{
	json_object *fields = json_object_new_object();

	json_object_object_add(fields, "user", json_object_new_string(user));
	enum status status = client_ask(client, path, fields, answer, error);
	json_object_put(fields);
	return status;
}

/* What a query answers about a user: the object within the only element. */
static enum status ask_one(struct client *client, const char *path, const char *key, const char *user,
			   json_object **object, struct error *error)
{
	json_object *answer = NULL;

	if (ask_about(client, path, user, &answer, error) != STATUS_OK)
		return error->status;
	*object = json_object_get(members_get(json_object_array_get_idx(answer, 0), key));
	json_object_put(answer);
	return STATUS_OK;
}

/* Call visit for every user, in pages: between them others may write. */
static enum status each_user(struct client *client,
			     enum status (*visit)(struct client *client, void *context, json_object *user,
						  struct error *error),
			     void *context, struct error *error)
{
	json_object *fields = json_object_new_object(), *page = NULL;
	size_t count;

	json_object_object_add(fields, "limit", json_object_new_int(PAGE_USERS));
	do {
		if (client_ask(client, LOCAL_USERS, fields, &page, error) != STATUS_OK)
			break;
		count = json_object_array_length(page);
		for (size_t i = 0; i < count && error->status == STATUS_OK; i++)
			visit(client, context, members_get(json_object_array_get_idx(page, i), "user"), error);
		if (count > 0)
			json_object_object_add(
				fields, "after",
				json_object_get(members_get(
					members_get(json_object_array_get_idx(page, count - 1), "user"), "user")));
		json_object_put(page);
	} while (error->status == STATUS_OK && count == PAGE_USERS);
	json_object_put(fields);
	return error->status;
}

/* The list of users as it is printed. */
struct listing {
	const struct options *options;
	bool begun;
};

static void begin_listing(struct listing *listing)
{
	if (!listing->begun && !listing->options->json && !listing->options->quiet)
		printf("%8s  %6s  %12s  %s\n", "SESSIONS", "ACTIVE", "IN SUM", "USER");
	listing->begun = true;
}

static enum status print_user(struct client *client, void *context, json_object *user, struct error *error)
{
	struct listing *listing = context;
	char time[48];

	(void)client;
	begin_listing(listing);
	if (listing->options->json)
		visible_json(user);
	else
		visible_line(stdout, "%8" PRId64 "  %6" PRId64 "  %12s  %s", members_number(user, "sessions"),
			     members_number(user, "active"), duration(members_number(user, "seconds"), time),
			     members_string(user, "user", "none"));
	return error->status;
}

static enum status run_users(struct client *client, const struct options *options, char *const *operands,
			     struct error *error)
{
	struct listing listing = {options, false};

	(void)operands;
	if (each_user(client, print_user, &listing, error) == STATUS_OK)
		begin_listing(&listing); /* where there was none */
	return error->status;
}

/* Queries about one user whose answers stand under a key of their own; and what of it is shown, NULL for all. Of the FocusStats
 * object only the id: the sessions are counted elsewhere. */
static const struct part {
	const char *path, *key, *shown;
} parts[] = {
	{"/FocusStats/_viewStats", "focusStats", "id"},
	{"/FocusStats/_getSummary", "summary", NULL},
	{"/FocusStats/_getSettings", "settings", NULL},
};

static void print_details(json_object *user)
{
	json_object *summary = members_get(user, "summary"), *settings = members_get(user, "settings");
	char read[48], goal[48], idle[48];

	duration(members_number(summary, "seconds"), read);
	duration(members_number(settings, "dailyGoalSeconds"), goal);
	duration(members_number(settings, "idleTimeoutSeconds"), idle);
	visible_line(stdout, "user           %s", members_string(user, "user", "none"));
	printf("FocusStats     %s\n", members_string(user, "focusStats", "none"));
	printf("sessions       %" PRId64 " ended, %zu active\n", members_number(summary, "sessions"),
	       json_object_array_length(members_get(user, "activeSessions")));
	printf("read           %s on %" PRId64 " days, %" PRId64 " documents\n", read,
	       members_number(summary, "activeDays"), members_number(summary, "documents"));
	printf("first start    %s\n", members_string(summary, "firstStart", "none"));
	printf("last end       %s\n", members_string(summary, "lastEnd", "none"));
	printf("time zone      %s\n", members_string(settings, "timezone", "none"));
	printf("day, week      from %s, from %s\n", members_string(settings, "dayStart", "none"),
	       members_string(settings, "weekStart", "none"));
	printf("daily goal     %s\n", members_number(settings, "dailyGoalSeconds") > 0 ? goal : "none");
	printf("idle timeout   %s\n", idle);
}

static enum status run_show(struct client *client, const struct options *options, char *const *operands,
			    struct error *error)
{
	const char *user_id = operands[0];
	json_object *user = json_object_new_object(), *object = NULL, *active = NULL;

	json_object_object_add(user, "user", json_object_new_string(user_id));
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (ask_one(client, parts[i].path, parts[i].key, user_id, &object, error) != STATUS_OK)
			goto out;
		json_object *shown = parts[i].shown ? members_get(object, parts[i].shown) : object;
		json_object_object_add(user, parts[i].key, json_object_get(shown));
		json_object_put(object);
	}
	if (ask_about(client, "/FocusStats/_getActiveSessions", user_id, &active, error) != STATUS_OK)
		goto out;
	object = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(active); i++)
		json_object_array_add(
			object, json_object_get(members_get(json_object_array_get_idx(active, i), "focusSession")));
	json_object_put(active);
	json_object_object_add(user, "activeSessions", object);
	if (options->json)
		visible_json(user);
	else
		print_details(user);
out:
	json_object_put(user);
	return error->status;
}

static enum status run_init(struct client *client, const struct options *options, char *const *operands,
			    struct error *error)
{
	const char *user_id = operands[0];
	json_object *answer = NULL;

	if (ask_about(client, "/FocusStats/initUser", user_id, &answer, error) != STATUS_OK)
		return error->status;
	if (options->json)
		visible_json(answer);
	else if (!options->quiet)
		visible_line(stdout, "made user '%s', FocusStats %s", user_id,
			     members_string(answer, "focusStats", "none"));
	json_object_put(answer);
	return STATUS_OK;
}

static enum status confirm_removal(const char *user, struct error *error)
{
	char question[512];

	snprintf(question, sizeof question,
		 "This erases user '%s', with all sessions, documents and settings, for good.", user);
	return confirm("remove", question, "Type the user's id to go on: ", user,
		       "that is not the id: nothing was removed", error);
}

static enum status run_remove(struct client *client, const struct options *options, char *const *operands,
			      struct error *error)
{
	const char *user_id = operands[0];
	json_object *settings = NULL, *fields, *answer = NULL;

	/* So that nobody is asked about a user who is not there. */
	if (ask_one(client, "/FocusStats/_getSettings", "settings", user_id, &settings, error) != STATUS_OK)
		return error->status;
	json_object_put(settings);
	if (!options->yes && confirm_removal(user_id, error) != STATUS_OK)
		return error->status;
	fields = json_object_new_object();
	json_object_object_add(fields, "user", json_object_new_string(user_id));
	json_object_object_add(fields, "confirm", json_object_new_string(user_id));
	if (client_ask(client, "/FocusStats/removeUser", fields, &answer, error) == STATUS_OK) {
		if (options->json)
			visible_json(answer);
		else if (!options->quiet)
			visible_line(stdout, "removed user '%s', with %" PRId64 " sessions", user_id,
				     members_number(answer, "removedSessions"));
		client_complete_removals(client);
		json_object_put(answer);
	}
	json_object_put(fields);
	return error->status;
}

struct sweep {
	int64_t users, sessions;
};

static enum status sweep_user(struct client *client, void *context, json_object *user, struct error *error)
{
	struct sweep *sweep = context;
	json_object *answer = NULL;

	if (members_number(user, "active") == 0)
		return STATUS_OK;
	if (ask_about(client, LOCAL_SETTLE, members_string(user, "user", "none"), &answer, error) == STATUS_NOT_FOUND)
		return error->status = STATUS_OK; /* removed meanwhile */
	if (error->status != STATUS_OK)
		return error->status;
	int64_t ended = members_number(answer, "endedSessions");
	sweep->sessions += ended;
	sweep->users += ended > 0;
	json_object_put(answer);
	return STATUS_OK;
}

static enum status run_sweep(struct client *client, const struct options *options, char *const *operands,
			     struct error *error)
{
	struct sweep sweep = {0, 0};

	(void)operands;
	if (each_user(client, sweep_user, &sweep, error) != STATUS_OK)
		return error->status;
	if (options->json)
		printf("{\"users\":%" PRId64 ",\"endedSessions\":%" PRId64 "}\n", sweep.users, sweep.sessions);
	else if (!options->quiet)
		printf("ended %" PRId64 " sessions of %" PRId64 " users\n", sweep.sessions, sweep.users);
	return STATUS_OK;
}

/* Bytes that the files of the home hold, those of the log apart. */
static void add_sizes(const struct home *home, json_object *stats)
{
	int64_t data = 0, log = 0;
	int copy = openat(home->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
	struct stat info;

	for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
		if (fstatat(home->folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
			continue;
		*(strncmp(entry->d_name, "log.", 4) == 0 ? &log : &data) += info.st_size;
	}
	if (folder)
		closedir(folder);
	else if (copy >= 0)
		close(copy);
	json_object_object_add(stats, "dataBytes", json_object_new_int64(data));
	json_object_object_add(stats, "logBytes", json_object_new_int64(log));
}

static void print_stats(json_object *stats)
{
	static const struct {
		const char *name, *key;
	} lines[] = {
		{"users", "users"},
		{"sessions", "sessions"},
		{"bytes of data", "dataBytes"},
		{"bytes of log", "logBytes"},
		{"owner since", "ownerSince"},
		{"last checkpoint", "lastCheckpoint"},
		{"bytes logged since", "bytesSinceCheckpoint"},
		{"bytes of cache", "cacheBytes"},
		{"pages found in cache", "cacheHits"},
		{"pages read", "cacheMisses"},
	};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		printf("%-22s %s\n", lines[i].name, members_string(stats, lines[i].key, "none"));
}

static enum status run_stats(struct client *client, const struct options *options, char *const *operands,
			     struct error *error)
{
	json_object *answer = NULL;

	(void)operands;
	if (client_ask(client, LOCAL_STATS, NULL, &answer, error) != STATUS_OK)
		return error->status;
	json_object *stats = members_get(answer, "stats");
	add_sizes(&client->owner.home, stats);
	if (options->json)
		visible_json(stats);
	else
		print_stats(stats);
	json_object_put(answer);
	return STATUS_OK;
}

const struct command commands[] = {
	{"users", "", 0, 0, 0, "list the users", run_users, NULL},
	{"show", "USER", 1, 1, 0, "what there is of a user", run_show, NULL},
	{"init", "USER", 1, 1, 0, "make a user", run_init, NULL},
	{"remove", "USER", 1, 1, 0, "erase a user for good", run_remove, NULL},
	{"sweep", "", 0, 0, 0, "store as ended the sessions whose heartbeats have stopped", run_sweep, NULL},
	{"stats", "", 0, 0, 0, "counts, sizes, the cache and the last checkpoint", run_stats, NULL},
	{"export", "", 0, 0, OPTION_FORMAT | OPTION_USER, "write all that there is, or a user's, to standard output",
	 export_run, NULL},
	{"import", "FILE...", 1, COMMAND_ANY_NUMBER,
	 OPTION_FORMAT | OPTION_USER | OPTION_LIBRARY | OPTION_GAP | OPTION_SHIFT | OPTION_DRY_RUN |
		 OPTION_CREATE_USERS,
	 "take records from files", NULL, import_run},
	{"verify", "", 0, 0, 0, "look through all that is stored", NULL, verify_run},
	{"backup", "DIR", 1, 1, 0, "copy the store into a new folder", NULL, backup_run},
	{"restore", "DIR", 1, 1, 0, "put a backup in the place of what there is", NULL, restore_run},
	{"compact", "", 0, 0, 0, "give unused room back to the file system", NULL, compact_run},
	{"doctor", "", 0, 0, COMMAND_ANY_SETTINGS, "what is wrong with this installation", NULL, doctor_run},
	{NULL, NULL, 0, 0, 0, NULL, NULL, NULL},
};
