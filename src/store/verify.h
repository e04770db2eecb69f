/* Whether a copy of the store is whole: every page's checksum, every record, and that the databases say the same.
 *
 * Memory does not grow with the store: the databases are walked side by side, in the order of their keys.
 */
#ifndef FOCUSSTATS_STORE_VERIFY_H
#define FOCUSSTATS_STORE_VERIFY_H

#include "store/store.h"

struct verify_watch {
	/* Called for each thing that is wrong, with one line of UTF-8: which file, which record, what. */
	void (*found)(void *context, const char *what);
	/* Called again and again while records are looked at; may be NULL. */
	void (*progress)(void *context, uint64_t records);
	void *context;
};

/* What there is: of users that are being removed nothing counts. */
struct verify_counts {
	uint64_t users, sessions, documents;
	int schema;
};

/* Look through the copy in options->home (options->copy is meant): recover it, which may bring it up to this program's schema,
 * then look at all of it. STATUS_OK where that could be done, whatever was found; STATUS_UNAVAILABLE where the copy cannot be
 * opened, or looked at to its end. */
enum status verify_copy(const struct store_options *options, const struct verify_watch *watch,
			struct verify_counts *counts, struct error *error);

/* The pages alone, of files that nobody has open, as they are. True where nothing was found. */
bool verify_pages(const char *home, const struct verify_watch *watch);

/* The same of a store that cannot be opened; where nothing is found it is about the log. */
void verify_closed(const char *home, const struct verify_watch *watch);

/* Their checksums alone, and whether the files have all their pages: what a copy may not have, as all of its log is carried out again.
 * Of files that nobody has open, after the store was closed in order. */
bool verify_sums(const char *home, const struct verify_watch *watch);

#endif
