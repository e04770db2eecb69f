/* Carrying out one operation within a transaction. */
#ifndef FOCUSSTATS_STORE_APPLY_H
#define FOCUSSTATS_STORE_APPLY_H

#include "store/environment.h"

/* What a transaction's operations change in `totals`; written once, by apply_tally. */
struct tally {
	int64_t users, sessions;
};

/* What an operation tells besides its error. */
struct outcome {
	uint64_t sessions;         /* remove user: how many they had; settle user: how many were stored as ended */
	bool more;                 /* purge user: there is more to delete; init user: the user must be purged first */
	enum store_became became;  /* imports */
	struct identifier started; /* look up session: see struct session */
};

/* Check the operation's requirements (operation.h) through the transaction, then write. Returns 0 or what the engine
 * said, after which the transaction must be aborted. Where it is 0, error->status is STATUS_OK or tells which
 * requirement was not met; then nothing was written but what counts as ended of the user's sessions. */
int apply_operation(const struct environment *environment, DB_TXN *txn, const struct operation *operation,
		    struct tally *tally, struct outcome *outcome, struct error *error);

/* Before the commit: bring `totals` up to date. */
int apply_tally(const struct environment *environment, DB_TXN *txn, const struct tally *tally);

#endif
