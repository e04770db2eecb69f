/* Reading the statistics of KOReader, which import_koreader.c describes. */
#ifndef FOCUSSTATS_TOOL_IMPORT_KOREADER_H
#define FOCUSSTATS_TOOL_IMPORT_KOREADER_H

#include "tool/import.h"

enum status import_koreader_read(struct import *import, const char *file, struct error *error);

#endif
