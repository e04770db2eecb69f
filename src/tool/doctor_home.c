/* The home folder, its file system and the rights of its files; see doctor.h. */
#include "tool/doctor.h"

#include "tool/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MEBIBYTE = 1 << 20, NODES_LEAST = 16, NODES_FEW = 1000 };

static const int64_t SPACE_LEAST_BYTES = INT64_C(8) * MEBIBYTE, SPACE_FEW_BYTES = INT64_C(64) * MEBIBYTE;

static void judge_owner(struct doctor *doctor)
{
	char self[DOCTOR_NAME_SIZE];
	uid_t user = geteuid();

	if (user != 0 && user != doctor->info.st_uid) {
		doctor_problem(doctor, "%s belongs to %s, and this command runs as %s", doctor->path, doctor->user,
			       doctor_user(user, self));
		doctor_advice(doctor,
			      "the service runs as the user that the folder belongs to: where that is %s, run this "
			      "command as that user or as root, otherwise chown -R %s %s as root",
			      doctor->user, self, doctor->path);
	} else if (doctor->info.st_uid == 0) {
		doctor_warning(doctor, "%s belongs to root", doctor->path);
		doctor_advice(doctor, "unless the service runs as root, and it need not: chown -R USER %s",
			      doctor->path);
	}
}

/* What can be seen from outside. */
void doctor_home(struct doctor *doctor)
{
	struct stat info;

	if (stat(doctor->path, &info) != 0) {
		int reason = errno;
		doctor_problem(doctor, "%s: %s", doctor->path,
			       reason == ENOENT ? "there is no such folder" : strerror(reason));
		if (reason == ENOENT)
			doctor_advice(doctor,
				      "make it for the service's user (install -d -m 700 -o USER %s), or name another "
				      "one with --home or FOCUSSTATS_HOME",
				      doctor->path);
		else
			doctor_advice(doctor, "see to the path, folder by folder (namei -l %s)", doctor->path);
		return;
	}
	if (!S_ISDIR(info.st_mode)) {
		doctor_problem(doctor, "%s is not a folder", doctor->path);
		doctor_advice(doctor, "move away what is there, or name another one with --home or FOCUSSTATS_HOME");
		return;
	}
	doctor->there = true;
	doctor->info = info;
	doctor_user(info.st_uid, doctor->user);
	judge_owner(doctor);
	if (info.st_mode & (S_IRWXG | S_IRWXO)) {
		doctor_problem(doctor, "%s has mode %04o, open to others", doctor->path,
			       (unsigned)(info.st_mode & 07777));
		doctor_advice(doctor, "chmod 700 %s", doctor->path);
	} else if ((info.st_mode & S_IRWXU) != S_IRWXU) {
		doctor_problem(doctor, "%s has mode %04o, with which its own user cannot work in it", doctor->path,
			       (unsigned)(info.st_mode & 07777));
		doctor_advice(doctor, "chmod 700 %s", doctor->path);
	}
	doctor_ok(doctor, "%s belongs to %s, private", doctor->path, doctor->user);
}

