/* The FastCGI gateway; see fastcgi.h. */
#include "gateway/fastcgi.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway/exchange.h"
#include "gateway/poller.h"
#include "gateway/stream.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	DRAIN_LIMIT_MS = 2500,     /* mod_fcgid kills 3 s after SIGTERM */
	ANSWER_TIMEOUT_MS = 30000, /* for all of an answer to be taken, also by a server that does not buffer it */
	WATCH_INTERVAL_S = 1,
	WORKERS_AT_START = 4,
};

/* What a worker does with a connection that depends on the other side. The thread that watches ends it at the deadline: the
 * time-outs of the socket begin anew with each byte. */
struct peer {
	pthread_mutex_t mutex;
	int connection;      /* -1: nothing to watch */
	int64_t deadline_ms; /* CLOCK_BOOTTIME */
};

/* A request under way. While its write goes on in the store no worker has it. */
struct serving {
	FCGX_Request request;
	struct exchange exchange;
	struct gateway *gateway;
	struct serving *next;
};

struct gateway {
	struct service service;
	struct poller poller;
	unsigned threads;
	atomic_bool draining;
	atomic_uint idle, started;              /* workers: that wait for something to do, and all there have been */
	pthread_t *workers;                     /* as many as there may be threads */
	pthread_mutex_t mutex;                  /* guards all below */
	pthread_cond_t changed;                 /* running */
	pthread_cond_t rest;                    /* while it drains: in_hand or written */
	unsigned running;                       /* workers */
	unsigned in_hand;                       /* requests that are not answered yet */
	struct serving *written, **written_end; /* those of them whose write is on the disk, in that order */
	bool answering;                         /* a worker was called for these, and goes on until there are none */
	unsigned answered, answered_before;     /* how many were, and how many at the last look */
	unsigned peers_used;
	struct peer *peers; /* one a worker */
};

static void expect(struct peer *peer, int connection, int64_t within_ms)
{
	pthread_mutex_lock(&peer->mutex);
	peer->connection = connection;
	peer->deadline_ms = clock_boot_ms() + within_ms;
	pthread_mutex_unlock(&peer->mutex);
}

static void expect_nothing(struct peer *peer)
{
	expect(peer, -1, 0);
}

static void end_overdue(struct gateway *gateway)
{
	int64_t now_ms = clock_boot_ms();

	for (unsigned i = 0; i < gateway->threads; i++) {
		struct peer *peer = &gateway->peers[i];
		pthread_mutex_lock(&peer->mutex);
		if (peer->connection >= 0 && now_ms >= peer->deadline_ms) {
			shutdown(peer->connection, SHUT_RDWR);
			peer->connection = -1;
		}
		pthread_mutex_unlock(&peer->mutex);
	}
}

static void relays_come_in(void *context, int listener)
{
	struct gateway *gateway = context;

	if (!poller_listen(&gateway->poller, listener, true))
		log_line("cannot watch the relay socket: %s", strerror(errno));
}

/* The request is read, and nothing more is expected of the other side until the answer. */
static void request_is_read(void *context)
{
	expect_nothing(context);
}

/* Send the answer. */
static void answer(struct serving *serving, struct peer *peer)
{
	static const char no_memory[] =
		"Status: 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\r\n"
		"{\"error\":\"out of memory; the request may have been carried out\"}\n";
	struct buffer output = BUFFER_INIT, log = BUFFER_INIT;
	FCGX_Request *request = &serving->request;
	struct gateway *gateway = serving->gateway;

	exchange_finish(&serving->exchange, &output, &log);
	expect(peer, request->ipcFd, IO_TIMEOUT_S * 1000);
	bool whole = stream_discard(request);
	expect(peer, request->ipcFd, ANSWER_TIMEOUT_MS);
	if (log.size > 0)
		FCGX_PutStr(log.data, (int)log.size, request->err);
	if (buffer_failed(&output))
		FCGX_PutStr(no_memory, sizeof no_memory - 1, request->out);
	else
		stream_put(request, &output);
	bool is_relay = serving->exchange.source.relay >= 0;
	if (!whole || atomic_load(&gateway->draining) || (is_relay && poller_is_crowded(&gateway->poller)))
		request->keepConnection = 0;
	buffer_release(&output);
	buffer_release(&log);
}

