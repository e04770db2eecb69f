/* Between a process that was handed a request and the one that owns the store: a FastCGI connection (FastCGI
 * Specification 1.0, 3) to relay.sock, kept for the next request where there may be one. What is sent was checked already; beside the CGI parameters it
 * carries these:
 *
 *   FOCUSSTATS_AUTH       `required` or `none`: whether REMOTE_USER is who acts
 *   FOCUSSTATS_ADMIN      `1` where that one may act for all
 *   FOCUSSTATS_NOW        when the request came in, ms since 1970
 *   FOCUSSTATS_NEW_ID     the id for what the action creates, if it does
 *   FOCUSSTATS_DEADLINE   CLOCK_BOOTTIME ms after which it must not be carried out
 *   FOCUSSTATS_REPEATED   `1` where it was sent before and the answer was lost
 *
 * Before the owner carries out a write it sends a record of the type RELAY_COMMITTING, then looks at the deadline. So who
 * waits until the deadline and has seen no such record knows that the write will never be carried out. What the
 * owner writes to FCGI_STDERR is the detail of its error, for the log of the process in front.
 */
#ifndef FOCUSSTATS_GATEWAY_RELAY_H
#define FOCUSSTATS_GATEWAY_RELAY_H

#include "api/action.h"
#include "gateway/home.h"

#include <pthread.h>

enum {
	RELAY_COMMITTING = 100, /* a record type of our own; FastCGI's end at 11 */
	/* Connections in a pool. They take descriptors that the poller leaves to the engine (OWN_DESCRIPTORS), which has none open in a process that relays. */
	RELAY_KEPT_MAX = 24,
};

/* The connections of a process that wait for its next request. Any thread may use it. */
struct relay_pool {
	pthread_mutex_t mutex;
	unsigned count;
	int connections[RELAY_KEPT_MAX];
};

void relay_pool_init(struct relay_pool *pool);
void relay_pool_close(struct relay_pool *pool);

enum relay_outcome {
	RELAY_ANSWERED, /* the answer, or the owner's refusal, is there */
	RELAY_NO_OWNER, /* nobody listens; nothing was carried out */
	RELAY_NOT_DONE, /* there is an owner, but it did not carry the call out, and will not */
	RELAY_UNKNOWN,  /* the answer is lost, and it may have been carried out */
};

/* Send the call and wait for the answer until deadline_ms (CLOCK_BOOTTIME). Where it is RELAY_ANSWERED, error->status
 * tells whether body holds the action's answer or error the refusal; otherwise neither is touched. The connection is one of the
 * pool's, or a new one that becomes one; with NULL it is a new one and closed. */
enum relay_outcome relay_forward(const struct home *home, struct relay_pool *pool, const struct call *call,
				 int64_t deadline_ms, struct buffer *body, struct error *error);

/* At the owner: what stands between a relayed write and its being carried out. */
struct relay_gate {
	int connection;
	int64_t deadline_ms; /* CLOCK_BOOTTIME */
	bool asked, open;    /* a call of several writes is let through, or not, as a whole */
};

/* For struct store_gate; context is a struct relay_gate. */
bool relay_may_go_on(void *context);

#endif
