/* Relaying to the owner; see relay.h. */
#include "gateway/relay.h"

#include "api/json.h"
#include "base/clock.h"

#include <errno.h>
#include <fastcgi.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECORD_BYTES_MAX = 0xFFFF, HEADER_BYTES = 8, FASTCGI_REQUEST = 1 /* the id of the only one */ };

static void put_header(struct buffer *out, int type, size_t size)
{
	uint8_t header[HEADER_BYTES] = {
		FCGI_VERSION_1, (uint8_t)type, 0, FASTCGI_REQUEST, (uint8_t)(size >> 8), (uint8_t)size, 0, 0,
	};

	buffer_append(out, header, sizeof header);
}

static void put_stream(struct buffer *out, int type, struct text text)
{
	while (text.size > 0) {
		size_t size = text.size < RECORD_BYTES_MAX ? text.size : RECORD_BYTES_MAX;
		put_header(out, type, size);
		buffer_append(out, text.data, size);
		text.data += size;
		text.size -= size;
	}
	put_header(out, type, 0);
}

static void put_length(struct buffer *out, size_t size)
{
	uint8_t bytes[4] = {(uint8_t)(size >> 24 | 0x80), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};

	if (size < 0x80)
		buffer_append(out, bytes + 3, 1);
	else
		buffer_append(out, bytes, sizeof bytes);
}

static void put_param(struct buffer *out, const char *name, struct text value)
{
	put_length(out, strlen(name));
	put_length(out, value.size);
	buffer_append_string(out, name);
	buffer_append_text(out, value);
}

static void put_number(struct buffer *out, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, number);
	put_param(out, name, text_of(text));
}

static void put_call(struct buffer *out, const struct call *call, int64_t deadline_ms, bool keep)
{
	struct buffer params = BUFFER_INIT;
	char new_id[UUID_TEXT_SIZE];
	uint8_t begin[8] = {0, FCGI_RESPONDER, keep ? FCGI_KEEP_CONN : 0, 0, 0, 0, 0, 0};

	uuid_format(&call->new_id, new_id);
	put_param(&params, "REQUEST_METHOD", text_of(call->action->is_get ? "GET" : "POST"));
	put_param(&params, "PATH_INFO", text_of(call->action->path));
	put_param(&params, "CONTENT_TYPE", text_of("application/json"));
	put_number(&params, "CONTENT_LENGTH", (int64_t)call->body.size);
	put_param(&params, "FOCUSSTATS_AUTH", text_of(call->actor.size > 0 ? "required" : "none"));
	if (call->actor.size > 0)
		put_param(&params, "REMOTE_USER", identifier_text(&call->actor));
	if (call->actor.size > 0 && !call->restricted)
		put_param(&params, "FOCUSSTATS_ADMIN", text_of("1"));
	put_number(&params, "FOCUSSTATS_NOW", call->now_ms);
	put_param(&params, "FOCUSSTATS_NEW_ID", (struct text){new_id, sizeof new_id});
	put_number(&params, "FOCUSSTATS_DEADLINE", deadline_ms);
	if (call->repeated)
		put_param(&params, "FOCUSSTATS_REPEATED", text_of("1"));

	put_header(out, FCGI_BEGIN_REQUEST, sizeof begin);
	buffer_append(out, begin, sizeof begin);
	put_stream(out, FCGI_PARAMS, buffer_text(&params));
	put_stream(out, FCGI_STDIN, call->body);
	out->failed |= buffer_failed(&params);
	buffer_release(&params);
}

/* Wait until the connection can be read or written. False at the deadline. */
static bool wait_for(int connection, short events, int64_t deadline_ms)
{
	struct pollfd one = {.fd = connection, .events = events};

	for (;;) {
		int64_t left_ms = deadline_ms - clock_boot_ms();
		if (left_ms <= 0)
			return false;
		if (poll(&one, 1, left_ms > 1000 ? 1000 : (int)left_ms) > 0)
			return true;
	}
}

static bool send_all(int connection, struct text text, int64_t deadline_ms)
{
	while (text.size > 0) {
		ssize_t sent = send(connection, text.data, text.size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			text.data += sent;
			text.size -= (size_t)sent;
		} else if ((errno != EAGAIN && errno != EINTR) || !wait_for(connection, POLLOUT, deadline_ms)) {
			return false;
		}
	}
	return true;
}

