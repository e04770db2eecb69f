/* A growing run of bytes. Where memory runs out the buffer remembers it, appends nothing more, and the owner
 * asks once, at the end (buffer_failed).
 */
#ifndef FOCUSSTATS_BASE_BUFFER_H
#define FOCUSSTATS_BASE_BUFFER_H

#include "base/text.h"

#include <stdint.h>
#include <string.h>

struct buffer {
	char *data; /* owned; NULL while empty */
	size_t size, capacity;
	bool failed;
};

#define BUFFER_INIT ((struct buffer){NULL, 0, 0, false})

/* Free the bytes; the buffer is empty and usable again. */
void buffer_release(struct buffer *buffer);

/* True when an append failed for want of memory since the buffer was empty. */
bool buffer_failed(const struct buffer *buffer);

struct text buffer_text(const struct buffer *buffer);

/* Make room for that many more bytes. False where there is none; then nothing more is appended. */
bool buffer_grow(struct buffer *buffer, size_t more);

/* Add bytes that the caller fills in; NULL where there is no room. */
static inline char *buffer_add(struct buffer *buffer, size_t size)
{
	if (size > buffer->capacity - buffer->size && !buffer_grow(buffer, size))
		return NULL;
	buffer->size += size;
	return buffer->data + buffer->size - size;
}

/* These are here because of a string that is written in the source the compiler knows the length, and copies it in a few moves:
 * long answers consist of such strings. */
static inline void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	char *to = size > 0 ? buffer_add(buffer, size) : NULL;

	if (to)
		memcpy(to, data, size);
}

static inline void buffer_append_string(struct buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void buffer_append_text(struct buffer *buffer, struct text text);
void buffer_append_number(struct buffer *buffer, int64_t number); /* decimal */
void buffer_append_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put the bytes before what is there. */
void buffer_prepend(struct buffer *buffer, struct text text);

/* Append a JSON string with its quotes (RFC 8259, 7). The text must be UTF-8. */
void buffer_append_json(struct buffer *buffer, struct text text);

#endif
