/* The FastCGI gateway; see fastcgi.h. */
#include "gateway/fastcgi.h"

#include "base/log.h"
#include "gateway/exchange.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	IO_TIMEOUT_S = 10,      /* for a request that was begun and not sent to its end, or an answer nobody takes */
	DRAIN_LIMIT_MS = 2500,  /* mod_fcgid kills 3 s after SIGTERM */
	DRAIN_EVENTS = 64,
	NO_DESCRIPTOR_NAP_MS = 20,
	EXIT_FATAL = 70,
	DISCARD_MAX = 64 << 20, /* bytes of a refused body: a server that is cut off while it sends loses the answer */
};

/* What an epoll event is about; with the descriptor it makes the event's data. */
enum kind { KIND_SIGNAL, KIND_WAKE, KIND_LISTENER, KIND_RELAY_LISTENER, KIND_CONNECTION, KIND_RELAY };

struct gateway {
	struct service service;
	int epoll, signals, wake;
	atomic_bool draining;
	pthread_mutex_t mutex; /* guards running */
	pthread_cond_t ended;
	unsigned running; /* workers */
};

static bool watch(struct gateway *gateway, int operation, int fd, enum kind kind, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd};

	return epoll_ctl(gateway->epoll, operation, fd, &event) == 0;
}

/* The listener is shared by all processes that the web server started with it, so one that another process was faster
 * to accept from must not block this one. EPOLLEXCLUSIVE wakes one of them. */
