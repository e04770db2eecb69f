/* What is common to all actions; see dispatch.h. */
#include "api/dispatch.h"

#include "api/arguments.h"
#include "api/host.h"
#include "api/local.h"
#include "base/config.h"

#include <string.h>

static const char *allowed_methods(const struct action *action)
{
	return action->is_get ? "GET, HEAD" : "POST";
}

static bool method_is_allowed(const struct action *action, struct text method)
{
	if (action->is_get)
		return text_equal(method, text_of("GET")) || text_equal(method, text_of("HEAD"));
	return text_equal(method, text_of("POST"));
}

/* A path is named in an error as far as it can be: printable ASCII, the beginning of it. */
static enum status no_such_path(struct text path, struct error *error)
{
	char shown[121];
	size_t size = path.size < sizeof shown - 1 ? path.size : sizeof shown - 1;

	if (path.size == 0)
		return error_set(error, STATUS_NOT_FOUND, "the web server passed no path behind the mount (PATH_INFO)");
	for (size_t i = 0; i < size; i++)
		shown[i] = path.data[i] >= 0x20 && path.data[i] < 0x7F ? path.data[i] : '?';
	shown[size] = '\0';
	return error_set(error, STATUS_NOT_FOUND, "there is no path '%s'%s", shown, size < path.size ? "…" : "");
}

static bool is_json_type(struct text type)
{
	struct text parameters;
	struct text essence = text_trim(text_split(type, ';', &parameters));

	if (!text_equal_ignoring_case(essence, text_of("application/json")))
		return false;
	while (parameters.size > 0) {
		struct text value;
		struct text name = text_trim(text_split(text_split(parameters, ';', &parameters), '=', &value));
		value = text_trim(value);
		if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
			value = (struct text){value.data + 1, value.size - 2};
		if (text_equal_ignoring_case(name, text_of("charset")) &&
		    !text_equal_ignoring_case(value, text_of("utf-8")))
			return false;
	}
	return true;
}

static enum status check_length(const struct policy *policy, struct text length, long long *body_bytes,
				struct error *error)
{
	bool digits = length.size > 0;

	*body_bytes = -1;
	if (length.size == 0)
		return STATUS_OK;
	for (size_t i = 0; i < length.size; i++)
		digits = digits && length.data[i] >= '0' && length.data[i] <= '9';
	if (!digits)
		return error_set(error, STATUS_INVALID, "Content-Length: is not a number of bytes");
	if (!text_to_integer(length, body_bytes) || *body_bytes > (long long)policy->max_body_bytes)
		return error_set(error, STATUS_TOO_LARGE, "the body is larger than %zu bytes", policy->max_body_bytes);
	return STATUS_OK;
}

/* Who acts: set once the web server says so and the policy asks for it. */
static enum status check_actor(const struct policy *policy, const struct request *request, struct call *call,
			       struct error *error)
{
	if (!policy->auth_required || call->action->open)
		return STATUS_OK;
	if (request->remote_user.size == 0)
		return error_set(error, STATUS_UNAUTHENTICATED,
				 "nobody is signed in: the web server passed no user (REMOTE_USER)");
	if (identifier_set(&call->actor, request->remote_user, "the signed-in user", error) != STATUS_OK)
		return error->status = STATUS_UNAUTHENTICATED;
	call->restricted = !config_list_has(policy->admins, ',', request->remote_user);
	return STATUS_OK;
}

static bool is_preflight(const struct request *request, const struct answer *answer)
{
	return text_equal(request->method, text_of("OPTIONS")) && answer->origin.size > 0 &&
	       request->preflight_method.size > 0;
}

enum status dispatch_head(const struct policy *policy, const struct request *request, struct call *call,
			  struct answer *answer, long long *body_bytes, struct error *error)
{
	*body_bytes = 0;
	answer->varies = policy->origins.size > 0;
	if (config_list_has(policy->origins, ' ', request->origin)) {
		answer->origin = request->origin;
		answer->credentials = policy->auth_required;
	}
	if (host_check(policy, request->host, error) != STATUS_OK)
		return error->status;
	call->action = action_find(request->path);
	if (!call->action && policy->local)
		call->action = local_find(request->path);
	if (!call->action)
		return no_such_path(request->path, error);
	if (is_preflight(request, answer)) {
		answer->preflight = true;
		answer->allow = text_of(allowed_methods(call->action));
		return STATUS_OK;
	}
	if (!method_is_allowed(call->action, request->method)) {
		answer->allow = text_of(allowed_methods(call->action));
		return error_set(error, STATUS_METHOD, "%s takes %s only", action_name(call->action),
				 allowed_methods(call->action));
	}
	if (check_actor(policy, request, call, error) != STATUS_OK)
		return error->status;
	if (call->action->is_get)
		return STATUS_OK;
	if (!is_json_type(request->content_type))
		return error_set(error, STATUS_MEDIA_TYPE, "Content-Type: must be application/json");
	return check_length(policy, request->content_length, body_bytes, error);
}

enum status dispatch_body(const struct request *request, struct call *call, struct error *error)
{
	const struct identifier *actor = call->actor.size > 0 ? &call->actor : NULL;

	call->body = request->body;
	if (call->action->is_get || call->action->raw)
		return STATUS_OK;
	if (arguments_parse(call->action, request->body, actor, &call->arguments, error) != STATUS_OK)
		return error->status;
	if (call->restricted && call->arguments.user.size > 0 && !identifier_equal(&call->arguments.user, &call->actor))
		return error_set(error, STATUS_FORBIDDEN, "user: '%.*s' is not who is signed in",
				 call->arguments.user.size, call->arguments.user.data);
	return STATUS_OK;
}

unsigned dispatch_http_status(enum status status)
{
	static const unsigned statuses[] = {
		[STATUS_OK] = 200,          [STATUS_INVALID] = 400,   [STATUS_UNAUTHENTICATED] = 401,
		[STATUS_FORBIDDEN] = 403,   [STATUS_NOT_FOUND] = 404, [STATUS_METHOD] = 405,
		[STATUS_CONFLICT] = 409,    [STATUS_TOO_LARGE] = 413, [STATUS_MEDIA_TYPE] = 415,
		[STATUS_UNAVAILABLE] = 503,
	};

	return statuses[status];
}

/* What an action says no to; the rest are answers of the service as a whole. */
static bool is_refusal_of_action(const struct action *action, enum status status)
{
	return action && (status == STATUS_INVALID || status == STATUS_FORBIDDEN || status == STATUS_NOT_FOUND ||
			  status == STATUS_CONFLICT);
}

void dispatch_answer(const struct policy *policy, const struct action *action, const struct error *error,
		     struct answer *answer)
{
	enum status status = error->status;
	const char *text = error->text;

	if (status == STATUS_OK && buffer_failed(&answer->body)) {
		status = STATUS_UNAVAILABLE;
		text = "out of memory";
	}
	answer->http_status = dispatch_http_status(status);
	answer->content_type =
		status == STATUS_OK && action && action->content_type ? action->content_type : "application/json";
	answer->retry_after = status == STATUS_UNAVAILABLE;
	if (status != STATUS_OK) {
		buffer_release(&answer->body);
		buffer_append_string(&answer->body, "{\"error\":");
		buffer_append_json(&answer->body, text_of(text));
		buffer_append_string(&answer->body, "}");
		if (policy->refusals_as_200 && is_refusal_of_action(action, status))
			answer->http_status = 200;
	}
	buffer_append_string(&answer->body, "\n");
}
