/* How long the statistics take inside the store, beside the same questions to SQLite, in one process.
 *
 *     queries FOLDER OTHERS ROUNDS MILLISECONDS SESSIONS...
 *
 * In FOLDER, which is there and empty, it makes a store and a database with OTHERS users of 20 sessions and a reader with each of
 * SESSIONS. Then, in each round and for each reader and question, it asks the one for MILLISECONDS and the other one right after it. Lines of
 * standard output, of fields between tabs:
 *
 *     answer  SESSIONS  QUESTION  ours (JSON)  rows of SQLite (JSON)     once for each, to be compared
 *     time    SESSIONS  QUESTION  ours  SQLite                           microseconds of the thread's processor time a call, the median of a round
 *
 * Neither side waits for anything while it is read, so the thread's time is what passes on a machine that does nothing else.
 * Ours is from the checked call to the finished JSON of the answer; SQLite's from the bound values to the last column of the last row. */
#include "api/action.h"
#include "api/arguments.h"
#include "questions.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OTHERS_SESSIONS = 20, BATCH = 1000, SAMPLES_MAX = 10000, DICE = 4711 };
#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

static _Noreturn void give_up(const char *what, const struct error *error)
{
	fprintf(stderr, "%s: %s\n", what, error->text);
	exit(1);
}

static void fatal(void *context, const char *what)
{
	(void)context;
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void *made(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

static unsigned roll(unsigned below)
{
	return (unsigned)random() % below;
}

static void some_id(uint8_t id[UUID_SIZE])
{
	for (int i = 0; i < UUID_SIZE; i++)
		id[i] = (uint8_t)roll(256);
	id[6] = (uint8_t)(0x40 | (id[6] & 0x0F));
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3F));
}

void document_name(const struct reader *reader, unsigned document, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%08x-d0c0-4000-8000-%04x%08x", document, (unsigned)reader->id[0],
		 (unsigned)reader->count);
}

/* Sessions up to now, 9 hours apart or, where that would be more than 36 years, closer: 2 minutes to nearly 2 hours each, some of which
 * begin before the one before has ended. Books are read one after the other, three at a time; every third session reports where it is.
 * The last one is still open. */
static struct reader make_reader(size_t count, unsigned number)
{
	struct reader reader = {.count = count,
				.documents = count < 150     ? 3
					     : count < 20000 ? (unsigned)count / 50
							     : 400};
	int64_t most_ms = INT64_C(36) * 365 * 24 * HOUR_MS / (int64_t)count,
		step_ms = most_ms < 9 * HOUR_MS ? most_ms : 9 * HOUR_MS;

	snprintf(reader.name, sizeof reader.name, "%08x-0000-4000-8000-%012zx", number, count);
	some_id(reader.id);
	reader.sessions = made(count, sizeof *reader.sessions);
	for (size_t i = 0; i < count; i++) {
		struct told *told = &reader.sessions[i];
		some_id(told->id);
		told->start_ms =
			NOW_MS - 3 * HOUR_MS - (int64_t)(count - i) * step_ms + roll((unsigned)(step_ms / 10 * 9));
		told->end_ms = told->start_ms + 2 * MINUTE_MS + roll(115 * 60000);
		told->document = (unsigned)(i * (reader.documents - 2) / count) + roll(3);
		told->progress = i % 3 == 0 ? (double)(i * 1000 / count % 1000) / 1000 : -1;
	}
	reader.sessions[count - 1].end_ms = 0;
	reader.sessions[count - 1].progress = -1;
	return reader;
}

static struct identifier named(const char *name)
{
	struct identifier identifier;
	struct error error;

	if (identifier_set(&identifier, text_of(name), "id", &error) != STATUS_OK)
		give_up(name, &error);
	return identifier;
}

static void import(struct store *store, const struct operation *operations, size_t count)
{
	static struct error errors[BATCH];
	static enum store_became became[BATCH];

	store_import(store, operations, count, NULL, became, errors);
	for (size_t i = 0; i < count; i++)
		if (errors[i].status != STATUS_OK)
			give_up("import", &errors[i]);
}

static void add_user(struct store *store, const struct reader *reader)
{
	static struct description description;
	struct operation operation = {.kind = OPERATION_IMPORT_USER,
				      .user = named(reader->name),
				      .given = GIVEN_ID | GIVEN_SETTINGS,
				      .settings = settings_default(),
				      .now_ms = NOW_MS,
				      .description = &description};
	char name[NAME_SIZE];

	operation.settings.daily_goal_seconds = GOAL_SECONDS;
	memcpy(operation.id.bytes, reader->id, UUID_SIZE);
	import(store, &operation, 1);
	description.title_size = sizeof TITLE - 1;
	memcpy(description.title, TITLE, sizeof TITLE - 1);
	description.author_count = 1;
	description.authors[0] = named(AUTHOR);
	operation.kind = OPERATION_IMPORT_DOCUMENT;
	for (unsigned i = 0; i < reader->documents; i++) {
		document_name(reader, i, name);
		operation.document = named(name);
		import(store, &operation, 1);
	}
}

/* The store's side of the history. */
static void add_sessions(struct store *store, const struct reader *reader)
{
	struct operation *operations = made(BATCH, sizeof *operations);
	struct session *sessions = made(BATCH, sizeof *sessions);
	char name[NAME_SIZE];

	for (size_t i = 0, at = 0; i < reader->count; i++) {
		const struct told *told = &reader->sessions[i];
		document_name(reader, told->document, name);
		sessions[at] = (struct session){
			.user = named(reader->name), .document = named(name), .library = named(LIBRARY)};
		memcpy(sessions[at].id.bytes, told->id, UUID_SIZE);
		sessions[at].facts = (struct session_facts){.start_ms = told->start_ms,
							    .ended = told->end_ms != 0,
							    .end_ms = told->end_ms,
							    .reported = told->progress >= 0,
							    .progress = told->progress,
							    .progress_ms = told->end_ms};
		operations[at] = (struct operation){
			.kind = OPERATION_IMPORT_SESSION, .session = &sessions[at], .now_ms = NOW_MS};
		if (++at == BATCH || i + 1 == reader->count) {
			import(store, operations, at);
			at = 0;
		}
	}
	free(operations);
	free(sessions);
}

