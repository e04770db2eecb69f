/* Removing a user: gone at once for everybody, deleted in steps, completed after an interruption: store/store.h. */
#include "place.h"

#include <db.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { MANY = 1000, DOCUMENTS = 300 };

static const int64_t NOW = INT64_C(1762778461000);

/* A user with many sessions, every tenth of them open, half of those with heartbeats; and documents and settings. */
static void make_much(struct place *place, const char *user, struct uuid *first)
{
	struct operation *operations = calloc(MANY, sizeof *operations);
	static struct description description = {.title_size = 1, .title = "t"};
	size_t count = 0;

	assert_non_null(operations);
	init_user(place, user);
	for (int i = 0; i < MANY; i++) {
		operations[i] = adding(place, user, NOW - i, NOW + 1);
		if (i % 10 == 0)
			operations[i].kind = OPERATION_START_SESSION;
	}
	carry_out_all(place, operations, MANY);
	*first = operations[0].id;
	for (int i = 0; i < MANY; i += 20)
		operations[count++] = on_session(OPERATION_HEARTBEAT, &operations[i].id, NOW);
	carry_out_all(place, operations, count);
	for (count = 0; count < DOCUMENTS; count++) {
		char name[16];
		snprintf(name, sizeof name, "d%zu", count);
		operations[count] = operation_of(place, OPERATION_SET_DOCUMENT, user, NOW);
		operations[count].document = named(name);
		operations[count].description = &description;
		operations[count].given = GIVEN_TITLE;
	}
	carry_out_all(place, operations, count);
	struct operation set = operation_of(place, OPERATION_SET_SETTINGS, user, NOW);
	set.settings_given = SETTING_WEEK_START;
	set.settings.week_start = 7;
	assert_carried_out(place, &set, STATUS_OK);
	assert_counts(place, user, MANY, MANY - MANY / 10);
	free(operations);
}

static bool count_document(void *context, struct text document, const struct description *description)
{
	(void)document;
	(void)description;
	++*(size_t *)context;
	return true;
}

static size_t documents_of(struct place *place, const char *user)
{
	struct identifier identifier = named(user);
	struct store_reader *reader;
	struct error error;
	size_t count = 0;

	assert_int_equal(store_reader_open(place->store, &reader, &error), STATUS_OK);
	assert_int_equal(store_reader_documents(reader, &identifier, count_document, &count, &error), STATUS_OK);
	store_reader_close(reader);
	return count;
}

static void assert_gone(struct place *place, const char *user, const struct uuid *session)
{
	static const enum operation_kind kinds[] = {OPERATION_HEARTBEAT, OPERATION_END_SESSION, OPERATION_EDIT_SESSION,
						    OPERATION_REMOVE_SESSION};
	struct stats stats;

	assert_int_equal(find_stats(place, user, &stats), STATUS_NOT_FOUND);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct operation operation = on_session(kinds[i], session, NOW);
		assert_carried_out(place, &operation, STATUS_NOT_FOUND);
	}
	struct operation start = operation_of(place, OPERATION_START_SESSION, user, NOW);
	assert_carried_out(place, &start, STATUS_NOT_FOUND);
	struct operation remove = operation_of(place, OPERATION_REMOVE_USER, user, NOW);
	assert_carried_out(place, &remove, STATUS_NOT_FOUND);
}

/* Make a user of a name that another one had; that one's deletion is not waited for as long as it may take. */
static void init_again(struct place *place, const char *user)
{
	struct operation init = operation_of(place, OPERATION_INIT_USER, user, NOW);
	struct error error;

	while (store_write(place->store, &init, NULL, &error) == STATUS_UNAVAILABLE)
		assert_non_null(strstr(error.text, "is being removed"));
	assert_int_equal(error.status, STATUS_OK);
}

/* A user of that name who has nothing. */
static void assert_begins_anew(struct place *place, const char *user)
{
	init_again(place, user);
	assert_counts(place, user, 0, 0);
	assert_int_equal(documents_of(place, user), 0);
	assert_int_equal(stats_of(place, user).settings.week_start, 1);
	start_session(place, user, NOW);
	assert_counts(place, user, 1, 0);
}

