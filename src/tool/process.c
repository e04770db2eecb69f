/* Processes; see process.h. */
#include "tool/process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

bool process_read(pid_t pid, struct process *process)
{
	struct process read = {.pid = pid};
	char path[64], line[256];
	unsigned real, effective = 0;
	bool has_uid = false;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof line, file)) {
		if (strncmp(line, "Name:\t", 6) == 0) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(read.name, sizeof read.name, "%.31s", line + 6);
		} else if (strncmp(line, "State:\t", 7) == 0) {
			read.state = line[7];
		} else if (sscanf(line, "Uid: %u %u", &real, &effective) == 2) {
			read.uid = effective;
			has_uid = true;
		}
	}
	fclose(file);
	if (has_uid)
		*process = read;
	return has_uid;
}

void process_each(bool (*visit)(void *context, const struct process *process), void *context)
{
	struct process process;
	DIR *folder = opendir("/proc");

	for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
		long pid = isdigit((unsigned char)entry->d_name[0]) ? strtol(entry->d_name, NULL, 10) : 0;
		if (pid > 0 && pid != getpid() && process_read((pid_t)pid, &process) && !visit(context, &process))
			break;
	}
	if (folder)
		closedir(folder);
}

bool process_has(pid_t pid, const char *entry)
{
	char path[64], *read = NULL;
	size_t capacity = 0;
	bool found = false;

	snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getdelim(&read, &capacity, '\0', file) > 0)
		found = strcmp(read, entry) == 0;
	free(read);
	fclose(file);
	return found;
}

/* A line is "1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF" (proc_locks(5)). Some file systems, btrfs for one, show another
 * device there than stat does; so a process of ours counts without it. */
pid_t process_locking(const struct stat *file)
{
	unsigned major_number, minor_number;
	unsigned long long inode;
	struct process process;
	char line[256];
	pid_t found = 0;
	long pid;

	FILE *locks = fopen("/proc/locks", "re");
	if (!locks)
		return 0;
	while (found == 0 && fgets(line, sizeof line, locks)) {
		if (sscanf(line, "%*d: FLOCK ADVISORY WRITE %ld %x:%x:%llu 0 EOF", &pid, &major_number, &minor_number,
			   &inode) != 4 ||
		    inode != file->st_ino || pid <= 0 || !process_read((pid_t)pid, &process))
			continue;
		if (makedev(major_number, minor_number) == file->st_dev || strncmp(process.name, "focusstats", 10) == 0)
			found = (pid_t)pid;
	}
	fclose(locks);
	return found;
}

const char *process_state(char state)
{
	static const struct {
		char letter;
		const char *meaning;
	} states[] = {
		{'R', "running"},
		{'S', "sleeping"},
		{'D', "waiting for a disk"},
		{'T', "stopped"},
		{'t', "stopped by a debugger"},
		{'Z', "ended"},
	};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (states[i].letter == state)
			return states[i].meaning;
	return "in a state of its own";
}
