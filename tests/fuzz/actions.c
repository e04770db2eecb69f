/* Fuzzing sequences of actions, each input one of them: every answer is compared with that of a model in memory (model.h), which knows
 * the rules of recording and nothing of how sessions are stored. Three users, two dozen sessions and a clock that moves on as the
 * input says; who is signed in changes. Requests come as a relay's, which brings the time and new ids along.
 *
 * Bytes of the input: an action, and what it needs (sequence_byte gives 0 behind the end). The actions themselves are in writes.c,
 * additions.c, listings.c and figures.c. Every action of the API has its place in the table below, or a reason there why not. */
#include "range.h"
#include "sequence.h"
#include "shop.h"

#include "api/local.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { ACTIONS_MAX = 1000, STORE_ACTIONS = 200000, FIELDS_MAX = 4096 };

static struct {
	const uint8_t *data;
	size_t size;
	struct buffer answer;
	char action[64]; /* the last request, which can be sent again */
	char fields[FIELDS_MAX], now[48], new_id[80];
	int actor, status;
} run;

static unsigned long requests; /* of all inputs */

static void say_how_many(void)
{
	fprintf(stderr, "%lu actions compared\n", requests);
}

uint8_t sequence_byte(void)
{
	if (run.size == 0)
		return 0;
	run.size--;
	return *run.data++;
}

int sequence_choice(int count)
{
	return sequence_byte() % count;
}

int64_t sequence_time(void)
{
	int byte = sequence_byte();
	int64_t minutes_ago = byte < 192 ? (byte * 5 - 10) : (byte - 190) * 211;

	return model.now_ms - minutes_ago * 60000;
}

struct session_model *sequence_pick(char id[UUID_TEXT_SIZE + 1], unsigned *slot)
{
	*slot = sequence_byte() % SLOTS;
	if (model.sessions[*slot].there)
		memcpy(id, model.sessions[*slot].id, UUID_TEXT_SIZE + 1);
	else
		model_free_id(*slot, id);
	unsigned known = model_find(id);
	if (known < SLOTS)
		*slot = known;
	return &model.sessions[*slot];
}

/* Send the request that `run` has; repeated: as one whose answer was lost. */
static int send_request(bool repeated)
{
	char path[96], user[64];
	bool is_get = strcmp(run.action, "health") == 0;
	char *parameters[12];
	int count = 0;

	snprintf(path, sizeof path, "PATH_INFO=%s%s", run.action[0] == '/' ? "" : "/FocusStats/", run.action);
	parameters[count++] = is_get ? "REQUEST_METHOD=GET" : "REQUEST_METHOD=POST";
	parameters[count++] = path;
	parameters[count++] = "CONTENT_TYPE=application/json";
	parameters[count++] = run.actor == NOBODY ? "FOCUSSTATS_AUTH=none" : "FOCUSSTATS_AUTH=required";
	parameters[count++] = run.now;
	parameters[count++] = run.new_id;
	parameters[count++] = "FOCUSSTATS_DEADLINE=99999999999999";
	if (run.actor != NOBODY) {
		snprintf(user, sizeof user, "REMOTE_USER=%s", run.actor == ADMIN ? "root" : model_user_name(run.actor));
		parameters[count++] = user;
	}
	if (run.actor == ADMIN)
		parameters[count++] = "FOCUSSTATS_ADMIN=1";
	if (repeated)
		parameters[count++] = "FOCUSSTATS_REPEATED=1";
	parameters[count] = NULL;
	buffer_release(&run.answer);
	shop_send(parameters, text_of(run.fields), true, false, &run.answer);
	buffer_append(&run.answer, "", 1);
	requests++;
	return atoi(run.answer.data + strlen("Status: "));
}

