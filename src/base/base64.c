/* Base 64, decoded by GLib; see base64.h. */
#include "base/base64.h"

#include <glib.h>
#include <string.h>

enum { DIGITS = 4, BYTES = 3 }; /* of a group */

bool base64_decode(struct text text, uint8_t *bytes, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t groups = (size + BYTES - 1) / BYTES, padding = groups * BYTES - size;
	uint8_t last[BYTES];
	gint state = 0;
	guint save = 0;

	if (size == 0 || text.size != groups * DIGITS)
		return size == 0 && text.size == 0;
	/* GLib passes over whatever is no digit. */
	for (size_t i = 0; i < text.size; i++) {
		bool pad = i >= text.size - padding;
		if (pad != (text.data[i] == '=') || (!pad && !memchr(digits, text.data[i], sizeof digits - 1)))
			return false;
	}
	size_t whole = (groups - 1) * BYTES;
	g_base64_decode_step(text.data, (groups - 1) * DIGITS, bytes, &state, &save);
	g_base64_decode_step(text.data + (groups - 1) * DIGITS, DIGITS, last, &state, &save);
	memcpy(bytes + whole, last, size - whole);
	return true;
}
