/* Taking records as they are; see import.h. */
#include "store/import.h"

#include "store/table.h"

#include <errno.h>

int import_user(struct work *work)
{
	const struct operation *operation = work->operation;
	const struct identifier *user = &operation->user;

	work->user = *user;
	int result = table_get_stats(work->environment, work->txn, user, &work->stats);
	if (result == DB_NOTFOUND) {
		work->outcome->became = STORE_CREATED;
		if (operation->dry_run)
			return 0;
		work->stats = (struct stats){
			.id = operation->id,
			.settings = operation->given & GIVEN_SETTINGS ? operation->settings : settings_default(),
		};
		work->changed = true;
		work->tally->users++;
		return 0;
	}
	if (result != 0)
		return result;
	work->outcome->became = STORE_THERE;
	if (work->stats.removed)
		error_set(work->error, STATUS_UNAVAILABLE, "user '%.*s' is being removed", user->size, user->data);
	else if (operation->given & GIVEN_ID && !uuid_equal(&work->stats.id, &operation->id))
		error_set(work->error, STATUS_CONFLICT, "user '%.*s' is there already, with another FocusStats id",
			  user->size, user->data);
	else if (operation->given & GIVEN_SETTINGS && !settings_equal(&work->stats.settings, &operation->settings))
		error_set(work->error, STATUS_CONFLICT, "user '%.*s' is there already, with other settings", user->size,
			  user->data);
	return 0;
}

/* Take up the user without a look at their open sessions: an imported one stays as it was when it was exported. */
static int find_user(struct work *work, const struct identifier *user, bool *found)
{
	work->user = *user;
	int result = table_get_stats(work->environment, work->txn, user, &work->stats);
	*found = result == 0 && !work->stats.removed;
	if (result != 0 && result != DB_NOTFOUND)
		return result;
	if (!*found)
		work_no_such_user(work, user);
	return 0;
}

int import_document(struct work *work)
{
	const struct operation *operation = work->operation;
	struct description there;
	bool found;

	int result = find_user(work, &operation->user, &found);
	if (result != 0 || !found)
		return result;
	result = table_get_description(work->environment, work->txn, &operation->user,
				       identifier_text(&operation->document), &there);
	work->outcome->became = result == 0 ? STORE_THERE : STORE_CREATED;
	if (result != DB_NOTFOUND || operation->dry_run)
		return result == DB_NOTFOUND ? 0 : result;
	return table_put_description(work->environment, work->txn, &operation->user,
				     identifier_text(&operation->document), operation->description);
}

static bool is_same_reading(const struct session *there, const struct session *session)
{
	return identifier_equal(&there->user, &session->user) &&
	       identifier_equal(&there->document, &session->document) &&
	       identifier_equal(&there->library, &session->library) && there->facts.start_ms == session->facts.start_ms;
}

/* A session of a format that leaves out much, with what it may have left out as it is there. */
static struct session completed(const struct session *session, const struct session *there)
{
	struct session complete = *session;
	struct session_facts *facts = &complete.facts;
	bool same_progress = !(facts->progress < there->facts.progress) && !(facts->progress > there->facts.progress);

	complete.started = there->started;
	facts->seen = there->facts.seen;
	facts->last_seen_ms = there->facts.last_seen_ms;
	if (!facts->ended && there->facts.ended) {
		facts->ended = true;
		facts->end_ms = there->facts.end_ms;
	}
	if (there->facts.reported && (!facts->reported || same_progress)) {
		facts->reported = true;
		facts->progress = there->facts.progress;
		facts->progress_ms = there->facts.progress_ms;
	}
	return complete;
}

/* Whether a session that is there has gone on in the one that is imported. */
static bool has_grown(const struct operation *operation, const struct session *there, const struct session *session)
{
	if (!is_same_reading(there, session) || !session->facts.ended)
		return false;
	return there->facts.ended ? operation->grows : operation->outline;
}

int import_session(struct work *work)
{
	const struct operation *operation = work->operation;
	const struct session *session = operation->session;
	bool dry_run = operation->dry_run, found;
	struct session there, complete;

	int result = find_user(work, &session->user, &found);
	if (result != 0 || !found)
		return result;
	result = work_find_same_id(work, &session->id, &there, &found);
	if (result != 0)
		return result;
	work->outcome->became = STORE_CREATED;
	if (!found)
		return dry_run ? 0 : work_replace(work, NULL, session);
	work->outcome->became = STORE_THERE;
	if (operation->outline) {
		complete = completed(session, &there);
		session = &complete;
	}
	if (session_equal(&there, session))
		return 0;
	if (!has_grown(operation, &there, session)) {
		work_refuse_session(work, &session->id, STATUS_CONFLICT, "is there already, with other values");
		return 0;
	}
	if (there.facts.ended && session->facts.end_ms <= there.facts.end_ms)
		return 0;
	work->outcome->became = STORE_GROWN;
	return dry_run ? 0 : work_replace(work, &there, session);
}

int import_look_up(struct work *work)
{
	struct session session;

	int result = table_get_session(work->environment, work->txn, &work->operation->id, &session, NULL);
	if (result == 0)
		work->outcome->started = session.started;
	return result == DB_NOTFOUND ? 0 : result;
}
