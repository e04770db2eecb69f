/* What the workers wait for, in one epoll: the listeners, and connections between requests.
 *
 * A connection that brings a request is handed out once the request is there as a whole, so that a sender who takes
 * his time costs no worker's: the bytes are looked at without taking them from the socket. What is incomplete is looked
 * at again at short intervals, and closed after IO_TIMEOUT_S seconds.
 */
#ifndef FOCUSSTATS_GATEWAY_POLLER_H
#define FOCUSSTATS_GATEWAY_POLLER_H

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { IO_TIMEOUT_S = 10 }; /* for a request to arrive, and for an answer to be taken */

enum event {
	EVENT_NONE,       /* nothing for the caller to do */
	EVENT_AWAKE,      /* poller_wake was called; whatever was ready is handed out before this comes again */
	EVENT_CONNECTION, /* a connection of the web server has a request, or is at its end */
	EVENT_RELAY,      /* the same for one over the relay socket */
	EVENT_CALL,       /* poller_call was called; one waiter gets it */
};

struct slow; /* a connection whose request is incomplete */

struct poller {
	int epoll, wake, call, timer;
	unsigned connections_max;
	atomic_uint connections; /* open, whether a worker has them or not */
	atomic_uint *states;     /* of connections, by descriptor */
	pthread_mutex_t mutex;   /* guards what follows */
	struct slow *slow;
	size_t slow_count, slow_capacity;
};

/* STATUS_UNAVAILABLE where the system lacks something. */
enum status poller_init(struct poller *poller, struct error *error);
void poller_destroy(struct poller *poller);

/* Accept connections of the web server, or of relays, from now on; or no more. False with errno set on failure. */
bool poller_listen(struct poller *poller, int listener, bool relay);
void poller_unlisten(struct poller *poller, int listener);

/* To be called from time to time for a listener of the web server that other processes have, too: of a connection the system tells one of
 * them, and where that one was killed before it could accept it, nobody else hears of it. */
void poller_look_at_listener(struct poller *poller, int listener);

/* Wait for something to do. Where the event is a connection, *connection is the caller's, who gives it back with
 * poller_park or poller_closed. */
enum event poller_next(struct poller *poller, int *connection);

/* Take a connection back, to wait for its next request. True where that is there already: the connection is the caller's again. */
bool poller_park(struct poller *poller, int connection);

/* Leave a connection that poller_park has given back to another one who waits. */
void poller_pass_on(struct poller *poller, int connection);

/* Whether so many connections are open that those which wait for another request had better be closed. */
bool poller_is_crowded(const struct poller *poller);

/* The connection was closed. */
void poller_closed(struct poller *poller);

/* Have one of those who wait get EVENT_CALL. Does not wait for anything. */
void poller_call(struct poller *poller);

/* Let nobody wait any more, from now on. */
void poller_wake(struct poller *poller);

#endif
