/* A listening socket that the web server gave to one process, handed over to the one that owns the store, which then serves what comes
 * in on it as its own: no relay stands between.
 *
 * The process in front, once the owner has answered it a relayed request, connects to relay.sock and sends there what it was given as
 * descriptor 0 (unix(7), SCM_RIGHTS), with its version and those of its settings that requests depend on. The first byte is none of
 * FastCGI's, so an older owner closes the connection at once, as it does with all that is no FastCGI; and an owner that does not want the
 * listener does the same. Relaying goes on then. Otherwise the owner answers a byte, and both keep the connection: its end is how either
 * notices that the other has ended or is leaving, for the kernel closes it however a process ends. As long as it is open the process in
 * front does not accept on its descriptor 0; after that it does, and finds in the listener's queue whoever came meanwhile. The owner lets
 * the listener go, and answers what it has accepted.
 *
 * An owner that stands still accepts nothing and says nothing. So who has handed over looks once a second, with the look that it takes at
 * slow peers anyway, whether somebody waits on the listener. If so it sends a byte, which an owner that works answers with another; where
 * no answer is there at the next look, it accepts again itself and relays, which has time limits.
 *
 * Two epolls that watch one listener with EPOLLEXCLUSIVE are told of a connection by turns. One that is told, and stops watching before it
 * has accepted, keeps the connection from the other, until the next one comes. So the one in front stops before it offers, as a listener is
 * looked at when it is added; and the owner that stops accepts what waits.
 *
 * What the owner does not take: a listener of a process of other settings or another version, as its requests would be checked by the
 * wrong ones; its own descriptor 0, or one that it has already, where processes share one: each accepts from it as before; more than
 * LENT_MAX; anything but one listening stream socket. Any thread may call these functions.
 */
#ifndef FOCUSSTATS_GATEWAY_HANDOVER_H
#define FOCUSSTATS_GATEWAY_HANDOVER_H

#include "base/config.h"
#include "gateway/home.h"
#include "gateway/poller.h"

#include <sys/types.h>

enum { HANDOVER_MESSAGE_BYTES = 4096 };

/* At the owner: a listener that it has from another process. */
struct borrowed {
	int connection, listener;
	dev_t device;
	ino_t inode; /* of the socket, by which it is known whatever descriptor it has */
};

struct handover {
	struct poller *poller;
	const struct home *home;
	char message[HANDOVER_MESSAGE_BYTES]; /* version and settings */
	size_t message_size;                  /* 0 where they do not fit, and nothing is handed over */
	pthread_mutex_t mutex;                /* guards what follows */
	bool leaving;
	int owner;           /* in front: the connection to it, or -1: this process accepts on descriptor 0 itself */
	bool wanted;         /* the owner has answered on it */
	bool deaf;           /* accepting again failed, and is to be tried again */
	int64_t asked_at_ms; /* since when an answer is missing, CLOCK_BOOTTIME; 0: none is */
	int64_t rest_end_ms; /* not offered again before, CLOCK_BOOTTIME */
	struct borrowed borrowed[LENT_MAX];
	unsigned borrowed_count;
};

/* The poller and the home must outlive it. */
void handover_init(struct handover *handover, struct poller *poller, const struct home *home,
		   const struct config *config);
void handover_destroy(struct handover *handover);

/* In front: hand descriptor 0 over, unless that is done or was refused just now. There is an owner, as it has answered. Does not wait. */
void handover_offer(struct handover *handover);

/* At the owner: whether what is on a connection of relay.sock is such an offer, or no FastCGI at all; and take it. The connection, which
 * the poller counts, is no longer the caller's. */
bool handover_is_offer(int connection);
void handover_receive(struct handover *handover, int connection);

/* For EVENT_HANDOVER: hear what the other side says. */
void handover_hear(struct handover *handover, int connection);

/* Once a second: see to it that nobody waits for an owner that stands still. */
void handover_look(struct handover *handover);

/* This process is about to stop: let the other sides know, hand nothing over and take nothing more. */
void handover_leave(struct handover *handover);

#endif
