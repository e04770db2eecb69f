/* Deleting what a removed user had; see purge.h. */
#include "store/purge.h"

#include "store/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PURGE_MAX = 200 /* records in one transaction */ };

/* Some keys of what is to be deleted. */
struct batch {
	struct uuid ids[PURGE_MAX];
	struct identifier documents[PURGE_MAX];
	size_t count;
};

static int note_session(void *context, const uint8_t *rest, size_t size)
{
	struct batch *batch = context;
	struct session_entry entry;

	if (!record_decode_by_user(rest, size, &entry))
		return EBADMSG;
	batch->ids[batch->count++] = entry.id;
	return 0;
}

static int note_document(void *context, const uint8_t *rest, size_t size)
{
	struct batch *batch = context;

	if (size == 0 || size > IDENTIFIER_MAX_BYTES)
		return EBADMSG;
	batch->documents[batch->count].size = (uint8_t)size;
	memcpy(batch->documents[batch->count++].data, rest, size);
	return 0;
}

static int purge_sessions(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			  struct batch *batch)
{
	struct session session;
	int version;

	int result = table_each_of_user(environment->by_user, txn, user, PURGE_MAX, note_session, batch);

	for (size_t i = 0; result == 0 && i < batch->count; i++) {
		result = table_get_session(environment, txn, &batch->ids[i], &session, &version);
		if (result == 0)
			result = table_delete_session(environment, txn, &session, version);
	}
	return result;
}

static int purge_documents(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			   struct batch *batch)
{
	int result = table_each_of_user(environment->documents, txn, user, PURGE_MAX, note_document, batch);

	for (size_t i = 0; result == 0 && i < batch->count; i++)
		result = table_delete_description(environment, txn, user, identifier_text(&batch->documents[i]));
	return result;
}

int purge_some(const struct environment *environment, DB_TXN *txn, const struct identifier *user, bool *more)
{
	struct stats stats;

	*more = false;
	int result = table_get_stats(environment, txn, user, &stats);
	if (result == DB_NOTFOUND || (result == 0 && !stats.removed))
		return 0;
	struct batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		return ENOMEM;
	if (result == 0)
		result = purge_sessions(environment, txn, user, batch);
	if (result == 0 && batch->count == 0)
		result = purge_documents(environment, txn, user, batch);
	*more = batch->count > 0;
	free(batch);
	if (result == 0 && !*more && (result = table_delete_stats(environment, txn, user)) == 0)
		result = table_forget_removal(environment, txn, user);
	return result;
}