int sequence_ask(const char *action, const char *fields, ...)
{
	va_list arguments;

	snprintf(run.action, sizeof run.action, "%s", action);
	/* A field that no action knows comes first, so that the others can have their commas. */
	size_t size = (size_t)snprintf(run.fields, sizeof run.fields, "{\"n\":0");
	va_start(arguments, fields);
	size += (size_t)vsnprintf(run.fields + size, sizeof run.fields - size, fields, arguments);
	va_end(arguments);
	FUZZ_CHECK(size + 2 <= sizeof run.fields);
	memcpy(run.fields + size, "}", 2);
	snprintf(run.now, sizeof run.now, "FOCUSSTATS_NOW=%" PRId64, model.now_ms);
	/* Never one of another request: that would be a retry. */
	snprintf(run.new_id, sizeof run.new_id, "FOCUSSTATS_NEW_ID=00000000-0000-7000-9000-%011lx0", requests + 1);
	run.actor = model.actor;
	return run.status = send_request(false);
}

const char *sequence_answer(void)
{
	const char *end = strstr(run.answer.data, "\r\n\r\n");

	FUZZ_CHECK(end);
	return end + 4;
}

const char *sequence_new_id(void)
{
	return run.new_id + strlen("FOCUSSTATS_NEW_ID=");
}

static void fail(const char *wanted)
{
	fprintf(stderr, "%s %s answers\n%s\nin the place of\n%s\n", run.action, run.fields, run.answer.data, wanted);
	abort();
}

void sequence_id(const char *before, char id[UUID_TEXT_SIZE + 1])
{
	const char *answer = sequence_answer();
	size_t size = strlen(before);

	if (strncmp(answer, before, size) != 0 || strlen(answer) < size + UUID_TEXT_SIZE + 2)
		fail(before);
	snprintf(id, UUID_TEXT_SIZE + 1, "%s", answer + size + 1);
}

void sequence_expect(int status, int wanted)
{
	char text[16];

	snprintf(text, sizeof text, "%d", wanted);
	if (status != wanted)
		fail(text);
}

void sequence_expect_either(int status, int wanted, bool bad_too)
{
	if (!(bad_too && status == 400 && wanted != 200))
		sequence_expect(status, wanted);
}

void sequence_expect_body(int status, struct buffer *wanted)
{
	const char *answer = sequence_answer();

	FUZZ_CHECK(!buffer_failed(wanted));
	sequence_expect(status, 200);
	if (strlen(answer) != wanted->size + 1 || memcmp(answer, wanted->data, wanted->size) != 0) {
		buffer_append(wanted, "", 1);
		fail(wanted->data);
	}
	buffer_release(wanted);
}

/* What was carried out is asked for once more, as where its answer was lost: it is answered the same, and done once. */
static void ask_again(void)
{
	char path[96];

	snprintf(path, sizeof path, "/FocusStats/%s", run.action);
	const struct action *action = action_find(text_of(path));
	if (!action || !action->repeatable || run.status != 200)
		return;
	char *before = strdup(sequence_answer());
	FUZZ_CHECK(before);
	if (send_request(true) != 200 || strcmp(before, sequence_answer()) != 0)
		fail(before);
	free(before);
}

/* The clock goes on, from a quarter of a second to four hours, now and then some days; or to the very moment at which a session counts
 * as ended, or a millisecond before it. */
static void pass_time(void)
{
	char id[UUID_TEXT_SIZE + 1];
	unsigned slot;
	int byte = sequence_byte();
	int64_t then_ms = model.now_ms + (int64_t)byte * byte * 250;

	if (byte >= 250) {
		then_ms = model.now_ms + (int64_t)(byte - 249) * RANGE_DAY_MS;
	} else if (byte >= 200) {
		const struct session_model *session = sequence_pick(id, &slot);
		if (!session->there || session->ended || !session->seen)
			return;
		then_ms = session->seen_ms + (int64_t)model.users[session->user].idle_s * 1000 - byte % 2;
	}
	if (then_ms > model.now_ms)
		model.now_ms = then_ms;
	run.action[0] = '\0';
}

static void sign_in(void)
{
	int choice = sequence_choice(2 * (USERS + 1));

	model.actor = choice <= USERS ? choice : NOBODY;
}

/* What a sequence is made of. Actions by their names, those of the tool by their paths. */
struct kind {
	const char *action; /* NULL for what is none */
	void (*act)(void);  /* NULL: it has no place here */
	const char *why_not;
	int often; /* how often among the others */
};

