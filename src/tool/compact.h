/* Giving back what the databases do not use: focusstats(1). */
#ifndef FOCUSSTATS_TOOL_COMPACT_H
#define FOCUSSTATS_TOOL_COMPACT_H

#include "tool/commands.h"

/* See struct command. */
enum status compact_run(const struct config *config, const struct options *options, char *const *operands,
			struct error *error);

#endif
