/* One request; see exchange.h. */
#include "gateway/exchange.h"

#include "api/arguments.h"
#include "api/dispatch.h"
#include "api/exposition.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "domain/instant.h"

#include <stddef.h>
#include <string.h>

enum { BODY_CHUNK_BYTES = 8192, REQUEST_ID_MAX = 64 };

static void read_parameters(char *const *parameters, struct incoming *incoming)
{
#define KNOWN(name, member) \
	{ \
		{name, sizeof name - 1}, offsetof(struct incoming, member) \
	}
	static const struct {
		struct text name;
		size_t offset;
	} known[] = {
		KNOWN("REQUEST_METHOD", request.method),
		KNOWN("PATH_INFO", request.path),
		KNOWN("CONTENT_TYPE", request.content_type),
		KNOWN("CONTENT_LENGTH", request.content_length),
		KNOWN("REMOTE_USER", request.remote_user),
		KNOWN("HTTP_ORIGIN", request.origin),
		KNOWN("HTTP_HOST", request.host),
		KNOWN("HTTP_ACCESS_CONTROL_REQUEST_METHOD", request.preflight_method),
		KNOWN("REQUEST_ID", request.id), /* set by nginx's site file */
		KNOWN("UNIQUE_ID", request.id),  /* set by Apache's mod_unique_id */
		KNOWN("FOCUSSTATS_AUTH", auth),
		KNOWN("FOCUSSTATS_ADMIN", admin),
		KNOWN("FOCUSSTATS_NOW", now),
		KNOWN("FOCUSSTATS_NEW_ID", new_id),
		KNOWN("FOCUSSTATS_DEADLINE", deadline),
		KNOWN("FOCUSSTATS_REPEATED", repeated),
	};
#undef KNOWN

	for (; *parameters; parameters++) {
		struct text value;
		struct text name = text_split(text_of(*parameters), '=', &value);
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			if (text_equal(name, known[i].name))
				memcpy((char *)incoming + known[i].offset, &value, sizeof value);
	}
}

/* The id of a request in the log, and in the answer's header, so that the two can be matched: the web server's where it
 * is one word of harmless characters, otherwise one of our own. */
static struct text request_id(struct service *service, const struct incoming *incoming, char text[UUID_TEXT_SIZE])
{
	struct text given = incoming->request.id;
	struct uuid own = {0};
	bool harmless = given.size > 0 && given.size <= REQUEST_ID_MAX;

	for (size_t i = 0; harmless && i < given.size; i++) {
		char c = given.data[i];
		harmless = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
			   c == '_' || c == '@';
	}
	if (harmless)
		return given;
	uuid_make(&service->ids, clock_wall_ms(), &own);
	uuid_format(&own, text);
	return (struct text){text, UUID_TEXT_SIZE};
}

/* A relayed request brings what the process in front found out: it made the checks that its own settings ask for. */
static enum status read_relayed(const struct incoming *incoming, struct policy *policy, struct call *call,
				struct relay_gate *gate, struct error *error)
{
	long long now_ms, deadline_ms;

	if (!text_to_integer(incoming->now, &now_ms) || now_ms > INSTANT_MAX_MS ||
	    !text_to_integer(incoming->deadline, &deadline_ms) ||
	    (incoming->new_id.size > 0 && !uuid_parse(incoming->new_id, &call->new_id)))
		return error_set(error, STATUS_INVALID, "the relayed request lacks a parameter");
	*policy = (struct policy){
		.auth_required = text_equal(incoming->auth, text_of("required")),
		.local = true, /* who was in front has found the action by its own policy */
		.any_host = true,
		.max_body_bytes = SIZE_MAX >> 1,
	};
	if (incoming->admin.size > 0)
		policy->admins = incoming->request.remote_user;
	call->now_ms = now_ms;
	call->repeated = incoming->repeated.size > 0;
	gate->deadline_ms = deadline_ms;
	return STATUS_OK;
}

/* Read the body into buffer: `expected` bytes, or with -1 as many as come. */
static enum status read_body(const struct exchange_source *source, long long expected, size_t max_bytes,
			     struct buffer *buffer, struct error *error)
{
	char chunk[BODY_CHUNK_BYTES];

