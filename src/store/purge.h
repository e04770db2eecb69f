/* Deleting what a removed user had, a part at a time, so that other writes need not wait for all of it. */
#ifndef FOCUSSTATS_STORE_PURGE_H
#define FOCUSSTATS_STORE_PURGE_H

#include "store/environment.h"

/* Delete a part of it: sessions first, then documents; once there are none, the user. *more tells whether there is more to
 * delete. A user that was not removed is left alone. Returns 0 or what the engine said. */
int purge_some(const struct environment *environment, DB_TXN *txn, const struct identifier *user, bool *more);

#endif
