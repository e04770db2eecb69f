/* Reading the listening sessions of Audiobookshelf, which import_audiobookshelf.c describes. */
#ifndef FOCUSSTATS_TOOL_IMPORT_AUDIOBOOKSHELF_H
#define FOCUSSTATS_TOOL_IMPORT_AUDIOBOOKSHELF_H

#include "tool/import.h"

enum status import_audiobookshelf_read(struct import *import, const char *file, struct error *error);

#endif
