/* What the kinds of actions of the target `actions` share: the input, and a service that is asked and whose answers are compared with the
 * model's (actions.c). Each function below that takes nothing takes what it needs from the input, asks once or more, and ends the
 * process where an answer is not the model's.
 */
#ifndef FOCUSSTATS_TESTS_FUZZ_SEQUENCE_H
#define FOCUSSTATS_TESTS_FUZZ_SEQUENCE_H

#include "fuzz.h"
#include "model.h"

/* The next byte of the input; 0 behind its end. */
uint8_t sequence_byte(void);
/* A number below `count` from it. */
int sequence_choice(int count);
/* An instant from days ago to ten minutes ahead. */
int64_t sequence_time(void);
/* A slot, and the id to ask for: that of its session or, where it has none, one that no session has. */
struct session_model *sequence_pick(char id[UUID_TEXT_SIZE + 1], unsigned *slot);

/* Ask for the action by its path behind /FocusStats/ or, where it has a slash, by the whole of it. The fields come with a comma before
 * each. Returns the status. */
int sequence_ask(const char *action, const char *fields, ...) __attribute__((format(printf, 2, 3)));

/* The body of the answer. */
const char *sequence_answer(void);
/* The string that follows a key in it, which is what must be there. */
void sequence_id(const char *before, char id[UUID_TEXT_SIZE + 1]);
/* The id that a session or user gets which the last request made, where its client chose none. */
const char *sequence_new_id(void);

/* The last request was answered so, and not otherwise. */
void sequence_expect(int status, int wanted);
/* Likewise; but where it is refused, and is bad besides, which reason it tells is open. */
void sequence_expect_either(int status, int wanted, bool bad_too);
/* Likewise with 200 and this body, but for its newline; the buffer is released. */
void sequence_expect_body(int status, struct buffer *wanted);

/* writes.c: what changes something. */
void writes_init_user(void);
void writes_start(void);
void writes_heartbeat(void);
void writes_end(void);
void writes_edit(void);
void writes_remove(void);
void writes_set_document(void);
void writes_set_settings(void);
void writes_remove_user(void);
void writes_settle(void);

/* additions.c: sessions of the past. */
void additions_one(void);
void additions_several(void);

/* listings.c: what there is. */
void listings_view_stats(void);
void listings_sessions(void);
void listings_active(void);
void listings_settings(void);
void listings_titles(void);
void listings_export(void);
void listings_users(void);
void listings_health(void);
/* All that there is of a user, whoever is signed in. */
void listings_all_of(int user);

/* figures.c: the statistics. */
void figures_summary(void);
void figures_periods(void);
void figures_hours(void);
void figures_documents(void);
void figures_streaks(void);
void figures_goal(void);

#endif
