/* Records in bulk; see records.h. */
#include "api/records.h"

#include "api/field.h"
#include "domain/instant.h"

#include <stdlib.h>
#include <string.h>

enum {
	HEADER_BYTES = 4,
	HAS_ID = 1,
	HAS_SETTINGS = 2,
	NAME_MAX = 1 + IDENTIFIER_MAX_BYTES,
	REST_MAX = 2 * NAME_MAX + DOCUMENT_VALUE_MAX, /* the longest */
};

static uint8_t *put_name(uint8_t *to, const struct identifier *name)
{
	*to++ = name->size;
	memcpy(to, name->data, name->size);
	return to + name->size;
}

static void put(struct buffer *records, enum record_kind kind, int flags, const uint8_t *rest, const uint8_t *end)
{
	size_t size = (size_t)(end - rest);
	const uint8_t header[HEADER_BYTES] = {(uint8_t)kind, (uint8_t)flags, (uint8_t)(size >> 8), (uint8_t)size};

	buffer_append(records, header, sizeof header);
	buffer_append(records, rest, size);
}

void records_put_user(struct buffer *records, const struct identifier *user, const struct uuid *id,
		      const struct settings *settings)
{
	uint8_t rest[NAME_MAX + STATS_VALUE_MAX], *to = put_name(rest, user);
	struct stats stats = {.settings = settings ? *settings : settings_default()};

	if (id)
		stats.id = *id;
	to += record_encode_stats(&stats, to);
	put(records, RECORD_USER, (id ? HAS_ID : 0) | (settings ? HAS_SETTINGS : 0), rest, to);
}

void records_put_document(struct buffer *records, const struct identifier *user, const struct identifier *document,
			  const struct description *description)
{
	uint8_t rest[REST_MAX], *to = put_name(put_name(rest, user), document);

	to += record_encode_description(description, to);
	put(records, RECORD_DOCUMENT, 0, rest, to);
}

void records_put_session(struct buffer *records, const struct session *session)
{
	uint8_t rest[sizeof session->id.bytes + SESSION_VALUE_MAX], *to = rest;

	memcpy(to, session->id.bytes, sizeof session->id.bytes);
	to += sizeof session->id.bytes;
	to += record_encode_session(session, to);
	put(records, RECORD_SESSION, 0, rest, to);
}

static bool take(struct text *from, size_t size, const char **taken)
{
	if (from->size < size)
		return false;
	*taken = from->data;
	from->data += size;
	from->size -= size;
	return true;
}

static bool take_name(struct text *from, struct identifier *name)
{
	struct error ignored;
	const char *size, *data;

	return take(from, 1, &size) && take(from, (uint8_t)*size, &data) &&
	       identifier_set(name, (struct text){data, (uint8_t)*size}, "id", &ignored) == STATUS_OK;
}

static bool take_user(struct text rest, int flags, struct record_item *item)
{
	item->has_id = flags & HAS_ID;
	item->has_settings = flags & HAS_SETTINGS;
	return take_name(&rest, &item->user) && record_decode_stats(rest.data, rest.size, &item->stats, NULL);
}

static bool take_document(struct text rest, struct record_item *item)
{
	item->description = malloc(sizeof *item->description);
	return item->description && take_name(&rest, &item->user) && take_name(&rest, &item->document) &&
	       record_decode_description(rest.data, rest.size, item->description);
}

static bool is_name(const struct identifier *name)
{
	struct error ignored;

	return identifier_check(identifier_text(name), 1, IDENTIFIER_MAX_BYTES, "id", &ignored) == STATUS_OK;
}

static bool take_session(struct text rest, struct record_item *item)
{
	const struct session *session = &item->session;
	struct uuid id;
	const char *bytes;

	if (!take(&rest, sizeof id.bytes, &bytes))
		return false;
	memcpy(id.bytes, bytes, sizeof id.bytes);
	return record_decode_session(&id, rest.data, rest.size, &item->session, NULL) && is_name(&session->user) &&
	       is_name(&session->document) && is_name(&session->library) &&
	       (session->started.size == 0 || is_name(&session->started));
}

