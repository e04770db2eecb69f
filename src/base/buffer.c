/* Growing runs of bytes; see buffer.h. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = BUFFER_INIT;
}

bool buffer_failed(const struct buffer *buffer)
{
	return buffer->failed;
}

struct text buffer_text(const struct buffer *buffer)
{
	return (struct text){buffer->data, buffer->size};
}

bool buffer_grow(struct buffer *buffer, size_t more)
{
	size_t wanted = buffer->capacity ? buffer->capacity * 2 : 512;
	char *data = NULL;

	if (!buffer->failed && more <= SIZE_MAX / 4 && buffer->size <= SIZE_MAX / 4) {
		while (wanted < buffer->size + more)
			wanted *= 2;
		data = realloc(buffer->data, wanted);
	}
	if (!data) {
		buffer->failed = true;
		buffer->capacity = buffer->size; /* no room for less, either */
		return false;
	}
	buffer->data = data;
	buffer->capacity = wanted;
	return true;
}

static bool reserve(struct buffer *buffer, size_t more)
{
	return more <= buffer->capacity - buffer->size || buffer_grow(buffer, more);
}

void buffer_append_text(struct buffer *buffer, struct text text)
{
	buffer_append(buffer, text.data, text.size);
}

void buffer_append_number(struct buffer *buffer, int64_t number)
{
	char digits[20];
	size_t at = sizeof digits;
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (number < 0)
		digits[--at] = '-';
	buffer_append(buffer, digits + at, sizeof digits - at);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
	size_t room = buffer->capacity - buffer->size;
	va_list list;

	if (buffer->failed)
		return;
	va_start(list, format);
	int size = vsnprintf(room > 0 ? buffer->data + buffer->size : NULL, room, format, list);
	va_end(list);
	if (size >= 0 && (size_t)size >= room) {
		if (!reserve(buffer, (size_t)size + 1))
			return;
		va_start(list, format);
		vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, list);
		va_end(list);
	}
	if (size > 0)
		buffer->size += (size_t)size;
}

void buffer_prepend(struct buffer *buffer, struct text text)
{
	if (text.size == 0 || !reserve(buffer, text.size))
		return;
	memmove(buffer->data + text.size, buffer->data, buffer->size);
	memcpy(buffer->data, text.data, text.size);
	buffer->size += text.size;
}

/* Whether one of eight characters needs an escape. May say so where one follows that does (Warren, "Hacker's Delight", 6-1). */
static bool needs_escape(uint64_t eight)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), quote = eight ^ '"' * ones, backslash = eight ^ '\\' * ones;

	return (((eight - 0x20 * ones) & ~eight) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) &
	       0x80 * ones;
}

static char *put_escaped(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		*to++ = '\\';
		*to++ = (char)c;
	} else if (c < 0x20) {
		memcpy(to, "\\u00", 4);
		to[4] = hex[c >> 4];
		to[5] = hex[c & 15];
		to += 6;
	} else {
		*to++ = (char)c;
	}
	return to;
}

/* Copy a text in eights, the last of which may overlap the one before. False where one of them needs an escape. */
static bool copy_clean(char *to, struct text text)
{
	uint64_t eight;

	if (text.size < sizeof eight)
		return false;
	for (size_t at = 0;; at += sizeof eight) {
		if (at > text.size - sizeof eight)
			at = text.size - sizeof eight;
		memcpy(&eight, text.data + at, sizeof eight);
		if (needs_escape(eight))
			return false;
		memcpy(to + at, &eight, sizeof eight);
		if (at == text.size - sizeof eight)
			return true;
	}
}

void buffer_append_json(struct buffer *buffer, struct text text)
{
	/* Every byte becomes six at most: one reservation serves the whole string. */
	if (!reserve(buffer, text.size < SIZE_MAX / 8 ? text.size * 6 + 2 : SIZE_MAX))
		return;
	char *to = buffer->data + buffer->size;
	*to++ = '"';
	if (copy_clean(to, text))
		to += text.size;
	else
		for (size_t i = 0; i < text.size; i++)
			to = put_escaped(to, (unsigned char)text.data[i]);
	*to++ = '"';
	buffer->size = (size_t)(to - buffer->data);
}
