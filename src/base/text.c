/* Views of bytes; see text.h. */
#include "base/text.h"

#include <string.h>
#include <strings.h>

struct text text_of(const char *string)
{
	return (struct text){string, string ? strlen(string) : 0};
}

bool text_equal(struct text a, struct text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool text_equal_ignoring_case(struct text a, struct text b)
{
	return a.size == b.size && (a.size == 0 || strncasecmp(a.data, b.data, a.size) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct text text_trim(struct text text)
{
	while (text.size > 0 && is_blank(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && is_blank(text.data[text.size - 1]))
		text.size--;
	return text;
}

struct text text_split(struct text text, char separator, struct text *rest)
{
	const char *found = text.size ? memchr(text.data, separator, text.size) : NULL;

	if (!found) {
		*rest = (struct text){NULL, 0};
		return text;
	}
	size_t size = (size_t)(found - text.data);
	*rest = (struct text){found + 1, text.size - size - 1};
	return (struct text){text.data, size};
}

bool text_is_utf8(struct text text)
{
	const unsigned char *at = (const unsigned char *)text.data;
	const unsigned char *end = text.size > 0 ? at + text.size : at;

	while (at < end) {
		unsigned char lead = *at++, low = 0x80, high = 0xBF;
		int more;
		if (lead < 0x80)
			continue;
		if (lead >= 0xC2 && lead <= 0xDF) {
			more = 1;
		} else if (lead >= 0xE0 && lead <= 0xEF) {
			more = 2;
			if (lead == 0xE0)
				low = 0xA0;
			else if (lead == 0xED)
				high = 0x9F;
		} else if (lead >= 0xF0 && lead <= 0xF4) {
			more = 3;
			if (lead == 0xF0)
				low = 0x90;
			else if (lead == 0xF4)
				high = 0x8F;
		} else {
			return false;
		}
		while (more-- > 0) {
			if (at == end || *at < low || *at > high)
				return false;
			at++;
			low = 0x80;
			high = 0xBF;
		}
	}
	return true;
}

bool text_to_integer(struct text text, long long *value)
{
	long long sum = 0;

	if (text.size < 1 || text.size > 18)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		sum = sum * 10 + (text.data[i] - '0');
	}
	*value = sum;
	return true;
}
