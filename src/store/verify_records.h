/* The records of an open store: whether each one is one, and all of them say the same. */
#ifndef FOCUSSTATS_STORE_VERIFY_RECORDS_H
#define FOCUSSTATS_STORE_VERIFY_RECORDS_H

#include "store/environment.h"
#include "store/verify.h"

/* Nobody else has the store open. The statuses are those of verify_copy. */
enum status verify_records(struct environment *environment, const struct verify_watch *watch,
			   struct verify_counts *counts, struct error *error);

#endif
