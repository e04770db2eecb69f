/* Looking through the store, by a copy that is made for it: focusstats(1). */
#ifndef FOCUSSTATS_TOOL_VERIFY_H
#define FOCUSSTATS_TOOL_VERIFY_H

#include "tool/commands.h"

/* See struct command. */
enum status verify_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error);

#endif
