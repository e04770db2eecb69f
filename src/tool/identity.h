/* Whose files those of a home are: its user's, whoever uses the tool. What root writes there the service could not open. */
#ifndef FOCUSSTATS_TOOL_IDENTITY_H
#define FOCUSSTATS_TOOL_IDENTITY_H

#include "base/error.h"

/* As root: become the user that a folder belongs to, for good. Nothing where this process is another user. STATUS_INVALID where there
 * is no such folder. */
enum status identity_become(const char *folder, struct error *error);

#endif