/* How many records a file has; the store must be closed. */
static size_t records(struct place *place, const char *file)
{
	DBT key = {.flags = DB_DBT_REALLOC}, value = {.flags = DB_DBT_REALLOC};
	char path[128];
	size_t count = 0;
	DBC *cursor;
	DB *db;

	snprintf(path, sizeof path, "%s/%s", place->home, file);
	assert_int_equal(db_create(&db, NULL, 0), 0);
	assert_int_equal(db->open(db, NULL, path, NULL, DB_BTREE, DB_RDONLY, 0), 0);
	assert_int_equal(db->cursor(db, NULL, &cursor, 0), 0);
	while (cursor->get(cursor, &key, &value, DB_NEXT) == 0)
		count++;
	cursor->close(cursor);
	db->close(db, 0);
	free(key.data);
	free(value.data);
	return count;
}

/* Close the store, and open it until no more users than these have anything in it: a removal need not be complete. */
static void close_when_deleted(struct place *place, size_t users)
{
	place_close(place);
	while (records(place, "stats.db") > users) {
		place_open(place);
		place_close(place);
	}
}

static void removed_in_one_call(void **state)
{
	struct place *place = *state;
	struct operation remove = operation_of(place, OPERATION_REMOVE_USER, "ann", NOW);
	struct uuid session, other;
	struct error error;
	uint64_t sessions = 0;

	assert_int_equal(store_remove_user(place->store, &remove, NULL, &sessions, &error), STATUS_NOT_FOUND);
	make_much(place, "ann", &session);
	make_much(place, "anna", &other);
	assert_int_equal(store_remove_user(place->store, &remove, NULL, &sessions, &error), STATUS_OK);
	assert_int_equal(sessions, MANY);
	assert_gone(place, "ann", &session);
	assert_counts(place, "anna", MANY, MANY - MANY / 10);
	assert_int_equal(documents_of(place, "anna"), DOCUMENTS);
	assert_int_equal(totals_of(place).users, 1);
	assert_int_equal(totals_of(place).sessions, MANY);
	close_when_deleted(place, 1);
	assert_int_equal(records(place, "sessions.db"), MANY);
	assert_int_equal(records(place, "sessions_by_user.db"), MANY);
	assert_int_equal(records(place, "active_by_user.db"), MANY / 10);
	assert_int_equal(records(place, "documents.db"), DOCUMENTS);
	assert_int_equal(records(place, "stats.db"), 1);
	assert_int_equal(records(place, "meta.db"), 2);
	place_open(place);
	assert_begins_anew(place, "ann");
	assert_int_equal(totals_of(place).sessions, MANY + 1);
}

/* Between the removal and the deletion. */
static void hidden_while_it_is_still_there(void **state)
{
	struct place *place = *state;
	struct operation remove = operation_of(place, OPERATION_REMOVE_USER, "ann", NOW);
	struct operation purge = {.kind = OPERATION_PURGE_USER, .user = named("ann")};
	struct uuid session;

	make_much(place, "ann", &session);
	init_user(place, "bob");
	assert_carried_out(place, &remove, STATUS_OK);
	/* The id of a session that waits for its deletion is free, and the new one with it stays. */
	struct operation again = operation_of(place, OPERATION_START_SESSION, "bob", NOW);
	again.id = session;
	assert_carried_out(place, &again, STATUS_OK);
	session.bytes[0] ^= 1;
	for (int step = 0; step < 4; step++) {
		assert_gone(place, "ann", &session);
		assert_counts(place, "bob", 1, 0);
		assert_int_equal(totals_of(place).users, 1);
		assert_int_equal(totals_of(place).sessions, 1);
		assert_carried_out(place, &purge, STATUS_OK);
	}
	assert_begins_anew(place, "ann"); /* what is still there goes first */
	assert_counts(place, "bob", 1, 0);
}

/* Who was removed is deleted after the next open, however often and soon that is interrupted: each time a step of at least 200
 * records at once, and one for what is left. */