/* What has come back so far. */
struct reply {
	struct buffer raw; /* bytes not yet taken apart */
	struct buffer out, err;
	bool committing, complete;
	bool broken; /* something of it was lost for want of memory, or is not FastCGI */
};

/* Take the complete records apart. False where they are none of FastCGI. */
static bool take_records(struct reply *reply)
{
	size_t at = 0;

	while (reply->raw.size - at >= HEADER_BYTES) {
		const uint8_t *header = (const uint8_t *)reply->raw.data + at;
		size_t size = (size_t)header[4] << 8 | header[5], padding = header[6];
		if (header[0] != FCGI_VERSION_1)
			return false;
		if (reply->raw.size - at < HEADER_BYTES + size + padding)
			break;
		const char *content = reply->raw.data + at + HEADER_BYTES;
		if (header[1] == FCGI_STDOUT)
			buffer_append(&reply->out, content, size);
		else if (header[1] == FCGI_STDERR)
			buffer_append(&reply->err, content, size);
		else if (header[1] == RELAY_COMMITTING)
			reply->committing = true;
		else if (header[1] == FCGI_END_REQUEST)
			reply->complete = true;
		at += HEADER_BYTES + size + padding;
	}
	if (at > 0) {
		memmove(reply->raw.data, reply->raw.data + at, reply->raw.size - at);
		reply->raw.size -= at;
	}
	return true;
}

