/* The own format: all that the store knows, as newline-delimited JSON. Each line is an object with one key, which tells what it is:
 *
 *   focusstats  the first line: {"version": 1}
 *   user        {user, focusStats, settings: {…}}, the settings as _getSettings answers them
 *   document    {user, document, title, authors}
 *   session     {user, focusSession, document, library, startTime, endTime?, lastSeen?, progress?, progressTime?, startedWith?}
 *   end         the last line: {"users", "documents", "sessions"}, how many there were
 *
 * A user comes before what is theirs. Keys and values are those of the API (doc/api.md); lastSeen and progressTime are instants, startedWith
 * is the document that the session was started with, where that was changed since. A reader ignores other keys.
 */
#ifndef FOCUSSTATS_TOOL_EXPORT_RECORDS_H
#define FOCUSSTATS_TOOL_EXPORT_RECORDS_H

#include "tool/export.h"

enum { EXPORT_RECORDS_VERSION = 1 };

extern const struct export_format export_records;

#endif