/* What its user can do with it. */
void doctor_access(struct doctor *doctor)
{
	struct error error;

	if (identity_become(doctor->path, &error) != STATUS_OK) {
		doctor_problem(doctor, "%s", error.text);
		doctor_advice(doctor, "run this command as %s", doctor->user);
		return;
	}
	if (geteuid() != doctor->info.st_uid)
		return; /* was said */
	int reason = home_look(&doctor->home, doctor->path);
	if (reason != 0) {
		doctor->home.folder = -1;
		doctor_problem(doctor, "%s cannot open %s: %s", doctor->user, doctor->path, strerror(reason));
		doctor_advice(doctor, "every folder above it must let %s through (namei -l %s)", doctor->user,
			      doctor->path);
		return;
	}
	/* A file system that is read-only is another check. */
	if (faccessat(doctor->home.folder, ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0 && errno != EROFS) {
		doctor_problem(doctor, "%s cannot write in %s: %s", doctor->user, doctor->path, strerror(errno));
		doctor_advice(doctor, "chown -R %s %s; chmod 700 %s", doctor->user, doctor->path, doctor->path);
	}
	doctor_ok(doctor, "%s can enter it and write in it", doctor->user);
}

/* Files with the same fault: the first one, and how many. */
struct group {
	char first[256];
	unsigned more;
	bool any;
};

static void add(struct group *group, const char *name)
{
	if (group->any)
		group->more++;
	else
		snprintf(group->first, sizeof group->first, "%s", name);
	group->any = true;
}

/* "NAME" or "NAME and 3 more". */
static const char *named(const struct group *group, char text[300])
{
	if (group->more > 0)
		snprintf(text, 300, "%s and %u more", group->first, group->more);
	else
		snprintf(text, 300, "%s", group->first);
	return text;
}

struct rights {
	struct group foreign, closed, broken;
	uid_t other; /* whose the first foreign one is */
	unsigned count;
};

static void look_at_file(struct doctor *doctor, struct rights *rights, const char *name)
{
	int folder = doctor->home.folder;
	struct stat info, target;

	if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return; /* gone meanwhile */
	rights->count++;
	if (info.st_mtim.tv_sec * INT64_C(1000) > doctor->newest_ms)
		doctor->newest_ms = info.st_mtim.tv_sec * INT64_C(1000);
	if (S_ISREG(info.st_mode) && info.st_size > doctor->largest_bytes)
		doctor->largest_bytes = info.st_size;
	/* It is only read, and root may have written it. */
	bool settings = strcmp(name, "DB_CONFIG") == 0;
	if (S_ISLNK(info.st_mode) && fstatat(folder, name, &target, 0) != 0 && errno != EACCES) {
		add(&rights->broken, name);
	} else if (info.st_uid != doctor->info.st_uid && !settings) {
		if (!rights->foreign.any)
			rights->other = info.st_uid;
		add(&rights->foreign, name);
	} else if ((S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) &&
		   faccessat(folder, name, settings ? R_OK : R_OK | W_OK, AT_EACCESS) != 0 && errno != EROFS &&
		   errno != ENOENT) {
		add(&rights->closed, name);
	}
}

void doctor_files(struct doctor *doctor)
{
	struct rights rights = {0};
	char names[300], other[DOCTOR_NAME_SIZE];
	int copy = openat(doctor->home.folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;

	if (!folder) {
		doctor_problem(doctor, "%s cannot be listed: %s", doctor->path, strerror(errno));
		doctor_advice(doctor, "see to its rights, or to the disk (dmesg)");
		if (copy >= 0)
			close(copy);
		return;
	}
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			look_at_file(doctor, &rights, entry->d_name);
	closedir(folder);
	if (rights.foreign.any) {
		doctor_problem(doctor, "%s in %s: of %s, not of %s", named(&rights.foreign, names), doctor->path,
			       doctor_user(rights.other, other), doctor->user);
		doctor_advice(doctor,
			      "something ran there as %s: chown -R %s %s as root, and start it as %s from now on",
			      other, doctor->user, doctor->path, doctor->user);
	}
	if (rights.closed.any) {
		doctor_problem(doctor, "%s in %s: %s cannot read and write it", named(&rights.closed, names),
			       doctor->path, doctor->user);
		doctor_advice(doctor, "chmod -R u+rwX %s", doctor->path);
	}
	if (rights.broken.any) {
		doctor_problem(doctor, "%s in %s: a symbolic link that leads nowhere", named(&rights.broken, names),
			       doctor->path);
		doctor_advice(doctor, "put back what it led to, or restore a backup");
	}
	doctor_ok(doctor, "%u in the folder, all of them of %s", rights.count, doctor->user);
}

/* On a network file system: who says to be at work there. */
static void judge_host(struct doctor *doctor)
{
	char own[256] = "", other[256];
	int fd = openat(doctor->home.folder, "host", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return;
	ssize_t size = read(fd, other, sizeof other - 1);
	close(fd);
	other[size > 0 ? size : 0] = '\0';
	gethostname(own, sizeof own - 1);
	if (strcmp(own, other) == 0)
		return;
	doctor_problem(doctor, "the file %s/host says that %s%s owns the store, and this is host %s", doctor->path,
		       other[0] ? "host " : "a host that did not get to write its name", other, own);
	doctor_advice(doctor, "stop FocusStats there; if that host is gone for good, remove %s/host", doctor->path);
}

void doctor_file_system(struct doctor *doctor)
{
	struct statvfs info;

	if (doctor->home.network) {
		doctor_warning(doctor, "%s lies on a network file system, or FUSE", doctor->path);
		doctor_advice(doctor, "move it to a local disk: locks may not reach other hosts");
		judge_host(doctor);
	}
	if (fstatvfs(doctor->home.folder, &info) == 0 && (info.f_flag & ST_RDONLY)) {
		doctor_problem(doctor, "the file system of %s is read-only", doctor->path);
		doctor_advice(
			doctor,
			"mount it for writing; where the kernel made it so after an error of the disk (dmesg), see "
			"to the disk first");
	}
	doctor_ok(doctor, "one of this machine, writable");
}

void doctor_space(struct doctor *doctor)
{
	struct statvfs info;
	char free_size[32];

	doctor_file_size(doctor);
	if (fstatvfs(doctor->home.folder, &info) != 0) {
		doctor_problem(doctor, "how much space is free cannot be told: %s", strerror(errno));
		doctor_advice(doctor, "see to the disk (dmesg)");
		return;
	}
	int64_t free_bytes = (int64_t)info.f_bavail * (int64_t)info.f_frsize;
	int64_t few_bytes = doctor->largest_bytes > SPACE_FEW_BYTES ? doctor->largest_bytes : SPACE_FEW_BYTES;
	doctor_size(free_bytes, free_size);
	if (free_bytes < SPACE_LEAST_BYTES)
		doctor_problem(doctor, "only %s are free where %s lies", free_size, doctor->path);
	else if (free_bytes < few_bytes)
		doctor_warning(doctor, "%s are free where %s lies", free_size, doctor->path);
	if (free_bytes < few_bytes)
		doctor_advice(doctor, "make room, but remove nothing in %s", doctor->path);
	/* Some file systems have no bound, and say 0 of 0. */
	if (info.f_files > 0 && info.f_favail < NODES_FEW) {
		if (info.f_favail < NODES_LEAST)
			doctor_problem(doctor, "only %llu more files can be made where %s lies",
				       (unsigned long long)info.f_favail, doctor->path);
		else
			doctor_warning(doctor, "%llu more files can be made where %s lies",
				       (unsigned long long)info.f_favail, doctor->path);
		doctor_advice(doctor, "the file system is short of inodes (df -i): remove files elsewhere on it");
	}
	doctor_ok(doctor, "%s are free", free_size);
}
