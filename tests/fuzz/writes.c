/* The actions of the target `actions` that change something; see sequence.h. */
#include "sequence.h"

#include <string.h>

static int choose_progress(void)
{
	int choice = sequence_choice(8);

	return choice < 5 ? choice : -1;
}

static const char *progress_field(int progress)
{
	static char text[32];

	text[0] = '\0';
	if (progress >= 0)
		snprintf(text, sizeof text, ",\"progress\":%.2f", progress / 4.0);
	return text;
}

static void report(struct session_model *session, int progress)
{
	if (progress < 0)
		return;
	session->progress = progress;
	session->progress_ms = model.now_ms;
}

void writes_init_user(void)
{
	int user = sequence_choice(USERS);
	int status = sequence_ask("initUser", ",\"user\":\"%s\"", model_user_name(user));
	bool there = model.users[user].there;

	if (model_refuses_user(user) == 403) {
		sequence_expect(status, 403);
		return;
	}
	/* While one of that name is being deleted it can be tried again later. */
	if (!there && model.users[user].removed && status == 503)
		return;
	sequence_expect(status, there ? 409 : 200);
	if (!there) {
		char id[UUID_TEXT_SIZE + 1];
		sequence_id("{\"focusStats\":", id);
		FUZZ_CHECK(strcmp(id, sequence_new_id()) == 0);
		model_init_user(user, id);
	}
}

void writes_start(void)
{
	int user = sequence_choice(USERS), document = sequence_choice(DOCUMENTS), library = sequence_choice(LIBRARIES);
	bool chosen = sequence_byte() % 4;
	char id[UUID_TEXT_SIZE + 1], field[80] = "";
	unsigned slot;
	struct session_model *session = sequence_pick(id, &slot);

	if (!chosen && model_room() == SLOTS)
		return;
	if (chosen)
		snprintf(field, sizeof field, ",\"focusSession\":\"%s\"", id);
	else
		session = &model.sessions[model_room()];
	int status = sequence_ask("startSession", ",\"user\":\"%s\",\"document\":\"%s\",\"library\":\"%s\"%s",
				  model_user_name(user), model_documents[document], model_libraries[library], field);
	int wanted = model_reach_user(user);
	if (wanted == 0) {
		bool another = session->there && (session->user != user || (session->document != document &&
									    session->first_document != document));
		wanted = another ? 409 : 200;
	}
	sequence_expect(status, wanted);
	if (wanted != 200)
		return;
	char answered[UUID_TEXT_SIZE + 1];
	sequence_id("{\"focusSession\":", answered);
	FUZZ_CHECK(strcmp(answered, chosen ? id : sequence_new_id()) == 0);
	if (session->there)
		return;
	*session = (struct session_model){.there = true,
					  .user = user,
					  .document = document,
					  .first_document = document,
					  .library = library,
					  .progress = -1,
					  .start_ms = model.now_ms};
	memcpy(session->id, answered, sizeof answered);
}

void writes_heartbeat(void)
{
	char id[UUID_TEXT_SIZE + 1];
	unsigned slot;
	struct session_model *session = sequence_pick(id, &slot);
	int progress = choose_progress();
	int status = sequence_ask("heartbeat", ",\"focusSession\":\"%s\"%s", id, progress_field(progress));

	sequence_expect(status, !model_reach_session(session) ? 404 : session->ended ? 409 : 200);
	if (status != 200)
		return;
	int64_t least_ms = session->seen && session->seen_ms > session->start_ms ? session->seen_ms : session->start_ms;
	session->seen_ms = model.now_ms > least_ms ? model.now_ms : least_ms;
	session->seen = true;
	report(session, progress);
}

void writes_end(void)
{
	char id[UUID_TEXT_SIZE + 1];
	unsigned slot;
	struct session_model *session = sequence_pick(id, &slot);
	int progress = choose_progress();
	bool given = sequence_byte() % 2;
	int64_t end_ms = sequence_time();
	int status = sequence_ask("endSession", ",\"focusSession\":\"%s\"%s%s", id, progress_field(progress),
				  given ? model_time_field("endTime", end_ms) : "");

	if (!model_reach_session(session)) {
		sequence_expect(status, 404);
		return;
	}
	bool bad = given && !model_in_time(session->start_ms, end_ms);
	if (session->ended) {
		sequence_expect_either(status, given && end_ms == session->end_ms ? 200 : 409, bad);
		return;
	}
	sequence_expect(status, bad ? 400 : 200);
	if (bad)
		return;
	session->ended = session->stored = true;
	session->end_ms = given ? end_ms : model.now_ms > session->start_ms ? model.now_ms : session->start_ms;
	report(session, progress);
}

void writes_edit(void)
{
	char id[UUID_TEXT_SIZE + 1];
	unsigned slot;
	struct session_model *session = sequence_pick(id, &slot);
	int what = sequence_choice(8), document = sequence_choice(DOCUMENTS);
	int64_t start_ms = sequence_time(), end_ms = sequence_time();
	char field[64] = "";

	if (what & 4)
		snprintf(field, sizeof field, ",\"document\":\"%s\"", model_documents[document]);
	int status = sequence_ask("editSession", ",\"focusSession\":\"%s\"%s%s%s", id,
				  what & 1 ? model_time_field("startTime", start_ms) : "",
				  what & 2 ? model_time_field("endTime", end_ms) : "", field);
	if (what == 0) {
		sequence_expect(status, 400);
		return;
	}
	if (!model_reach_session(session)) {
		sequence_expect(status, 404);
		return;
	}
	int64_t new_start_ms = what & 1 ? start_ms : session->start_ms;
	int64_t new_end_ms = what & 2 ? end_ms : session->end_ms;
	if (!session->ended && (what & 2)) {
		sequence_expect(status, 409);
		return;
	}
	bool good = !(what & 1) || model_in_time(new_start_ms, new_start_ms);
	if (session->ended)
		good = good && new_start_ms <= new_end_ms && (!(what & 2) || model_in_time(new_start_ms, new_end_ms));
	sequence_expect(status, good ? 200 : 400);
	if (!good)
		return;
	session->start_ms = new_start_ms;
	session->end_ms = new_end_ms;
	if (session->seen && session->seen_ms < new_start_ms)
		session->seen_ms = new_start_ms;
	if (what & 4)
		session->document = document;
}

