/* Making the databases as small as their records allow. */
#ifndef FOCUSSTATS_STORE_COMPACT_H
#define FOCUSSTATS_STORE_COMPACT_H

#include "store/store.h"

/* Open the store, have its files give back what they do not use, close it. It may be interrupted at any time. The caller holds
 * the home's lock: the engine moves pages under locks that only the committer may hold otherwise, and cuts off files whose old
 * pages a snapshot may need. progress is called with the number of pages that were freed so far; it may be NULL. */
enum status compact_store(const struct store_options *options, void (*progress)(void *context, uint64_t pages),
			  void *context, struct error *error);

#endif
