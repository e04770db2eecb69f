/* Digests, reckoned by GLib; see digest.h. */
#include "base/digest.h"

#include <glib.h>

void digest_sha1(const struct text *texts, size_t count, uint8_t digest[DIGEST_SHA1_BYTES])
{
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA1);
	gsize size = DIGEST_SHA1_BYTES;

	for (size_t i = 0; i < count; i++)
		g_checksum_update(checksum, (const guchar *)texts[i].data, (gssize)texts[i].size);
	g_checksum_get_digest(checksum, digest, &size);
	g_checksum_free(checksum);
}