static const struct kind kinds[] = {
	{"initUser", writes_init_user, NULL, 1},
	{"startSession", writes_start, NULL, 4},
	{"heartbeat", writes_heartbeat, NULL, 4},
	{"endSession", writes_end, NULL, 3},
	{"addSession", additions_one, NULL, 4},
	{"addSessions", additions_several, NULL, 2},
	{"editSession", writes_edit, NULL, 3},
	{"removeSession", writes_remove, NULL, 2},
	{"setDocument", writes_set_document, NULL, 1},
	{"setSettings", writes_set_settings, NULL, 1},
	{"removeUser", writes_remove_user, NULL, 1},
	{"_viewStats", listings_view_stats, NULL, 1},
	{"_getSessions", listings_sessions, NULL, 3},
	{"_getActiveSessions", listings_active, NULL, 1},
	{"_getSummary", figures_summary, NULL, 2},
	{"_getPeriods", figures_periods, NULL, 2},
	{"_getHours", figures_hours, NULL, 1},
	{"_getDocuments", figures_documents, NULL, 2},
	{"_getStreaks", figures_streaks, NULL, 2},
	{"_getGoal", figures_goal, NULL, 1},
	{"_getSettings", listings_settings, NULL, 1},
	{"_getTitles", listings_titles, NULL, 1},
	{"_exportUser", listings_export, NULL, 1},
	{"health", listings_health, NULL, 1},
	{"metrics", NULL, "what it counts is that of whole processes: tests/http/test_metrics.py", 0},
	{"openapi.json", NULL, "it answers the same always: tests/http/test_openapi.py", 0},
	{LOCAL_SETTLE, writes_settle, NULL, 1},
	{LOCAL_USERS, listings_users, NULL, 1},
	{LOCAL_STATS, NULL, "the engine's own figures: tests/tool/test_admin.py", 0},
	{LOCAL_COPY, NULL, "it copies files: tests/tool/test_backup.py", 0},
	{LOCAL_COPY_STATE, NULL, "the same", 0},
	{LOCAL_IMPORT, NULL, "bytes, not JSON: the targets record and request, tests/tool/test_transfer.py", 0},
	{LOCAL_EXPORT, NULL, "the same", 0},
	{LOCAL_EXPORT_USER, NULL, "the same", 0},
	{NULL, ask_again, NULL, 4},
	{NULL, pass_time, NULL, 4},
	{NULL, sign_in, NULL, 2},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Every action is in the table, and everything in the table is one. */
static void check_table(void)
{
	size_t count;
	const struct action *actions = action_table(&count);

	for (size_t i = 0; i < count; i++) {
		int k = 0;
		while (k < KINDS && !(kinds[k].action && strcmp(kinds[k].action, action_name(&actions[i])) == 0))
			k++;
		if (k == KINDS) {
			fprintf(stderr, "%s has no place in tests/fuzz/actions.c\n", actions[i].path);
			abort();
		}
	}
	for (int k = 0; k < KINDS; k++) {
		char path[96];
		if (!kinds[k].action)
			continue;
		FUZZ_CHECK((kinds[k].act != NULL) != (kinds[k].why_not != NULL));
		snprintf(path, sizeof path, "/FocusStats/%s", kinds[k].action);
		FUZZ_CHECK(kinds[k].action[0] == '/' ? local_find(text_of(kinds[k].action)) != NULL
						     : action_find(text_of(path)) != NULL);
	}
}

static void act(void)
{
	int sum = 0, chosen;

	for (int k = 0; k < KINDS; k++)
		sum += kinds[k].often;
	chosen = sequence_choice(sum);
	for (int k = 0; k < KINDS; k++) {
		chosen -= kinds[k].often;
		if (chosen < 0) {
			kinds[k].act();
			return;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned serial;
	static unsigned long store_began;

	if (serial == 0) {
		check_table();
		atexit(say_how_many);
	}
	run.data = NULL;
	run.size = 0;
	model_begin(++serial);
	writes_init_user(); /* of the user that is 0 behind the end of an input */
	run.data = data;
	run.size = size;
	for (int i = 0; i < ACTIONS_MAX && run.size > 0; i++)
		act();
	for (int user = 0; user < USERS; user++)
		listings_all_of(user);
	buffer_release(&run.answer);
	if (requests - store_began > STORE_ACTIONS) {
		store_began = requests;
		shop_clear();
	}
	return 0;
}
