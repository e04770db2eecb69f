/* What the workers wait for; see poller.h. */
#include "gateway/poller.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway/arrival.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_AGAIN_MS = 10,
	FULL_NAP_MS = 20,
	OWN_DESCRIPTORS = 40, /* those that are no connections: the engine's files and what it opens while it works */
	CONNECTIONS_LEAST = 8,
	DESCRIPTORS_MAX = 1 << 20, /* each has a state; systems without a bound let a process have a billion */
};

/* What an epoll event is about; with the descriptor it makes the event's data. */
enum kind { KIND_WAKE, KIND_CALL, KIND_TIMER, KIND_LISTENER, KIND_RELAY_LISTENER, KIND_CONNECTION };

/* The state of a connection. It is added to the epoll once, and each arrival is an event (EPOLLET), whoever has the connection then.
 * An event only tells where to look: one for a connection that is closed by now, its descriptor's number another's, does no harm. */
enum {
	HELD = 1,  /* by a worker, or in the list of slow ones; also what is closed */
	MORE = 2,  /* something came while it was held */
	KNOWN = 4, /* to the epoll */
	RELAY = 8,
};

static const uint32_t arrivals = EPOLLIN | EPOLLRDHUP | EPOLLET;

struct slow {
	int connection;
	int64_t deadline_ms; /* CLOCK_BOOTTIME */
};

static bool watch(struct poller *poller, int operation, int fd, enum kind kind, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd};

	return epoll_ctl(poller->epoll, operation, fd, &event) == 0;
}

/* As many descriptors as the system lets this process have. */
static unsigned raise_limit(void)
{
	struct rlimit files = {OWN_DESCRIPTORS + CONNECTIONS_LEAST, OWN_DESCRIPTORS + CONNECTIONS_LEAST};

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < DESCRIPTORS_MAX ? files.rlim_max : DESCRIPTORS_MAX;
	setrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NOFILE, &files);
	return (unsigned)files.rlim_cur;
}

enum status poller_init(struct poller *poller, struct error *error)
{
	unsigned descriptors = raise_limit();

	/* Every connection holds a descriptor; some are left to the engine. */
	*poller = (struct poller){
		.connections_max = descriptors > OWN_DESCRIPTORS + CONNECTIONS_LEAST ? descriptors - OWN_DESCRIPTORS
										     : CONNECTIONS_LEAST,
		.states = calloc(descriptors, sizeof *poller->states),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	poller->epoll = epoll_create1(EPOLL_CLOEXEC);
	poller->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	poller->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!poller->states || poller->epoll < 0 || poller->wake < 0 || poller->call < 0 || poller->timer < 0 ||
	    !watch(poller, EPOLL_CTL_ADD, poller->wake, KIND_WAKE, EPOLLIN) ||
	    !watch(poller, EPOLL_CTL_ADD, poller->call, KIND_CALL, EPOLLIN | EPOLLET) ||
	    !watch(poller, EPOLL_CTL_ADD, poller->timer, KIND_TIMER, EPOLLIN)) {
		error_set(error, STATUS_UNAVAILABLE, "preparing to wait for requests: %s", strerror(errno));
		poller_destroy(poller);
		return error->status;
	}
	return STATUS_OK;
}

void poller_destroy(struct poller *poller)
{
	int descriptors[] = {poller->epoll, poller->wake, poller->call, poller->timer};

	for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++)
		if (descriptors[i] >= 0)
			close(descriptors[i]);
	free(poller->states);
	free(poller->slow);
	pthread_mutex_destroy(&poller->mutex);
}

/* The listener is shared by all processes that the web server started with it, so one that another process was faster
 * to accept from must not block this one. EPOLLEXCLUSIVE wakes one of them. */
