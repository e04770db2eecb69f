/* A view of bytes that somebody else owns: never freed, not ended by a NUL. */
#ifndef FOCUSSTATS_BASE_TEXT_H
#define FOCUSSTATS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	const char *data; /* may be NULL where size is 0 */
	size_t size;      /* bytes */
};

/* The view of a string ended by NUL; an empty view for NULL. */
struct text text_of(const char *string);

bool text_equal(struct text a, struct text b);

/* True where the two are alike but for the case of ASCII letters. */
bool text_equal_ignoring_case(struct text a, struct text b);

/* Without the spaces and tabs at both ends (optional white space, RFC 9110, 5.6.3). */
struct text text_trim(struct text text);

/* The part before the first `separator`; *rest becomes what follows it, with data NULL where there is no separator. */
struct text text_split(struct text text, char separator, struct text *rest);

/* True for well-formed UTF-8 as the Unicode Standard's table 3-7 has it: no overlong forms, no surrogates,
 * nothing above U+10FFFF. */
bool text_is_utf8(struct text text);

/* Parse a decimal integer without sign, 1 to 18 digits and nothing else. False, and *value untouched, otherwise. */
bool text_to_integer(struct text text, long long *value);

#endif
