/* Folders of plain files, as a store and its copies are: by descriptor, so that they stay the same whatever is renamed. `path` is
 * for people, in the errors. */
#ifndef FOCUSSTATS_TOOL_FOLDER_H
#define FOCUSSTATS_TOOL_FOLDER_H

#include "base/error.h"
#include "tool/progress.h"

#include <stdbool.h>
#include <sys/types.h>

struct folder {
	const char *path; /* the caller's */
	int fd;           /* -1 where it is not open */
};

/* Which files; NULL for all. */
typedef bool folder_selects(const char *name);

enum status folder_open(struct folder *folder, const char *path, struct error *error);
/* Open a folder in another one, which is made with mode 0700 where it is missing. */
enum status folder_open_within(struct folder *folder, const struct folder *parent, const char *name, const char *path,
			       struct error *error);
/* Make a folder for a user, as root: whoever may write in what it is in cannot have another one, or a file, given away in its place.
 * False with errno where there is something of that name, or it cannot be made. */
bool folder_make_for(const char *path, uid_t user, gid_t group);

void folder_close(struct folder *folder);

/* The path by which the engine is to open files in it: text, or where there is no /proc the folder's path. */
const char *folder_reach(const struct folder *folder, char text[64]);

/* Whether it has a file of that name. */
bool folder_has(const struct folder *folder, const char *name);

/* *any tells whether it has a file that is selected. */
enum status folder_has_any(const struct folder *folder, folder_selects *selects, bool *any, struct error *error);

/* An empty file. */
enum status folder_mark(const struct folder *folder, const char *name, struct error *error);
enum status folder_remove(const struct folder *folder, const char *name, struct error *error);

/* Remove what is in it. */
enum status folder_clear(const struct folder *folder, struct error *error);

/* Copy, or rename on the same file system. Nothing is synced, and what the other folder has already of that name is an error of
 * the former and is replaced by the latter. */
enum status folder_copy(const struct folder *from, const struct folder *to, folder_selects *selects,
			struct progress *progress, struct error *error);
enum status folder_move(const struct folder *from, const struct folder *to, folder_selects *selects,
			struct error *error);

/* Bytes of the files that are selected. */
uint64_t folder_bytes(const struct folder *folder, folder_selects *selects);

/* Have the disk take all files, and their names; or the names alone. */
enum status folder_sync(const struct folder *folder, struct error *error);
enum status folder_sync_names(const struct folder *folder, struct error *error);

#endif