bool poller_listen(struct poller *poller, int listener, bool relay)
{
	int flags = fcntl(listener, F_GETFL);

	return flags >= 0 && fcntl(listener, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       watch(poller, EPOLL_CTL_ADD, listener, relay ? KIND_RELAY_LISTENER : KIND_LISTENER,
		     EPOLLIN | EPOLLEXCLUSIVE);
}

void poller_unlisten(struct poller *poller, int listener)
{
	epoll_ctl(poller->epoll, EPOLL_CTL_DEL, listener, NULL);
}

/* Added anew it is told of at once, where somebody waits to be accepted. */
void poller_look_at_listener(struct poller *poller, int listener)
{
	struct pollfd question = {.fd = listener, .events = POLLIN};

	if (poll(&question, 1, 0) != 1)
		return;
	poller_unlisten(poller, listener);
	if (!poller_listen(poller, listener, false))
		log_repeated("cannot watch the web server's socket: %s", strerror(errno));
}

void poller_closed(struct poller *poller)
{
	atomic_fetch_sub(&poller->connections, 1);
}

bool poller_is_crowded(const struct poller *poller)
{
	return atomic_load(&poller->connections) > poller->connections_max / 2;
}

static void drop(struct poller *poller, int connection)
{
	close(connection);
	poller_closed(poller);
}

/* Register a held connection, unless that is done. False, and it is dropped, where the system cannot. */
static bool make_known(struct poller *poller, int connection)
{
	if (atomic_load(&poller->states[connection]) & KNOWN)
		return true;
	atomic_fetch_or(&poller->states[connection], KNOWN);
	if (watch(poller, EPOLL_CTL_ADD, connection, KIND_CONNECTION, arrivals))
		return true;
	drop(poller, connection);
	return false;
}

/* Take hold of a connection. Whoever has it already learns that there is more. */
static bool claim(struct poller *poller, int connection)
{
	atomic_uint *state = &poller->states[connection];
	unsigned was = atomic_load(state);

	while (!atomic_compare_exchange_weak(state, &was, was | (was & HELD ? MORE : HELD)))
		continue;
	return (was & HELD) == 0;
}

/* Let go of a connection, to wait for what comes. False where something came since it was claimed: the caller has it still. */
static bool let_go(struct poller *poller, int connection)
{
	atomic_uint *state = &poller->states[connection];

	if (!make_known(poller, connection))
		return true;
	unsigned was = atomic_load(state);
	while (!atomic_compare_exchange_weak(state, &was, was ^ (was & MORE ? MORE : HELD)))
		continue;
	return (was & MORE) == 0;
}

/* What libfcgi may leave of a request is no arrival again. */
static enum arrival look(struct poller *poller, int connection)
{
	bool more;
	enum arrival arrival = arrival_look(connection, &more);

	if (more)
		atomic_fetch_or(&poller->states[connection], MORE);
	return arrival;
}

static void drop_bad(struct poller *poller, int connection)
{
	log_repeated("a request with a parameter of over %d bytes: its connection is closed", PARAMETER_MAX_BYTES);
	drop(poller, connection);
}

/* Arm the timer, or with 0 disarm it. */
static void look_again_in(struct poller *poller, long ms)
{
	const struct itimerspec time = {.it_value.tv_nsec = ms * 1000000};

	timerfd_settime(poller->timer, 0, &time, NULL);
}

static void add_slow(struct poller *poller, int connection)
{
	const struct slow slow = {connection, clock_boot_ms() + IO_TIMEOUT_S * 1000};
	bool kept = true;

	if (!make_known(poller, connection))
		return;
	pthread_mutex_lock(&poller->mutex);
	if (poller->slow_count == poller->slow_capacity) {
		size_t capacity = poller->slow_capacity ? poller->slow_capacity * 2 : 16;
		struct slow *more = realloc(poller->slow, capacity * sizeof *more);
		kept = more != NULL;
		if (kept) {
			poller->slow = more;
			poller->slow_capacity = capacity;
		}
	}
	if (kept) {
		poller->slow[poller->slow_count++] = slow;
		if (poller->slow_count == 1)
			look_again_in(poller, LOOK_AGAIN_MS);
	}
	pthread_mutex_unlock(&poller->mutex);
	if (!kept)
		drop(poller, connection);
}

/* Let go of a connection with a whole request, and have the epoll tell of it anew. Who hears of it may have closed it in between: then
 * that fails, or another connection is told of. */
void poller_pass_on(struct poller *poller, int connection)
{
	atomic_fetch_and(&poller->states[connection], KNOWN | RELAY);
	watch(poller, EPOLL_CTL_MOD, connection, KIND_CONNECTION, arrivals);
}

/* The epoll hands out at once those that are complete now. */
static void look_at_slow(struct poller *poller)
{
	uint64_t expirations;
	int64_t now_ms = clock_boot_ms();
	size_t left = 0;

	if (read(poller->timer, &expirations, sizeof expirations) != (ssize_t)sizeof expirations)
		return; /* another worker was faster */
	pthread_mutex_lock(&poller->mutex);
	for (size_t i = 0; i < poller->slow_count; i++) {
		struct slow slow = poller->slow[i];
		enum arrival arrival = look(poller, slow.connection);
		if (arrival == ARRIVED_WHOLE)
			poller_pass_on(poller, slow.connection);
		else if (arrival == ARRIVED_BAD)
			drop_bad(poller, slow.connection);
		else if (now_ms >= slow.deadline_ms)
			drop(poller, slow.connection);
		else
			poller->slow[left++] = slow;
	}
	poller->slow_count = left;
	if (left > 0)
		look_again_in(poller, LOOK_AGAIN_MS);
	pthread_mutex_unlock(&poller->mutex);
}

/* Whether the caller, who holds the connection, gets it; otherwise it is waited for. */
static bool hand_out(struct poller *poller, int connection)
{
	do {
		switch (look(poller, connection)) {
		case ARRIVED_WHOLE:
			return true;
		case ARRIVED_NOTHING:
			break;
		case ARRIVED_PART:
			add_slow(poller, connection);
			return false;
		case ARRIVED_BAD:
			drop_bad(poller, connection);
			return false;
		}
	} while (!let_go(poller, connection));
	return false;
}

bool poller_park(struct poller *poller, int connection)
{
	return !let_go(poller, connection) && hand_out(poller, connection);
}

/* Nobody takes the answer any more. The event may have been about another connection. */
static bool is_hung_up(int connection)
{
	struct pollfd question = {.fd = connection};

	return poll(&question, 1, 0) == 1 && (question.revents & POLLHUP);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = FULL_NAP_MS * 1000000L}, NULL);
}

