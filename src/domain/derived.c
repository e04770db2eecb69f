/* Ids derived from names; see derived.h. */
#include "domain/derived.h"

#include "base/digest.h"

#include <string.h>

struct uuid derived_uuid(const struct uuid *space, const struct text *names, size_t count)
{
	struct text texts[2 * DERIVED_NAMES_MAX] = {{(const char *)space->bytes, sizeof space->bytes}};
	uint8_t digest[DIGEST_SHA1_BYTES];
	struct uuid uuid;
	size_t used = 1;

	for (size_t i = 0; i < count && i < DERIVED_NAMES_MAX; i++) {
		if (i > 0)
			texts[used++] = (struct text){"", 1};
		texts[used++] = names[i];
	}
	digest_sha1(texts, used, digest);
	memcpy(uuid.bytes, digest, sizeof uuid.bytes);
	uuid.bytes[6] = (uint8_t)(0x50 | (uuid.bytes[6] & 0x0F));
	uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3F));
	return uuid;
}
