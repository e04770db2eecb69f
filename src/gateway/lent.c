/* Listeners of other processes; see lent.h. */
#include "gateway/lent.h"

#include <errno.h>
#include <sys/socket.h>

void lent_init(struct lent *lent)
{
	/* One who gives back must get his turn, however many accept. */
	*lent = (struct lent){.lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP};
}

void lent_destroy(struct lent *lent)
{
	pthread_rwlock_destroy(&lent->lock);
}

static unsigned find(const struct lent *lent, int listener)
{
	unsigned i = 0;

	while (i < lent->count && lent->listeners[i] != listener)
		i++;
	return i;
}

bool lent_add(struct lent *lent, int listener)
{
	pthread_rwlock_wrlock(&lent->lock);
	bool room = lent->count < LENT_MAX;
	if (room)
		lent->listeners[lent->count++] = listener;
	pthread_rwlock_unlock(&lent->lock);
	return room;
}

void lent_remove(struct lent *lent, int listener)
{
	pthread_rwlock_wrlock(&lent->lock);
	unsigned i = find(lent, listener);
	if (i < lent->count)
		lent->listeners[i] = lent->listeners[--lent->count];
	pthread_rwlock_unlock(&lent->lock);
}

int lent_accept(struct lent *lent, int listener)
{
	int accepted = -1, reason = EAGAIN;

	pthread_rwlock_rdlock(&lent->lock);
	if (find(lent, listener) < lent->count) {
		accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		reason = errno;
	}
	pthread_rwlock_unlock(&lent->lock);
	errno = reason;
	return accepted;
}
