/* A backup in the place of what a home holds: focusstats(1). */
#ifndef FOCUSSTATS_TOOL_RESTORE_H
#define FOCUSSTATS_TOOL_RESTORE_H

#include "tool/commands.h"

/* Folders in the home: the copy that is being made of the backup, and, with a time behind it, what was there before. */
#define RESTORE_STAGED "restore.new"
#define RESTORE_REPLACED "replaced."

/* See struct command. */
enum status restore_run(const struct config *config, const struct options *options, char *const *operands,
			struct error *error);

#endif