static bool accept_one(struct poller *poller, int listener, bool relay, int *connection)
{
	static const struct timeval timeout = {.tv_sec = IO_TIMEOUT_S};

	if (atomic_fetch_add(&poller->connections, 1) >= poller->connections_max) {
		poller_closed(poller);
		log_repeated("%u connections are open, as many as there are descriptors for: more must wait",
			     poller->connections_max);
		nap();
		return false;
	}
	int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (accepted < 0) {
		int reason = errno;
		poller_closed(poller);
		if (reason == EMFILE || reason == ENFILE || reason == ENOMEM || reason == ENOBUFS) {
			log_repeated("accepting a connection: %s", strerror(reason));
			nap();
		}
		return false;
	}
	setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
	setsockopt(accepted, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
	atomic_store(&poller->states[accepted], relay ? HELD | RELAY : HELD);
	*connection = accepted;
	return hand_out(poller, accepted);
}

enum event poller_next(struct poller *poller, int *connection)
{
	struct epoll_event ready;
	bool handed_out = false;

	if (epoll_wait(poller->epoll, &ready, 1, -1) != 1)
		return EVENT_NONE;
	int fd = (int)(uint32_t)ready.data.u64;
	enum kind kind = (enum kind)(ready.data.u64 >> 32);
	switch (kind) {
	case KIND_WAKE:
		return EVENT_AWAKE;
	case KIND_CALL:
		return EVENT_CALL;
	case KIND_TIMER:
		look_at_slow(poller);
		break;
	case KIND_LISTENER:
	case KIND_RELAY_LISTENER:
		handed_out = accept_one(poller, fd, kind == KIND_RELAY_LISTENER, connection);
		break;
	case KIND_CONNECTION:
		*connection = fd;
		if (!claim(poller, fd))
			break;
		if (ready.events & EPOLLRDHUP) /* the end, with a request before it, is no arrival again */
			atomic_fetch_or(&poller->states[fd], MORE);
		if ((ready.events & EPOLLHUP) && is_hung_up(fd))
			drop(poller, fd);
		else
			handed_out = hand_out(poller, fd);
		break;
	}
	if (!handed_out)
		return EVENT_NONE;
	return atomic_load(&poller->states[*connection]) & RELAY ? EVENT_RELAY : EVENT_CONNECTION;
}

/* Each addition is an edge, which wakes one; nobody reads the sum, which does not overflow in this world's time. */
void poller_call(struct poller *poller)
{
	static const uint64_t one = 1;

	if (write(poller->call, &one, sizeof one) != (ssize_t)sizeof one)
		log_line("calling a worker: %s", strerror(errno));
}

void poller_wake(struct poller *poller)
{
	static const uint64_t one = 1;

	/* Nobody reads it, so it stays ready. Among what is ready the epoll goes round. */
	if (write(poller->wake, &one, sizeof one) != (ssize_t)sizeof one)
		log_line("waking the workers: %s", strerror(errno));
}
