/* Carrying out one operation; see apply.h. Every function here returns 0 or what the engine said; what an operation is
 * refused for is in the work's error. */
#include "store/apply.h"

#include "store/import.h"
#include "store/purge.h"
#include "store/table.h"
#include "store/work.h"

#include <errno.h>
#include <string.h>

static int init_user(struct work *work)
{
	const struct operation *operation = work->operation;

	work->user = operation->user;
	int result = table_get_stats(work->environment, work->txn, &operation->user, &work->stats);
	if (result == DB_NOTFOUND) {
		work->stats = (struct stats){.id = operation->id, .settings = settings_default()};
		work->changed = true;
		work->tally->users++;
		return 0;
	}
	if (result == 0 && work->stats.removed) {
		work->outcome->more = true;
		error_set(work->error, STATUS_UNAVAILABLE, "user '%.*s' is being removed", operation->user.size,
			  operation->user.data);
	} else if (result == 0 && !uuid_equal(&work->stats.id, &operation->id)) {
		error_set(work->error, STATUS_CONFLICT, "user '%.*s' is already initialised", operation->user.size,
			  operation->user.data);
	}
	return result;
}

static struct session session_of(const struct operation *operation, struct session_facts facts)
{
	return (struct session){
		.id = operation->id,
		.user = operation->user,
		.document = operation->document,
		.library = operation->library,
		.facts = facts,
	};
}

static int start_session(struct work *work)
{
	const struct operation *operation = work->operation;
	struct session session;
	bool found;

	int result = work_find_same_id(work, &operation->id, &session, &found);
	if (result != 0)
		return result;
	if (found) {
		if (!identifier_equal(&session.user, &operation->user) ||
		    (!identifier_equal(&session.document, &operation->document) &&
		     !identifier_equal(&session.started, &operation->document)))
			work_refuse_session(work, &operation->id, STATUS_CONFLICT, "is another session already");
		return 0;
	}
	session = session_of(operation, (struct session_facts){.start_ms = operation->now_ms});
	return work_replace(work, NULL, &session);
}

static bool is_same(const struct session *session, const struct operation *operation)
{
	return identifier_equal(&session->user, &operation->user) &&
	       identifier_equal(&session->document, &operation->document) &&
	       identifier_equal(&session->library, &operation->library) && session->facts.ended &&
	       session->facts.start_ms == operation->start_ms && session->facts.end_ms == operation->end_ms;
}

static int add_session(struct work *work)
{
	const struct operation *operation = work->operation;
	struct session session;
	bool found;

	if (session_check_end(operation->start_ms, operation->end_ms, operation->now_ms, work->error) != STATUS_OK)
		return 0;
	int result = work_find_same_id(work, &operation->id, &session, &found);
	if (result != 0)
		return result;
	if (found) {
		if (!is_same(&session, operation))
			work_refuse_session(work, &operation->id, STATUS_CONFLICT, "is another session already");
		return 0;
	}
	session = session_of(
		operation,
		(struct session_facts){.start_ms = operation->start_ms, .ended = true, .end_ms = operation->end_ms});
	return work_replace(work, NULL, &session);
}

static int heartbeat(struct work *work, const struct session *before)
{
	const struct operation *operation = work->operation;
	struct session after = *before;

	if (before->facts.ended) {
		work_refuse_session(work, &operation->id, STATUS_CONFLICT, "has already ended");
		return 0;
	}
	session_see(&after.facts, operation->now_ms);
	if (operation->given & GIVEN_PROGRESS)
		session_report(&after.facts, operation->progress, operation->now_ms);
	return work_replace(work, before, &after);
}

/* Whether an ended session is what the operation would have made of it. */
static bool has_ended_so(const struct operation *operation, const struct session_facts *facts)
{
	struct session_facts now = *facts;

	if (operation->given & GIVEN_END)
		return facts->end_ms == operation->end_ms;
	session_end(&now, operation->now_ms);
	return operation->repeated && facts->end_ms == now.end_ms;
}

static int end_session(struct work *work, const struct session *before)
{
	const struct operation *operation = work->operation;
	struct session after = *before;

	if (before->facts.ended) {
		if (!has_ended_so(operation, &before->facts))
			work_refuse_session(work, &operation->id, STATUS_CONFLICT, "has already ended");
		return 0;
	}
	session_end(&after.facts, operation->now_ms);
	if (operation->given & GIVEN_END) {
		if (session_check_end(before->facts.start_ms, operation->end_ms, operation->now_ms, work->error) !=
		    STATUS_OK)
			return 0;
		after.facts.end_ms = operation->end_ms;
	}
	if (operation->given & GIVEN_PROGRESS)
		session_report(&after.facts, operation->progress, operation->now_ms);
	return work_replace(work, before, &after);
}

