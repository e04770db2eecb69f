/* The ids that clients choose: users, documents, libraries. 1 to 255 bytes of UTF-8 without control characters
 * (U+0000–U+001F, U+007F). Nothing is normalised: two ids are the same when their bytes are. */
#ifndef FOCUSSTATS_DOMAIN_IDENTIFIER_H
#define FOCUSSTATS_DOMAIN_IDENTIFIER_H

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

enum { IDENTIFIER_MAX_BYTES = 255 };

struct identifier {
	uint8_t size; /* 1 to 255; 0 only while it is unset */
	char data[IDENTIFIER_MAX_BYTES];
};

/* Check a text of least to most bytes: UTF-8 without control characters. STATUS_INVALID, with a text that begins with
 * `name`, for anything else. */
enum status identifier_check(struct text text, size_t least, size_t most, const char *name, struct error *error);

/* Check and copy. STATUS_INVALID with a text that begins with `name`, and *identifier untouched, for anything else. */
enum status identifier_set(struct identifier *identifier, struct text text, const char *name, struct error *error);

struct text identifier_text(const struct identifier *identifier);

bool identifier_equal(const struct identifier *a, const struct identifier *b);

#endif
