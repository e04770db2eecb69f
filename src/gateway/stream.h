/* What the FastCGI gateway has libfcgi read and send, and what it sends in its place. */
#ifndef FOCUSSTATS_GATEWAY_STREAM_H
#define FOCUSSTATS_GATEWAY_STREAM_H

#include "base/buffer.h"

#include <fcgiapp.h>
#include <stdbool.h>

/* libfcgi ends the process where memory is short. Have in this thread's heap what it needs, or wait a moment for others to give
 * some back; false where nobody does. */
bool stream_has_room(void);

/* Read the body: for struct exchange_source; context is an FCGX_Request. */
long stream_read(void *context, char *data, size_t size);

/* Read what is left of the body: the web server looks for the answer, and has the connection for another request, only
 * when all is sent. False where that does not come. */
bool stream_discard(FCGX_Request *request);

/* Send the answer. Where the other side does not take it, its connection is not kept. */
void stream_put(FCGX_Request *request, const struct buffer *output);

#endif
