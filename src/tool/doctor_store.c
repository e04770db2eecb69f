/* The databases, as far as they can be told from outside, who owns them, and whether they open; see doctor.h. */
#include "tool/doctor.h"

#include "api/local.h"
#include "base/clock.h"
#include "gateway/relay.h"
#include "store/look.h"
#include "store/verify.h"
#include "tool/client.h"
#include "tool/process.h"
#include "tool/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_NS = 5000000, LOOKS = 40 };

static bool is_there(const struct doctor *doctor, const char *name)
{
	struct stat info;

	return fstatat(doctor->home.folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Call visit for each file whose name begins so; returns how many there are. */
static unsigned each_named(struct doctor *doctor, const char *beginning,
			   void (*visit)(struct doctor *doctor, void *context, const char *name), void *context)
{
	int copy = openat(doctor->home.folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
	unsigned count = 0;

	for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
		if (strncmp(entry->d_name, beginning, strlen(beginning)) != 0)
			continue;
		count++;
		visit(doctor, context, entry->d_name);
	}
	if (folder)
		closedir(folder);
	else if (copy >= 0)
		close(copy);
	return count;
}

static void judge_database(struct doctor *doctor, const char *file, enum look_kind kind)
{
	const char *restore = "stop the service and restore the whole folder from a backup";

	switch (kind) {
	case LOOK_GOOD:
		return;
	case LOOK_MISSING:
		doctor_problem(doctor, "%s is missing", file);
		doctor_advice(doctor, "%s", restore);
		return;
	case LOOK_EMPTY:
		doctor_problem(doctor, "%s is empty", file);
		doctor_advice(doctor, "%s", restore);
		return;
	case LOOK_UNREADABLE:
		doctor_problem(doctor, "%s cannot be read: %s", file, strerror(errno));
		doctor_advice(doctor, "see to its rights, or to the disk (dmesg)");
		return;
	case LOOK_FOREIGN:
		doctor_problem(doctor, "%s is no database of Berkeley DB, or of a machine with another byte order",
			       file);
		doctor_advice(doctor, "%s", restore);
		return;
	case LOOK_NEWER:
		doctor_problem(doctor, "%s was written by a newer version of Berkeley DB", file);
		doctor_advice(doctor, "install that version again");
	}
}

static void judge_log(struct doctor *doctor, void *context, const char *name)
{
	(void)context;
	/* The last one may have been begun by a process that was killed: then it holds nothing, and that is in order. */
	if (look_log(doctor->home.folder, name) == LOOK_NEWER)
		judge_database(doctor, name, LOOK_NEWER);
}

static void judge_schema(struct doctor *doctor, int schema)
{
	if (schema > look_schema_known()) {
		doctor_problem(doctor, "the store has schema version %d, and this program knows only up to %d", schema,
			       look_schema_known());
		doctor_advice(doctor, "install the newer FocusStats again");
	} else if (schema > 0 && schema < look_schema_known()) {
		doctor->older_schema = true;
		doctor_warning(doctor, "the store has schema version %d, and this program brings it to %d", schema,
			       look_schema_known());
		doctor_advice(doctor, "make a backup before the service starts: there is no way back");
	}
}

void doctor_databases(struct doctor *doctor)
{
	int folder = doctor->home.folder, schema = look_schema(home_reach(&doctor->home));
	char line[256];
	unsigned files = 0;

	home_locked(&doctor->home, &doctor->held); /* where it cannot be told, the check of the owner says so */
	for (const struct look_database *database = look_databases; database->file; database++)
		files += is_there(doctor, database->file);
	unsigned logs = each_named(doctor, "log.", judge_log, NULL);
	doctor->empty = files + logs == 0;
	if (doctor->empty) {
		doctor_ok(doctor, "none: the first process of the service makes them");
		return;
	}
	for (const struct look_database *database = look_databases; database->file; database++) {
		enum look_kind kind = look_database(folder, database->file);
		/* Of a store that has not got so far, or not on the disk, it is not known what should be there. */
		if (kind != LOOK_MISSING || database->since <= schema || !is_there(doctor, look_databases[0].file))
			judge_database(doctor, database->file, kind);
	}
	judge_schema(doctor, schema);
	if (look_log_is_gone(folder)) {
		doctor_problem(doctor, "the databases were written with a log, and no file of it (log.*) is there");
		doctor_advice(doctor,
			      "put the log back, or restore the whole folder from a backup; a log elsewhere has "
			      "set_lg_dir in DB_CONFIG");
	}
	if (look_refused_setting(folder, line, sizeof line)) {
		doctor_problem(doctor, "DB_CONFIG has a line that the program refuses: %s", line);
		doctor_advice(doctor,
			      "remove it: with it what is acknowledged would not be on the disk, or writes would hang");
	}
	doctor_ok(doctor, "all there, schema version %d", schema);
}

/* Bytes in a file, or in the files of a folder. */
static int64_t size_of(const struct doctor *doctor, const char *name)
{
	struct stat info;
	int64_t sum = 0;

	if (fstatat(doctor->home.folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	if (!S_ISDIR(info.st_mode))
		return info.st_size;
	int fd = openat(doctor->home.folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder))
		if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode))
			sum += info.st_size;
	if (folder)
		closedir(folder);
	else if (fd >= 0)
		close(fd);
	return sum;
}

static void judge_old_copy(struct doctor *doctor, void *context, const char *name)
{
	char size[32];

	(void)context;
	doctor_warning(doctor, "%s/%s, an old copy with %s", doctor->path, name,
		       doctor_size(size_of(doctor, name), size));
	doctor_advice(doctor, "remove it once you know that the store has what it should");
}

static void add_size(struct doctor *doctor, void *context, const char *name)
{
	int64_t *sum = context;

	*sum += size_of(doctor, name);
}

/* What earlier processes left. */
void doctor_leftovers(struct doctor *doctor)
{
	int64_t frozen = 0;
	char size[32];

	if (is_there(doctor, "sync-failed") && !doctor->held) {
		doctor_problem(doctor, "the last owner ended itself because a sync to the disk failed (%s/sync-failed)",
			       doctor->path);
		doctor_advice(
			doctor,
			"look at the kernel's log (dmesg) and at the disk, then start the service: it recovers the "
			"store and removes the file");
	}
	if (is_there(doctor, STORE_RESTORING) && !doctor->held) {
		doctor_problem(doctor, "a restore was interrupted (%s/restoring)", doctor->path);
		doctor_advice(doctor, "run focusstats restore again");
	}
	if (is_there(doctor, STORE_INCOMPLETE)) {
		doctor_problem(doctor, "the folder is a backup that was not completed (%s/incomplete)", doctor->path);
		doctor_advice(doctor, "make another one");
	}
	/* With a running service the former may be a copy under way. */
	if (!doctor->held)
		each_named(doctor, STORE_COPY, judge_old_copy, NULL);
	each_named(doctor, RESTORE_STAGED, judge_old_copy, NULL);
	each_named(doctor, RESTORE_REPLACED, judge_old_copy, NULL);
	unsigned count = each_named(doctor, "__db.freezer.", add_size, &frozen);
	if (count > 0 && !doctor->held) {
		doctor_warning(doctor, "files __db.freezer.* of a process that was killed: %u, with %s", count,
			       doctor_size(frozen, size));
		doctor_advice(
			doctor,
			"nothing: the next start removes them. Where there are many while the service runs, it needs "
			"a larger cache");
	}
	doctor_ok(doctor, "nothing that somebody has to see to");
}

/* Ask the owner, until the deadline. */
static enum relay_outcome ask_owner(const struct doctor *doctor, int64_t deadline_ms, struct error *error)
{
	struct call call = {
		.action = local_find(text_of(LOCAL_STATS)),
		.now_ms = clock_wall_ms(),
		.body = text_of("{}"),
	};
	struct buffer body = BUFFER_INIT;

	enum relay_outcome outcome = relay_forward(&doctor->home, NULL, &call, deadline_ms, &body, error);
	buffer_release(&body);
	return outcome;
}

/* It holds the lock and says nothing. */
static void judge_silent(struct doctor *doctor, pid_t pid)
{
	struct process process;

	if (pid == 0 || !process_read(pid, &process)) {
		doctor_problem(doctor, "a process has the lock and does not answer on %s/relay.sock", doctor->path);
		doctor_advice(doctor, "find it (fuser %s/lock, as root), and end it", doctor->path);
	} else if (strcmp(process.name, "focusstats") == 0) {
		doctor_warning(doctor, "focusstats, process %ld, has the store to itself", (long)pid);
		doctor_advice(doctor, "wait for it to end: the service answers 503 until then");
	} else {
		doctor_problem(doctor, "process %ld (%s) has the lock and does not answer: it is %s (%c)", (long)pid,
			       process.name, process_state(process.state), process.state);
		doctor_advice(
			doctor,
			"where it was stopped, let it go on (kill -CONT %ld); where it has just started, wait, it may "
			"be recovering the store; otherwise end it (kill -KILL %ld): nothing that was acknowledged is "
			"lost",
			(long)pid, (long)pid);
	}
}

/* By a signal. One that is traced stops for moments only, at each of its system calls; where it stays so, it is silent to the deadline. */
static bool is_stopped(pid_t pid)
{
	struct process process;

	return pid != 0 && process_read(pid, &process) && process.state == 'T';
}

/* Another process has the lock: is it there for the others? False where it has let the lock go meanwhile, be it to another one. */
static bool judge_holder(struct doctor *doctor)
{
	int64_t deadline_ms = clock_boot_ms() + doctor->config->relay_timeout_ms;
	pid_t pid = process_locking(&doctor->info);
	struct error error = {.status = STATUS_OK};

	while (!is_stopped(pid) && clock_boot_ms() < deadline_ms) {
		if (ask_owner(doctor, deadline_ms, &error) == RELAY_ANSWERED) {
			if (error.status != STATUS_OK) {
				doctor_problem(doctor, "the owner of the store answers: %s", error.text);
				doctor_advice(doctor, "where all programs are of the same version, its log says more");
			}
			if (pid != 0)
				doctor_ok(doctor, "process %ld owns the store, and answers", (long)pid);
			doctor_ok(doctor, "a process owns the store, and answers");
			return true;
		}
		pid_t now = process_locking(&doctor->info);
		if (pid == 0)
			pid = now; /* it had come no further than to the file */
		if ((home_locked(&doctor->home, &doctor->held) == 0 && !doctor->held) || (now != 0 && now != pid))
			return false;
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
	judge_silent(doctor, pid);
	return true;
}

/* What stands in the place of a file of ours that is something else. */
static bool is_something_else(struct doctor *doctor, const char *name, mode_t type, const char *what)
{
	struct stat info;

	if (fstatat(doctor->home.folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || (info.st_mode & S_IFMT) == type)
		return false;
	doctor_problem(doctor, "%s/%s is %s, and should be %s", doctor->path, name,
		       S_ISDIR(info.st_mode)   ? "a folder"
		       : S_ISLNK(info.st_mode) ? "a symbolic link"
		       : S_ISREG(info.st_mode) ? "a file"
					       : "something special",
		       what);
	doctor_advice(doctor, "stop the service, remove it, and start the service: it makes it anew");
	return true;
}

/* The owner that has the folder locked and not the file: somebody removed that. 0 where there is none. One that is about to end
 * lets go of the two one after the other, so it is looked at several times. */
static pid_t owner_without_file(struct doctor *doctor)
{
	pid_t pid = 0;

	for (int look = 0; look < LOOKS; look++) {
		if ((pid = process_locking(&doctor->info)) == 0 || home_locked(&doctor->home, &doctor->held) != 0 ||
		    doctor->held)
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
	return pid;
}

void doctor_owner(struct doctor *doctor)
{
	pid_t pid;
	int connection;

	bool wrong_socket = is_something_else(doctor, "relay.sock", S_IFSOCK, "a socket");
	if (is_something_else(doctor, "lock", S_IFREG, "a file"))
		return;
	int reason = home_locked(&doctor->home, &doctor->held);
	if (reason != 0) {
		doctor_problem(doctor, "%s/lock cannot be looked at: %s", doctor->path, strerror(reason));
		doctor_advice(doctor, "see to its rights: it belongs to %s, mode 0600", doctor->user);
		return;
	}
	if (wrong_socket || (doctor->held && judge_holder(doctor)))
		return;
	/* The owner has a lock on the folder, too; NFS has none there. */
	if ((pid = owner_without_file(doctor)) != 0) {
		doctor_problem(doctor, "process %ld owns the store, and its file %s/lock was removed or replaced",
			       (long)pid, doctor->path);
		doctor_advice(doctor, "end that process in order (kill %ld); the next one makes the file anew",
			      (long)pid);
	} else if (!doctor->held && home_connect(&doctor->home, &connection) == 0) {
		close(connection);
		doctor_problem(doctor, "something listens on %s/relay.sock and does not have the lock", doctor->path);
		doctor_advice(doctor, "find it (fuser %s/relay.sock, as root) and end it", doctor->path);
	}
	if (doctor->held)
		doctor_ok(doctor, "processes own the store by turns, as they do with plain CGI alone");
	if (is_there(doctor, "relay.sock"))
		doctor_ok(doctor, "none; relay.sock was left by a process that was killed, harmless");
	doctor_ok(doctor, "no process owns the store now");
}

/* A page of a database. */
static void judge_page(void *context, const char *what)
{
	enum { PAGES_MOST = 5 };
	struct doctor *doctor = context;

	if (doctor->found >= PAGES_MOST)
		return;
	doctor_problem(doctor, "%s", what);
	doctor_advice(doctor,
		      "stop the service and restore the whole folder from a backup; focusstats verify names all that "
		      "is damaged");
}

/* Once the store was closed, or could not be opened. */
static void look_at_pages(struct doctor *doctor, bool opened)
{
	const struct verify_watch watch = {judge_page, NULL, doctor};
	struct error ignored;
	bool taken;

	if (home_lock(&doctor->home, 0, &taken, &ignored) != STATUS_OK || !taken)
		return;
	if (opened)
		verify_sums(home_reach(&doctor->home), &watch);
	else
		verify_pages(home_reach(&doctor->home), &watch);
	home_unlock(&doctor->home);
}

/* The last one: by now it is known whether it may be done. */
void doctor_store(struct doctor *doctor)
{
	struct client client;
	struct error error = {.status = STATUS_OK};
	json_object *answer = NULL;

	if (doctor->empty || doctor->held || doctor->older_schema || doctor->problems > 0) {
		doctor_ok(doctor, "not opened: %s",
			  doctor->empty          ? "there is none yet"
			  : doctor->held         ? "its owner has it open"
			  : doctor->problems > 0 ? "what is above comes first"
						 : "it would be brought to another version");
		return;
	}
	int64_t users = 0;
	if (client_open(&client, doctor->config, &error) == STATUS_OK) {
		if (client_ask(&client, LOCAL_STATS, NULL, &answer, &error) == STATUS_OK)
			users = json_object_get_int64(
				json_object_object_get(json_object_object_get(answer, "stats"), "users"));
		json_object_put(answer);
		client_close(&client);
	}
	if (error.status != STATUS_OK) {
		doctor_problem(doctor, "it cannot be opened: %s", error.detail[0] ? error.detail : error.text);
		doctor_advice(doctor,
			      "the lines on standard error say more; doc/operation.md explains each, below \"The store "
			      "cannot be opened\". Where neither they nor a problem below name another cause, the log "
			      "(log.*) is "
			      "damaged, or a file is of another time or store: restore the whole folder from a backup");
	}
	look_at_pages(doctor, error.status == STATUS_OK);
	doctor_ok(doctor, "it was opened and closed, and its pages are whole; users: %" PRId64, users);
}
