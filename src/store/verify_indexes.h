/* The indexes and the users' sums, beside the sessions. */
#ifndef FOCUSSTATS_STORE_VERIFY_INDEXES_H
#define FOCUSSTATS_STORE_VERIFY_INDEXES_H

#include "store/verify_walk.h"

/* Walk sessions_by_user.db, active_by_user.db and stats.db. *matching becomes how many keys of the first are those that their
 * sessions make. 0 or what the engine said. */
int verify_indexes(struct walk *walk, uint64_t *matching);

#endif
