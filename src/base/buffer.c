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

static bool reserve(struct buffer *buffer, size_t more)
{
	if (buffer->failed)
		return false;
	if (more <= buffer->capacity - buffer->size)
		return true;
	if (more > SIZE_MAX / 4 || buffer->size > SIZE_MAX / 4) {
		buffer->failed = true;
		return false;
	}
	size_t wanted = buffer->capacity ? buffer->capacity * 2 : 512;
	while (wanted < buffer->size + more)
		wanted *= 2;
	char *data = realloc(buffer->data, wanted);
	if (!data) {
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = wanted;
	return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	if (size == 0 || !reserve(buffer, size))
		return;
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

void buffer_append_text(struct buffer *buffer, struct text text)
{
	buffer_append(buffer, text.data, text.size);
}

void buffer_append_string(struct buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	int size = vsnprintf(NULL, 0, format, list);
	va_end(list);
	if (size < 0 || !reserve(buffer, (size_t)size + 1))
		return;
	va_start(list, format);
	vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, list);
	va_end(list);
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

void buffer_append_json(struct buffer *buffer, struct text text)
{
	static const char hex[] = "0123456789abcdef";

	/* Every byte becomes six at most: one reservation serves the whole string. */
	if (text.size > SIZE_MAX / 8) {
		buffer->failed = true;
		return;
	}
	if (!reserve(buffer, text.size * 6 + 2))
		return;
	char *to = buffer->data + buffer->size;
	*to++ = '"';
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
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
	}
	*to++ = '"';
	buffer->size = (size_t)(to - buffer->data);
}
