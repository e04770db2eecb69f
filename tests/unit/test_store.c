/* The store on a folder of its own: what each operation requires, what becomes of one that is sent twice, and that readers
 * see whole commits: store/store.h, store/operation.h. */
#include "check.h"

#include "store/store.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The sanitizers ask these. What Berkeley DB keeps of its transactions is its own, and it was not built with them. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the names are the sanitizers' */
const char *__lsan_default_suppressions(void);
const char *__tsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libdb-5.3";
}

const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libdb-5.3";
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

struct place {
	char home[64];
	struct store *store;
	struct uuid_source ids;
};

static void fatal(void *context, const char *what)
{
	(void)context;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void open_store(struct place *place)
{
	const struct store_options options = {.home = place->home, .fatal = fatal};
	struct error error;

	if (store_open(&options, &place->store, &error) != STATUS_OK)
		fail_msg("%s: %s", error.text, error.detail);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	*place = (struct place){.home = "/tmp/focusstats-store-XXXXXX", .ids = UUID_SOURCE_INIT};
	assert_non_null(mkdtemp(place->home));
	open_store(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	DIR *folder = opendir(place->home);

	store_close(place->store);
	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
	closedir(folder);
	assert_int_equal(rmdir(place->home), 0);
	free(place);
	return 0;
}

static struct identifier named(const char *name)
{
	struct identifier identifier = {0};
	struct error error;

	assert_int_equal(identifier_set(&identifier, text_of(name), "name", &error), STATUS_OK);
	return identifier;
}

static struct operation operation_of(struct place *place, enum operation_kind kind, const char *user, int64_t now_ms)
{
	struct operation operation = {
		.kind = kind, .user = named(user), .document = named("d"), .library = named("l"), .now_ms = now_ms};

	assert_true(uuid_make(&place->ids, now_ms, &operation.id));
	return operation;
}

static struct operation on_session(enum operation_kind kind, const struct uuid *id, int64_t now_ms)
{
	return (struct operation){.kind = kind, .id = *id, .now_ms = now_ms};
}

static enum status carry_out(struct place *place, const struct operation *operation)
{
	struct error error;

	return store_write(place->store, operation, NULL, &error);
}

static struct stats stats_of(struct place *place, const char *user)
{
	struct identifier identifier = named(user);
	struct stats stats;
	struct error error;

	assert_int_equal(store_read_user(place->store, &identifier, &stats, NULL, NULL, &error), STATUS_OK);
	return stats;
}

static void assert_counts(struct place *place, const char *user, uint64_t sessions, uint64_t ended)
{
	struct stats stats = stats_of(place, user);

	assert_int_equal(stats.sessions, sessions);
	assert_int_equal(stats.ended, ended);
}

static void requirements(void **state)
{
	struct place *place = *state;
	struct operation start = operation_of(place, OPERATION_START_SESSION, "ann", 1000);
	struct operation end = on_session(OPERATION_END_SESSION, &start.id, 2000);
	struct operation remove = on_session(OPERATION_REMOVE_SESSION, &start.id, 3000);
	struct operation init = operation_of(place, OPERATION_INIT_USER, "ann", 500);

	assert_int_equal(carry_out(place, &start), STATUS_NOT_FOUND);
	assert_int_equal(carry_out(place, &end), STATUS_NOT_FOUND);
	assert_int_equal(carry_out(place, &remove), STATUS_NOT_FOUND);
	assert_int_equal(carry_out(place, &init), STATUS_OK);
	struct operation again = operation_of(place, OPERATION_INIT_USER, "ann", 600);
	assert_int_equal(carry_out(place, &again), STATUS_CONFLICT);
	assert_int_equal(carry_out(place, &start), STATUS_OK);
	assert_counts(place, "ann", 1, 0);
	assert_int_equal(carry_out(place, &end), STATUS_OK);
	assert_counts(place, "ann", 1, 1);
	assert_int_equal(carry_out(place, &end), STATUS_CONFLICT);
	assert_int_equal(carry_out(place, &remove), STATUS_OK);
	assert_counts(place, "ann", 0, 0);
	assert_int_equal(carry_out(place, &remove), STATUS_NOT_FOUND);
}

static void sent_twice_is_done_once(void **state)
{
	struct place *place = *state;
	struct operation init = operation_of(place, OPERATION_INIT_USER, "ann", 500);
	struct operation start = operation_of(place, OPERATION_START_SESSION, "ann", 1000);
	struct operation end = on_session(OPERATION_END_SESSION, &start.id, 2000);

	for (int i = 0; i < 3; i++) {
		init.repeated = start.repeated = i > 0;
		assert_int_equal(carry_out(place, &init), STATUS_OK);
		assert_int_equal(carry_out(place, &start), STATUS_OK);
		assert_counts(place, "ann", 1, 0);
	}
	struct stats stats = stats_of(place, "ann");
	assert_true(uuid_equal(&stats.id, &init.id));
	assert_int_equal(carry_out(place, &end), STATUS_OK);
	end.repeated = true;
	assert_int_equal(carry_out(place, &end), STATUS_OK);
	assert_counts(place, "ann", 1, 1);
	/* Somebody else's end, at another moment, is not this one. */
	end.now_ms++;
	assert_int_equal(carry_out(place, &end), STATUS_CONFLICT);
	/* An id is one session's alone. */
	struct operation other = start;
	other.document = named("another");
	assert_int_equal(carry_out(place, &other), STATUS_CONFLICT);
	assert_counts(place, "ann", 1, 1);
}

static void another_ones_session_does_not_exist(void **state)
{
	struct place *place = *state;
	struct operation init = operation_of(place, OPERATION_INIT_USER, "ann", 500);
	struct operation start = operation_of(place, OPERATION_START_SESSION, "ann", 1000);
	struct operation end = on_session(OPERATION_END_SESSION, &start.id, 2000);
	struct operation remove = on_session(OPERATION_REMOVE_SESSION, &start.id, 2000);

	assert_int_equal(carry_out(place, &init), STATUS_OK);
	assert_int_equal(carry_out(place, &start), STATUS_OK);
	end.restricted = remove.restricted = true;
	end.actor = remove.actor = named("bob");
	assert_int_equal(carry_out(place, &end), STATUS_NOT_FOUND);
	assert_int_equal(carry_out(place, &remove), STATUS_NOT_FOUND);
	assert_counts(place, "ann", 1, 0);
	end.actor = remove.actor = named("ann");
	assert_int_equal(carry_out(place, &end), STATUS_OK);
	assert_int_equal(carry_out(place, &remove), STATUS_OK);
}

static bool never(void *context)
{
	++*(int *)context;
	return false;
}

static void closed_gate_leaves_nothing(void **state)
{
	struct place *place = *state;
	int asked = 0;
	const struct store_gate gate = {never, &asked};
	struct operation init = operation_of(place, OPERATION_INIT_USER, "ann", 500);
	struct identifier ann = named("ann");
	struct stats stats;
	struct error error;

	assert_int_equal(store_write(place->store, &init, &gate, &error), STATUS_UNAVAILABLE);
	assert_int_equal(asked, 1);
	assert_int_equal(store_read_user(place->store, &ann, &stats, NULL, NULL, &error), STATUS_NOT_FOUND);
}

/* What a reader has seen of a list. */
struct seen {
	struct session_entry last;
	uint64_t sessions, ended;
	bool sorted;
};

static void see(void *context, const struct session_entry *entry)
{
	struct seen *seen = context;

	if (seen->sessions > 0) {
		int order = (entry->start_ms > seen->last.start_ms) - (entry->start_ms < seen->last.start_ms);
		if (order == 0)
			order = memcmp(entry->id.bytes, seen->last.id.bytes, sizeof entry->id.bytes);
		seen->sorted &= order > 0;
	}
	seen->last = *entry;
	seen->sessions++;
	seen->ended += entry->ended;
}

/* True where the list is sorted and the totals are those of the list. */
static bool list_is_whole(struct store *store, const char *user, uint64_t *sessions)
{
	struct identifier identifier = {.size = (uint8_t)strlen(user)};
	struct seen seen = {.sorted = true};
	struct stats stats;
	struct error error;

	memcpy(identifier.data, user, identifier.size);
	if (store_read_user(store, &identifier, &stats, see, &seen, &error) != STATUS_OK)
		return false;
	*sessions = seen.sessions;
	return seen.sorted && stats.sessions == seen.sessions && stats.ended == seen.ended;
}

/* Lists that fill several bulk reads, of users whose names are one another's beginnings. */
static void long_lists_of_neighbours(void **state)
{
	static const char *const users[] = {"a", "a ", "aa", "a\xC3\xA9", "b"};
	enum { USERS = sizeof users / sizeof users[0] };
	static const unsigned counts[USERS] = {350, 0, 33, 40, 1};
	struct place *place = *state;
	uint64_t sessions;

	for (int i = 0; i < USERS; i++) {
		struct operation init = operation_of(place, OPERATION_INIT_USER, users[i], 1);
		assert_int_equal(carry_out(place, &init), STATUS_OK);
		for (unsigned n = 0; n < counts[i]; n++) {
			struct operation start =
				operation_of(place, OPERATION_START_SESSION, users[i], (int64_t)(n * 7919 % 5000));
			start.document.size = IDENTIFIER_MAX_BYTES;
			memset(start.document.data, 'd', IDENTIFIER_MAX_BYTES);
			assert_int_equal(carry_out(place, &start), STATUS_OK);
		}
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < USERS; i++) {
			assert_true(list_is_whole(place->store, users[i], &sessions));
			assert_int_equal(sessions, counts[i]);
		}
		store_close(place->store);
		open_store(place);
	}
}

enum { WRITERS = 8, READERS = 4, ROUNDS = 60 };

struct crowd {
	struct place *place;
	atomic_bool done;
	atomic_int wrong;
};

/* Starts, ends and removes sessions of one user whom all share; every second operation is one that is refused. */
static void *write_much(void *context)
{
	struct crowd *crowd = context;
	struct uuid last = {0};
	struct error error;

	for (int i = 0; i < ROUNDS; i++) {
		struct operation start = {.kind = OPERATION_START_SESSION,
					  .user = {.size = 1, .data = "u"},
					  .document = {.size = 1, .data = "d"},
					  .library = {.size = 1, .data = "l"},
					  .now_ms = 1000 + i};
		struct operation no = {.kind = OPERATION_END_SESSION, .id = {{1}}, .now_ms = 1};
		struct store *store = crowd->place->store;
		uuid_make(&crowd->place->ids, start.now_ms, &start.id);
		struct operation end = on_session(OPERATION_END_SESSION, &start.id, 5000);
		struct operation remove = on_session(OPERATION_REMOVE_SESSION, &last, 0);
		bool right = store_write(store, &start, NULL, &error) == STATUS_OK &&
			     store_write(store, &no, NULL, &error) == STATUS_NOT_FOUND &&
			     store_write(store, &end, NULL, &error) == STATUS_OK &&
			     (i % 3 != 2 || store_write(store, &remove, NULL, &error) == STATUS_OK);
		atomic_fetch_add(&crowd->wrong, !right);
		last = start.id;
	}
	return NULL;
}

static void *read_much(void *context)
{
	struct crowd *crowd = context;
	uint64_t sessions;

	while (!atomic_load(&crowd->done))
		atomic_fetch_add(&crowd->wrong, !list_is_whole(crowd->place->store, "u", &sessions));
	return NULL;
}

static void readers_see_whole_commits(void **state)
{
	struct crowd crowd = {.place = *state};
	struct operation init = operation_of(crowd.place, OPERATION_INIT_USER, "u", 1);
	pthread_t writers[WRITERS], readers[READERS];
	uint64_t sessions;

	assert_int_equal(carry_out(crowd.place, &init), STATUS_OK);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_much, &crowd), 0);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, write_much, &crowd), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&crowd.done, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&crowd.wrong), 0);
	assert_true(list_is_whole(crowd.place->store, "u", &sessions));
	assert_int_equal(sessions, WRITERS * (ROUNDS - ROUNDS / 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requirements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sent_twice_is_done_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_ones_session_does_not_exist, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closed_gate_leaves_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_lists_of_neighbours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readers_see_whole_commits, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
