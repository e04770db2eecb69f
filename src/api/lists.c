/* The queries that list what is stored; see lists.h. What counts as ended by now is shown as ended everywhere. */
#include "api/lists.h"

#include "api/filter.h"
#include "api/output.h"
#include "domain/statistics.h"

#include <inttypes.h>

enum { EXPORT_VERSION = 1 };

/* A list under construction. */
struct list {
	struct buffer *body;
	const struct identifier *user;
	struct filter filter;
	int64_t left; /* how many more may come; below 0 for any number */
	bool begun;
	bool extended;      /* elements with all keys */
	struct buffer text; /* of the user's id as JSON, the same in all elements */
};

/* The entry's facts as they count now. */
static struct session_facts settled(const struct list *list, const struct session_entry *entry)
{
	struct session_facts now = entry->facts;

	session_settle(&now, list->filter.now_ms, list->filter.idle_ms);
	return now;
}

/* Open a reader and read the user; on failure there is none. */
static enum status open_reader(struct store *store, const struct call *call, struct store_reader **reader,
			       struct stats *stats, struct error *error)
{
	if (store_reader_open(store, reader, error) != STATUS_OK)
		return error->status;
	if (store_reader_user(*reader, &call->arguments.user, stats, error) != STATUS_OK)
		store_reader_close(*reader);
	return error->status;
}

static bool put_ended_id(void *context, const struct session_entry *entry)
{
	struct list *list = context;

	if (settled(list, entry).ended) {
		output_separator(list->body, &list->begun);
		output_uuid(list->body, &entry->id);
	}
	return true;
}

enum status lists_view_stats(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct list list = {.body = body};
	struct store_reader *reader;
	struct stats stats;

	if (open_reader(store, call, &reader, &stats, error) != STATUS_OK)
		return error->status;
	const struct store_scan scan = {&call->arguments.user, &stats, INT64_MIN, INT64_MAX, false, NULL};
	buffer_append_string(body, "[{\"focusStats\":{\"id\":");
	output_uuid(body, &stats.id);
	buffer_append_string(body, ",\"user\":");
	buffer_append_json(body, identifier_text(&call->arguments.user));
	buffer_append_string(body, ",\"focusSessionIds\":[");
	if (filter_make(call, &stats, &list.filter, error) == STATUS_OK)
		store_reader_sessions(reader, &scan, put_ended_id, &list, error);
	store_reader_close(reader);
	buffer_append_string(body, "]}}]");
	return error->status;
}

static void put_library(struct buffer *body, const struct session_entry *entry)
{
	buffer_append_string(body, ",\"library\":");
	buffer_append_json(body, entry->library);
}

static void put_times(struct buffer *body, const struct session_facts *facts)
{
	buffer_append_string(body, ",\"startTime\":");
	output_instant(body, true, facts->start_ms);
	buffer_append_string(body, ",\"endTime\":");
	output_instant(body, facts->ended, facts->end_ms);
}

static void put_signs_of_life(struct buffer *body, const struct session_facts *facts)
{
	buffer_append_string(body, ",\"lastSeen\":");
	output_instant(body, facts->seen, facts->last_seen_ms);
	buffer_append_string(body, ",\"progress\":");
	output_portion(body, facts->reported, facts->progress);
}

static bool put_session(void *context, const struct session_entry *entry)
{
	struct list *list = context;
	struct session_facts now = settled(list, entry);
	struct buffer *body = list->body;

	if (!filter_selects(&list->filter, entry) || !filter_touches(&list->filter, &now))
		return true;
	output_separator(body, &list->begun);
	buffer_append_string(body, "{\"focusSession\":{\"_id\":");
	output_uuid(body, &entry->id);
	buffer_append_string(body, ",\"user\":");
	buffer_append_text(body, buffer_text(&list->text));
	buffer_append_string(body, ",\"document\":");
	buffer_append_json(body, entry->document);
	if (list->extended)
		put_library(body, entry);
	put_times(body, &now);
	if (list->extended)
		put_signs_of_life(body, &now);
	buffer_append_string(body, "}}");
	return --list->left != 0;
}

