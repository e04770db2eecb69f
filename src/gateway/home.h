/* The home folder: whose it is, the lock that makes a process its owner, and the socket on which the owner is reached.
 *
 * Files in it, besides the store's: `lock`, locked as long as the owner lives (the kernel lets go however it dies);
 * `relay.sock`, which only the holder of the lock touches; `host`, only on a network file system, where locks may
 * not reach other hosts: the name of the host whose process owned the home last and did not leave in order.
 */
#ifndef FOCUSSTATS_GATEWAY_HOME_H
#define FOCUSSTATS_GATEWAY_HOME_H

#include "base/error.h"
#include "base/text.h"

struct home {
	const char *path; /* absolute, for people; the caller's */
	char reach
		[64]; /* the path by which its files are reached: by descriptor, so that they stay those of this folder
	                   * whatever is moved or renamed meanwhile; "" where there is no /proc */
	int folder;   /* descriptor of the folder; locked, too, while the lock is held */
	int lock;     /* descriptor of the lock while held, or -1 */
	bool network; /* on a network file system */
};

/* Open the folder, created with mode 0700 if it is missing and its parent is there. It must be a folder of this
 * process's user that nobody else can enter or write: STATUS_INVALID with a text that names it otherwise. */
enum status home_open(struct home *home, const char *path, struct error *error);
void home_close(struct home *home);

/* Open the folder as it is, only to look at it: nothing is created, nothing required of it. Returns 0 or an errno. */
int home_look(struct home *home, const char *path);

/* The path by which the files of the folder are to be opened. */
const char *home_reach(const struct home *home);

/* Try to take the lock, for up to wait_ms. Those who wait get it in the order in which they came, more or less: the
 * kernel's queue. STATUS_OK with *taken telling whether; STATUS_UNAVAILABLE with a detail where it cannot be had at
 * all. */
enum status home_lock(struct home *home, int wait_ms, bool *taken, struct error *error);

/* Whether another process has the lock, without trying to take it. Returns 0 or an errno; a missing file is not held. */
int home_locked(const struct home *home, bool *held);

/* For the holder of the lock: STATUS_UNAVAILABLE where one of the store's files is a symbolic link. The engine would follow it, and write or make a
 * file that is not of this folder. Its settings, DB_CONFIG, are only read and may be one. */
enum status home_check_links(const struct home *home, struct error *error);

/* Let the lock go. */
void home_unlock(struct home *home);

/* For the holder of the lock: listen on relay.sock (mode 0600, not blocking), in place of whatever was there; and take
 * the socket away. The descriptor is the caller's. */
enum status home_listen(struct home *home, int *listener, struct error *error);
void home_unlisten(struct home *home);

/* Connect to relay.sock, without blocking. Returns 0 and a descriptor that does not block, or an errno: ENOENT and
 * ECONNREFUSED where nobody listens, EAGAIN where the owner's queue is full. */
int home_connect(const struct home *home, int *connection);

#endif
