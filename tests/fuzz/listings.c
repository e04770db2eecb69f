/* The queries of the target `actions` that list what there is; see sequence.h. */
#include "range.h"
#include "sequence.h"

#include "domain/session.h"

#include <string.h>

static void put_separator(struct buffer *wanted)
{
	char last = wanted->size > 0 ? wanted->data[wanted->size - 1] : '\0';

	if (last != '[')
		buffer_append_string(wanted, ",");
}

static void put_times(struct buffer *wanted, const struct session_model *session)
{
	buffer_append_string(wanted, ",\"startTime\":");
	model_put_time(wanted, true, session->start_ms);
	buffer_append_string(wanted, ",\"endTime\":");
	model_put_time(wanted, session->ended, session->end_ms);
}

static void put_signs(struct buffer *wanted, const struct session_model *session)
{
	buffer_append_string(wanted, ",\"lastSeen\":");
	model_put_time(wanted, session->seen, session->seen_ms);
	buffer_append_string(wanted, ",\"progress\":");
	model_put_progress(wanted, session->progress);
}

static void put_session(struct buffer *wanted, const struct session_model *session, bool extended)
{
	put_separator(wanted);
	buffer_append_format(wanted, "{\"focusSession\":{\"_id\":\"%s\",\"user\":\"%s\",\"document\":\"%s\"",
			     session->id, model_user_name(session->user), model_documents[session->document]);
	if (extended)
		buffer_append_format(wanted, ",\"library\":\"%s\"", model_libraries[session->library]);
	put_times(wanted, session);
	if (extended)
		put_signs(wanted, session);
	buffer_append_string(wanted, "}}");
}

/* Ask for a query of one user with no other fields; false where it is refused, as it should be then. */
static bool ask_of_user(const char *action, int user, int *status)
{
	*status = sequence_ask(action, ",\"user\":\"%s\"", model_user_name(user));
	int refusal = model_refuses_user(user);
	if (refusal != 0)
		sequence_expect(*status, refusal);
	return refusal == 0;
}

void listings_view_stats(void)
{
	const struct session_model *sessions[SLOTS];
	int status, user = sequence_choice(USERS);
	struct buffer wanted = BUFFER_INIT;

	if (!ask_of_user("_viewStats", user, &status))
		return;
	unsigned count = model_list(user, sessions);
	buffer_append_format(&wanted, "[{\"focusStats\":{\"id\":\"%s\",\"user\":\"%s\",\"focusSessionIds\":[",
			     model.users[user].id, model_user_name(user));
	for (unsigned i = 0; i < count; i++) {
		if (!sessions[i]->ended)
			continue;
		put_separator(&wanted);
		buffer_append_format(&wanted, "\"%s\"", sessions[i]->id);
	}
	buffer_append_string(&wanted, "]}}]");
	sequence_expect_body(status, &wanted);
}

/* Whether it is in the range, for a list; one that is open lasts until now. */
static bool touches(const struct range *range, const struct session_model *session)
{
	int64_t end_ms = session->ended ? session->end_ms : model.now_ms;

	return range_selects(range, session) && range->from_ms < range->to_ms && session->start_ms < range->to_ms &&
	       (session->start_ms >= range->from_ms || end_ms > range->from_ms);
}

/* What a list is asked for besides the filter. */
struct page {
	bool descending, limited, behind;
	unsigned limit;
	char after[UUID_TEXT_SIZE + 1];
};

static void choose_page(struct page *page, struct range *range)
{
	unsigned what = sequence_byte(), slot;

	*page = (struct page){.descending = what & 1, .limited = what & 2, .behind = what & 4};
	range->given = range->given || (what & 15) != 0;
	range->fields.size--; /* the NUL */
	if (what & 9)
		buffer_append_format(&range->fields, ",\"order\":\"%s\"", what & 1 ? "desc" : "asc");
	if (page->limited) {
		page->limit = 1 + (unsigned)sequence_choice(6);
		buffer_append_format(&range->fields, ",\"limit\":%u", page->limit);
	}
	if (page->behind) {
		sequence_pick(page->after, &slot);
		buffer_append_format(&range->fields, ",\"after\":\"%s\"", page->after);
	}
	buffer_append(&range->fields, "", 1);
}

