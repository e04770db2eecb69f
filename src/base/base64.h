/* Base 64 (RFC 4648, 4). */
#ifndef FOCUSSTATS_BASE_BASE64_H
#define FOCUSSTATS_BASE_BASE64_H

#include "base/text.h"

#include <stdint.h>

/* Decode exactly `size` bytes. False, and *bytes undefined, where the text is not the encoding of as many. */
bool base64_decode(struct text text, uint8_t *bytes, size_t size);

#endif
