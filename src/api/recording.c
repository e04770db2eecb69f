/* The actions that write; see recording.h. Each makes an operation of its arguments and answers what became of it. */
#include "api/recording.h"

#include "api/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_given(const struct call *call, uint32_t field)
{
	return (call->arguments.given & field) != 0;
}

/* The operation of a call, made in its place: it is large. */
static void make_operation(const struct call *call, enum operation_kind kind, struct operation *operation)
{
	static const struct {
		uint32_t field;
		unsigned given;
	} known[] = {
		{FIELD_SET(DOCUMENT), GIVEN_DOCUMENT}, {FIELD_SET(START_TIME), GIVEN_START},
		{FIELD_SET(END_TIME), GIVEN_END},      {FIELD_SET(PROGRESS), GIVEN_PROGRESS},
		{FIELD_SET(TITLE), GIVEN_TITLE},       {FIELD_SET(AUTHORS), GIVEN_AUTHORS},
	};
	const struct arguments *arguments = &call->arguments;

	*operation = (struct operation){
		.kind = kind,
		.id = is_given(call, FIELD_SET(NEW_SESSION)) ? arguments->new_session : call->new_id,
		.user = arguments->user,
		.document = arguments->document,
		.library = arguments->library,
		.now_ms = call->now_ms,
		.start_ms = arguments->start_ms,
		.end_ms = arguments->end_ms,
		.progress = arguments->progress,
		.description = arguments->description,
		.restricted = call->restricted,
		.actor = call->actor,
		.repeated = call->repeated,
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (is_given(call, known[i].field))
			operation->given |= known[i].given;
}

enum status recording_init_user(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct operation operation;

	make_operation(call, OPERATION_INIT_USER, &operation);
	if (store_write(store, &operation, call->gate, error) == STATUS_OK)
		output_one_id(body, "focusStats", &operation.id);
	return error->status;
}

enum status recording_start_session(const struct call *call, struct operation *operation, struct error *error)
{
	(void)error;
	make_operation(call, OPERATION_START_SESSION, operation);
	return STATUS_OK;
}

enum status recording_add_session(const struct call *call, struct operation *operation, struct error *error)
{
	(void)error;
	make_operation(call, OPERATION_ADD_SESSION, operation);
	return STATUS_OK;
}

/* An operation on the session that the call names. All sessions have UUIDs, so any other id is none. */
static enum status prepare_session(const struct call *call, enum operation_kind kind, struct operation *operation,
				   struct error *error)
{
	const struct identifier *session = &call->arguments.session;

	make_operation(call, kind, operation);
	if (!uuid_parse(identifier_text(session), &operation->id))
		return error_set(error, STATUS_NOT_FOUND, "focusSession: '%.*s' is no session", session->size,
				 session->data);
	return STATUS_OK;
}

enum status recording_heartbeat(const struct call *call, struct operation *operation, struct error *error)
{
	return prepare_session(call, OPERATION_HEARTBEAT, operation, error);
}

enum status recording_end_session(const struct call *call, struct operation *operation, struct error *error)
{
	return prepare_session(call, OPERATION_END_SESSION, operation, error);
}

enum status recording_edit_session(const struct call *call, struct operation *operation, struct error *error)
{
	if (!is_given(call, FIELD_SET(START_TIME) | FIELD_SET(END_TIME) | FIELD_SET(DOCUMENT)))
		return error_set(error, STATUS_INVALID,
				 "startTime, endTime, document: one of them must be there, to be changed");
	return prepare_session(call, OPERATION_EDIT_SESSION, operation, error);
}

enum status recording_remove_session(const struct call *call, struct operation *operation, struct error *error)
{
	return prepare_session(call, OPERATION_REMOVE_SESSION, operation, error);
}

void recording_report_session(const struct operation *operation, struct buffer *body)
{
	output_one_id(body, "focusSession", &operation->id);
}

void recording_report_nothing(const struct operation *operation, struct buffer *body)
{
	(void)operation;
	buffer_append_string(body, "{}");
}

/* Operations for the sessions that can be added, in their order; errors are theirs. Returns how many. Ids for those whose client
 * chose none follow one another from the call's new id on, so that a request that is sent to the next owner once more makes the
 * same ones. */
static size_t add_operations(const struct call *call, struct operation *operations)
{
	size_t count = 0;

	for (size_t i = 0; i < call->arguments.session_count; i++) {
		const struct added_session *session = &call->arguments.sessions[i];
		if (session->error.status != STATUS_OK)
			continue;
		struct operation *operation = &operations[count++];
		make_operation(call, OPERATION_ADD_SESSION, operation);
		operation->id = session->chosen ? session->id : uuid_following(&call->new_id, i);
		operation->document = session->document;
		operation->library = session->library;
		operation->start_ms = session->start_ms;
		operation->end_ms = session->end_ms;
	}
	return count;
}

static void output_results(const struct call *call, const struct operation *operations, const struct error *errors,
			   struct buffer *body)
{
	size_t carried_out = 0;
	bool begun = false;

	buffer_append_string(body, "{\"results\":[");
	for (size_t i = 0; i < call->arguments.session_count; i++) {
		const struct error *error = &call->arguments.sessions[i].error;
		const struct operation *operation = &operations[carried_out];
		if (error->status == STATUS_OK)
			error = &errors[carried_out++];
		output_separator(body, &begun);
		buffer_append_format(body, "{\"index\":%zu,", i);
		if (error->status == STATUS_OK) {
			buffer_append_string(body, "\"focusSession\":");
			output_uuid(body, &operation->id);
		} else {
			buffer_append_string(body, "\"error\":");
			buffer_append_json(body, text_of(error->text));
		}
		buffer_append_string(body, "}");
	}
	buffer_append_string(body, "]}");
}

/* Whether the request as a whole failed: there is no such user, or the store could do nothing of it. What it could not do of
 * it is said with each session. */
static enum status whole_error(const struct error *errors, size_t count, struct error *error)
{
	const struct error *failure = NULL;

	for (size_t i = 0; i < count; i++) {
		if (errors[i].status == STATUS_OK)
			return STATUS_OK;
		if (errors[i].status == STATUS_UNAVAILABLE || errors[i].status == STATUS_NOT_FOUND)
			failure = &errors[i];
	}
	if (!failure)
		return STATUS_OK;
	*error = *failure;
	return error->status;
}

enum status recording_add_sessions(struct store *store, const struct call *call, struct buffer *body,
				   struct error *error)
{
	size_t most = call->arguments.session_count > 0 ? call->arguments.session_count : 1;
	struct operation *operations = calloc(most, sizeof *operations);
	struct error *errors = calloc(most, sizeof *errors);
	struct store_reader *reader;
	struct stats stats;

	if (!operations || !errors) {
		error_set(error, STATUS_UNAVAILABLE, "out of memory");
	} else {
		size_t count = add_operations(call, operations);
		/* Where none can be added, nothing else would tell that there is no such user. */
		if (count == 0 && store_reader_open(store, &reader, error) == STATUS_OK) {
			store_reader_user(reader, &call->arguments.user, &stats, error);
			store_reader_close(reader);
		}
		store_write_all(store, operations, count, call->gate, errors);
		if (error->status == STATUS_OK && whole_error(errors, count, error) == STATUS_OK)
			output_results(call, operations, errors, body);
	}
	free(operations);
	free(errors);
	return error->status;
}

enum status recording_set_document(const struct call *call, struct operation *operation, struct error *error)
{
	(void)error;
	make_operation(call, OPERATION_SET_DOCUMENT, operation);
	return STATUS_OK;
}

/* {"NAME":"ID"} of an id that a client chose. */
static void report_identifier(const char *name, const struct identifier *id, struct buffer *body)
{
	buffer_append_format(body, "{\"%s\":", name);
	buffer_append_json(body, identifier_text(id));
	buffer_append_string(body, "}");
}

void recording_report_document(const struct operation *operation, struct buffer *body)
{
	report_identifier("document", &operation->document, body);
}

enum status recording_set_settings(const struct call *call, struct operation *operation, struct error *error)
{
	static const struct {
		uint32_t field;
		unsigned setting;
	} known[] = {
		{FIELD_SET(TIMEZONE), SETTING_TIMEZONE},         {FIELD_SET(DAY_START), SETTING_DAY_START},
		{FIELD_SET(WEEK_START), SETTING_WEEK_START},     {FIELD_SET(DAILY_GOAL), SETTING_DAILY_GOAL},
		{FIELD_SET(IDLE_TIMEOUT), SETTING_IDLE_TIMEOUT},
	};
	const struct arguments *arguments = &call->arguments;

	(void)error;
	make_operation(call, OPERATION_SET_SETTINGS, operation);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (is_given(call, known[i].field))
			operation->settings_given |= known[i].setting;
	operation->settings = (struct settings){
		.timezone = arguments->timezone,
		.day_start_minutes = (uint16_t)arguments->day_start_minutes,
		.week_start = (uint8_t)(arguments->week_start + 1), /* the first choice is Monday, 1 */
		.daily_goal_seconds = (uint32_t)arguments->daily_goal_seconds,
		.idle_timeout_seconds = (uint32_t)arguments->idle_timeout_seconds,
	};
	return STATUS_OK;
}

void recording_report_user(const struct operation *operation, struct buffer *body)
{
	report_identifier("user", &operation->user, body);
}

enum status recording_remove_user(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error)
{
	struct operation operation;
	uint64_t sessions;

	make_operation(call, OPERATION_REMOVE_USER, &operation);
	if (!identifier_equal(&call->arguments.confirm, &operation.user))
		return error_set(error, STATUS_INVALID, "confirm: must repeat the user's id, '%.*s'",
				 operation.user.size, operation.user.data);
	if (store_remove_user(store, &operation, call->gate, &sessions, error) == STATUS_OK)
		buffer_append_format(body, "{\"removedSessions\":%" PRIu64 "}", sessions);
	return error->status;
}
