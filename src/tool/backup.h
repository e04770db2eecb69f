/* A verified copy of the store in a folder of its own, made while the service runs or not: focusstats(1). */
#ifndef FOCUSSTATS_TOOL_BACKUP_H
#define FOCUSSTATS_TOOL_BACKUP_H

#include "tool/commands.h"

/* See struct command. */
enum status backup_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error);

#endif