/* The request is done with. True where the connection's next one is there. */
static bool leave(struct serving *serving, int connection)
{
	struct poller *poller = &serving->gateway->poller;
	bool open = serving->request.ipcFd >= 0;

	free(serving);
	if (open)
		return poller_park(poller, connection);
	poller_closed(poller);
	return false;
}

static bool finish(struct serving *serving, struct peer *peer)
{
	int connection = serving->request.ipcFd;

	answer(serving, peer);
	/* What is left to send is a few bytes; and the connection's number may soon be another's. */
	expect_nothing(peer);
	FCGX_Finish_r(&serving->request);
	return leave(serving, connection);
}

/* In the store's thread. One worker is called for all that is written. */
static void note_written(struct exchange *exchange)
{
	struct serving *serving = (struct serving *)((char *)exchange - offsetof(struct serving, exchange));
	struct gateway *gateway = serving->gateway;

	serving->next = NULL;
	pthread_mutex_lock(&gateway->mutex);
	*gateway->written_end = serving;
	gateway->written_end = &serving->next;
	bool call = !gateway->answering;
	gateway->answering = true;
	if (atomic_load(&gateway->draining))
		pthread_cond_broadcast(&gateway->rest);
	pthread_mutex_unlock(&gateway->mutex);
	if (call)
		poller_call(&gateway->poller);
}

/* With the mutex held. */
static void take_in_hand(struct gateway *gateway, int count)
{
	gateway->in_hand += (unsigned)count;
	if (gateway->in_hand == 0 && atomic_load(&gateway->draining))
		pthread_cond_broadcast(&gateway->rest);
}

/* Serve one request of the connection, up to its answer or to where its write goes on in the store. True where the next one is there. */
static bool serve(struct gateway *gateway, struct peer *peer, int connection, bool relay)
{
	struct serving *serving = stream_has_room() ? malloc(sizeof *serving) : NULL;

	if (!serving || FCGX_InitRequest(&serving->request, -1, 0) != 0) {
		free(serving);
		close(connection);
		poller_closed(&gateway->poller);
		return false;
	}
	serving->gateway = gateway;
	/* With no listener of its own, FCGX_Accept_r serves this connection or, where it is at its end or speaks no
	 * FastCGI, closes it and fails. Detached, it is closed at once and not after a wait for the other side. */
	serving->request.ipcFd = connection;
	FCGX_Detach(&serving->request);
	serving->request.keepConnection = 1;
	expect(peer, connection, IO_TIMEOUT_S * 1000);
	if (FCGX_Accept_r(&serving->request) != 0) {
		expect_nothing(peer);
		return leave(serving, connection);
	}
	const struct exchange_source source = {
		.parameters = serving->request.envp,
		.read_body = stream_read,
		.context = &serving->request,
		.body_is_read = request_is_read,
		.body_context = peer,
		.relay = relay ? connection : -1,
		.written = note_written,
	};
	pthread_mutex_lock(&gateway->mutex);
	take_in_hand(gateway, 1);
	pthread_mutex_unlock(&gateway->mutex);
	if (!exchange_serve(&serving->exchange, &gateway->service, &source))
		return false;
	bool more = finish(serving, peer);
	pthread_mutex_lock(&gateway->mutex);
	take_in_hand(gateway, -1);
	pthread_mutex_unlock(&gateway->mutex);
	return more;
}

/* Answer one. With the mutex held, which it lets go meanwhile. False where none is written. */
static bool answer_written(struct gateway *gateway, struct peer *peer)
{
	struct serving *serving = gateway->written;

	if (!serving)
		return false;
	int connection = serving->request.ipcFd;
	gateway->written = serving->next;
	if (!gateway->written)
		gateway->written_end = &gateway->written;
	pthread_mutex_unlock(&gateway->mutex);
	if (finish(serving, peer))
		poller_pass_on(&gateway->poller, connection);
	pthread_mutex_lock(&gateway->mutex);
	gateway->answered++;
	take_in_hand(gateway, -1);
	return true;
}

