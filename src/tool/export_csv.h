/* Writing CSV: a record for each session (csv_sessions.h). Users without sessions, and what is not in a column, are not in it. */
#ifndef FOCUSSTATS_TOOL_EXPORT_CSV_H
#define FOCUSSTATS_TOOL_EXPORT_CSV_H

#include "tool/export.h"

extern const struct export_format export_csv;

#endif
