/* The version of the schema, and how a store of an older one becomes one of this. doc/schema.md says what each version is. */
#ifndef FOCUSSTATS_STORE_SCHEMA_H
#define FOCUSSTATS_STORE_SCHEMA_H

#include "store/environment.h"

enum { SCHEMA_VERSION = 2 };

/* Read the version from meta.db, 0 where there is none yet. STATUS_UNAVAILABLE for one that this program does not know. */
enum status schema_read(struct environment *environment, int *version, struct error *error);

/* All databases are open: complete a new store (version 0), or bring one of an older version up to this one. It may be
 * interrupted at any time; the version is written last. */
enum status schema_complete(struct environment *environment, int version, struct error *error);

#endif
