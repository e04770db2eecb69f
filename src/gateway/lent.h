/* The listeners that other processes have handed over (handover.h), as those see them who accept from them. Each thread that waits may be told of
 * a connection on one at any time, also when another thread has just given it back and closed it, and its descriptor is another file's by now. So
 * who accepts looks here first, and keeps it from being closed meanwhile. Any thread may call these functions.
 */
#ifndef FOCUSSTATS_GATEWAY_LENT_H
#define FOCUSSTATS_GATEWAY_LENT_H

#include <pthread.h>
#include <stdbool.h>

enum { LENT_MAX = 64 }; /* web servers start a process for each processor, or a few dozen */

struct lent {
	pthread_rwlock_t lock; /* held to read while one is accepted from */
	int listeners[LENT_MAX];
	unsigned count;
};

void lent_init(struct lent *lent);
void lent_destroy(struct lent *lent);

/* False where there are as many as there may be. */
bool lent_add(struct lent *lent, int listener);

/* When this returns nobody accepts from it any more, and it may be closed. */
void lent_remove(struct lent *lent, int listener);

/* accept4(2) of a connection that is closed on exec; -1 with EAGAIN where the listener is none of these any more. */
int lent_accept(struct lent *lent, int listener);

#endif
