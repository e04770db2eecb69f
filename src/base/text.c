/* Views of bytes; see text.h. */
#include "base/text.h"

#include <string.h>
#include <strings.h>

struct text text_of(const char *string)
{
	return (struct text){string, string ? strlen(string) : 0};
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

size_t text_character(struct text text, uint32_t *character)
{
	const unsigned char *at = (const unsigned char *)text.data;
	unsigned char lead = text.size > 0 ? *at : 0xFF, low = 0x80, high = 0xBF;
	size_t size;

	if (lead < 0x80) {
		*character = lead;
		return 1;
	}
	if (lead >= 0xC2 && lead <= 0xDF) {
		size = 2;
	} else if (lead >= 0xE0 && lead <= 0xEF) {
		size = 3;
		if (lead == 0xE0)
			low = 0xA0;
		else if (lead == 0xED)
			high = 0x9F;
	} else if (lead >= 0xF0 && lead <= 0xF4) {
		size = 4;
		if (lead == 0xF0)
			low = 0x90;
		else if (lead == 0xF4)
			high = 0x8F;
	} else {
		return 0;
	}
	*character = lead & (0x7FU >> size);
	for (size_t i = 1; i < size; i++) {
		if (i == text.size || at[i] < low || at[i] > high)
			return 0;
		*character = *character << 6 | (at[i] & 0x3F);
		low = 0x80;
		high = 0xBF;
	}
	return size;
}

bool text_is_utf8(struct text text)
{
	uint32_t character;

	while (text.size > 0) {
		size_t size = text_character(text, &character);
		if (size == 0)
			return false;
		text.data += size;
		text.size -= size;
	}
	return true;
}

bool text_is_visible(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0, 0x1F},        {0x7F, 0x9F},     {0x61C, 0x61C},   {0x200E, 0x200F},
		{0x2028, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF},
	};

	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		if (character >= hidden[i].first && character <= hidden[i].last)
			return false;
	return true;
}

size_t text_make_visible(char *text, size_t size)
{
	size_t kept = 0;
	uint32_t character;

	for (size_t at = 0; at < size;) {
		size_t step = text_character((struct text){text + at, size - at}, &character);
		if (step > 0 && text_is_visible(character)) {
			memmove(text + kept, text + at, step);
			kept += step;
		} else {
			text[kept++] = '?';
		}
		at += step > 0 ? step : 1;
	}
	return kept;
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
