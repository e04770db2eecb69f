/* A backup in the place of what a home holds: focusstats(1). */
#ifndef FOCUSSTATS_TOOL_RESTORE_H
#define FOCUSSTATS_TOOL_RESTORE_H

#include "tool/commands.h"

/* See struct command. */
enum status restore_run(const struct config *config, const struct options *options, char *const *operands,
			struct error *error);

#endif
