/* The admin tool's actions; see local.h. */
#include "api/local.h"

#include "api/output.h"
#include "api/records.h"
#include "domain/statistics.h"

#include <inttypes.h>

#define SET(field) FIELD_SET(field)

struct users {
	struct buffer *body;
	int64_t left; /* how many more; negative for all */
	bool begun;
};

static bool put_user(void *context, struct text user, const struct stats *stats)
{
	struct users *users = context;

	output_separator(users->body, &users->begun);
	buffer_append_string(users->body, "{\"user\":{\"user\":");
	buffer_append_json(users->body, user);
	buffer_append_format(users->body, ",\"sessions\":%" PRIu64 ",\"active\":%" PRIu64 ",\"seconds\":%" PRId64 "}}",
			     stats->sessions, stats->sessions - stats->ended, statistics_seconds(stats->ended_ms));
	return --users->left != 0;
}

static enum status get_users(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	const struct arguments *arguments = &call->arguments;
	struct users users = {.body = body, .left = arguments->given & SET(LIMIT) ? arguments->limit : -1};
	struct store_reader *reader;

	if (store_reader_open(store, &reader, error) != STATUS_OK)
		return error->status;
	buffer_append_string(body, "[");
	store_reader_users(reader, arguments->given & SET(AFTER) ? &arguments->after : NULL, put_user, &users, error);
	store_reader_close(reader);
	buffer_append_string(body, "]");
	return error->status;
}

static enum status settle(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	const struct operation operation = {
		.kind = OPERATION_SETTLE_USER, .now_ms = call->now_ms, .user = call->arguments.user};
	uint64_t sessions;

	if (store_settle_user(store, &operation, call->gate, &sessions, error) == STATUS_OK)
		buffer_append_format(body, "{\"endedSessions\":%" PRIu64 "}", sessions);
	return error->status;
}

static enum status get_stats(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct store_figures figures;
	const struct engine_figures *engine = &figures.engine;

	(void)call;
	if (store_figures(store, &figures, error) != STATUS_OK)
		return error->status;
	buffer_append_format(body, "{\"stats\":{\"users\":%" PRIu64 ",\"sessions\":%" PRIu64, figures.totals.users,
			     figures.totals.sessions);
	buffer_append_string(body, ",\"ownerSince\":");
	output_instant(body, true, figures.opened_ms);
	buffer_append_string(body, ",\"lastCheckpoint\":");
	output_instant(body, engine->checkpoint_ms > 0, engine->checkpoint_ms);
	buffer_append_format(body,
			     ",\"bytesSinceCheckpoint\":%" PRIu64 ",\"cacheBytes\":%" PRIu64 ",\"cacheHits\":%" PRIu64
			     ",\"cacheMisses\":%" PRIu64 "}}",
			     engine->log_checkpoint_bytes, engine->cache_bytes, engine->hits, engine->misses);
	return STATUS_OK;
}

static void put_id(struct buffer *body, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id, text);
	buffer_append_json(body, (struct text){text, sizeof text});
}

static enum status begin_copy(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	if (store_begin_copy(store, &call->new_id, error) != STATUS_OK)
		return error->status;
	buffer_append_string(body, "{\"copy\":");
	put_id(body, &call->new_id);
	buffer_append_string(body, "}");
	return STATUS_OK;
}

static enum status get_copy(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct store_copy copy;

	(void)call;
	(void)error;
	store_get_copy(store, &copy);
	buffer_append_string(body, "{\"copy\":");
	put_id(body, &copy.id);
	buffer_append_format(body, ",\"running\":%s,\"bytes\":%" PRIu64 ",\"expectedBytes\":%" PRIu64,
			     copy.running ? "true" : "false", copy.bytes, copy.expected_bytes);
	if (!copy.running && copy.error.status != STATUS_OK) {
		buffer_append_string(body, ",\"error\":");
		buffer_append_json(body, text_of(copy.error.detail[0] ? copy.error.detail : copy.error.text));
	}
	buffer_append_string(body, "}");
	return STATUS_OK;
}

static const struct action actions[] = {
	{
		.path = LOCAL_USERS,
		.repeatable = true,
		.optional = SET(AFTER) | SET(LIMIT),
		.carry_out = get_users,
	},
	{
		.path = LOCAL_SETTLE,
		.repeatable = true,
		.required = SET(USER),
		.carry_out = settle,
	},
	{
		.path = LOCAL_STATS,
		.repeatable = true,
		.carry_out = get_stats,
	},
	{
		.path = LOCAL_IMPORT,
		.raw = true,
		.creates = true,
		.repeatable = true,
		.carry_out = records_import,
	},
	{
		.path = LOCAL_EXPORT_USER,
		.repeatable = true,
		.required = SET(USER),
		.carry_out = records_export_user,
	},
	{
		.path = LOCAL_EXPORT,
		.repeatable = true,
		.required = SET(USER),
		.optional = SET(AFTER) | SET(LIMIT),
		.carry_out = records_export,
	},
	{
		.path = LOCAL_COPY,
		.creates = true,
		.repeatable = true,
		.carry_out = begin_copy,
	},
	{
		.path = LOCAL_COPY_STATE,
		.repeatable = true,
		.carry_out = get_copy,
	},
};

const struct action *local_find(struct text path)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (text_equal(text_of(actions[i].path), path))
			return &actions[i];
	return NULL;
}
