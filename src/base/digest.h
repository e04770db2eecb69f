/* SHA-1 (FIPS 180-4), for ids that are derived from names (domain/derived.h). It keeps nothing secret or safe. */
#ifndef FOCUSSTATS_BASE_DIGEST_H
#define FOCUSSTATS_BASE_DIGEST_H

#include "base/text.h"

#include <stdint.h>

enum { DIGEST_SHA1_BYTES = 20 };

/* The digest of the texts, one after the other with nothing between them. */
void digest_sha1(const struct text *texts, size_t count, uint8_t digest[DIGEST_SHA1_BYTES]);

#endif
