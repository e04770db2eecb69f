/* Sessions of the past, one or several with a request, for the target `actions`; see sequence.h. */
#include "sequence.h"

#include <string.h>

/* What is to be added. */
struct addition {
	struct session_model *session; /* NULL where its client chooses no id */
	char id[UUID_TEXT_SIZE + 1];
	int document, library;
	int64_t start_ms, end_ms;
};

static void choose_addition(struct addition *addition, struct buffer *fields)
{
	unsigned slot;

	*addition = (struct addition){.document = sequence_choice(DOCUMENTS), .library = sequence_choice(LIBRARIES)};
	bool chosen = sequence_byte() % 4 || model_room() == SLOTS;
	struct session_model *session = sequence_pick(addition->id, &slot);
	/* An addition of what is there already is right, too. */
	bool same = sequence_byte() % 4 == 0 && session->there;
	addition->start_ms = sequence_time();
	addition->end_ms = sequence_time();
	if (chosen)
		addition->session = session;
	if (chosen && same) {
		addition->document = session->document;
		addition->library = session->library;
		addition->start_ms = session->start_ms;
		addition->end_ms = session->ended ? session->end_ms : session->start_ms;
	}
	buffer_append_format(fields, "\"document\":\"%s\",\"library\":\"%s\"", model_documents[addition->document],
			     model_libraries[addition->library]);
	buffer_append_string(fields, model_time_field("startTime", addition->start_ms));
	buffer_append_string(fields, model_time_field("endTime", addition->end_ms));
	if (chosen)
		buffer_append_format(fields, ",\"focusSession\":\"%s\"", addition->id);
}

/* The status of one, where the user is there. */
static int status_of_addition(const struct addition *addition, int user)
{
	const struct session_model *session = addition->session;

	if (!model_in_time(addition->start_ms, addition->end_ms))
		return 400;
	if (!session || !session->there)
		return 200;
	bool same = session->user == user && session->document == addition->document &&
		    session->library == addition->library && session->ended &&
		    session->start_ms == addition->start_ms && session->end_ms == addition->end_ms;
	return same ? 200 : 409;
}

/* It was carried out, and got the id. */
static void note_addition(const struct addition *addition, int user, const char *id)
{
	struct session_model *session = addition->session;

	if (session)
		FUZZ_CHECK(strcmp(id, addition->id) == 0);
	else
		FUZZ_CHECK(model_find(id) == SLOTS && model_room() < SLOTS);
	if (session && session->there)
		return;
	if (!session)
		session = &model.sessions[model_room()];
	*session = (struct session_model){.there = true,
					  .ended = true,
					  .stored = true,
					  .user = user,
					  .document = addition->document,
					  .first_document = addition->document,
					  .library = addition->library,
					  .progress = -1,
					  .start_ms = addition->start_ms,
					  .end_ms = addition->end_ms};
	snprintf(session->id, sizeof session->id, "%s", id);
}

void additions_one(void)
{
	int user = sequence_choice(USERS);
	struct buffer fields = BUFFER_INIT;
	struct addition addition;

	choose_addition(&addition, &fields);
	int status = sequence_ask("addSession", ",\"user\":\"%s\",%.*s", model_user_name(user), (int)fields.size,
				  fields.data);
	buffer_release(&fields);
	int wanted = model_reach_user(user);
	if (wanted == 0) {
		/* Another user's counts as it stands in the store. */
		wanted = status_of_addition(&addition, user);
		sequence_expect_either(status, wanted, !model_in_time(addition.start_ms, addition.end_ms));
	} else {
		sequence_expect_either(status, wanted,
				       wanted == 404 && !model_in_time(addition.start_ms, addition.end_ms));
	}
	if (status != 200)
		return;
	char id[UUID_TEXT_SIZE + 1];
	sequence_id("{\"focusSession\":", id);
	if (!addition.session)
		FUZZ_CHECK(strcmp(id, sequence_new_id()) == 0);
	note_addition(&addition, user, id);
}

/* One element of the answer, which goes on behind it. */
static const char *check_result(const char *answer, int index, int wanted, const struct addition *addition, int user)
{
	char begin[64], id[UUID_TEXT_SIZE + 1];
	size_t size = (size_t)snprintf(begin, sizeof begin, "%s{\"index\":%d,\"%s\":\"", index > 0 ? "," : "", index,
				       wanted == 200 ? "focusSession" : "error");

	FUZZ_CHECK(strncmp(answer, begin, size) == 0);
	answer += size;
	const char *end = strstr(answer, "\"}");
	FUZZ_CHECK(end && end > answer);
	if (wanted == 200) {
		FUZZ_CHECK(end - answer == UUID_TEXT_SIZE);
		snprintf(id, sizeof id, "%s", answer);
		note_addition(addition, user, id);
	}
	return end + 2;
}

void additions_several(void)
{
	enum { MOST = 5 };
	int user = sequence_choice(USERS), count = sequence_choice(MOST + 1), rooms = 0;
	struct buffer fields = BUFFER_INIT;
	struct addition additions[MOST];
	bool good[MOST];

	for (unsigned i = 0; i < SLOTS; i++)
		rooms += !model.sessions[i].there;
	if (rooms < count) /* some may be for a slot each, whether they name it or not */
		count = rooms;
	for (int i = 0; i < count; i++) {
		buffer_append_string(&fields, i > 0 ? "," : "");
		good[i] = sequence_byte() % 16;
		if (!good[i]) {
			buffer_append_string(&fields, sequence_byte() % 2 ? "\"no session\"" : "{\"document\":1}");
			continue;
		}
		buffer_append_string(&fields, "{");
		choose_addition(&additions[i], &fields);
		buffer_append_string(&fields, "}");
	}
	int status = sequence_ask("addSessions", ",\"user\":\"%s\",\"sessions\":[%.*s]", model_user_name(user),
				  (int)fields.size, fields.data ? fields.data : "");
	buffer_release(&fields);
	int refusal = model_refuses_user(user);
	/* What is no session does not get so far that the user is settled. */
	for (int i = 0; i < count; i++)
		if (good[i] && refusal == 0)
			model_settle(user, true);
	sequence_expect(status, refusal != 0 ? refusal : 200);
	if (refusal != 0)
		return;
	const char *answer = sequence_answer();
	FUZZ_CHECK(strncmp(answer, "{\"results\":[", 12) == 0);
	answer += 12;
	for (int i = 0; i < count; i++) {
		/* The slot of one with an id may have been taken just now by one without. */
		if (good[i] && additions[i].session && strcmp(additions[i].session->id, additions[i].id) != 0 &&
		    additions[i].session->there) {
			FUZZ_CHECK(model_room() < SLOTS);
			additions[i].session = &model.sessions[model_room()];
		}
		if (good[i] && additions[i].session && model_find(additions[i].id) < SLOTS)
			additions[i].session = &model.sessions[model_find(additions[i].id)];
		answer = check_result(answer, i, good[i] ? status_of_addition(&additions[i], user) : 400, &additions[i],
				      user);
	}
	FUZZ_CHECK(strcmp(answer, "]}\n") == 0);
}
