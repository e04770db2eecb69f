/* The description of the API; see openapi.h. */
#include "api/openapi.h"

#include "config.h"

#include "api/dispatch.h"
#include "api/json_schema.h"

#include <stdio.h>
#include <string.h>

static const char JSON[] = "application/json";

/* What a status means to who gets it; NULL where it is no refusal. */
static const char *const refusals[] = {
	[STATUS_INVALID] = "The request is not what the action takes.",
	[STATUS_UNAUTHENTICATED] = "Nobody is signed in.",
	[STATUS_FORBIDDEN] = "Acting for somebody else, or a host name that is not the service's.",
	[STATUS_NOT_FOUND] = "There is no such user or session.",
	[STATUS_METHOD] = "The path takes another method.",
	[STATUS_CONFLICT] = "It is in that state already.",
	[STATUS_TOO_LARGE] = "The body is over the limit.",
	[STATUS_MEDIA_TYPE] = "The body is not declared as JSON.",
	[STATUS_UNAVAILABLE] = "Not now; the text says whether it may have been carried out.",
};

enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

/* Whether an action can answer so. */
static bool can_refuse(const struct action *action, unsigned status)
{
	switch (status) {
	case STATUS_INVALID:
	case STATUS_TOO_LARGE:
	case STATUS_MEDIA_TYPE:
		return !action->is_get;
	case STATUS_UNAUTHENTICATED:
		return !action->open;
	case STATUS_FORBIDDEN:
	case STATUS_METHOD:
	case STATUS_UNAVAILABLE:
		return true;
	default:
		return action->refusals & 1U << status;
	}
}

/* The key of a response: its HTTP status. */
static void format_status(char text[8], unsigned status)
{
	snprintf(text, 8, "%u", dispatch_http_status((enum status)status) % 1000);
}

static void put_response(struct writer *writer, const struct action *action)
{
	const char *type = action->content_type ? action->content_type : JSON;

	writer_begin_object(writer, "200");
	writer_string(writer, "description", "Done.");
	writer_begin_object(writer, "content");
	writer_begin_object(writer, type);
	if (!action->answer) {
		writer_begin_object(writer, "schema");
		writer_string(writer, "type", "string");
		writer_end_object(writer);
	} else if (action_name(action)[0] == '_') {
		writer_begin_object(writer, "schema");
		writer_string(writer, "type", "array");
		json_schema_put_answer(writer, "items", action->answer);
		writer_end_object(writer);
	} else {
		json_schema_put_answer(writer, "schema", action->answer);
	}
	writer_end_object(writer);
	writer_end_object(writer);
	writer_end_object(writer);
}

static void put_responses(struct writer *writer, const struct action *action)
{
	char status[8], reference[40];

	writer_begin_object(writer, "responses");
	put_response(writer, action);
	for (unsigned i = 0; i < REFUSALS; i++) {
		if (!refusals[i] || !can_refuse(action, i))
			continue;
		format_status(status, i);
		snprintf(reference, sizeof reference, "#/components/responses/%s", status);
		writer_begin_object(writer, status);
		writer_string(writer, "$ref", reference);
		writer_end_object(writer);
	}
	writer_end_object(writer);
}

static void put_operation(struct writer *writer, const struct action *action)
{
	writer_begin_object(writer, action->path);
	writer_begin_object(writer, action->is_get ? "get" : "post");
	writer_string(writer, "operationId", action_name(action));
	writer_string(writer, "summary", action->summary);
	if (action->open) {
		writer_begin_array(writer, "security");
		writer_end_array(writer);
	}
	if (!action->is_get) {
		writer_begin_object(writer, "requestBody");
		writer_boolean(writer, "required", true);
		writer_begin_object(writer, "content");
		writer_begin_object(writer, JSON);
		json_schema_put_request(writer, "schema", action->required, action->optional);
		writer_end_object(writer);
		writer_end_object(writer);
		writer_end_object(writer);
	}
	put_responses(writer, action);
	writer_end_object(writer);
	writer_end_object(writer);
}

static void put_info(struct writer *writer)
{
	writer_begin_object(writer, "info");
	writer_string(writer, "title", "FocusStats");
	writer_string(writer, "version", PACKAGE_VERSION);
	writer_string(writer, "description",
		      "Records what is read, and for how long. Ids are 1 to 255 bytes of UTF-8 without control "
		      "characters. Fields "
		      "that are not listed are ignored. `user` may be left out where somebody is signed in.");
	writer_begin_object(writer, "license");
	writer_string(writer, "name", "MIT");
	writer_string(writer, "identifier", "MIT");
	writer_end_object(writer);
	writer_end_object(writer);
	writer_begin_array(writer, "servers");
	writer_begin_object(writer, NULL);
	writer_string(writer, "url", "/api");
	writer_string(writer, "description", "Where the site files mount it.");
	writer_end_object(writer);
	writer_end_array(writer);
}

/* Who signs in is the web server's business: as the site files have it, or nobody. */
static void put_security(struct writer *writer)
{
	writer_begin_array(writer, "security");
	writer_begin_object(writer, NULL);
	writer_begin_array(writer, "webServer");
	writer_end_array(writer);
	writer_end_object(writer);
	writer_begin_object(writer, NULL);
	writer_end_object(writer);
	writer_end_array(writer);
}

static void put_refusal(struct writer *writer, unsigned status)
{
	char key[8];

	format_status(key, status);
	writer_begin_object(writer, key);
	writer_string(writer, "description", refusals[status]);
	writer_begin_object(writer, "content");
	writer_begin_object(writer, JSON);
	writer_begin_object(writer, "schema");
	writer_string(writer, "$ref", "#/components/schemas/Error");
	writer_end_object(writer);
	writer_end_object(writer);
	writer_end_object(writer);
	writer_end_object(writer);
}

static void put_components(struct writer *writer)
{
	writer_begin_object(writer, "components");
	writer_begin_object(writer, "schemas");
	json_schema_put_error(writer, "Error");
	writer_end_object(writer);
	writer_begin_object(writer, "responses");
	for (unsigned i = 0; i < REFUSALS; i++)
		if (refusals[i])
			put_refusal(writer, i);
	writer_end_object(writer);
	writer_begin_object(writer, "securitySchemes");
	writer_begin_object(writer, "webServer");
	writer_string(writer, "type", "http");
	writer_string(writer, "scheme", "basic");
	writer_string(writer, "description",
		      "The web server signs its users in, as the site files have it or otherwise.");
	writer_end_object(writer);
	writer_end_object(writer);
	writer_end_object(writer);
}

enum status openapi_write(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct writer writer = {.out = body};
	size_t count;
	const struct action *table = action_table(&count);

	(void)store;
	(void)call;
	writer_begin_object(&writer, NULL);
	writer_string(&writer, "openapi", "3.1.0");
	put_info(&writer);
	put_security(&writer);
	writer_begin_object(&writer, "paths");
	for (size_t i = 0; i < count; i++)
		put_operation(&writer, &table[i]);
	writer_end_object(&writer);
	put_components(&writer);
	writer_end_object(&writer);
	return error->status = STATUS_OK;
}
