/* The CGI gateway (RFC 3875): one request, from the environment and standard input to standard output. */
#ifndef FOCUSSTATS_GATEWAY_CGI_H
#define FOCUSSTATS_GATEWAY_CGI_H

#include "base/config.h"
#include "base/error.h"

/* Serve the request. STATUS_OK once an answer was written, whatever it says; STATUS_UNAVAILABLE where standard output
 * takes none. environment is NAME=VALUE strings, ended by NULL. */
enum status cgi_serve(const struct config *config, char *const *environment, struct error *error);

/* Answer 503 to a request that cannot be served for a reason that the log tells: bad settings. */
void cgi_answer_unavailable(void);

#endif
