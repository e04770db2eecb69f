/* Ids derived from names: the same names give the same id, whenever and wherever (UUID version 5, RFC 9562, 5.5). Records
 * of other programs that have no UUID get theirs so, and keep it when they are imported again. */
#ifndef FOCUSSTATS_DOMAIN_DERIVED_H
#define FOCUSSTATS_DOMAIN_DERIVED_H

#include "domain/uuid.h"

enum { DERIVED_NAMES_MAX = 8 };

/* The id of a list of 1 to DERIVED_NAMES_MAX names within a space of names: of the names with a NUL between any two. A name that
 * has no NUL in it cannot be taken for two. */
struct uuid derived_uuid(const struct uuid *space, const struct text *names, size_t count);

#endif