	while (expected < 0 || buffer->size < (size_t)expected) {
		size_t wanted = sizeof chunk;
		if (expected >= 0 && (size_t)expected - buffer->size < wanted)
			wanted = (size_t)expected - buffer->size;
		long got = source->read_body(source->context, chunk, wanted);
		if (got <= 0)
			break;
		buffer_append(buffer, chunk, (size_t)got);
		if (buffer->size > max_bytes)
			return error_set(error, STATUS_TOO_LARGE, "the body is larger than %zu bytes", max_bytes);
		if (buffer_failed(buffer))
			return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	}
	if (expected >= 0 && buffer->size < (size_t)expected)
		return error_set(error, STATUS_INVALID, "the body ends after %zu of %lld bytes (Content-Length)",
				 buffer->size, expected);
	return STATUS_OK;
}

static const char *status_line(unsigned http_status)
{
	switch (http_status) {
	case 200:
		return "Status: 200 OK\r\n";
	case 204:
		return "Status: 204 No Content\r\n";
	case 400:
		return "Status: 400 Bad Request\r\n";
	case 401:
		return "Status: 401 Unauthorized\r\n";
	case 403:
		return "Status: 403 Forbidden\r\n";
	case 404:
		return "Status: 404 Not Found\r\n";
	case 405:
		return "Status: 405 Method Not Allowed\r\n";
	case 409:
		return "Status: 409 Conflict\r\n";
	case 413:
		return "Status: 413 Content Too Large\r\n";
	case 415:
		return "Status: 415 Unsupported Media Type\r\n";
	default:
		return "Status: 503 Service Unavailable\r\n";
	}
}

