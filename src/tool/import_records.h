/* Reading the own format, which export_records.h describes. */
#ifndef FOCUSSTATS_TOOL_IMPORT_RECORDS_H
#define FOCUSSTATS_TOOL_IMPORT_RECORDS_H

#include "tool/import.h"

enum status import_records_read(struct import *import, const char *file, struct error *error);

#endif
