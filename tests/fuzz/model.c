/* The model; see model.h. */
#include "model.h"

#include "domain/instant.h"
#include "domain/session.h"

#include <stdio.h>
#include <string.h>

static const int64_t BEGIN_MS = INT64_C(1762776000000);

struct model model;

const char *const model_documents[DOCUMENTS] = {"the odyssey", "walden", "\xD0\xBA\xD0\xBD\xD0\xB8\xD0\xB3\xD0\xB0"};
const char *const model_libraries[LIBRARIES] = {"attic", "home"};
const char *const model_titles[TITLES] = {"null", "\"Walden; or, \\\"Life\\\"\"", "\"\xE2\x80\xA6\""};
const struct zone_model model_zones[ZONES] = {
	{"UTC", 0}, {"Asia/Kolkata", 330}, {"Asia/Tokyo", 540}, {"America/Phoenix", -420}, {"Etc/GMT+5", -300}};

void model_begin(unsigned serial)
{
	memset(&model, 0, sizeof model);
	model.serial = serial;
	model.now_ms = BEGIN_MS;
	model.actor = NOBODY;
}

const char *model_user_name(int user)
{
	static char names[USERS][32];

	snprintf(names[user], sizeof names[user], "user-%09u-%d", model.serial, user);
	return names[user];
}

void model_init_user(int user, const char *id)
{
	model.users[user] = (struct user_model){
		.there = true, .removed = model.users[user].removed, .week_start = 1, .idle_s = 600};
	snprintf(model.users[user].id, sizeof model.users[user].id, "%s", id);
}

void model_remove_user(int user)
{
	model.users[user] = (struct user_model){.removed = true};
	for (unsigned i = 0; i < SLOTS; i++)
		if (model.sessions[i].user == user)
			model.sessions[i].there = false;
}

unsigned model_settle(int user, bool stored)
{
	int64_t idle_ms = (int64_t)model.users[user].idle_s * 1000;
	unsigned count = 0;

	for (unsigned i = 0; i < SLOTS; i++) {
		struct session_model *session = &model.sessions[i];
		if (!session->there || session->user != user)
			continue;
		if (!session->ended && session->seen && model.now_ms - session->seen_ms >= idle_ms) {
			session->ended = true;
			session->end_ms = session->seen_ms;
		}
		if (stored && session->ended && !session->stored) {
			session->stored = true;
			count++;
		}
	}
	return count;
}

void model_free_id(unsigned slot, char id[UUID_TEXT_SIZE + 1])
{
	snprintf(id, UUID_TEXT_SIZE + 1, "00000000-0000-4000-8%03x-%012x", slot & 0xFFF, model.serial);
}

unsigned model_find(const char *id)
{
	unsigned i = 0;

	while (i < SLOTS && !(model.sessions[i].there && strcmp(model.sessions[i].id, id) == 0))
		i++;
	return i;
}

unsigned model_room(void)
{
	unsigned i = 0;

	while (i < SLOTS && model.sessions[i].there)
		i++;
	return i;
}

static bool comes_before(const struct session_model *left, const struct session_model *right)
{
	if (left->start_ms != right->start_ms)
		return left->start_ms < right->start_ms;
	return strcmp(left->id, right->id) < 0;
}

unsigned model_list(int user, const struct session_model *sorted[SLOTS])
{
	unsigned count = 0;

	model_settle(user, false);
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct session_model *session = &model.sessions[i];
		unsigned at = count;
		if (!session->there || session->user != user)
			continue;
		for (; at > 0 && comes_before(session, sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = session;
		count++;
	}
	return count;
}

bool model_in_time(int64_t start_ms, int64_t end_ms)
{
	return start_ms <= end_ms && end_ms <= model.now_ms + SESSION_AHEAD_MAX_MS;
}

static bool is_restricted_to_others(int user)
{
	return model.actor != NOBODY && model.actor != ADMIN && model.actor != user;
}

int model_refuses_user(int user)
{
	if (is_restricted_to_others(user))
		return 403;
	return model.users[user].there ? 0 : 404;
}

bool model_shows(const struct session_model *session)
{
	return session->there && !is_restricted_to_others(session->user);
}

int model_reach_user(int user)
{
	int refusal = model_refuses_user(user);

	if (refusal == 0)
		model_settle(user, true);
	return refusal;
}

bool model_reach_session(const struct session_model *session)
{
	if (!model_shows(session))
		return false;
	model_settle(session->user, true);
	return true;
}

void model_put_time(struct buffer *buffer, bool known, int64_t ms)
{
	char text[INSTANT_TEXT_SIZE];

	if (!known) {
		buffer_append_string(buffer, "null");
		return;
	}
	instant_format(ms, text);
	buffer_append_format(buffer, "\"%.*s\"", INSTANT_TEXT_SIZE, text);
}

const char *model_time_field(const char *name, int64_t ms)
{
	static char texts[2][64];
	static unsigned turn;
	char *text = texts[turn++ % 2];
	struct buffer buffer = BUFFER_INIT;

	model_put_time(&buffer, true, ms);
	snprintf(text, sizeof texts[0], ",\"%s\":%.*s", name, (int)buffer.size, buffer.data);
	buffer_release(&buffer);
	return text;
}

void model_put_progress(struct buffer *buffer, int progress)
{
	if (progress >= 0)
		buffer_append_format(buffer, "%.4g", progress / 4.0);
	else
		buffer_append_string(buffer, "null");
}

void model_put_settings(struct buffer *buffer, const struct user_model *user)
{
	static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
					   "friday", "saturday", "sunday"};

	buffer_append_format(
		buffer,
		"{\"timezone\":\"%s\",\"dayStart\":\"%02d:%02d\",\"weekStart\":\"%s\",\"dailyGoalSeconds\":%d,"
		"\"idleTimeoutSeconds\":%d}",
		model_zones[user->zone].name, user->day_start_minutes / 60, user->day_start_minutes % 60,
		days[user->week_start - 1], user->goal_s, user->idle_s);
}

void model_put_description(struct buffer *buffer, const struct document_model *document)
{
	buffer_append_format(buffer, "\"title\":%s,\"authors\":[", model_titles[document->title]);
	for (int i = 0; i < document->authors; i++)
		buffer_append_format(buffer, "%s\"author %d\"", i > 0 ? "," : "", i);
	buffer_append_string(buffer, "]");
}