static void add(struct store *store, struct sql *sql, const struct reader *reader)
{
	add_user(store, reader);
	add_sessions(store, reader);
	sql_add(sql, reader);
}

/* A question to the store: the call is checked before the clock runs. */
static struct call make_call(const struct question *question, const char *user)
{
	struct call call = {.now_ms = NOW_MS};
	char text[512];
	struct error error;

	snprintf(text, sizeof text, "/FocusStats/%s", question->action);
	call.action = action_find(text_of(text));
	snprintf(text, sizeof text, "{\"user\":\"%s\"%s}", user, question->fields);
	if (!call.action || arguments_parse(call.action, text_of(text), NULL, &call.arguments, &error) != STATUS_OK)
		give_up(question->name, &error);
	return call;
}

static void ask_ours(struct store *store, const struct call *call, FILE *out)
{
	struct buffer body = BUFFER_INIT;
	struct error error = {.status = STATUS_OK};

	if (call->action->carry_out(store, call, &body, &error) != STATUS_OK || buffer_failed(&body))
		give_up(call->action->path, &error);
	if (out)
		fwrite(body.data, 1, body.size, out);
	buffer_release(&body);
}

struct pair {
	struct store *store;
	struct sql *sql;
	const struct call *call;
	size_t question;
	const char *user;
};

static void ask_store(const struct pair *pair)
{
	ask_ours(pair->store, pair->call, NULL);
}

static void ask_sqlite(const struct pair *pair)
{
	sql_ask(pair->sql, pair->question, pair->user, NULL);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* The median of calls, in samples of several where one is too short for the clock: for so many milliseconds, and three samples at least. */
static double median_us(void (*ask)(const struct pair *pair), const struct pair *pair, double for_us)
{
	enum { SAMPLE_US = 200, LEAST = 3 };
	static double samples[SAMPLES_MAX];
	size_t count = 0;

	double begun = now_us();
	ask(pair);
	double once = now_us() - begun;
	size_t each = once < SAMPLE_US ? (size_t)(SAMPLE_US / (once > 1 ? once : 1)) : 1;
	begun = now_us();
	while (count < SAMPLES_MAX && (count < LEAST || now_us() - begun < for_us)) {
		double from = now_us();
		for (size_t i = 0; i < each; i++)
			ask(pair);
		samples[count++] = (now_us() - from) / (double)each;
	}
	qsort(samples, count, sizeof samples[0], compare);
	return samples[count / 2];
}

static void measure(struct store *store, struct sql *sql, const struct reader *readers, size_t count, size_t rounds,
		    double for_us)
{
	for (size_t round = 0; round <= rounds; round++) {
		for (size_t i = 0; i < count * question_count; i++) {
			const struct reader *reader = &readers[i / question_count];
			const struct question *question = &questions[i % question_count];
			struct call call = make_call(question, reader->name);
			struct pair pair = {store, sql, &call, i % question_count, reader->name};
			printf("%s\t%zu\t%s\t", round == 0 ? "answer" : "time", reader->count, question->name);
			if (round == 0) {
				ask_ours(store, &call, stdout);
				putchar('\t');
				sql_ask(sql, pair.question, pair.user, stdout);
				putchar('\n');
			} else {
				double ours = median_us(ask_store, &pair, for_us);
				printf("%.3f\t%.3f\n", ours, median_us(ask_sqlite, &pair, for_us));
			}
			fflush(stdout);
			arguments_release(&call.arguments);
		}
	}
}

int main(int argc, char **argv)
{
	const char *folder = argc > 5 ? argv[1] : "";
	size_t count = argc > 5 ? (size_t)argc - 5 : 0;
	struct reader *readers;
	char home[4096], database[4096];
	struct store *store;
	struct error error;

	if (count == 0) {
		fprintf(stderr, "usage: %s FOLDER OTHERS ROUNDS MILLISECONDS SESSIONS...\n", argv[0]);
		return 2;
	}
	readers = made(count, sizeof *readers);
	snprintf(home, sizeof home, "%s", folder);
	snprintf(database, sizeof database, "%s/sqlite", folder);
	const struct store_options options = {.home = home, .fatal = fatal};
	srandom(DICE);
	if (store_open(&options, &store, &error) != STATUS_OK)
		give_up("opening the store", &error);
	struct sql *sql = sql_open(database);
	sql_begin(sql);
	for (unsigned i = 0; i < (unsigned)atoi(argv[2]); i++) {
		struct reader other = make_reader(OTHERS_SESSIONS, 0x10000000 + i);
		add(store, sql, &other);
		free(other.sessions);
	}
	for (size_t i = 0; i < count; i++) {
		readers[i] = make_reader((size_t)atoll(argv[5 + i]), (unsigned)i);
		add(store, sql, &readers[i]);
	}
	sql_commit(sql);
	sql_settle(sql);
	measure(store, sql, readers, count, (size_t)atoi(argv[3]), 1000 * atof(argv[4]));
	sql_close(sql);
	store_close(store);
	for (size_t i = 0; i < count; i++)
		free(readers[i].sessions);
	free(readers);
	return 0;
}