static void complete_after_interruptions(struct place *place, bool once)
{
	enum { STEPS = MANY / 200 + (DOCUMENTS + 199) / 200 + 1 };
	struct uuid session;
	int opened = 0;

	make_much(place, "ann", &session);
	make_much(place, "bob", &session);
	init_user(place, "carl");
	for (int i = 0; i < 2; i++) {
		struct operation remove = operation_of(place, OPERATION_REMOVE_USER, i == 0 ? "ann" : "bob", NOW);
		assert_carried_out(place, &remove, STATUS_OK);
	}
	place_close(place);
	assert_int_equal(records(place, "stats.db"), 3);
	place->once = once;
	while (records(place, "stats.db") > 1) {
		assert_in_range(++opened, 1, 2 * STEPS);
		place_open(place);
		assert_int_equal(totals_of(place).users, 1);
		assert_int_equal(totals_of(place).sessions, 0);
		place_close(place);
	}
	assert_int_equal(records(place, "sessions.db"), 0);
	assert_int_equal(records(place, "sessions_by_user.db"), 0);
	assert_int_equal(records(place, "active_by_user.db"), 0);
	assert_int_equal(records(place, "documents.db"), 0);
	assert_int_equal(records(place, "meta.db"), 2);
	place_open(place);
	assert_begins_anew(place, "ann");
	assert_begins_anew(place, "bob");
}

static void completed_after_an_interruption(void **state)
{
	complete_after_interruptions(*state, false);
}

/* Also where each process serves one request. */
static void completed_by_stores_for_one_request(void **state)
{
	complete_after_interruptions(*state, true);
}

static void purging_who_is_there_does_nothing(void **state)
{
	struct place *place = *state;
	struct operation purge = {.kind = OPERATION_PURGE_USER, .user = named("ann")};

	assert_carried_out(place, &purge, STATUS_OK);
	init_user(place, "ann");
	start_session(place, "ann", NOW);
	assert_carried_out(place, &purge, STATUS_OK);
	assert_counts(place, "ann", 1, 0);
}

enum { THREADS = 6, ROUNDS = 25 };

struct crowd {
	struct place *place;
	atomic_int wrong, removed, made;
};

/* All of them make, fill and remove the same user. */
static void *make_and_remove(void *context)
{
	struct crowd *crowd = context;
	struct store *store = crowd->place->store;
	struct error error;

	for (int i = 0; i < ROUNDS; i++) {
		struct operation init = {.kind = OPERATION_INIT_USER, .user = {1, "u"}, .now_ms = NOW};
		struct operation starts[20], remove = {.kind = OPERATION_REMOVE_USER, .user = {1, "u"}, .now_ms = NOW};
		struct error errors[20];
		uint64_t sessions = 0;
		uuid_make(&crowd->place->ids, NOW, &init.id);
		enum status status = store_write(store, &init, NULL, &error);
		/* Where others remove the user again and again, it may be told to come back. */
		atomic_fetch_add(&crowd->wrong,
				 status != STATUS_OK && status != STATUS_CONFLICT && status != STATUS_UNAVAILABLE);
		atomic_fetch_add(&crowd->made, status == STATUS_OK);
		for (int n = 0; n < 20; n++) {
			starts[n] = (struct operation){.kind = OPERATION_START_SESSION,
						       .user = {1, "u"},
						       .document = {1, "d"},
						       .library = {1, "l"},
						       .now_ms = NOW + n};
			uuid_make(&crowd->place->ids, NOW, &starts[n].id);
		}
		store_write_all(store, starts, 20, NULL, errors);
		for (int n = 0; n < 20; n++)
			atomic_fetch_add(&crowd->wrong,
					 errors[n].status != STATUS_OK && errors[n].status != STATUS_NOT_FOUND);
		status = store_remove_user(store, &remove, NULL, &sessions, &error);
		atomic_fetch_add(&crowd->wrong, status != STATUS_OK && status != STATUS_NOT_FOUND);
		atomic_fetch_add(&crowd->removed, status == STATUS_OK);
	}
	return NULL;
}

static void removals_and_inits_at_the_same_time(void **state)
{
	struct crowd crowd = {.place = *state};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_and_remove, &crowd), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&crowd.wrong), 0);
	assert_int_equal(atomic_load(&crowd.removed), atomic_load(&crowd.made));
	assert_int_equal(totals_of(crowd.place).users, 0);
	assert_int_equal(totals_of(crowd.place).sessions, 0);
	close_when_deleted(crowd.place, 0);
	assert_int_equal(records(crowd.place, "sessions.db"), 0);
	assert_int_equal(records(crowd.place, "stats.db"), 0);
	assert_int_equal(records(crowd.place, "meta.db"), 2);
	place_open(crowd.place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(removed_in_one_call, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(hidden_while_it_is_still_there, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(completed_after_an_interruption, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(completed_by_stores_for_one_request, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(purging_who_is_there_does_nothing, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(removals_and_inits_at_the_same_time, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests_name("removal", tests, NULL, NULL);
}
