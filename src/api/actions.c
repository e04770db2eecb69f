/* The actions: the table of action.h and what carries each row out. Each handler has its arguments checked. */
#include "api/action.h"

#include "domain/instant.h"

#include <stddef.h>
#include <string.h>

static void put_uuid(struct buffer *body, const struct uuid *uuid)
{
	char text[UUID_TEXT_SIZE + 2];

	text[0] = '"';
	uuid_format(uuid, text + 1);
	text[UUID_TEXT_SIZE + 1] = '"';
	buffer_append(body, text, sizeof text);
}

static void put_instant(struct buffer *body, int64_t ms)
{
	char text[INSTANT_TEXT_SIZE + 2];

	text[0] = '"';
	instant_format(ms, text + 1);
	text[INSTANT_TEXT_SIZE + 1] = '"';
	buffer_append(body, text, sizeof text);
}

static void put_one_id(struct buffer *body, const char *name, const struct uuid *id)
{
	buffer_append_format(body, "{\"%s\":", name);
	put_uuid(body, id);
	buffer_append_string(body, "}");
}

static struct operation operation_of(const struct call *call, enum operation_kind kind)
{
	return (struct operation){
		.kind = kind,
		.id = call->new_id,
		.user = call->arguments.user,
		.document = call->arguments.document,
		.library = call->arguments.library,
		.now_ms = call->now_ms,
		.restricted = call->restricted,
		.actor = call->actor,
		.repeated = call->repeated,
	};
}

static enum status init_user(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct operation operation = operation_of(call, OPERATION_INIT_USER);

	if (store_write(store, &operation, call->gate, error) == STATUS_OK)
		put_one_id(body, "focusStats", &operation.id);
	return error->status;
}

static enum status start_session(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct operation operation = operation_of(call, OPERATION_START_SESSION);

	if (store_write(store, &operation, call->gate, error) == STATUS_OK)
		put_one_id(body, "focusSession", &operation.id);
	return error->status;
}

/* The operation on the session that the call names. All sessions have UUIDs, so any other id is none. */
static enum status name_session(const struct call *call, struct operation *operation, struct error *error)
{
	const struct identifier *session = &call->arguments.session;

	if (uuid_parse(identifier_text(session), &operation->id))
		return STATUS_OK;
	return error_set(error, STATUS_NOT_FOUND, "focusSession: '%.*s' is no session", session->size, session->data);
}

static enum status end_session(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct operation operation = operation_of(call, OPERATION_END_SESSION);

	if (name_session(call, &operation, error) != STATUS_OK)
		return error->status;
	if (store_write(store, &operation, call->gate, error) == STATUS_OK)
		put_one_id(body, "focusSession", &operation.id);
	return error->status;
}

static enum status remove_session(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error)
{
	struct operation operation = operation_of(call, OPERATION_REMOVE_SESSION);

	if (name_session(call, &operation, error) != STATUS_OK)
		return error->status;
	if (store_write(store, &operation, call->gate, error) == STATUS_OK)
		buffer_append_string(body, "{}");
	return error->status;
}

/* A list under construction. */
struct list {
	struct buffer *body;
	const struct identifier *user;
	bool begun;
};

static void put_separator(struct list *list)
{
	if (list->begun)
		buffer_append(list->body, ",", 1);
	list->begun = true;
}

static void put_ended_id(void *context, const struct session_entry *entry)
{
	struct list *list = context;

	if (!entry->ended)
		return;
	put_separator(list);
	put_uuid(list->body, &entry->id);
}

static enum status view_stats(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct buffer ids = BUFFER_INIT;
	struct list list = {.body = &ids};
	struct stats stats;

	enum status status = store_read_user(store, &call->arguments.user, &stats, put_ended_id, &list, error);
	if (status == STATUS_OK) {
		buffer_append_string(body, "[{\"focusStats\":{\"id\":");
		put_uuid(body, &stats.id);
		buffer_append_string(body, ",\"user\":");
		buffer_append_json(body, identifier_text(&call->arguments.user));
		buffer_append_string(body, ",\"focusSessionIds\":[");
		buffer_append_text(body, buffer_text(&ids));
		buffer_append_string(body, "]}}]");
		body->failed |= buffer_failed(&ids);
	}
	buffer_release(&ids);
	return status;
}

static void put_session(void *context, const struct session_entry *entry)
{
	struct list *list = context;

	put_separator(list);
	buffer_append_string(list->body, "{\"focusSession\":{\"_id\":");
	put_uuid(list->body, &entry->id);
	buffer_append_string(list->body, ",\"user\":");
	buffer_append_json(list->body, identifier_text(list->user));
	buffer_append_string(list->body, ",\"document\":");
	buffer_append_json(list->body, entry->document);
	buffer_append_string(list->body, ",\"startTime\":");
	put_instant(list->body, entry->start_ms);
	buffer_append_string(list->body, ",\"endTime\":");
	if (entry->ended)
		put_instant(list->body, entry->end_ms);
	else
		buffer_append_string(list->body, "null");
	buffer_append_string(list->body, "}}");
}

static enum status get_sessions(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct list list = {.body = body, .user = &call->arguments.user};
	struct stats stats;

	buffer_append_string(body, "[");
	enum status status = store_read_user(store, list.user, &stats, put_session, &list, error);
	buffer_append_string(body, "]");
	return status;
}

static enum status health(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	(void)call;
	buffer_append_string(body, "{\"status\":\"ok\"}");
	return store_ping(store, error);
}

/* clang-format off */
#define USER {"user", offsetof(struct arguments, user), true, true}
#define DOCUMENT {"document", offsetof(struct arguments, document), true, false}
#define LIBRARY {"library", offsetof(struct arguments, library), true, false}
#define SESSION {"focusSession", offsetof(struct arguments, session), true, false}
/* clang-format on */

static const struct action actions[] = {
	{
		.path = "/FocusStats/initUser",
		.creates = true,
		.repeatable = true,
		.fields = {USER},
		.summary = "Create the user's FocusStats object.",
		.carry_out = init_user,
	},
	{
		.path = "/FocusStats/startSession",
		.creates = true,
		.repeatable = true,
		.fields = {USER, DOCUMENT, LIBRARY},
		.summary = "Record that the user begins to read the document.",
		.carry_out = start_session,
	},
	{
		.path = "/FocusStats/endSession",
		.repeatable = true,
		.fields = {SESSION},
		.summary = "End an active session.",
		.carry_out = end_session,
	},
	{
		.path = "/FocusStats/removeSession",
		.fields = {SESSION},
		.summary = "Delete a session.",
		.carry_out = remove_session,
	},
	{
		.path = "/FocusStats/_viewStats",
		.repeatable = true,
		.fields = {USER},
		.summary = "The user's FocusStats object with the ids of the ended sessions.",
		.carry_out = view_stats,
	},
	{
		.path = "/FocusStats/_getSessions",
		.repeatable = true,
		.fields = {USER},
		.summary = "All sessions of the user, oldest first.",
		.carry_out = get_sessions,
	},
	{
		.path = "/FocusStats/health",
		.is_get = true,
		.open = true,
		.repeatable = true,
		.summary = "Whether the store can be read.",
		.carry_out = health,
	},
};

const struct action *action_table(size_t *count)
{
	*count = sizeof actions / sizeof actions[0];
	return actions;
}

const struct action *action_find(struct text path)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (text_equal(text_of(actions[i].path), path))
			return &actions[i];
	return NULL;
}

const char *action_name(const struct action *action)
{
	return strrchr(action->path, '/') + 1;
}
