/* What /proc tells of the processes of this machine (proc(5)). Of other users' processes that is little. */
#ifndef FOCUSSTATS_TOOL_PROCESS_H
#define FOCUSSTATS_TOOL_PROCESS_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	uid_t uid;     /* the effective one */
	char state;    /* a letter, as ps shows it */
	char name[32]; /* of the program, its first 15 characters */
};

/* False where there is no such process, or nothing is told of it. */
bool process_read(pid_t pid, struct process *process);

/* Call visit for each process but this one, until it returns false. */
void process_each(bool (*visit)(void *context, const struct process *process), void *context);

/* Whether its environment has this NAME=VALUE; false where that is not told. */
bool process_has(pid_t pid, const char *entry);

/* The process that has a whole-file lock of flock(2) on a file; 0 where there is none, or it is not told. */
pid_t process_locking(const struct stat *file);

/* What a state's letter means. */
const char *process_state(char state);

#endif