/* Read what there is, without waiting. False at the connection's end. */
static bool receive(int connection, struct reply *reply)
{
	char bytes[16384];

	for (;;) {
		ssize_t got = recv(connection, bytes, sizeof bytes, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN;
		if (got == 0)
			return false;
		buffer_append(&reply->raw, bytes, (size_t)got);
		reply->broken |= !take_records(reply) || buffer_failed(&reply->raw) || buffer_failed(&reply->out) ||
				 buffer_failed(&reply->err);
		if (reply->broken)
			return false;
		if (reply->complete)
			return true;
	}
}

/* The refusal in the body that dispatch_answer makes: {"error": "…"}. */
static void read_refusal(struct text body, struct error *error)
{
	enum { PARTS_MAX = 8 };
	json_object *object = NULL, *text;
	struct error ignored;

	if (json_parse_object(body, PARTS_MAX, &object, &ignored) == STATUS_OK &&
	    json_object_object_get_ex(object, "error", &text) && json_object_is_type(text, json_type_string) &&
	    json_object_get_string_len(text) > 0)
		error_set(error, error->status, "%s", json_object_get_string(text));
	json_object_put(object);
}

static bool status_of_http(struct text digits, enum status *status)
{
	static const struct {
		const char *http;
		enum status status;
	} known[] = {
		{"200", STATUS_OK},        {"400", STATUS_INVALID},     {"401", STATUS_UNAUTHENTICATED},
		{"403", STATUS_FORBIDDEN}, {"404", STATUS_NOT_FOUND},   {"409", STATUS_CONFLICT},
		{"413", STATUS_TOO_LARGE}, {"503", STATUS_UNAVAILABLE},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (text_equal(digits, text_of(known[i].http))) {
			*status = known[i].status;
			return true;
		}
	}
	return false;
}

/* Take the owner's answer, "Status: NNN …", headers, an empty line and the body, apart. False where it is none. */
static bool read_answer(struct reply *reply, struct buffer *body, struct error *error)
{
	static const char status_header[] = "Status: ";
	struct text out = buffer_text(&reply->out);
	const char *end = out.size ? memmem(out.data, out.size, "\r\n\r\n", 4) : NULL;
	enum status status;

	if (!end || out.size < sizeof status_header + 3 ||
	    memcmp(out.data, status_header, sizeof status_header - 1) != 0 ||
	    !status_of_http((struct text){out.data + sizeof status_header - 1, 3}, &status))
		return false;
	struct text answer = {end + 4, out.size - (size_t)(end + 4 - out.data)};
	error_set(error, status, "the owner of the store refused, and did not say why");
	if (status == STATUS_OK) {
		size_t newline = answer.size > 0 && answer.data[answer.size - 1] == '\n';
		buffer_append(body, answer.data, answer.size - newline);
	} else {
		read_refusal(answer, error);
	}
	if (reply->err.size > 0)
		error_detail(error, "%.*s", (int)reply->err.size, reply->err.data);
	return true;
}

static enum relay_outcome exchange(int connection, struct text out, int64_t deadline_ms, struct reply *reply)
{
	bool open = send_all(connection, out, deadline_ms);

	while (open && !reply->complete) {
		bool in_time = wait_for(connection, POLLIN, deadline_ms);
		open = receive(connection, reply) && in_time;
	}
	/* A record that was sent before the connection ended, or before the deadline, is here now. */
	if (!reply->complete && !reply->broken)
		receive(connection, reply);
	if (reply->broken)
		return RELAY_UNKNOWN;
	if (reply->complete)
		return RELAY_ANSWERED;
	return reply->committing ? RELAY_UNKNOWN : RELAY_NOT_DONE;
}

void relay_pool_init(struct relay_pool *pool)
{
	pthread_mutex_init(&pool->mutex, NULL);
	pool->count = 0;
}

static void empty(struct relay_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	while (pool->count > 0)
		close(pool->connections[--pool->count]);
	pthread_mutex_unlock(&pool->mutex);
}

void relay_pool_close(struct relay_pool *pool)
{
	empty(pool);
	pthread_mutex_destroy(&pool->mutex);
}

/* The one that was used last, or -1. */
static int take_kept(struct relay_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	int connection = pool->count > 0 ? pool->connections[--pool->count] : -1;
	pthread_mutex_unlock(&pool->mutex);
	return connection;
}

static bool keep(struct relay_pool *pool, int connection)
{
	pthread_mutex_lock(&pool->mutex);
	bool kept = pool->count < RELAY_KEPT_MAX;
	if (kept)
		pool->connections[pool->count++] = connection;
	pthread_mutex_unlock(&pool->mutex);
	return kept;
}

/* One request on the connection, which is kept for the next one or closed. */
static enum relay_outcome forward_on(int connection, struct relay_pool *pool, struct text out, int64_t deadline_ms,
				     struct buffer *body, struct error *error)
{
	struct reply reply = {0};

	enum relay_outcome outcome = exchange(connection, out, deadline_ms, &reply);
	if (outcome == RELAY_ANSWERED && !read_answer(&reply, body, error))
		outcome = RELAY_UNKNOWN;
	if (!pool || outcome != RELAY_ANSWERED || reply.raw.size > 0 || !keep(pool, connection))
		close(connection);
	buffer_release(&reply.raw);
	buffer_release(&reply.out);
	buffer_release(&reply.err);
	return outcome;
}

static enum relay_outcome forward_on_new(const struct home *home, struct relay_pool *pool, struct text out,
					 int64_t deadline_ms, struct buffer *body, struct error *error)
{
	int connection;
	int result = home_connect(home, &connection);

	if (result == ENOENT || result == ECONNREFUSED)
		return RELAY_NO_OWNER;
	return result == 0 ? forward_on(connection, pool, out, deadline_ms, body, error) : RELAY_NOT_DONE;
}

/* What is kept may have been an earlier owner's: where one of them has failed, none is used any more. */
enum relay_outcome relay_forward(const struct home *home, struct relay_pool *pool, const struct call *call,
				 int64_t deadline_ms, struct buffer *body, struct error *error)
{
	struct buffer out = BUFFER_INIT;
	enum relay_outcome outcome = RELAY_NOT_DONE;

	put_call(&out, call, deadline_ms, pool != NULL);
	bool made = !buffer_failed(&out);
	int kept = made && pool ? take_kept(pool) : -1;
	if (kept >= 0) {
		outcome = forward_on(kept, pool, buffer_text(&out), deadline_ms, body, error);
		if (outcome != RELAY_ANSWERED)
			empty(pool);
	} else if (made) {
		outcome = forward_on_new(home, pool, buffer_text(&out), deadline_ms, body, error);
	}
	buffer_release(&out);
	return outcome;
}

bool relay_may_go_on(void *context)
{
	struct relay_gate *gate = context;
	const uint8_t record[HEADER_BYTES] = {FCGI_VERSION_1, RELAY_COMMITTING, 0, FASTCGI_REQUEST, 0, 0, 0, 0};

	if (!gate->asked) {
		gate->asked = true;
		gate->open = send(gate->connection, record, sizeof record, MSG_NOSIGNAL | MSG_DONTWAIT) ==
				     (ssize_t)sizeof record &&
			     clock_boot_ms() < gate->deadline_ms;
	}
	return gate->open;
}
