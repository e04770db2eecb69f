/* Whether this process owns the store or another one does, and what follows for each call: it is carried out here, or
 * relayed; and where no owner answers, this process takes the place. Any thread may call owner_execute.
 */
#ifndef FOCUSSTATS_GATEWAY_OWNER_H
#define FOCUSSTATS_GATEWAY_OWNER_H

#include "api/action.h"
#include "gateway/relay.h"

#include <pthread.h>
#include <stdatomic.h>

/* The exit status of a process that must not go on with the store: it ends in `fatal`, below. */
enum { EXIT_FATAL = 70 };

struct owner_options {
	bool once;       /* for one request: no listening for relays */
	bool job;        /* with `once`: for many of them, one after the other */
	int patience_ms; /* how long a call may wait for an owner */
	/* Called when this process has become the owner, with the socket on which relays come in. NULL where once. */
	void (*listening)(void *context, int listener);
	/* See struct store_options. */
	void (*fatal)(void *context, const char *what);
	void *context;
};

struct owner {
	struct owner_options options;
	struct home home;
	struct relay_pool relays;
	struct metrics *metrics; /* of the home folder; NULL where there is no memory */
	pthread_mutex_t mutex;   /* guards taking, and goes with `taken` */
	pthread_cond_t taken;
	bool taking; /* a thread of this process tries to become the owner; it alone has what is marked so */
	_Atomic(struct store *) store; /* NULL while another process is the owner, or none */
	int listener;
	int64_t failed_at_ms; /* when taking the place last failed, CLOCK_BOOTTIME; 0 for never; marked so */
	struct error failure; /* the reason; marked so */
	atomic_bool leaving;
};

/* For `fatal`, here and in struct store_options: log what happened and end this process with EXIT_FATAL; nothing of it may touch the store
 * any more. */
void owner_end_process(void *context, const char *what);

/* Open the home folder (home_open) and, where no other process is the owner, become it. STATUS_INVALID where the folder
 * cannot be used; a store that cannot be opened is logged, and tried again by the calls. */
enum status owner_init(struct owner *owner, const char *home, const struct owner_options *options, struct error *error);

/* A write that goes on in the store once owner_execute has returned. */
struct owner_write {
	struct operation operation;
	struct store_pending pending;
};

/* Carry the call out, here or through the owner. error->status tells whether body holds the action's answer or error
 * the refusal. STATUS_UNAVAILABLE where no owner could do it in time; the text says whether it may have happened.
 *
 * True where that is done. False only with a `write`: then it goes on in the store, the call, the write and the error are the store's
 * until write->pending.done is called, which may be at once and in another thread, and owner_complete does the rest. Its `done` must not wait
 * for anything. NULL: wait here. */
bool owner_execute(struct owner *owner, struct call *call, struct owner_write *write, struct buffer *body,
		   struct error *error);

/* After `done`: append the answer, or say in the error what became of the request. */
void owner_complete(const struct call *call, const struct owner_write *write, struct buffer *body, struct error *error);

/* This process is about to stop: relay and take over no more; relays are not accepted under the home's name from now. */
void owner_leave(struct owner *owner);

/* Close the store and let the lock go. No call and no write may be under way. */
void owner_destroy(struct owner *owner);

#endif
