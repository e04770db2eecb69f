/* Carrying out actions; see client.h. */
#include "tool/client.h"

#include "api/arguments.h"
#include "api/dispatch.h"
#include "base/clock.h"
#include "tool/identity.h"

static enum status open_as(struct client *client, const struct config *config, bool job, struct error *error)
{
	const struct owner_options options = {
		.once = true,
		.job = job,
		.patience_ms = config->relay_timeout_ms,
		.fatal = owner_end_process,
	};

	if (identity_become(config->home, error) != STATUS_OK)
		return error->status;
	client->ids = (struct uuid_source)UUID_SOURCE_INIT;
	return owner_init(&client->owner, config->home, &options, error);
}

enum status client_open(struct client *client, const struct config *config, struct error *error)
{
	return open_as(client, config, false, error);
}

enum status client_open_job(struct client *client, const struct config *config, struct error *error)
{
	return open_as(client, config, true, error);
}

void client_complete_removals(struct client *client)
{
	struct store *store = atomic_load(&client->owner.store);

	if (store)
		store_complete_removals(store);
}

void client_close(struct client *client)
{
	owner_destroy(&client->owner);
}

static enum status execute(struct client *client, const struct request *request, struct call *call, struct buffer *body,
			   struct error *error)
{
	const struct policy policy = {.local = true, .max_body_bytes = SIZE_MAX >> 1};
	struct answer ignored = {0};
	long long body_bytes;

	if (dispatch_head(&policy, request, call, &ignored, &body_bytes, error) != STATUS_OK ||
	    dispatch_body(request, call, error) != STATUS_OK)
		return error->status;
	if (call->action->creates && !uuid_make(&client->ids, call->now_ms, &call->new_id))
		return error_set(error, STATUS_UNAVAILABLE, "the system has no random bytes");
	owner_execute(&client->owner, call, NULL, body, error);
	if (error->status == STATUS_OK && buffer_failed(body))
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	return error->status;
}

enum status client_send(struct client *client, const char *path, struct text body, struct buffer *answer,
			struct error *error)
{
	const struct request request = {
		.method = text_of("POST"),
		.path = text_of(path),
		.content_type = text_of("application/json"),
		.body = body,
	};
	struct call call = {.now_ms = clock_wall_ms()};

	error->status = STATUS_OK;
	execute(client, &request, &call, answer, error);
	arguments_release(&call.arguments);
	return error->status;
}

enum status client_ask(struct client *client, const char *path, json_object *fields, json_object **answer,
		       struct error *error)
{
	struct text body = text_of(fields ? json_object_to_json_string_ext(fields, JSON_C_TO_STRING_PLAIN) : "{}");
	struct buffer bytes = BUFFER_INIT;

	if (client_send(client, path, body, &bytes, error) == STATUS_OK) {
		buffer_append(&bytes, "", 1);
		*answer = buffer_failed(&bytes) ? NULL : json_tokener_parse(bytes.data);
		if (!*answer)
			error_set(error, STATUS_UNAVAILABLE, "out of memory");
	}
	buffer_release(&bytes);
	return error->status;
}
