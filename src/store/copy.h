/* A copy of the open store in a folder, made while others read and write. All that was on the disk when it began is in it, once
 * it is opened as a copy (store_options): the pages are of different moments, and the log makes up for that. What is written is
 * not synced.
 *
 * It is made by a thread, so that no request waits for it, and is given up when the store closes. Any thread may call.
 */
#ifndef FOCUSSTATS_STORE_COPY_H
#define FOCUSSTATS_STORE_COPY_H

#include "store/environment.h"

#include <pthread.h>
#include <stdatomic.h>

struct copying {
	struct environment *environment;
	pthread_mutex_t control; /* held by who begins or gives up a copy */
	bool started;            /* the thread is to be joined; under control */
	pthread_t thread;
	atomic_bool stopping;
	int folder; /* descriptor of the copy, while the thread runs */
	atomic_uint_fast64_t bytes, expected_bytes;
	pthread_mutex_t mutex; /* guards what follows */
	struct uuid id;
	bool running;
	struct error error;
};

enum status copying_init(struct copying *copying, struct environment *environment, struct error *error);

/* Give up what is under way. */
void copying_destroy(struct copying *copying);

/* As store_begin_copy and store_get_copy. */
enum status copying_begin(struct copying *copying, const struct uuid *id, struct error *error);
void copying_get(struct copying *copying, struct store_copy *copy);

#endif
