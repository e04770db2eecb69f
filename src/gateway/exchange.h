/* One request from its parameters to its answer, alike for FastCGI and CGI. */
#ifndef FOCUSSTATS_GATEWAY_EXCHANGE_H
#define FOCUSSTATS_GATEWAY_EXCHANGE_H

#include "gateway/owner.h"
#include "gateway/relay.h"

/* What all requests of a process share. */
struct service {
	struct policy policy;
	struct uuid_source ids;
	struct owner owner;
};

struct exchange;

/* Where a request comes from. */
struct exchange_source {
	char *const *parameters; /* NAME=VALUE strings, ended by NULL */
	/* Read up to size bytes of the body; 0 at its end, negative where the connection broke. */
	long (*read_body)(void *context, char *data, size_t size);
	void *context;
	void (*body_is_read)(void *context); /* NULL, or called once nothing more of the request is needed */
	void *body_context;
	int relay; /* the connection, where another process of ours sent it over the relay socket; otherwise -1 */
	/* NULL: exchange_serve waits for the disk. Otherwise it need not, and this is called, in a thread that all writes wait for, so
	 * that it must not wait for anything. */
	void (*written)(struct exchange *exchange);
};

/* The parameters of interest, the relay's own ones among them (relay.h). Views of the source's. */
struct incoming {
	struct request request;
	struct text auth, admin, now, new_id, deadline, repeated;
};

/* A request under way. */
struct exchange {
	struct service *service;
	struct exchange_source source;
	struct incoming incoming;
	struct policy policy;
	struct relay_gate relay_gate;
	struct store_gate gate;
	struct call call;
	struct answer answer;
	struct buffer body;
	struct error error;
	struct owner_write write;
	int64_t begun_ns;
};

/* Serve the request up to its answer. True where exchange_finish may be called now. False only with source->written: then
 * a write goes on in the store, nothing of the exchange may be touched, and that is called once exchange_finish may be, which may be at once
 * and in another thread. */
bool exchange_serve(struct exchange *exchange, struct service *service, const struct exchange_source *source);

/* Complete the answer: output gets status, headers and body, ready to be sent; log a line for the web server's log, with
 * its newline, or nothing. For a relayed request log gets the detail of the error for the process in front. Ends the exchange. */
void exchange_finish(struct exchange *exchange, struct buffer *output, struct buffer *log);

/* The policy that the settings ask for. */
struct config;
struct policy exchange_policy(const struct config *config);

#endif