static bool watch_listener(struct gateway *gateway, int listener, enum kind kind)
{
	int flags = fcntl(listener, F_GETFL);

	return flags >= 0 && fcntl(listener, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       watch(gateway, EPOLL_CTL_ADD, listener, kind, EPOLLIN | EPOLLEXCLUSIVE);
}

static void relays_come_in(void *context, int listener)
{
	struct gateway *gateway = context;

	if (!watch_listener(gateway, listener, KIND_RELAY_LISTENER))
		log_line("cannot watch the relay socket: %s", strerror(errno));
}

static void end_process(void *context, const char *what)
{
	(void)context;
	log_line("%s: this process ends, the next one recovers the store", what);
	_exit(EXIT_FATAL);
}

static long read_stdin(void *context, char *data, size_t size)
{
	FCGX_Request *request = context;

	return FCGX_GetStr(data, (int)size, request->in);
}

/* Read what is left of the body: the web server looks for the answer, and has the connection for another request, only
 * when all is sent. */
static bool discard_stdin(FCGX_Request *request)
{
	char bytes[8192];
	long sum = 0;

	while (FCGX_HasSeenEOF(request->in) == 0 && sum < DISCARD_MAX) {
		int got = FCGX_GetStr(bytes, sizeof bytes, request->in);
		if (got <= 0)
			break;
		sum += got;
	}
	return FCGX_HasSeenEOF(request->in) != 0 && FCGX_GetError(request->in) == 0;
}

static void put(FCGX_Stream *stream, const struct buffer *buffer)
{
	size_t left = buffer->size;
	const char *from = buffer->data;

	while (left > 0) {
		int size = left < INT_MAX ? (int)left : INT_MAX;
		if (FCGX_PutStr(from, size, stream) != size)
			return;
		from += size;
		left -= (size_t)size;
	}
}

static void answer(struct gateway *gateway, FCGX_Request *request, bool relay)
{
	struct buffer output = BUFFER_INIT, log = BUFFER_INIT;
	const struct exchange_source source = {
		.parameters = request->envp,
		.read_body = read_stdin,
		.context = request,
		.relay = relay ? request->ipcFd : -1,
	};

	exchange_serve(&gateway->service, &source, &output, &log);
	bool whole = discard_stdin(request);
	put(request->err, &log);
	put(request->out, &output);
	if (!whole || atomic_load(&gateway->draining))
		request->keepConnection = 0;
	buffer_release(&output);
	buffer_release(&log);
}

/* Serve one request of the connection. Returns whether it is open still, for another. */
static bool serve_request(struct gateway *gateway, int connection, bool relay)
{
	FCGX_Request request;

	if (FCGX_InitRequest(&request, -1, 0) != 0) {
		close(connection);
		return false;
	}
	/* With no listener of its own, FCGX_Accept_r serves this connection or, where it is at its end or speaks no
	 * FastCGI, closes it and fails. Detached, it is closed at once and not after a wait for the other side. */
	request.ipcFd = connection;
	FCGX_Detach(&request);
	request.keepConnection = 1;
	if (FCGX_Accept_r(&request) != 0)
		return false;
	answer(gateway, &request, relay);
	FCGX_Finish_r(&request);
	return request.ipcFd >= 0;
}

static void serve_connection(struct gateway *gateway, int connection, bool relay, bool parked_before)
{
	if (!serve_request(gateway, connection, relay))
		return;
	if (!watch(gateway, parked_before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, connection,
		   relay ? KIND_RELAY : KIND_CONNECTION, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT))
		close(connection);
}

static void nap(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void accept_connection(struct gateway *gateway, int listener, bool relay)
{
	static const struct timeval timeout = {.tv_sec = IO_TIMEOUT_S};
	char first;

	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_line("accepting a connection: %s", strerror(errno));
			nap(NO_DESCRIPTOR_NAP_MS);
		}
		return;
	}
	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
	/* Most bring their request along. One that does not waits where it costs nobody's time. */
	if (recv(connection, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
		serve_connection(gateway, connection, relay, false);
	else if (!watch(gateway, EPOLL_CTL_ADD, connection, relay ? KIND_RELAY : KIND_CONNECTION,
			EPOLLIN | EPOLLRDHUP | EPOLLONESHOT))
		close(connection);
}

/* The first SIGTERM or SIGINT: no new requests; wake all workers, for good. */
static void begin_drain(struct gateway *gateway)
{
	static const uint64_t one = 1;

	if (atomic_exchange(&gateway->draining, true))
		return;
	epoll_ctl(gateway->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	owner_leave(&gateway->service.owner);
	if (write(gateway->wake, &one, sizeof one) != (ssize_t)sizeof one)
		log_line("waking the workers: %s", strerror(errno));
}

static void handle(struct gateway *gateway, const struct epoll_event *event)
{
	int fd = (int)(uint32_t)event->data.u64;
	enum kind kind = (enum kind)(event->data.u64 >> 32);
	struct signalfd_siginfo info;

	switch (kind) {
	case KIND_SIGNAL:
		while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
			begin_drain(gateway);
		break;
	case KIND_WAKE:
		break;
	case KIND_LISTENER:
	case KIND_RELAY_LISTENER:
		accept_connection(gateway, fd, kind == KIND_RELAY_LISTENER);
		break;
	case KIND_CONNECTION:
	case KIND_RELAY:
		if ((event->events & EPOLLIN) == 0 || (event->events & EPOLLHUP) != 0)
			close(fd);
		else
			serve_connection(gateway, fd, kind == KIND_RELAY, true);
		break;
	}
}

static bool brings_work(const struct epoll_event *event)
{
	enum kind kind = (enum kind)(event->data.u64 >> 32);

	return kind != KIND_SIGNAL && kind != KIND_WAKE;
}

/* While draining: whatever has arrived, until there is nothing more. */
static void drain(struct gateway *gateway)
{
	struct epoll_event events[DRAIN_EVENTS];
	bool work = true;

	while (work) {
		int count = epoll_wait(gateway->epoll, events, DRAIN_EVENTS, 0);
		work = false;
		for (int i = 0; i < count; i++) {
			work |= brings_work(&events[i]);
			handle(gateway, &events[i]);
		}
	}
}

static void *work(void *context)
{
	struct gateway *gateway = context;
	struct epoll_event event;

	while (!atomic_load(&gateway->draining))
		if (epoll_wait(gateway->epoll, &event, 1, -1) == 1)
			handle(gateway, &event);
	drain(gateway);
	pthread_mutex_lock(&gateway->mutex);
	gateway->running--;
	pthread_cond_signal(&gateway->ended);
	pthread_mutex_unlock(&gateway->mutex);
	return NULL;
}

/* Wait for the drain to begin, then for the workers' end; false where one of them does not come to it in time. */
static bool wait_for_workers(struct gateway *gateway)
{
	struct pollfd wake = {.fd = gateway->wake, .events = POLLIN};
	struct timespec until;
	int result = 0;

	while (poll(&wake, 1, -1) != 1)
		continue;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += DRAIN_LIMIT_MS % 1000 * 1000000L;
	until.tv_sec += DRAIN_LIMIT_MS / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&gateway->mutex);
	while (gateway->running > 0 && result != ETIMEDOUT)
		result = pthread_cond_clockwait(&gateway->ended, &gateway->mutex, CLOCK_MONOTONIC, &until);
	bool all = gateway->running == 0;
	pthread_mutex_unlock(&gateway->mutex);
	return all;
}

static enum status system_lacks(struct error *error, const char *what, int reason)
{
	return error_set(error, STATUS_UNAVAILABLE, "%s: %s", what, strerror(reason));
}

static enum status set_up(struct gateway *gateway, struct error *error)
{
	struct rlimit files;
	sigset_t signals;

	/* Every idle connection holds a descriptor. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1); /* libfcgi installs a handler for it that ends the accepting */
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigdelset(&signals, SIGUSR1);
	if (FCGX_Init() != 0)
		return system_lacks(error, "preparing libfcgi", ENOMEM);
	gateway->epoll = epoll_create1(EPOLL_CLOEXEC);
	gateway->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	gateway->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (gateway->epoll < 0 || gateway->signals < 0 || gateway->wake < 0 ||
	    !watch(gateway, EPOLL_CTL_ADD, gateway->signals, KIND_SIGNAL, EPOLLIN) ||
	    !watch(gateway, EPOLL_CTL_ADD, gateway->wake, KIND_WAKE, EPOLLIN))
		return system_lacks(error, "preparing to wait for requests", errno);
	return STATUS_OK;
}

static int start_workers(struct gateway *gateway, pthread_t *workers, unsigned threads, unsigned *started)
{
	*started = 0;
	if (!watch_listener(gateway, STDIN_FILENO, KIND_LISTENER))
		return errno;
	pthread_mutex_lock(&gateway->mutex);
	int result = 0;
	while (*started < threads && (result = pthread_create(&workers[*started], NULL, work, gateway)) == 0)
		++*started;
	gateway->running = *started;
	pthread_mutex_unlock(&gateway->mutex);
	return result;
}

static enum status run(struct gateway *gateway, unsigned threads, struct error *error)
{
	pthread_t *workers = calloc(threads, sizeof *workers);

	if (!workers)
		return system_lacks(error, "starting the workers", ENOMEM);
	unsigned started;
	int result = start_workers(gateway, workers, threads, &started);
	if (result != 0)
		begin_drain(gateway);
	if (!wait_for_workers(gateway)) {
		log_line("stopped while requests were still being served; the next owner recovers the store");
		_exit(EXIT_SUCCESS);
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(workers[i], NULL);
	free(workers);
	return result == 0 ? STATUS_OK : system_lacks(error, "starting the workers", result);
}

enum status fastcgi_serve(const struct config *config, struct error *error)
{
	struct gateway gateway = {
		.service = {.policy = exchange_policy(config), .ids = UUID_SOURCE_INIT},
		.epoll = -1,
		.signals = -1,
		.wake = -1,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
	};
	const struct owner_options options = {
		.patience_ms = config->relay_timeout_ms,
		.listening = relays_come_in,
		.fatal = end_process,
		.context = &gateway,
	};

	if (set_up(&gateway, error) == STATUS_OK &&
	    owner_init(&gateway.service.owner, config->home, &options, error) == STATUS_OK) {
		error->status = run(&gateway, config->threads, error);
		owner_destroy(&gateway.service.owner);
	}
	close(gateway.epoll);
	close(gateway.signals);
	close(gateway.wake);
	return error->status;
}
