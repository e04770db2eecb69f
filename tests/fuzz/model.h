/* What the target `actions` takes the service for: users, sessions and documents in memory, and the rules of recording in a few lines,
 * which know nothing of how things are stored. The clock is the input's, and never goes back.
 */
#ifndef FOCUSSTATS_TESTS_FUZZ_MODEL_H
#define FOCUSSTATS_TESTS_FUZZ_MODEL_H

#include "base/buffer.h"
#include "domain/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum { USERS = 3, SLOTS = 24, DOCUMENTS = 3, LIBRARIES = 2, ZONES = 5, TITLES = 3, NOBODY = -1, ADMIN = USERS };

struct session_model {
	bool there, ended, seen;
	bool stored; /* as ended, and does not only count so */
	char id[UUID_TEXT_SIZE + 1];
	int user, document, first_document, library;
	int progress; /* of 4; -1 where none was told */
	int64_t start_ms, end_ms, seen_ms, progress_ms;
};

struct document_model {
	bool told; /* of, by setDocument */
	int title, authors;
};

struct user_model {
	bool there, removed;
	char id[UUID_TEXT_SIZE + 1]; /* of the FocusStats object */
	int zone, day_start_minutes, week_start, goal_s, idle_s;
	struct document_model documents[DOCUMENTS];
};

struct zone_model {
	const char *name;
	int minutes; /* ahead of UTC, in all the time that the clock gets to */
};

extern struct model {
	int64_t now_ms;
	unsigned serial; /* of the input: part of the names and ids, so that each input has its own */
	int actor;       /* who is signed in; NOBODY where that is not asked for */
	struct user_model users[USERS];
	struct session_model sessions[SLOTS];
} model;

extern const char *const model_documents[DOCUMENTS]; /* by id, as are the libraries */
extern const char *const model_libraries[LIBRARIES];
extern const char *const model_titles[TITLES]; /* JSON */
extern const struct zone_model model_zones[ZONES];

/* Begin anew, as an input does. */
void model_begin(unsigned serial);

/* The user's id. Valid until the next call for the same user. */
const char *model_user_name(int user);

/* A user just made. */
void model_init_user(int user, const char *id);
void model_remove_user(int user);

/* Count as ended what does by now; where stored, that is on the disk now. Returns how many were not so there before. */
unsigned model_settle(int user, bool stored);

/* The id of a slot that has no session. */
void model_free_id(unsigned slot, char id[UUID_TEXT_SIZE + 1]);
/* The slot whose session has the id, or SLOTS. */
unsigned model_find(const char *id);
/* A slot without a session, or SLOTS. */
unsigned model_room(void);

/* The user's sessions by start and id, up to SLOTS; returns how many. */
unsigned model_list(int user, const struct session_model *sorted[SLOTS]);

/* Whether the end is not before the start and not too far ahead of the clock. */
bool model_in_time(int64_t start_ms, int64_t end_ms);

/* The status of a request of this user's, or on this session, where it is refused for who is signed in or for what is not there;
 * otherwise 0. */
int model_refuses_user(int user);
bool model_shows(const struct session_model *session);

/* The same of a write, which settles the user first where it gets as far as the store. */
int model_reach_user(int user);
bool model_reach_session(const struct session_model *session);

/* JSON: an instant with its quotes, or null; progress, or null; a user's settings; a document's title and authors. */
void model_put_time(struct buffer *buffer, bool known, int64_t ms);
/* ,"name":"instant", good for one more call. */
const char *model_time_field(const char *name, int64_t ms);
void model_put_progress(struct buffer *buffer, int progress);
void model_put_settings(struct buffer *buffer, const struct user_model *user);
void model_put_description(struct buffer *buffer, const struct document_model *document);

#endif
