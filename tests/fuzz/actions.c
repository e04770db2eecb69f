/* Fuzzing sequences of actions, each input one of them: every answer is compared with that of a model in memory, which knows
 * the rules of recording and nothing of how sessions are stored. Three users, sixteen ids of sessions and a clock that moves on as the
 * input says. Requests come as a relay's, which brings the time and new ids along.
 *
 * Bytes of the input: an action, and what it needs (next_byte gives 0 behind the end). */
#include "fuzz.h"
#include "shop.h"

#include "domain/instant.h"
#include "domain/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { USERS = 3, IDS = 16, ACTIONS_MAX = 400, STORE_INPUTS = 500, IDLE_DEFAULT_S = 600 };
static const int64_t BEGIN_MS = INT64_C(1762776000000);
static const char *const documents[] = {"walden", "the odyssey", "\xD0\xBA\xD0\xBD\xD0\xB8\xD0\xB3\xD0\xB0"};

struct session_model {
	bool there, ended, seen;
	unsigned user, document, first_document;
	int progress; /* of 4; -1 where none was told */
	int64_t start_ms, end_ms, seen_ms;
};

static struct {
	const uint8_t *data;
	size_t size;
	int64_t now_ms;
	unsigned serial; /* of the input: part of the names and ids, so that each input has its own */
	bool users[USERS], removed[USERS];
	int64_t idle_ms[USERS];
	struct session_model sessions[IDS];
	struct buffer answer;
} run;

static unsigned requests; /* of all inputs */

static void say_how_many(void)
{
	fprintf(stderr, "%u actions compared\n", requests);
}

static uint8_t next_byte(void)
{
	if (run.size == 0)
		return 0;
	run.size--;
	return *run.data++;
}

