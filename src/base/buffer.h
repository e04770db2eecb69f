/* A growing run of bytes. Where memory runs out the buffer remembers it, appends nothing more, and the owner
 * asks once, at the end (buffer_failed).
 */
#ifndef FOCUSSTATS_BASE_BUFFER_H
#define FOCUSSTATS_BASE_BUFFER_H

#include "base/text.h"

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

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_text(struct buffer *buffer, struct text text);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put the bytes before what is there. */
void buffer_prepend(struct buffer *buffer, struct text text);

/* Append a JSON string with its quotes (RFC 8259, 7). The text must be UTF-8. */
void buffer_append_json(struct buffer *buffer, struct text text);

#endif