static int edit_session(struct work *work, const struct session *before)
{
	const struct operation *operation = work->operation;
	struct session after = *before;
	struct session_facts *facts = &after.facts;

	if ((operation->given & GIVEN_END) && !before->facts.ended) {
		work_refuse_session(work, &operation->id, STATUS_CONFLICT,
				    "has not ended yet: its end cannot be changed");
		return 0;
	}
	if (operation->given & GIVEN_DOCUMENT) {
		if (after.started.size == 0 && !identifier_equal(&before->document, &operation->document))
			after.started = before->document;
		after.document = operation->document;
	}
	if (operation->given & GIVEN_START)
		facts->start_ms = operation->start_ms;
	if (operation->given & GIVEN_END)
		facts->end_ms = operation->end_ms;
	if (session_check_edit(facts, operation->given & GIVEN_START, operation->given & GIVEN_END, operation->now_ms,
			       work->error) != STATUS_OK)
		return 0;
	if (facts->seen && facts->last_seen_ms < facts->start_ms)
		facts->last_seen_ms = facts->start_ms;
	return work_replace(work, before, &after);
}

static int remove_session(struct work *work, const struct session *before)
{
	return work_replace(work, before, NULL);
}

static int set_document(struct work *work)
{
	const struct operation *operation = work->operation;
	struct description description;

	int result = table_get_description(work->environment, work->txn, &operation->user,
					   identifier_text(&operation->document), &description);
	if (result == DB_NOTFOUND)
		memset(&description, 0, sizeof description);
	else if (result != 0)
		return result;
	if (operation->given & GIVEN_TITLE) {
		description.title_size = operation->description->title_size;
		memcpy(description.title, operation->description->title, description.title_size);
	}
	if (operation->given & GIVEN_AUTHORS) {
		description.author_count = operation->description->author_count;
		memcpy(description.authors, operation->description->authors,
		       description.author_count * sizeof description.authors[0]);
	}
	return table_put_description(work->environment, work->txn, &operation->user,
				     identifier_text(&operation->document), &description);
}

static int set_settings(struct work *work)
{
	settings_change(&work->stats.settings, work->operation->settings_given, &work->operation->settings);
	work->changed = true;
	return 0;
}

static int settle_user(struct work *work)
{
	(void)work; /* work_find_user has done it */
	return 0;
}

static int remove_user(struct work *work)
{
	work->outcome->sessions = work->stats.sessions;
	work->tally->users--;
	work->tally->sessions -= (int64_t)work->stats.sessions;
	work->stats.removed = true;
	work->changed = true;
	return table_note_removal(work->environment, work->txn, &work->user);
}

static int apply_to_session(struct work *work, int (*carry_out)(struct work *work, const struct session *before))
{
	struct session session;
	bool found;

	int result = work_find_session(work, &session, &found);
	return result == 0 && found ? carry_out(work, &session) : result;
}

static int apply_to_user(struct work *work, int (*carry_out)(struct work *work))
{
	bool found;

	int result = work_find_user(work, &work->operation->user, &found);
	if (result == 0 && found)
		return carry_out(work);
	if (result == 0)
		work_no_such_user(work, &work->operation->user);
	return result;
}

static int carry_out(struct work *work)
{
	switch (work->operation->kind) {
	case OPERATION_INIT_USER:
		return init_user(work);
	case OPERATION_START_SESSION:
		return apply_to_user(work, start_session);
	case OPERATION_HEARTBEAT:
		return apply_to_session(work, heartbeat);
	case OPERATION_END_SESSION:
		return apply_to_session(work, end_session);
	case OPERATION_ADD_SESSION:
		return apply_to_user(work, add_session);
	case OPERATION_EDIT_SESSION:
		return apply_to_session(work, edit_session);
	case OPERATION_REMOVE_SESSION:
		return apply_to_session(work, remove_session);
	case OPERATION_SET_DOCUMENT:
		return apply_to_user(work, set_document);
	case OPERATION_SET_SETTINGS:
		return apply_to_user(work, set_settings);
	case OPERATION_SETTLE_USER:
		return apply_to_user(work, settle_user);
	case OPERATION_REMOVE_USER:
		return apply_to_user(work, remove_user);
	case OPERATION_IMPORT_USER:
		return import_user(work);
	case OPERATION_IMPORT_DOCUMENT:
		return import_document(work);
	case OPERATION_IMPORT_SESSION:
		return import_session(work);
	case OPERATION_LOOK_UP_SESSION:
		return import_look_up(work);
	case OPERATION_PURGE_USER:
		return purge_some(work->environment, work->txn, &work->operation->user, &work->outcome->more);
	}
	return EINVAL;
}

int apply_operation(const struct environment *environment, DB_TXN *txn, const struct operation *operation,
		    struct tally *tally, struct outcome *outcome, struct error *error)
{
	struct work work = {environment, txn, operation, tally, outcome, error, .changed = false};

	error->status = STATUS_OK;
	*outcome = (struct outcome){0};
	int result = carry_out(&work);
	if (result == 0 && work.changed)
		result = table_put_stats(environment, txn, &work.user, &work.stats);
	return result;
}

int apply_tally(const struct environment *environment, DB_TXN *txn, const struct tally *tally)
{
	struct totals totals = {0};

	if (tally->users == 0 && tally->sessions == 0)
		return 0;
	int result = table_get_totals(environment, txn, &totals);
	if (result != 0)
		return result;
	totals.users += (uint64_t)tally->users;
	totals.sessions += (uint64_t)tally->sessions;
	return table_put_totals(environment, txn, &totals);
}