void writes_remove(void)
{
	char id[UUID_TEXT_SIZE + 1];
	unsigned slot;
	struct session_model *session = sequence_pick(id, &slot);
	int status = sequence_ask("removeSession", ",\"focusSession\":\"%s\"", id);
	bool there = model_reach_session(session);

	sequence_expect(status, there ? 200 : 404);
	if (there)
		session->there = false;
}

void writes_set_document(void)
{
	int user = sequence_choice(USERS), number = sequence_choice(DOCUMENTS), what = sequence_choice(4);
	int title = sequence_choice(TITLES), authors = sequence_choice(3);
	struct buffer fields = BUFFER_INIT, wanted = BUFFER_INIT;

	/* An empty title, and an empty list, clear what was told before. */
	if (what & 1)
		buffer_append_format(&fields, ",\"title\":%s", title > 0 ? model_titles[title] : "\"\"");
	if (what & 2)
		buffer_append_format(&fields, ",\"authors\":[%s]",
				     authors == 0   ? ""
				     : authors == 1 ? "\"author 0\""
						    : "\"author 0\",\"author 1\"");
	int status = sequence_ask("setDocument", ",\"user\":\"%s\",\"document\":\"%s\"%.*s", model_user_name(user),
				  model_documents[number], (int)fields.size, fields.data ? fields.data : "");
	buffer_release(&fields);
	int refusal = model_reach_user(user);
	if (refusal != 0) {
		sequence_expect(status, refusal);
		return;
	}
	buffer_append_format(&wanted, "{\"document\":\"%s\"}", model_documents[number]);
	sequence_expect_body(status, &wanted);
	struct document_model *document = &model.users[user].documents[number];
	document->told = true;
	if (what & 1)
		document->title = title;
	if (what & 2)
		document->authors = authors;
}

void writes_set_settings(void)
{
	static const int idles_s[] = {60, 600, 3600, 86400}, starts[] = {0, 240, 1439, 615},
			 goals_s[] = {0, 1, 1800, 86400};
	static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
					   "friday", "saturday", "sunday"};
	int user = sequence_choice(USERS);
	unsigned what = sequence_byte();
	struct user_model changed = model.users[user];
	struct buffer fields = BUFFER_INIT, wanted = BUFFER_INIT;

	if (what & 1) {
		changed.idle_s = idles_s[sequence_choice(4)];
		buffer_append_format(&fields, ",\"idleTimeoutSeconds\":%d", changed.idle_s);
	}
	if (what & 2) {
		changed.zone = sequence_choice(ZONES);
		buffer_append_format(&fields, ",\"timezone\":\"%s\"", model_zones[changed.zone].name);
	}
	if (what & 4) {
		changed.day_start_minutes = starts[sequence_choice(4)];
		buffer_append_format(&fields, ",\"dayStart\":\"%02d:%02d\"", changed.day_start_minutes / 60,
				     changed.day_start_minutes % 60);
	}
	if (what & 8) {
		changed.week_start = 1 + sequence_choice(7);
		buffer_append_format(&fields, ",\"weekStart\":\"%s\"", days[changed.week_start - 1]);
	}
	if (what & 16) {
		changed.goal_s = goals_s[sequence_choice(4)];
		buffer_append_format(&fields, ",\"dailyGoalSeconds\":%d", changed.goal_s);
	}
	int status = sequence_ask("setSettings", ",\"user\":\"%s\"%.*s", model_user_name(user), (int)fields.size,
				  fields.data ? fields.data : "");
	buffer_release(&fields);
	int refusal = model_reach_user(user);
	if (refusal != 0) {
		sequence_expect(status, refusal);
		return;
	}
	buffer_append_format(&wanted, "{\"user\":\"%s\"}", model_user_name(user));
	sequence_expect_body(status, &wanted);
	model.users[user] = changed;
}

void writes_remove_user(void)
{
	const struct session_model *sessions[SLOTS];
	int user = sequence_choice(USERS), what = sequence_choice(8);
	struct buffer wanted = BUFFER_INIT;

	if (what > 1) /* not too often */
		return;
	int status = sequence_ask("removeUser", ",\"user\":\"%s\",\"confirm\":\"%s\"", model_user_name(user),
				  what == 0 ? model_user_name(user) : "somebody else");
	int refusal = model_refuses_user(user);
	if (refusal != 403 && what == 1)
		refusal = 400;
	if (refusal != 0) {
		sequence_expect(status, refusal);
		return;
	}
	buffer_append_format(&wanted, "{\"removedSessions\":%u}", model_list(user, sessions));
	sequence_expect_body(status, &wanted);
	model_remove_user(user);
}

void writes_settle(void)
{
	int user = sequence_choice(USERS);
	int status = sequence_ask("/local/settle", ",\"user\":\"%s\"", model_user_name(user));
	int refusal = model_refuses_user(user);
	struct buffer wanted = BUFFER_INIT;

	if (refusal != 0) {
		sequence_expect(status, refusal);
		return;
	}
	buffer_append_format(&wanted, "{\"endedSessions\":%u}", model_settle(user, true));
	sequence_expect_body(status, &wanted);
}