bool records_take(struct text *records, struct record_item *item)
{
	const char *header, *rest;

	item->description = NULL;
	if (!take(records, HEADER_BYTES, &header))
		return false;
	size_t size = (size_t)((uint8_t)header[2] << 8 | (uint8_t)header[3]);
	if (!take(records, size, &rest))
		return false;
	item->kind = (enum record_kind)header[0];
	switch (item->kind) {
	case RECORD_USER:
		return take_user((struct text){rest, size}, header[1], item);
	case RECORD_DOCUMENT:
		return take_document((struct text){rest, size}, item);
	case RECORD_SESSION:
		return take_session((struct text){rest, size}, item);
	}
	return false;
}

void record_item_release(struct record_item *item)
{
	free(item->description);
	item->description = NULL;
}

/* What a call of the import works with: room for RECORDS_MAX each. */
struct batch {
	struct record_item items[RECORDS_MAX];
	struct operation operations[RECORDS_MAX];
	struct error errors[RECORDS_MAX];
	enum store_became became[RECORDS_MAX];
	size_t count;
};

static struct operation operation_of(const struct call *call, int flags, const struct record_item *item, size_t index)
{
	struct operation operation = {
		.now_ms = call->now_ms,
		.user = item->user,
		.document = item->document,
		.description = item->description,
		.session = &item->session,
		.grows = flags & RECORDS_GROW,
		.outline = flags & RECORDS_OUTLINE,
		.dry_run = flags & RECORDS_DRY_RUN,
	};

	switch (item->kind) {
	case RECORD_USER:
		operation.kind = OPERATION_IMPORT_USER;
		operation.id = item->has_id ? item->stats.id : uuid_following(&call->new_id, index);
		operation.given = (item->has_id ? GIVEN_ID : 0U) | (item->has_settings ? GIVEN_SETTINGS : 0U);
		operation.settings = item->stats.settings;
		break;
	case RECORD_DOCUMENT:
		operation.kind = OPERATION_IMPORT_DOCUMENT;
		break;
	case RECORD_SESSION:
		operation.kind = OPERATION_IMPORT_SESSION;
		break;
	}
	return operation;
}

static enum status read_batch(const struct call *call, struct batch *batch, struct error *error)
{
	struct text records = call->body;
	const char *header;

	if (!take(&records, 2, &header) || header[0] != RECORDS_VERSION)
		return error_set(error, STATUS_INVALID,
				 "the admin tool and the service are of different releases: use one of them");
	while (records.size > 0) {
		if (batch->count == RECORDS_MAX)
			return error_set(error, STATUS_TOO_LARGE, "more than %d records", RECORDS_MAX);
		struct record_item *item = &batch->items[batch->count++];
		/* Sums that a session which ends before it starts is part of could not be read back. */
		if (!records_take(&records, item) ||
		    (item->kind == RECORD_SESSION && session_check_facts(&item->session.facts, error) != STATUS_OK))
			return error_set(error, STATUS_INVALID, "record %zu is damaged", batch->count);
		batch->operations[batch->count - 1] = operation_of(call, header[1], item, batch->count - 1);
	}
	return STATUS_OK;
}

static void output_became(const struct batch *batch, struct buffer *body)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct error *error = &batch->errors[i];
		size_t size = strlen(error->text);
		const uint8_t refused[] = {RECORDS_REFUSED, (uint8_t)error->status, (uint8_t)(size >> 8),
					   (uint8_t)size};
		uint8_t became = (uint8_t)batch->became[i];
		if (error->status == STATUS_OK) {
			buffer_append(body, &became, 1);
			continue;
		}
		buffer_append(body, refused, sizeof refused);
		buffer_append(body, error->text, size);
	}
}

enum status records_import(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	struct batch *batch = calloc(1, sizeof *batch);

	if (!batch)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	if (read_batch(call, batch, error) == STATUS_OK) {
		store_import(store, batch->operations, batch->count, call->gate, batch->became, batch->errors);
		for (size_t i = 0; i < batch->count; i++)
			if (batch->errors[i].status == STATUS_UNAVAILABLE)
				*error = batch->errors[i];
	}
	if (error->status == STATUS_OK)
		output_became(batch, body);
	for (size_t i = 0; i < batch->count; i++)
		record_item_release(&batch->items[i]);
	free(batch);
	return error->status;
}

