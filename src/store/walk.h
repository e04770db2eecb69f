/* From one key of a user to the next, in sessions_by_user and active_by_user. */
#ifndef FOCUSSTATS_STORE_WALK_H
#define FOCUSSTATS_STORE_WALK_H

#include "store/record.h"
#include "store/store.h"

#include <db.h>

/* Keys of one user, and how far to go. */
struct walk {
	uint8_t prefix[USER_PREFIX_MAX];
	size_t prefix_size;
	uint8_t first[BY_USER_KEY_MAX]; /* where to begin */
	size_t first_size;
	int64_t from_ms, to_ms; /* of starts */
	uint64_t sessions;      /* the user's, to know whether they are few */
	store_visit *visit;
	void *context;
};

/* Visit the keys from the first one that is not before walk->first, or descending, those before it from the last one on, until there are no
 * more, a start is out of bounds or the visit has its end; all these are DB_NOTFOUND. Otherwise an error of the engine's; EBADMSG for a key that
 * is none. */
int walk_keys(DB *db, DB_TXN *txn, const struct walk *walk, bool descending);

#endif
