/* Reading CSV: a record of column names, in any order, and then one for each session (csv_sessions.h). */
#ifndef FOCUSSTATS_TOOL_IMPORT_CSV_H
#define FOCUSSTATS_TOOL_IMPORT_CSV_H

#include "tool/import.h"

enum status import_csv_read(struct import *import, const char *file, struct error *error);

#endif