/* Where a list begins that is asked for behind a session. */
struct place {
	const struct list *list;
	bool found; /* the session is one that the whole list has */
	struct session_entry entry;
};

static bool note_place(void *context, const struct session_entry *entry)
{
	struct place *place = context;
	struct session_facts now = settled(place->list, entry);

	place->found = filter_selects(&place->list->filter, entry) && filter_touches(&place->list->filter, &now);
	place->entry = *entry;
	return false;
}

static enum status find_place(struct store_reader *reader, const struct call *call, const struct store_scan *scan,
			      struct place *place, struct error *error)
{
	const struct identifier *after = &call->arguments.after;
	struct uuid id;

	if (uuid_parse(identifier_text(after), &id) &&
	    store_reader_find(reader, scan, &id, note_place, place, error) != STATUS_OK)
		return error->status;
	if (!place->found)
		return error_set(error, STATUS_NOT_FOUND, "after: '%.*s' is no session of this list", after->size,
				 after->data);
	return STATUS_OK;
}

static void put_sessions(struct store_reader *reader, const struct call *call, const struct stats *stats,
			 struct list *list, struct error *error)
{
	const struct arguments *arguments = &call->arguments;
	struct place place = {.list = list};
	struct store_scan scan = {
		.user = &arguments->user,
		.stats = stats,
		.from_ms = list->filter.from_ms,
		.to_ms = list->filter.to_ms,
		.descending = (arguments->given & FIELD_SET(ORDER)) && arguments->order == 1,
	};

	if (arguments->given & FIELD_SET(AFTER)) {
		if (find_place(reader, call, &scan, &place, error) != STATUS_OK)
			return;
		scan.after = &place.entry;
	}
	store_reader_sessions(reader, &scan, put_session, list, error);
}

enum status lists_get_sessions(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	const struct arguments *arguments = &call->arguments;
	struct list list = {
		.body = body,
		.left = arguments->given & FIELD_SET(LIMIT) ? arguments->limit : -1,
		.extended = (arguments->given & ~FIELD_SET(USER)) != 0,
		.text = BUFFER_INIT,
	};
	struct store_reader *reader;
	struct stats stats;

	if (open_reader(store, call, &reader, &stats, error) != STATUS_OK)
		return error->status;
	buffer_append_json(&list.text, identifier_text(&arguments->user));
	buffer_append_string(body, "[");
	if (filter_make(call, &stats, &list.filter, error) == STATUS_OK)
		put_sessions(reader, call, &stats, &list, error);
	store_reader_close(reader);
	buffer_append_string(body, "]");
	body->failed |= buffer_failed(&list.text);
	buffer_release(&list.text);
	return error->status;
}

static bool put_active(void *context, const struct session_entry *entry)
{
	struct list *list = context;
	const struct session_facts *facts = &entry->facts;
	int64_t now_ms = list->filter.now_ms, elapsed_ms = now_ms - facts->start_ms;
	struct buffer *body = list->body;

	if (session_is_over(facts, now_ms, list->filter.idle_ms))
		return true;
	output_separator(body, &list->begun);
	buffer_append_string(body, "{\"focusSession\":{\"_id\":");
	output_uuid(body, &entry->id);
	buffer_append_string(body, ",\"user\":");
	buffer_append_json(body, identifier_text(list->user));
	buffer_append_string(body, ",\"document\":");
	buffer_append_json(body, entry->document);
	buffer_append_string(body, ",\"startTime\":");
	output_instant(body, true, facts->start_ms);
	buffer_append_string(body, ",\"lastSeen\":");
	output_instant(body, facts->seen, facts->last_seen_ms);
	buffer_append_format(body, ",\"elapsedSeconds\":%" PRId64 ",\"stale\":%s}}",
			     statistics_seconds(elapsed_ms > 0 ? elapsed_ms : 0),
			     session_is_stale(facts, now_ms) ? "true" : "false");
	return true;
}

