/* A copy of the store in a folder of its home, which the process that owns the store makes while it serves (api/local.h): it may
 * be one that can write nowhere else.
 */
#ifndef FOCUSSTATS_TOOL_STAGING_H
#define FOCUSSTATS_TOOL_STAGING_H

#include "tool/folder.h"

struct staging {
	struct folder home;   /* opened anew: it outlives the client */
	struct folder folder; /* the copy; locked, so that nobody else makes one there */
	char path[4096];
};

/* Open the home as the command's user (identity.h), have the copy made, and let the store go again. STATUS_CONFLICT where another
 * command is at it. */
enum status staging_make(struct staging *staging, const struct config *config, const struct options *options,
			 struct error *error);

/* Put the copy, as it is, in the place of an empty folder, or where there is none. False where it cannot be renamed: it is on
 * another file system, or this user may not. */
bool staging_rename(const struct staging *staging, const char *path);

/* Remove what is left of it in the home, if anything is. */
void staging_remove(struct staging *staging);

/* Close. */
void staging_leave(struct staging *staging);

#endif