static void answer_all_written(struct gateway *gateway, struct peer *peer)
{
	pthread_mutex_lock(&gateway->mutex);
	while (answer_written(gateway, peer))
		continue;
	gateway->answering = false;
	pthread_mutex_unlock(&gateway->mutex);
}

/* The drain: nothing new comes, but the store may still be writing. */
static void answer_rest(struct gateway *gateway, struct peer *peer)
{
	pthread_mutex_lock(&gateway->mutex);
	while (gateway->in_hand > 0)
		if (!answer_written(gateway, peer))
			pthread_cond_wait(&gateway->rest, &gateway->mutex);
	pthread_mutex_unlock(&gateway->mutex);
}

/* Where the worker that answers is held up by a peer that takes nothing, call another one. With the mutex held. */
static void look_at_answering(struct gateway *gateway)
{
	if (gateway->written && gateway->answered == gateway->answered_before)
		poller_call(&gateway->poller);
	gateway->answered_before = gateway->answered;
}

/* No new requests; wake all workers, for good. */
static void begin_drain(struct gateway *gateway)
{
	pthread_mutex_lock(&gateway->mutex);
	atomic_store(&gateway->draining, true);
	pthread_mutex_unlock(&gateway->mutex);
	poller_unlisten(&gateway->poller, STDIN_FILENO);
	owner_leave(&gateway->service.owner);
	poller_wake(&gateway->poller);
}

static void *work(void *context);

/* With the mutex held. 0 or an errno. */
static int start_worker(struct gateway *gateway)
{
	unsigned started = atomic_load(&gateway->started);
	int result = pthread_create(&gateway->workers[started], NULL, work, gateway);

	if (result == 0) {
		atomic_store(&gateway->started, started + 1);
		gateway->running++;
	}
	return result;
}

/* All workers have something to do: start another one. Where that fails these go on, and the next of them tries again. */
static void add_worker(struct gateway *gateway)
{
	int result = 0;

	pthread_mutex_lock(&gateway->mutex);
	if (!atomic_load(&gateway->draining) && atomic_load(&gateway->started) < gateway->threads)
		result = start_worker(gateway);
	pthread_mutex_unlock(&gateway->mutex);
	if (result != 0)
		log_repeated("starting the workers: %s", strerror(result));
}

/* What is next. The last idle worker does not take it before there is another one. */
static enum event next_event(struct gateway *gateway, int *connection)
{
	atomic_fetch_add(&gateway->idle, 1);
	enum event event = poller_next(&gateway->poller, connection);
	if (atomic_fetch_sub(&gateway->idle, 1) == 1 && atomic_load(&gateway->started) < gateway->threads)
		add_worker(gateway);
	return event;
}

/* Serve what comes until the drain begins, then what is there. */
static void *work(void *context)
{
	struct gateway *gateway = context;
	int awake = 0; /* times in a row: at the second nothing else is left */

	pthread_mutex_lock(&gateway->mutex);
	struct peer *peer = &gateway->peers[gateway->peers_used++];
	pthread_mutex_unlock(&gateway->mutex);

	while (awake < 2) {
		int connection;
		enum event event = next_event(gateway, &connection);
		awake = event == EVENT_AWAKE ? awake + 1 : 0;
		if (event == EVENT_CONNECTION || event == EVENT_RELAY)
			while (serve(gateway, peer, connection, event == EVENT_RELAY))
				continue;
		else if (event == EVENT_CALL)
			answer_all_written(gateway, peer);
	}
	answer_rest(gateway, peer);
	pthread_mutex_lock(&gateway->mutex);
	gateway->running--;
	pthread_cond_signal(&gateway->changed);
	pthread_mutex_unlock(&gateway->mutex);
	return NULL;
}

static sigset_t signals_to_stop(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	return signals;
}

void fastcgi_hold_signals(sigset_t *before)
{
	const sigset_t signals = signals_to_stop();

	pthread_sigmask(SIG_BLOCK, &signals, before);
}