enum status lists_get_active_sessions(struct store *store, const struct call *call, struct buffer *body,
				      struct error *error)
{
	struct list list = {.body = body, .user = &call->arguments.user};
	struct store_reader *reader;
	struct stats stats;

	if (open_reader(store, call, &reader, &stats, error) != STATUS_OK)
		return error->status;
	const struct store_scan scan = {.user = list.user, .stats = &stats};
	buffer_append_string(body, "[");
	if (filter_make(call, &stats, &list.filter, error) == STATUS_OK)
		store_reader_active(reader, &scan, put_active, &list, error);
	store_reader_close(reader);
	buffer_append_string(body, "]");
	return error->status;
}

enum status lists_get_settings(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct store_reader *reader;
	struct stats stats;

	if (open_reader(store, call, &reader, &stats, error) != STATUS_OK)
		return error->status;
	store_reader_close(reader);
	buffer_append_string(body, "[{\"settings\":");
	output_settings(body, &stats.settings);
	buffer_append_string(body, "}]");
	return STATUS_OK;
}

static void put_description(struct buffer *body, struct text document, const struct description *description)
{
	buffer_append_string(body, "{\"document\":");
	buffer_append_json(body, document);
	buffer_append_string(body, ",");
	output_description(body, description);
	buffer_append_string(body, "}");
}

static bool put_title(void *context, struct text document, const struct description *description)
{
	struct list *list = context;

	if (description->title_size == 0 && description->author_count == 0)
		return true;
	output_separator(list->body, &list->begun);
	buffer_append_string(list->body, "{\"document\":");
	put_description(list->body, document, description);
	buffer_append_string(list->body, "}");
	return true;
}

enum status lists_get_titles(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct list list = {.body = body};
	struct store_reader *reader;
	struct stats stats;

	if (open_reader(store, call, &reader, &stats, error) != STATUS_OK)
		return error->status;
	buffer_append_string(body, "[");
	store_reader_documents(reader, &call->arguments.user, put_title, &list, error);
	store_reader_close(reader);
	buffer_append_string(body, "]");
	return error->status;
}

static bool export_document(void *context, struct text document, const struct description *description)
{
	struct list *list = context;

	output_separator(list->body, &list->begun);
	put_description(list->body, document, description);
	return true;
}

static bool export_session(void *context, const struct session_entry *entry)
{
	struct list *list = context;
	struct session_facts now = settled(list, entry);
	struct buffer *body = list->body;

	output_separator(body, &list->begun);
	buffer_append_string(body, "{\"_id\":");
	output_uuid(body, &entry->id);
	buffer_append_string(body, ",\"document\":");
	buffer_append_json(body, entry->document);
	put_library(body, entry);
	put_times(body, &now);
	put_signs_of_life(body, &now);
	buffer_append_string(body, ",\"progressTime\":");
	output_instant(body, now.reported, now.progress_ms);
	buffer_append_string(body, "}");
	return true;
}

enum status lists_export_user(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct list list = {.body = body};
	struct store_reader *reader;
	struct stats stats;

	if (open_reader(store, call, &reader, &stats, error) != STATUS_OK)
		return error->status;
	const struct store_scan scan = {&call->arguments.user, &stats, INT64_MIN, INT64_MAX, false, NULL};
	buffer_append_format(body, "[{\"export\":{\"version\":%d,\"user\":", EXPORT_VERSION);
	buffer_append_json(body, identifier_text(&call->arguments.user));
	buffer_append_string(body, ",\"focusStats\":");
	output_uuid(body, &stats.id);
	buffer_append_string(body, ",\"settings\":");
	output_settings(body, &stats.settings);
	buffer_append_string(body, ",\"documents\":[");
	if (filter_make(call, &stats, &list.filter, error) == STATUS_OK &&
	    store_reader_documents(reader, &call->arguments.user, export_document, &list, error) == STATUS_OK) {
		list.begun = false;
		buffer_append_string(body, "],\"sessions\":[");
		store_reader_sessions(reader, &scan, export_session, &list, error);
	}
	store_reader_close(reader);
	buffer_append_string(body, "]}}]");
	return error->status;
}
