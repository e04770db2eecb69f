/* A service with a store in a folder of its own, for the targets that send whole requests. It is opened with the first one, is one process's
 * and one thread's, and gone when the process ends.
 */
#ifndef FOCUSSTATS_TESTS_FUZZ_SHOP_H
#define FOCUSSTATS_TESTS_FUZZ_SHOP_H

#include "base/buffer.h"

#include <stdbool.h>

/* Send a request with these parameters, NAME=VALUE and ended by NULL. relayed: as another process of ours does over the home's socket;
 * otherwise as a web server, to a service that wants somebody signed in, or not. The answer is the caller's. */
void shop_send(char *const *parameters, struct text body, bool relayed, bool auth_required, struct buffer *answer);

/* Throw the store away: the next request finds an empty one. */
void shop_clear(void);

#endif
