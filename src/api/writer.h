/* Writing a JSON document piece by piece: keys, brackets and the commas between them. Memory that runs out is the buffer's
 * business (buffer.h).
 */
#ifndef FOCUSSTATS_API_WRITER_H
#define FOCUSSTATS_API_WRITER_H

#include "base/buffer.h"

struct writer {
	struct buffer *out;
	bool comma; /* the next thing needs one before it */
};

/* Each writes one value: with its key in an object, with NULL in an array or as the document itself. Texts are UTF-8. */
void writer_begin_object(struct writer *writer, const char *key);
void writer_end_object(struct writer *writer);
void writer_begin_array(struct writer *writer, const char *key);
void writer_end_array(struct writer *writer);
void writer_string(struct writer *writer, const char *key, const char *string);
void writer_integer(struct writer *writer, const char *key, long long integer);
void writer_boolean(struct writer *writer, const char *key, bool boolean);

#endif
