/* Carrying out one operation within a transaction. */
#ifndef FOCUSSTATS_STORE_APPLY_H
#define FOCUSSTATS_STORE_APPLY_H

#include "store/environment.h"

/* Check the operation's requirements (operation.h) through the transaction, then write. Returns 0 or what the engine
 * said, after which the transaction must be aborted. Where it is 0, error->status is STATUS_OK or tells which
 * requirement was not met; then nothing was written. */
int apply_operation(struct environment *environment, DB_TXN *txn, const struct operation *operation,
		    struct error *error);

#endif
