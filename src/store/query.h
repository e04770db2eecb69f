/* Reading for the API: a user's FocusStats object and sessions as of one moment. */
#ifndef FOCUSSTATS_STORE_QUERY_H
#define FOCUSSTATS_STORE_QUERY_H

#include "store/snapshot.h"

/* See store_read_user. */
enum status query_user(struct snapshots *snapshots, const struct identifier *user, struct stats *stats,
		       store_visit *visit, void *context, struct error *error);

#endif
