/* Ids that clients choose; see identifier.h. */
#include "domain/identifier.h"

#include <string.h>

enum status identifier_check(struct text text, size_t least, size_t most, const char *name, struct error *error)
{
	if (text.size < least)
		return error_set(error, STATUS_INVALID, "%s: must not be empty", name);
	if (text.size > most)
		return error_set(error, STATUS_INVALID, "%s: is %zu bytes long, more than %zu", name, text.size, most);
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < 0x20 || c == 0x7F)
			return error_set(error, STATUS_INVALID, "%s: holds the control character U+%04X", name, c);
	}
	if (!text_is_utf8(text))
		return error_set(error, STATUS_INVALID, "%s: is not valid UTF-8", name);
	return STATUS_OK;
}

enum status identifier_set(struct identifier *identifier, struct text text, const char *name, struct error *error)
{
	if (identifier_check(text, 1, IDENTIFIER_MAX_BYTES, name, error) != STATUS_OK)
		return error->status;
	identifier->size = (uint8_t)text.size;
	memcpy(identifier->data, text.data, text.size);
	return STATUS_OK;
}

struct text identifier_text(const struct identifier *identifier)
{
	return (struct text){identifier->data, identifier->size};
}

bool identifier_equal(const struct identifier *a, const struct identifier *b)
{
	return text_equal(identifier_text(a), identifier_text(b));
}