/* Put status and headers (RFC 3875, 6.3) before the body; for browsers those of the CORS protocol (Fetch standard). */
static void render(struct answer *answer, struct buffer *output)
{
	struct buffer head = BUFFER_INIT;

	buffer_append_string(&head, status_line(answer->http_status));
	if (!answer->preflight)
		buffer_append_format(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n", answer->content_type,
				     answer->body.size);
	buffer_append_string(&head, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
	if (answer->allow.size > 0 && !answer->preflight)
		buffer_append_format(&head, "Allow: %.*s\r\n", (int)answer->allow.size, answer->allow.data);
	if (answer->retry_after)
		buffer_append_string(&head, "Retry-After: 1\r\n");
	if (answer->request_id.size > 0)
		buffer_append_format(&head, "X-Request-Id: %.*s\r\n", (int)answer->request_id.size,
				     answer->request_id.data);
	if (answer->varies)
		buffer_append_string(&head, "Vary: Origin\r\n");
	if (answer->origin.size > 0)
		buffer_append_format(&head, "Access-Control-Allow-Origin: %.*s\r\n", (int)answer->origin.size,
				     answer->origin.data);
	if (answer->origin.size > 0 && answer->credentials)
		buffer_append_string(&head, "Access-Control-Allow-Credentials: true\r\n");
	if (answer->preflight)
		buffer_append_format(
			&head,
			"Access-Control-Allow-Methods: %.*s\r\nAccess-Control-Allow-Headers: Content-Type\r\n"
			"Access-Control-Max-Age: 600\r\n",
			(int)answer->allow.size, answer->allow.data);
	buffer_append_string(&head, "\r\n");
	*output = answer->body;
	buffer_prepend(output, buffer_text(&head));
	output->failed |= buffer_failed(&head);
	buffer_release(&head);
}

static void write_log(struct exchange *exchange, struct buffer *log)
{
	const struct error *error = &exchange->error;
	const struct action *action = exchange->call.action;
	const char *detail = error->detail[0] ? error->detail : error->text;
	char line[LOG_LINE_SIZE], own_id[UUID_TEXT_SIZE];

	if (exchange->source.relay >= 0) {
		buffer_append_string(log, detail);
		return;
	}
	struct text id = request_id(exchange->service, &exchange->incoming, own_id);
	size_t size = log_format(line, "request %.*s: %s: %s", (int)id.size, id.data,
				 action ? action_name(action) : "no action", detail);
	buffer_append(log, line, size);
	buffer_append_text(&exchange->answer.request_id, id);
}

/* The id for what the action creates; a relayed request brought it along. */
static enum status make_new_id(struct service *service, struct call *call, struct error *error)
{
	if (uuid_make(&service->ids, call->now_ms, &call->new_id))
		return STATUS_OK;
	return error_set(error, STATUS_UNAVAILABLE, "the system has no random bytes");
}

/* All that happens between the parameters and the action. */
static enum status check(struct exchange *exchange)
{
	const struct exchange_source *source = &exchange->source;
	struct request *request = &exchange->incoming.request;
	struct call *call = &exchange->call;
	struct error *error = &exchange->error;
	long long body_bytes;

	if (source->relay >= 0) {
		call->gate = &exchange->gate;
		if (read_relayed(&exchange->incoming, &exchange->policy, call, &exchange->relay_gate, error) !=
		    STATUS_OK)
			return error->status;
	}
	if (dispatch_head(&exchange->policy, request, call, &exchange->answer, &body_bytes, error) != STATUS_OK ||
	    exchange->answer.preflight)
		return error->status;
	if (read_body(source, body_bytes, exchange->policy.max_body_bytes, &exchange->body, error) != STATUS_OK)
		return error->status;
	if (source->body_is_read)
		source->body_is_read(source->body_context);
	request->body = buffer_text(&exchange->body);
	if (dispatch_body(request, call, error) != STATUS_OK)
		return error->status;
	return call->action->creates && source->relay < 0 ? make_new_id(exchange->service, call, error) : STATUS_OK;
}

static void note_written(struct store_pending *pending)
{
	char *write = (char *)pending - offsetof(struct owner_write, pending);
	struct exchange *exchange = (struct exchange *)(write - offsetof(struct exchange, write));

	exchange->source.written(exchange);
}

bool exchange_serve(struct exchange *exchange, struct service *service, const struct exchange_source *source)
{
	*exchange = (struct exchange){
		.service = service,
		.source = *source,
		.policy = service->policy,
		.relay_gate = {.connection = source->relay},
		.gate = {.may_go_on = relay_may_go_on, .context = &exchange->relay_gate},
		.call = {.now_ms = clock_wall_ms()},
		.error = {.status = STATUS_OK},
		.write.pending.done = note_written,
		.begun_ns = clock_monotonic_ns(),
	};
	read_parameters(source->parameters, &exchange->incoming);
	if (check(exchange) != STATUS_OK || exchange->answer.preflight)
		return true;
	return owner_execute(&service->owner, &exchange->call, source->written ? &exchange->write : NULL,
			     &exchange->answer.body, &exchange->error);
}

/* A relayed request is counted by the process in front. */
static void count(const struct exchange *exchange, bool failed)
{
	enum status status = failed ? STATUS_UNAVAILABLE : exchange->error.status;

	if (exchange->source.relay < 0)
		metrics_count_request(exchange->service->owner.metrics, exposition_kind(exchange->call.action),
				      exposition_outcome(status, exchange->answer.preflight),
				      clock_monotonic_ns() - exchange->begun_ns);
}

void exchange_finish(struct exchange *exchange, struct buffer *output, struct buffer *log)
{
	struct answer *answer = &exchange->answer;

	if (exchange->write.pending.operation)
		owner_complete(&exchange->call, &exchange->write, &answer->body, &exchange->error);
	if (answer->preflight)
		answer->http_status = 204;
	else
		dispatch_answer(&exchange->policy, exchange->call.action, &exchange->error, answer);
	if (exchange->error.status == STATUS_UNAVAILABLE)
		write_log(exchange, log);
	render(answer, output);
	count(exchange, answer->retry_after || buffer_failed(output));
	buffer_release(&answer->request_id);
	buffer_release(&exchange->body);
	arguments_release(&exchange->call.arguments);
}

struct policy exchange_policy(const struct config *config)
{
	return (struct policy){
		.auth_required = config->auth_required,
		.admins = config->admins,
		.origins = config->origins,
		.hosts = config->hosts,
		.any_host = config->any_host,
		.refusals_as_200 = config->refusals_as_200,
		.max_body_bytes = config->max_body_bytes,
	};
}
