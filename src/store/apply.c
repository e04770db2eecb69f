/* Carrying out one operation; see apply.h. Every function here returns 0 or what the engine said. */
#include "store/apply.h"

#include <errno.h>
#include <string.h>

/* One operation under way. */
struct work {
	struct environment *environment;
	DB_TXN *txn;
	const struct operation *operation;
	struct error *error;
};

static DBT user_key(const struct identifier *user)
{
	return (DBT){.data = (void *)user->data, .size = user->size};
}

static DBT id_key(const struct uuid *id)
{
	return (DBT){.data = (void *)id->bytes, .size = sizeof id->bytes};
}

static int get_stats(struct work *work, const struct identifier *user, struct stats *stats)
{
	uint8_t bytes[STATS_VALUE_SIZE];
	DBT key = user_key(user);
	DBT value = {.data = bytes, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DB *db = work->environment->stats;

	int result = db->get(db, work->txn, &key, &value, 0);
	if (result == 0 && !record_decode_stats(bytes, value.size, stats))
		return EBADMSG;
	return result;
}

static int put_stats(struct work *work, const struct identifier *user, const struct stats *stats)
{
	uint8_t bytes[STATS_VALUE_SIZE];
	DBT key = user_key(user);
	DBT value = {.data = bytes, .size = sizeof bytes};
	DB *db = work->environment->stats;

	record_encode_stats(stats, bytes);
	return db->put(db, work->txn, &key, &value, 0);
}

static int get_session(struct work *work, struct session *session)
{
	uint8_t bytes[SESSION_VALUE_MAX];
	DBT key = id_key(&work->operation->id);
	DBT value = {.data = bytes, .ulen = sizeof bytes, .flags = DB_DBT_USERMEM};
	DB *db = work->environment->sessions;

	int result = db->get(db, work->txn, &key, &value, 0);
	if (result == 0 && !record_decode_session(&work->operation->id, bytes, value.size, session))
		return EBADMSG;
	return result;
}

static int put_session(struct work *work, const struct session *session)
{
	uint8_t bytes[SESSION_VALUE_MAX];
	DBT key = id_key(&session->id);
	DBT value = {.data = bytes, .size = (u_int32_t)record_encode_session(session, bytes)};
	DB *db = work->environment->sessions;

	return db->put(db, work->txn, &key, &value, 0);
}

static int init_user(struct work *work)
{
	const struct operation *operation = work->operation;
	struct stats stats;

	int result = get_stats(work, &operation->user, &stats);
	if (result == DB_NOTFOUND) {
		stats = (struct stats){.id = operation->id};
		return put_stats(work, &operation->user, &stats);
	}
	if (result == 0 && !uuid_equal(&stats.id, &operation->id))
		error_set(work->error, STATUS_CONFLICT, "user '%.*s' is already initialised", operation->user.size,
			  operation->user.data);
	return result;
}

static void no_such_user(struct work *work)
{
	error_set(work->error, STATUS_NOT_FOUND, "there is no user '%.*s'", work->operation->user.size,
		  work->operation->user.data);
}

static void refuse_session(struct work *work, enum status status, const char *format)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(&work->operation->id, id);
	error_set(work->error, status, "focusSession: '%.*s' %s", UUID_TEXT_SIZE, id, format);
}

static int start_session(struct work *work)
{
	const struct operation *operation = work->operation;
	struct session session;
	struct stats stats;

	int result = get_stats(work, &operation->user, &stats);
	if (result == DB_NOTFOUND) {
		no_such_user(work);
		return 0;
	}
	if (result != 0)
		return result;
	result = get_session(work, &session);
	if (result == 0) {
		if (!identifier_equal(&session.user, &operation->user) ||
		    !identifier_equal(&session.document, &operation->document))
			refuse_session(work, STATUS_CONFLICT, "is another session already");
		return 0;
	}
	if (result != DB_NOTFOUND)
		return result;
	session = (struct session){
		.id = operation->id,
		.user = operation->user,
		.document = operation->document,
		.library = operation->library,
		.start_ms = operation->now_ms,
	};
	stats.sessions++;
	if ((result = put_session(work, &session)) != 0)
		return result;
	return put_stats(work, &operation->user, &stats);
}

/* The session that the operation names, if it exists for its actor; *found tells. */
static int find_session(struct work *work, struct session *session, bool *found)
{
	const struct operation *operation = work->operation;
	int result = get_session(work, session);

	if (result != 0 && result != DB_NOTFOUND)
		return result;
	*found = result == 0 && (!operation->restricted || identifier_equal(&session->user, &operation->actor));
	if (!*found)
		refuse_session(work, STATUS_NOT_FOUND, "is no session");
	return 0;
}

static int end_session(struct work *work)
{
	struct session session, before;
	struct stats stats;
	bool found;

	int result = find_session(work, &session, &found);
	if (result != 0 || !found)
		return result;
	before = session;
	session_end(&session, work->operation->now_ms);
	if (before.ended) {
		if (!work->operation->repeated || before.end_ms != session.end_ms)
			refuse_session(work, STATUS_CONFLICT, "has already ended");
		return 0;
	}
	if ((result = put_session(work, &session)) != 0 || (result = get_stats(work, &session.user, &stats)) != 0)
		return result;
	stats.ended++;
	return put_stats(work, &session.user, &stats);
}

static int remove_session(struct work *work)
{
	DB *db = work->environment->sessions;
	DBT key = id_key(&work->operation->id);
	struct session session;
	struct stats stats;
	bool found;

	int result = find_session(work, &session, &found);
	if (result != 0 || !found)
		return result;
	if ((result = db->del(db, work->txn, &key, 0)) != 0 || (result = get_stats(work, &session.user, &stats)) != 0)
		return result;
	stats.sessions--;
	if (session.ended)
		stats.ended--;
	return put_stats(work, &session.user, &stats);
}

int apply_operation(struct environment *environment, DB_TXN *txn, const struct operation *operation,
		    struct error *error)
{
	static int (*const carry_out[])(struct work * work) = {
		[OPERATION_INIT_USER] = init_user,
		[OPERATION_START_SESSION] = start_session,
		[OPERATION_END_SESSION] = end_session,
		[OPERATION_REMOVE_SESSION] = remove_session,
	};
	struct work work = {environment, txn, operation, error};

	error->status = STATUS_OK;
	return carry_out[operation->kind](&work);
}