/* Watch over slow peers and the listener until a signal says to stop. The workers, who may all be busy, need not see it. */
static void wait_for_signal(struct gateway *gateway)
{
	static const struct timespec interval = {.tv_sec = WATCH_INTERVAL_S};
	const sigset_t signals = signals_to_stop();

	while (sigtimedwait(&signals, NULL, &interval) < 0) {
		end_overdue(gateway);
		pthread_mutex_lock(&gateway->mutex);
		look_at_answering(gateway);
		pthread_mutex_unlock(&gateway->mutex);
		poller_look_at_listener(&gateway->poller, STDIN_FILENO);
	}
}

/* Wait for the workers' end; false where one of them does not come to it in time. */
static bool wait_for_workers(struct gateway *gateway)
{
	const struct timespec until = clock_monotonic_in(DRAIN_LIMIT_MS);
	int result = 0;

	pthread_mutex_lock(&gateway->mutex);
	while (gateway->running > 0 && result != ETIMEDOUT)
		result = pthread_cond_clockwait(&gateway->changed, &gateway->mutex, CLOCK_MONOTONIC, &until);
	bool all = gateway->running == 0;
	pthread_mutex_unlock(&gateway->mutex);
	return all;
}

static enum status set_up(struct error *error)
{
	sigset_t signals;

	/* libfcgi installs a handler that ends the accepting. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (FCGX_Init() != 0)
		return error_set(error, STATUS_UNAVAILABLE, "preparing libfcgi: %s", strerror(ENOMEM));
	return STATUS_OK;
}

/* 0 or an errno. One worker is enough to go on with: others are started when they are needed. */
static int start_workers(struct gateway *gateway)
{
	if (!poller_listen(&gateway->poller, STDIN_FILENO, false))
		return errno;
	pthread_mutex_lock(&gateway->mutex);
	int result = start_worker(gateway);
	pthread_mutex_unlock(&gateway->mutex);
	for (int i = 1; result == 0 && i < WORKERS_AT_START; i++)
		add_worker(gateway);
	return result;
}

static enum status run(struct gateway *gateway, struct error *error)
{
	int result = ENOMEM;

	gateway->workers = calloc(gateway->threads, sizeof *gateway->workers);
	gateway->peers = calloc(gateway->threads, sizeof *gateway->peers);
	if (gateway->workers && gateway->peers) {
		for (unsigned i = 0; i < gateway->threads; i++) {
			pthread_mutex_init(&gateway->peers[i].mutex, NULL);
			gateway->peers[i].connection = -1;
		}
		result = start_workers(gateway);
	}
	if (result == 0)
		wait_for_signal(gateway);
	begin_drain(gateway);
	if (!wait_for_workers(gateway)) {
		log_line("stopped while requests were still being served; the next owner recovers the store");
		_exit(EXIT_SUCCESS);
	}
	for (unsigned i = 0; i < atomic_load(&gateway->started); i++)
		pthread_join(gateway->workers[i], NULL);
	free(gateway->workers);
	free(gateway->peers);
	return result == 0 ? STATUS_OK
			   : error_set(error, STATUS_UNAVAILABLE, "starting the workers: %s", strerror(result));
}

enum status fastcgi_serve(const struct config *config, struct error *error)
{
	struct gateway gateway = {
		.service = {.policy = exchange_policy(config), .ids = UUID_SOURCE_INIT},
		.threads = config->threads,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.rest = PTHREAD_COND_INITIALIZER,
	};
	const struct owner_options options = {
		.patience_ms = config->relay_timeout_ms,
		.listening = relays_come_in,
		.fatal = owner_end_process,
		.context = &gateway,
	};

	gateway.written_end = &gateway.written;
	if (set_up(error) != STATUS_OK || poller_init(&gateway.poller, error) != STATUS_OK)
		return error->status;
	enum status status = owner_init(&gateway.service.owner, config->home, &options, error);
	if (status == STATUS_OK) {
		status = run(&gateway, error);
		owner_destroy(&gateway.service.owner);
	}
	poller_destroy(&gateway.poller);
	return status;
}
