/* Reading what mongoexport writes of the earlier server's collections FocusStats.focusStats (_id, user, focusSessionIds) and
 * FocusStats.focusSessions (_id, user, document, startTime, endTime), one or both in a file. Of which of the two a document is its
 * keys tell. Sessions name their user, so what focusSessionIds lists is not needed.
 */
#ifndef FOCUSSTATS_TOOL_IMPORT_MONGODB_H
#define FOCUSSTATS_TOOL_IMPORT_MONGODB_H

#include "tool/import.h"

enum status import_mongodb_read(struct import *import, const char *file, struct error *error);

#endif