struct documents {
	struct buffer *body;
	const struct identifier *user;
};

static bool put_document(void *context, struct text document, const struct description *description)
{
	struct documents *documents = context;
	struct identifier id;
	struct error ignored;

	if (identifier_set(&id, document, "document", &ignored) == STATUS_OK)
		records_put_document(documents->body, documents->user, &id, description);
	return true;
}

enum status records_export_user(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	const struct identifier *user = &call->arguments.user;
	struct documents documents = {body, user};
	struct store_reader *reader;
	struct stats stats;

	if (store_reader_open(store, &reader, error) != STATUS_OK)
		return error->status;
	if (store_reader_user(reader, user, &stats, error) == STATUS_OK) {
		records_put_user(body, user, &stats.id, &stats.settings);
		store_reader_documents(reader, user, put_document, &documents, error);
	}
	store_reader_close(reader);
	return error->status;
}

/* A page of a user's sessions. */
struct page {
	struct session *sessions;
	struct uuid *ids;
	struct identifier *started;
	size_t count, most;
	bool failed; /* an id of the store is none */
};

static bool note_session(void *context, const struct session_entry *entry)
{
	struct page *page = context;
	struct session *session = &page->sessions[page->count];
	struct error ignored;

	session->id = page->ids[page->count] = entry->id;
	session->facts = entry->facts;
	page->failed |= identifier_set(&session->document, entry->document, "document", &ignored) != STATUS_OK ||
			identifier_set(&session->library, entry->library, "library", &ignored) != STATUS_OK;
	return ++page->count < page->most;
}

/* Where a page begins: behind the session that `after` names, as "START/ID". */
static enum status read_position(const struct arguments *arguments, struct session_entry *position, struct error *error)
{
	struct text id, start = text_split(identifier_text(&arguments->after), '/', &id);

	if (!id.data || !instant_parse(start, &position->facts.start_ms) || !uuid_parse(id, &position->id))
		return error_set(error, STATUS_INVALID, "after: is no instant and id");
	return STATUS_OK;
}

static enum status read_page(struct store *store, const struct call *call, struct page *page, struct error *error)
{
	const struct arguments *arguments = &call->arguments;
	bool behind = arguments->given & FIELD_SET(AFTER);
	struct session_entry position;
	struct store_reader *reader;
	struct stats stats;

	if ((behind && read_position(arguments, &position, error) != STATUS_OK) ||
	    store_reader_open(store, &reader, error) != STATUS_OK)
		return error->status;
	if (store_reader_user(reader, &arguments->user, &stats, error) == STATUS_OK) {
		const struct store_scan scan = {&arguments->user, &stats, INT64_MIN,
						INT64_MAX,        false,  behind ? &position : NULL};
		store_reader_sessions(reader, &scan, note_session, page, error);
	}
	store_reader_close(reader);
	if (error->status != STATUS_OK)
		return error->status;
	if (page->failed) {
		error_set(error, STATUS_UNAVAILABLE, "the store cannot be used now: the log says why");
		return error_detail(error, "sessions_by_user.db: an id that is none");
	}
	return store_look_up(store, page->ids, page->count, page->started, error);
}

enum status records_export(struct store *store, const struct call *call, struct buffer *body, struct error *error)
{
	const struct arguments *arguments = &call->arguments;
	struct page page = {.most = arguments->given & FIELD_SET(LIMIT) ? (size_t)arguments->limit : RECORDS_MAX};

	page.sessions = calloc(page.most, sizeof *page.sessions);
	page.ids = calloc(page.most, sizeof *page.ids);
	page.started = calloc(page.most, sizeof *page.started);
	if (!page.sessions || !page.ids || !page.started)
		error_set(error, STATUS_UNAVAILABLE, "out of memory");
	else
		read_page(store, call, &page, error);
	for (size_t i = 0; error->status == STATUS_OK && i < page.count; i++) {
		struct session *session = &page.sessions[i];
		session->user = arguments->user;
		if (!identifier_equal(&page.started[i], &session->document))
			session->started = page.started[i];
		records_put_session(body, session);
	}
	free(page.sessions);
	free(page.ids);
	free(page.started);
	return error->status;
}
