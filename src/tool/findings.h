/* Looking through a copy of the store, and printing what is wrong with it. */
#ifndef FOCUSSTATS_TOOL_FINDINGS_H
#define FOCUSSTATS_TOOL_FINDINGS_H

#include "store/verify.h"
#include "tool/folder.h"

struct findings {
	const struct options *options;
	struct progress progress;
	uint64_t count;
	struct verify_counts counts;
};

/* Verify the copy in a folder (store/verify.h), which thereby becomes one that is recovered and in order. What is wrong goes to
 * standard output, a line each, up to a hundred of them. STATUS_INVALID, with a text that begins with `name`, where anything is
 * wrong, and the statuses of verify_copy. */
enum status findings_of_copy(struct findings *findings, const struct folder *folder, const char *name,
			     const struct options *options, struct error *error);

/* Print what is wrong with the files of a home that nobody can open, as they are. */
void findings_of_pages(struct findings *findings, const struct folder *home, const struct options *options);

/* The same of what a copy may not have (store/verify.h, verify_sums); STATUS_INVALID as above. */
enum status findings_of_sums(struct findings *findings, const struct folder *home, const char *name,
			     const struct options *options, struct error *error);

#endif