/* Send it; returns the status. The body of the answer is what run.answer has behind the headers. */
static int ask(const char *action, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int ask(const char *action, const char *format, ...)
{
	char path[64], now[48], new_id[80], body[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(body, sizeof body, format, arguments);
	va_end(arguments);
	snprintf(path, sizeof path, "PATH_INFO=/FocusStats/%s", action);
	snprintf(now, sizeof now, "FOCUSSTATS_NOW=%" PRId64, run.now_ms);
	/* Never one of another request: that would be a retry. */
	snprintf(new_id, sizeof new_id, "FOCUSSTATS_NEW_ID=00000000-0000-7000-9000-%012x", ++requests);
	char *const parameters[] = {"REQUEST_METHOD=POST",
				    path,
				    "CONTENT_TYPE=application/json",
				    "FOCUSSTATS_AUTH=none",
				    now,
				    new_id,
				    "FOCUSSTATS_DEADLINE=99999999999999",
				    NULL};
	buffer_release(&run.answer);
	shop_send(parameters, text_of(body), true, false, &run.answer);
	buffer_append(&run.answer, "", 1);
	return atoi(run.answer.data + strlen("Status: "));
}

static const char *answered(void)
{
	const char *end = strstr(run.answer.data, "\r\n\r\n");

	FUZZ_CHECK(end);
	return end + 4;
}

static void expect(int status, int wanted, const char *action)
{
	if (status != wanted) {
		fprintf(stderr, "%s: %d in the place of %d\n%s\n", action, status, wanted, run.answer.data);
		abort();
	}
}

static struct session_model *pick(unsigned *id)
{
	*id = next_byte() % IDS;
	return &run.sessions[*id];
}

static const char *id_text(unsigned id)
{
	static char text[UUID_TEXT_SIZE + 1];

	snprintf(text, sizeof text, "00000000-0000-4000-8%03x-%012x", id, run.serial);
	return text;
}

static const char *user_name(unsigned user)
{
	static char name[32];

	snprintf(name, sizeof name, "user-%u-%u", run.serial, user);
	return name;
}

static const char *time_text(int64_t ms)
{
	static char texts[2][INSTANT_TEXT_SIZE + 1];
	static unsigned turn;
	char *text = texts[turn++ % 2];

	instant_format(ms, text);
	return text;
}

/* What counts as ended by now is ended. */
static void settle(unsigned user)
{
	for (unsigned i = 0; i < IDS; i++) {
		struct session_model *session = &run.sessions[i];
		if (session->there && session->user == user && !session->ended && session->seen &&
		    run.now_ms - session->seen_ms >= run.idle_ms[user]) {
			session->ended = true;
			session->end_ms = session->seen_ms;
		}
	}
}

static bool in_time(int64_t start_ms, int64_t end_ms)
{
	return start_ms <= end_ms && end_ms <= run.now_ms + SESSION_AHEAD_MAX_MS;
}

/* A time from ten hours ago to ten minutes ahead. */
static int64_t some_time(void)
{
	return run.now_ms - ((int64_t)next_byte() * 150 - 600) * 1000;
}

static int progress_of(uint8_t byte)
{
	return byte % 8 < 5 ? byte % 8 : -1;
}

static const char *progress_text(int progress)
{
	static char text[32];

	text[0] = '\0';
	if (progress >= 0)
		snprintf(text, sizeof text, ",\"progress\":%.2f", progress / 4.0);
	return text;
}

static void do_init(void)
{
	unsigned user = next_byte() % USERS;
	int status = ask("initUser", "{\"user\":\"%s\"}", user_name(user));

	/* While one of that name is being deleted it can be tried again later. */
	if (run.removed[user] && status == 503)
		return;
	expect(status, run.users[user] ? 409 : 200, "initUser");
	if (!run.users[user])
		run.idle_ms[user] = IDLE_DEFAULT_S * 1000;
	run.users[user] = true;
}

static void do_start(void)
{
	unsigned id, user = next_byte() % USERS, document = next_byte() % 3;
	struct session_model *session = pick(&id);
	int status =
		ask("startSession", "{\"user\":\"%s\",\"document\":\"%s\",\"library\":\"l\",\"focusSession\":\"%s\"}",
		    user_name(user), documents[document], id_text(id));
	int wanted = 200;

	if (!run.users[user])
		wanted = 404;
	else if (session->there &&
		 (session->user != user || (session->document != document && session->first_document != document)))
		wanted = 409;
	expect(status, wanted, "startSession");
	if (wanted == 200 && !session->there)
		*session = (struct session_model){.there = true,
						  .user = user,
						  .document = document,
						  .first_document = document,
						  .progress = -1,
						  .start_ms = run.now_ms};
}

static void do_heartbeat(void)
{
	unsigned id;
	struct session_model *session = pick(&id);
	int progress = progress_of(next_byte());
	int status = ask("heartbeat", "{\"focusSession\":\"%s\"%s}", id_text(id), progress_text(progress));

	if (session->there)
		settle(session->user);
	expect(status, !session->there ? 404 : session->ended ? 409 : 200, "heartbeat");
	if (!session->there || session->ended)
		return;
	int64_t least_ms = session->seen && session->seen_ms > session->start_ms ? session->seen_ms : session->start_ms;
	session->seen_ms = run.now_ms > least_ms ? run.now_ms : least_ms;
	session->seen = true;
	if (progress >= 0)
		session->progress = progress;
}

static void do_end(void)
{
	unsigned id;
	struct session_model *session = pick(&id);
	int progress = progress_of(next_byte());
	bool given = next_byte() % 2;
	int64_t end_ms = some_time();
	char end[64] = "";

	if (given)
		snprintf(end, sizeof end, ",\"endTime\":\"%s\"", time_text(end_ms));
	int status = ask("endSession", "{\"focusSession\":\"%s\"%s%s}", id_text(id), progress_text(progress), end);
	if (!session->there) {
		expect(status, 404, "endSession");
		return;
	}
	settle(session->user);
	if (session->ended) {
		bool same = given && end_ms == session->end_ms;
		/* Which of two reasons it is refused for is open. */
		if (status != 400 || !given || in_time(session->start_ms, end_ms))
			expect(status, same ? 200 : 409, "endSession again");
		return;
	}
	expect(status, given && !in_time(session->start_ms, end_ms) ? 400 : 200, "endSession");
	if (status != 200)
		return;
	session->ended = true;
	session->end_ms = given ? end_ms : run.now_ms > session->start_ms ? run.now_ms : session->start_ms;
	if (progress >= 0)
		session->progress = progress;
}

static void do_add(void)
{
	unsigned id, user = next_byte() % USERS, document = next_byte() % 3;
	struct session_model *session = pick(&id);
	int64_t start_ms = some_time(), end_ms = some_time();
	int status = ask(
		"addSession",
		"{\"user\":\"%s\",\"document\":\"%s\",\"library\":\"l\",\"focusSession\":\"%s\",\"startTime\":\"%s\","
		"\"endTime\":\"%s\"}",
		user_name(user), documents[document], id_text(id), time_text(start_ms), time_text(end_ms));
	int wanted = 200;

	if (session->there)
		settle(session->user);
	if (!run.users[user])
		wanted = 404;
	else if (!in_time(start_ms, end_ms))
		wanted = 400;
	else if (session->there && (session->user != user || session->document != document || !session->ended ||
				    session->start_ms != start_ms || session->end_ms != end_ms))
		wanted = 409;
	/* Which of two reasons it is refused for is open. */
	if (wanted != 404 || status != 400 || in_time(start_ms, end_ms))
		expect(status, wanted, "addSession");
	if (wanted == 200 && !session->there)
		*session = (struct session_model){.there = true,
						  .ended = true,
						  .user = user,
						  .document = document,
						  .first_document = document,
						  .progress = -1,
						  .start_ms = start_ms,
						  .end_ms = end_ms};
}

static void do_edit(void)
{
	unsigned id;
	struct session_model *session = pick(&id);
	unsigned what = 1 + next_byte() % 7, document = next_byte() % 3;
	int64_t start_ms = some_time(), end_ms = some_time();
	char fields[256] = "";
	size_t size = 0;

	if (what & 1)
		size += (size_t)snprintf(fields, sizeof fields, ",\"startTime\":\"%s\"", time_text(start_ms));
	if (what & 2)
		size += (size_t)snprintf(fields + size, sizeof fields - size, ",\"endTime\":\"%s\"", time_text(end_ms));
	if (what & 4)
		snprintf(fields + size, sizeof fields - size, ",\"document\":\"%s\"", documents[document]);
	int status = ask("editSession", "{\"focusSession\":\"%s\"%s}", id_text(id), fields);
	if (!session->there) {
		expect(status, 404, "editSession");
		return;
	}
	settle(session->user);
	int64_t new_start_ms = what & 1 ? start_ms : session->start_ms;
	int64_t new_end_ms = what & 2 ? end_ms : session->end_ms;
	if (!session->ended && (what & 2)) {
		expect(status, 409, "editSession of an open one");
		return;
	}
	bool good = !(what & 1) || new_start_ms <= run.now_ms + SESSION_AHEAD_MAX_MS;
	if (session->ended)
		good = good && new_start_ms <= new_end_ms &&
		       (!(what & 2) || new_end_ms <= run.now_ms + SESSION_AHEAD_MAX_MS);
	expect(status, good ? 200 : 400, "editSession");
	if (!good)
		return;
	session->start_ms = new_start_ms;
	session->end_ms = new_end_ms;
	if (session->seen && session->seen_ms < new_start_ms)
		session->seen_ms = new_start_ms;
	if (what & 4)
		session->document = document;
}

static void do_remove(void)
{
	unsigned id;
	struct session_model *session = pick(&id);

	expect(ask("removeSession", "{\"focusSession\":\"%s\"}", id_text(id)), session->there ? 200 : 404,
	       "removeSession");
	session->there = false;
}

static void do_settings(void)
{
	static const int idle_s[] = {60, 600, 3600, 86400};
	unsigned user = next_byte() % USERS, idle = next_byte() % 4;

	expect(ask("setSettings", "{\"user\":\"%s\",\"idleTimeoutSeconds\":%d}", user_name(user), idle_s[idle]),
	       run.users[user] ? 200 : 404, "setSettings");
	settle(user);
	if (run.users[user])
		run.idle_ms[user] = idle_s[idle] * 1000;
}

static void put_session(struct buffer *wanted, unsigned id)
{
	const struct session_model *session = &run.sessions[id];

	buffer_append_format(
		wanted,
		"%s{\"focusSession\":{\"_id\":\"%s\",\"user\":\"%s\",\"document\":\"%s\",\"library\":\"l\","
		"\"startTime\":\"%s\",\"endTime\":",
		wanted->size > 1 ? "," : "", id_text(id), user_name(session->user), documents[session->document],
		time_text(session->start_ms));
	if (session->ended)
		buffer_append_format(wanted, "\"%s\"", time_text(session->end_ms));
	else
		buffer_append_string(wanted, "null");
	if (session->seen)
		buffer_append_format(wanted, ",\"lastSeen\":\"%s\"", time_text(session->seen_ms));
	else
		buffer_append_string(wanted, ",\"lastSeen\":null");
	if (session->progress >= 0)
		buffer_append_format(wanted, ",\"progress\":%.4g}}", session->progress / 4.0);
	else
		buffer_append_string(wanted, ",\"progress\":null}}");
}

/* All sessions of a user, oldest first. Those of an instant are in the order of their ids. */
static void check_sessions(unsigned user)
{
	struct buffer wanted = BUFFER_INIT;
	bool put[IDS] = {false};

	int status = ask("_getSessions", "{\"user\":\"%s\",\"order\":\"asc\"}", user_name(user));
	expect(status, run.users[user] ? 200 : 404, "_getSessions");
	if (!run.users[user])
		return;
	settle(user);
	buffer_append_string(&wanted, "[");
	for (unsigned round = 0; round < IDS; round++) {
		unsigned next = IDS;
		for (unsigned i = 0; i < IDS; i++)
			if (run.sessions[i].there && run.sessions[i].user == user && !put[i] &&
			    (next == IDS || run.sessions[i].start_ms < run.sessions[next].start_ms))
				next = i;
		if (next == IDS)
			break;
		put[next] = true;
		put_session(&wanted, next);
	}
	buffer_append(&wanted, "]\n", 3);
	if (strcmp(answered(), wanted.data) != 0) {
		fprintf(stderr, "_getSessions:\n%sin the place of\n%s", answered(), wanted.data);
		abort();
	}
	buffer_release(&wanted);
}

static void do_list(void)
{
	check_sessions(next_byte() % USERS);
}

/* The sum of their lengths, and how many there are, in the summary. */
static void do_summary(void)
{
	unsigned user = next_byte() % USERS, count = 0;
	int64_t raw_ms = 0;
	char wanted[96];

	int status = ask("_getSummary", "{\"user\":\"%s\"}", user_name(user));
	expect(status, run.users[user] ? 200 : 404, "_getSummary");
	if (status != 200)
		return;
	settle(user);
	for (unsigned i = 0; i < IDS; i++) {
		if (!run.sessions[i].there || run.sessions[i].user != user || !run.sessions[i].ended)
			continue;
		raw_ms += run.sessions[i].end_ms - run.sessions[i].start_ms;
		count++;
	}
	snprintf(wanted, sizeof wanted, "\"rawSeconds\":%" PRId64 ",\"sessions\":%u,", (2 * raw_ms + 1000) / 2000,
		 count);
	if (!strstr(answered(), wanted)) {
		fprintf(stderr, "_getSummary:\n%shas no %s\n", answered(), wanted);
		abort();
	}
}

static void do_remove_user(void)
{
	unsigned user = next_byte() % USERS;

	if (next_byte() % 8)
		return;
	expect(ask("removeUser", "{\"user\":\"%s\",\"confirm\":\"%s\"}", user_name(user), user_name(user)),
	       run.users[user] ? 200 : 404, "removeUser");
	run.removed[user] |= run.users[user];
	run.users[user] = false;
	for (unsigned i = 0; i < IDS; i++)
		if (run.sessions[i].user == user)
			run.sessions[i].there = false;
}

static void do_wait(void)
{
	run.now_ms += (int64_t)next_byte() * next_byte() * 250;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(void) = {do_start, do_heartbeat, do_end,  do_add,     do_edit,        do_remove,
					      do_init,  do_settings,  do_list, do_summary, do_remove_user, do_wait};
	static unsigned serial;

	if (serial == 0)
		atexit(say_how_many);
	memset(&run, 0, sizeof run);
	run.data = data;
	run.size = size;
	run.serial = ++serial;
	run.now_ms = BEGIN_MS;
	for (unsigned user = 0; user + 1 < USERS; user++) {
		expect(ask("initUser", "{\"user\":\"%s\"}", user_name(user)), 200, "initUser");
		run.users[user] = true;
		run.idle_ms[user] = IDLE_DEFAULT_S * 1000;
	}
	for (unsigned i = 0; i < ACTIONS_MAX && run.size > 0; i++)
		kinds[next_byte() % (sizeof kinds / sizeof kinds[0])]();
	for (unsigned user = 0; user < USERS; user++)
		check_sessions(user);
	buffer_release(&run.answer);
	if (serial % STORE_INPUTS == 0)
		shop_clear();
	return 0;
}
