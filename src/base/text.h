/* A view of bytes that somebody else owns: never freed, not ended by a NUL. */
#ifndef FOCUSSTATS_BASE_TEXT_H
#define FOCUSSTATS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *data; /* may be NULL where size is 0 */
	size_t size;      /* bytes */
};

/* The view of a string ended by NUL; an empty view for NULL. */
struct text text_of(const char *string);

static inline bool text_equal(struct text a, struct text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* True where the two are alike but for the case of ASCII letters. */
bool text_equal_ignoring_case(struct text a, struct text b);

/* Take the character from the text's beginning. False, and the text untouched, where it does not begin with it. */
static inline bool text_take(struct text *text, char c)
{
	if (text->size == 0 || text->data[0] != c)
		return false;
	text->data++;
	text->size--;
	return true;
}

/* Without the spaces and tabs at both ends (optional white space, RFC 9110, 5.6.3). */
struct text text_trim(struct text text);

/* The part before the first `separator`; *rest becomes what follows it, with data NULL where there is no separator. */
struct text text_split(struct text text, char separator, struct text *rest);

/* True for well-formed UTF-8 as the Unicode Standard's table 3-7 has it: no overlong forms, no surrogates,
 * nothing above U+10FFFF. */
bool text_is_utf8(struct text text);

/* The size of the UTF-8 character that the text begins with, and the character; 0 where it begins with none. */
size_t text_character(struct text text, uint32_t *character);

/* False for a character that would end the line, steer a terminal or turn the order of what is shown: controls (U+0000 to U+001F,
 * U+007F to U+009F), separators of lines (U+2028, U+2029), marks of direction (U+061C, U+200E, U+200F, U+202A to U+202E,
 * U+2066 to U+2069), the byte order mark (U+FEFF). All of them have at most 16 bits. */
bool text_is_visible(uint32_t character);

/* Make bytes of any kind fit to be shown in a line, in place, and return their new size: well-formed UTF-8, and a '?' for each
 * byte that is none and for each character that is not visible. */
size_t text_make_visible(char *text, size_t size);

/* Parse a decimal integer without sign, 1 to 18 digits and nothing else. False, and *value untouched, otherwise. */
bool text_to_integer(struct text text, long long *value);

#endif
