/* `focusstats import`; see import.h. */
#ifndef FOCUSSTATS_TOOL_IMPORT_COMMAND_H
#define FOCUSSTATS_TOOL_IMPORT_COMMAND_H

#include "tool/import.h"

/* operands are the files. STATUS_INVALID also where a record was refused. */
enum status import_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error);

#endif
