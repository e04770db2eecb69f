/* Sessions for the statistics; see collection.h. */
#include "api/collection.h"

#include "api/output.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

/* The report that a document had last. */
struct latest {
	bool known;
	double progress;
	int64_t at_ms;
};

/* A visit of the store's sessions. */
struct gathering {
	struct collection *collection;
	enum collection_want want;
	struct latest *latest; /* by document */
	size_t latest_capacity;
};

static bool fail(struct collection *collection)
{
	collection->failed = true;
	return false;
}

/* Note what a session reported of its document. */
static bool note_report(struct gathering *gathering, size_t document, const struct session_facts *facts)
{
	if (document >= gathering->latest_capacity) {
		size_t capacity = document < FIRST_CAPACITY ? FIRST_CAPACITY : 2 * document;
		struct latest *latest = realloc(gathering->latest, capacity * sizeof *latest);
		if (!latest)
			return fail(gathering->collection);
		memset(latest + gathering->latest_capacity, 0,
		       (capacity - gathering->latest_capacity) * sizeof *latest);
		gathering->latest = latest;
		gathering->latest_capacity = capacity;
	}
	struct latest *latest = &gathering->latest[document];
	if (facts->reported && (!latest->known || facts->progress_ms >= latest->at_ms))
		*latest = (struct latest){true, facts->progress, facts->progress_ms};
	return true;
}

static bool add(struct collection *collection, const struct session_facts *facts, size_t document)
{
	if (collection->readings.count == collection->capacity) {
		size_t capacity = collection->capacity ? 2 * collection->capacity : FIRST_CAPACITY;
		struct reading *items = realloc(collection->items, capacity * sizeof *items);
		if (!items)
			return fail(collection);
		collection->items = items;
		collection->capacity = capacity;
	}
	collection->items[collection->readings.count++] = (struct reading){
		.start_ms = facts->start_ms,
		.end_ms = facts->end_ms,
		.document = (uint32_t)document,
		.has_progress = facts->reported,
		.progress = facts->progress,
	};
	return true;
}

static bool gather(void *context, const struct session_entry *entry)
{
	struct gathering *gathering = context;
	struct collection *collection = gathering->collection;
	struct filter *filter = &collection->filter;
	struct session_facts facts = entry->facts;

	if (!filter_selects(filter, entry))
		return true;
	session_settle(&facts, filter->now_ms, filter->idle_ms);
	bool counts = facts.ended && filter_touches(filter, &facts);
	if (!counts && (gathering->want != COLLECTION_DOCUMENTS || !facts.reported))
		return true;
	int64_t document =
		gathering->want == COLLECTION_TIMES ? 0 : names_number(&collection->documents, entry->document);
	if (document < 0)
		return fail(collection);
	if (gathering->want == COLLECTION_DOCUMENTS && !note_report(gathering, (size_t)document, &facts))
		return false;
	return !counts || add(collection, &facts, (size_t)document);
}

static bool describe(void *context, struct text document, const struct description *description)
{
	struct collection *collection = context;
	int64_t number = names_find(&collection->documents, document);

	if (number >= 0)
		output_description(&collection->descriptions[number], description);
	return true;
}

/* Complete what the statistics take: the documents' ids, and what is known of them. */
static bool complete(struct collection *collection, const struct gathering *gathering)
{
	size_t count = collection->documents.count, room = count > 0 ? count : 1;

	struct text *ids = calloc(room, sizeof *ids);
	struct document_progress *progress = calloc(room, sizeof *progress);
	struct buffer *descriptions = calloc(room, sizeof *descriptions);

	if (!ids || !progress || !descriptions) {
		free(ids);
		free(progress);
		free(descriptions);
		return fail(collection);
	}
	for (size_t i = 0; i < count; i++) {
		ids[i] = names_text(&collection->documents, i);
		if (i < gathering->latest_capacity)
			progress[i] =
				(struct document_progress){gathering->latest[i].known, gathering->latest[i].progress};
	}
	collection->document_ids = ids;
	collection->progress = progress;
	collection->descriptions = descriptions;
	collection->readings.items = collection->items;
	collection->readings.documents = collection->document_ids;
	collection->readings.document_count = count;
	return true;
}

static enum status read_all(struct store_reader *reader, const struct call *call, struct gathering *gathering,
			    struct collection *collection, struct error *error)
{
	const struct identifier *user = &call->arguments.user;

	if (store_reader_user(reader, user, &collection->stats, error) != STATUS_OK ||
	    filter_make(call, &collection->stats, &collection->filter, error) != STATUS_OK)
		return error->status;
	collection->readings.from_ms = collection->filter.from_ms;
	collection->readings.to_ms = collection->filter.to_ms;
	struct store_scan scan = {
		.user = user,
		.stats = &collection->stats,
		.from_ms = collection->filter.from_ms,
		.to_ms = collection->filter.to_ms,
	};
	if (gathering->want == COLLECTION_DOCUMENTS) {
		scan.from_ms = INT64_MIN;
		scan.to_ms = INT64_MAX;
	}
	if (store_reader_sessions(reader, &scan, gather, gathering, error) != STATUS_OK)
		return error->status;
	if (!collection->failed && complete(collection, gathering) && gathering->want == COLLECTION_DOCUMENTS)
		store_reader_documents(reader, user, describe, collection, error);
	return error->status;
}

enum status collection_read(struct store *store, const struct call *call, enum collection_want want,
			    struct collection *collection, struct error *error)
{
	struct gathering gathering = {.collection = collection, .want = want};
	struct store_reader *reader;

	*collection = (struct collection){.failed = false};
	names_init(&collection->documents);
	if (store_reader_open(store, &reader, error) != STATUS_OK)
		return error->status;
	read_all(reader, call, &gathering, collection, error);
	store_reader_close(reader);
	free(gathering.latest);
	if (error->status == STATUS_OK && collection->failed)
		error_set(error, STATUS_UNAVAILABLE, "out of memory");
	return error->status;
}

void collection_release(struct collection *collection)
{
	for (size_t i = 0; collection->descriptions && i < collection->documents.count; i++)
		buffer_release(&collection->descriptions[i]);
	free(collection->descriptions);
	free(collection->progress);
	free(collection->document_ids);
	free(collection->items);
	names_release(&collection->documents);
}