/* The sessions of the page, of `count` sorted ones. False where `after` is none of the list. */
static bool put_page(struct buffer *wanted, const struct session_model *const *sessions, unsigned count,
		     const struct range *range, const struct page *page)
{
	bool begun = !page->behind;
	unsigned put = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct session_model *session = sessions[page->descending ? count - 1 - i : i];
		if (!touches(range, session))
			continue;
		if (begun && (!page->limited || put++ < page->limit))
			put_session(wanted, session, range->given);
		begun = begun || strcmp(session->id, page->after) == 0;
	}
	return begun;
}

void listings_sessions(void)
{
	const struct session_model *sessions[SLOTS] = {NULL};
	int user = sequence_choice(USERS);
	struct buffer wanted = BUFFER_INIT;
	struct range range;
	struct page page;

	range_choose(user, &range);
	choose_page(&page, &range);
	int status = sequence_ask("_getSessions", ",\"user\":\"%s\"%s", model_user_name(user), range.fields.data);
	buffer_release(&range.fields);
	int refusal = model_refuses_user(user);
	if (refusal == 0 && range.from_ms > range.to_ms)
		refusal = 400;
	unsigned count = model_list(user, sessions);
	buffer_append_string(&wanted, "[");
	if (refusal == 0 && !put_page(&wanted, sessions, count, &range, &page))
		refusal = 404;
	if (refusal != 0) {
		sequence_expect(status, refusal);
		buffer_release(&wanted);
		return;
	}
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

void listings_all_of(int user)
{
	const struct session_model *sessions[SLOTS];
	struct buffer wanted = BUFFER_INIT;
	int actor = model.actor;

	model.actor = NOBODY;
	int status = sequence_ask("_getSessions", ",\"user\":\"%s\",\"order\":\"asc\"", model_user_name(user));
	model.actor = actor;
	if (!model.users[user].there) {
		sequence_expect(status, 404);
		return;
	}
	buffer_append_string(&wanted, "[");
	unsigned count = model_list(user, sessions);
	for (unsigned i = 0; i < count; i++)
		put_session(&wanted, sessions[i], true);
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

void listings_active(void)
{
	const struct session_model *sessions[SLOTS];
	int status, user = sequence_choice(USERS);
	struct buffer wanted = BUFFER_INIT;

	if (!ask_of_user("_getActiveSessions", user, &status))
		return;
	unsigned count = model_list(user, sessions);
	buffer_append_string(&wanted, "[");
	for (unsigned i = 0; i < count; i++) {
		const struct session_model *session = sessions[i];
		int64_t elapsed_ms = model.now_ms - session->start_ms;
		if (session->ended)
			continue;
		put_separator(&wanted);
		buffer_append_format(&wanted, "{\"focusSession\":{\"_id\":\"%s\",\"user\":\"%s\",\"document\":\"%s\"",
				     session->id, model_user_name(user), model_documents[session->document]);
		buffer_append_string(&wanted, ",\"startTime\":");
		model_put_time(&wanted, true, session->start_ms);
		buffer_append_string(&wanted, ",\"lastSeen\":");
		model_put_time(&wanted, session->seen, session->seen_ms);
		buffer_append_format(&wanted, ",\"elapsedSeconds\":%lld,\"stale\":%s}}",
				     elapsed_ms > 0 ? (long long)((2 * elapsed_ms + 1000) / 2000) : 0LL,
				     !session->seen && elapsed_ms >= SESSION_STALE_MS ? "true" : "false");
	}
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

void listings_settings(void)
{
	int status, user = sequence_choice(USERS);
	struct buffer wanted = BUFFER_INIT;

	if (!ask_of_user("_getSettings", user, &status))
		return;
	buffer_append_string(&wanted, "[{\"settings\":");
	model_put_settings(&wanted, &model.users[user]);
	buffer_append_string(&wanted, "}]");
	sequence_expect_body(status, &wanted);
}

/* The documents that something was told of; where titled, those of which it is not nothing. */
static void put_documents(struct buffer *wanted, int user, bool titled)
{
	for (int i = 0; i < DOCUMENTS; i++) {
		const struct document_model *document = &model.users[user].documents[i];
		if (!document->told || (titled && document->title == 0 && document->authors == 0))
			continue;
		put_separator(wanted);
		buffer_append_format(wanted, "%s{\"document\":\"%s\",", titled ? "{\"document\":" : "",
				     model_documents[i]);
		model_put_description(wanted, document);
		buffer_append_string(wanted, titled ? "}}" : "}");
	}
}

void listings_titles(void)
{
	int status, user = sequence_choice(USERS);
	struct buffer wanted = BUFFER_INIT;

	if (!ask_of_user("_getTitles", user, &status))
		return;
	buffer_append_string(&wanted, "[");
	put_documents(&wanted, user, true);
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

void listings_export(void)
{
	const struct session_model *sessions[SLOTS];
	int status, user = sequence_choice(USERS);
	struct buffer wanted = BUFFER_INIT;

	if (!ask_of_user("_exportUser", user, &status))
		return;
	unsigned count = model_list(user, sessions);
	buffer_append_format(&wanted, "[{\"export\":{\"version\":1,\"user\":\"%s\",\"focusStats\":\"%s\",\"settings\":",
			     model_user_name(user), model.users[user].id);
	model_put_settings(&wanted, &model.users[user]);
	buffer_append_string(&wanted, ",\"documents\":[");
	put_documents(&wanted, user, false);
	buffer_append_string(&wanted, "],\"sessions\":[");
	for (unsigned i = 0; i < count; i++) {
		put_separator(&wanted);
		buffer_append_format(&wanted, "{\"_id\":\"%s\",\"document\":\"%s\",\"library\":\"%s\"", sessions[i]->id,
				     model_documents[sessions[i]->document], model_libraries[sessions[i]->library]);
		put_times(&wanted, sessions[i]);
		put_signs(&wanted, sessions[i]);
		buffer_append_string(&wanted, ",\"progressTime\":");
		model_put_time(&wanted, sessions[i]->progress >= 0, sessions[i]->progress_ms);
		buffer_append_string(&wanted, "}");
	}
	buffer_append_string(&wanted, "]}}]");
	sequence_expect_body(status, &wanted);
}

/* All users of this input, with their sums, as they are in the store: nobody's sessions count as ended that are not stored so. */
void listings_users(void)
{
	unsigned limit = 1 + (unsigned)sequence_choice(USERS + 1), put = 0;
	int status = sequence_ask("/local/users", ",\"after\":\"user-%09u\",\"limit\":%u", model.serial, limit);
	struct buffer wanted = BUFFER_INIT;

	buffer_append_string(&wanted, "[");
	for (int user = 0; user < USERS; user++) {
		unsigned count = 0, active = 0;
		int64_t sum_ms = 0;
		if (!model.users[user].there || put++ >= limit)
			continue;
		for (unsigned i = 0; i < SLOTS; i++) {
			const struct session_model *session = &model.sessions[i];
			if (!session->there || session->user != user)
				continue;
			count++;
			if (session->stored)
				sum_ms += session->end_ms - session->start_ms;
			else
				active++;
		}
		put_separator(&wanted);
		buffer_append_format(&wanted,
				     "{\"user\":{\"user\":\"%s\",\"sessions\":%u,\"active\":%u,\"seconds\":%lld}}",
				     model_user_name(user), count, active, (long long)((2 * sum_ms + 1000) / 2000));
	}
	buffer_append_string(&wanted, "]");
	sequence_expect_body(status, &wanted);
}

void listings_health(void)
{
	struct buffer wanted = BUFFER_INIT;

	int status = sequence_ask("health", "%s", "");
	buffer_append_string(&wanted, "{\"status\":\"ok\"}");
	sequence_expect_body(status, &wanted);
}
