/* One request from its parameters to its answer, alike for FastCGI and CGI. */
#ifndef FOCUSSTATS_GATEWAY_EXCHANGE_H
#define FOCUSSTATS_GATEWAY_EXCHANGE_H

#include "gateway/owner.h"

/* What all requests of a process share. */
struct service {
	struct policy policy;
	struct uuid_source ids;
	struct owner owner;
};

/* Where a request comes from. */
struct exchange_source {
	char *const *parameters; /* NAME=VALUE strings, ended by NULL */
	/* Read up to size bytes of the body; 0 at its end, negative where the connection broke. */
	long (*read_body)(void *context, char *data, size_t size);
	void *context;
	void (*body_is_read)(void *context); /* NULL, or called once nothing more of the request is needed */
	void *body_context;
	int relay; /* the connection, where another process of ours sent it over the relay socket; otherwise -1 */
};

/* Serve the request: output gets status, headers and body, ready to be sent; log a line for the web server's log, with
 * its newline, or nothing. For a relayed request log gets the detail of the error for the process in front. */
void exchange_serve(struct service *service, const struct exchange_source *source, struct buffer *output,
		    struct buffer *log);

/* The policy that the settings ask for. */
struct config;
struct policy exchange_policy(const struct config *config);

#endif
