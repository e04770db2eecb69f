/* One operation under way: what the functions that carry operations out (apply.c, apply_records.c) have in common. Every function
 * here returns 0 or what the engine said; what the operation is refused for is in its error.
 */
#ifndef FOCUSSTATS_STORE_WORK_H
#define FOCUSSTATS_STORE_WORK_H

#include "store/apply.h"
#include "store/record.h"

struct work {
	const struct environment *environment;
	DB_TXN *txn;
	const struct operation *operation;
	struct tally *tally;
	struct outcome *outcome;
	struct error *error;
	struct identifier user; /* whose stats these are */
	struct stats stats;
	int version;  /* of the record of the session that was found last */
	bool changed; /* stats differ from what is stored */
};

/* Store a session as it is after the operation, or delete it, in the place of what it was before, as it was found last, if it was. Every change
 * of a session goes through here, so that the sums are right. */
int work_replace(struct work *work, const struct session *before, const struct session *after);

/* Take up the user of an operation, and store as ended what counts so by now; *found tells whether there is one. */
int work_find_user(struct work *work, const struct identifier *user, bool *found);

/* The session that the operation names, if it exists for its actor, and its user. Where not, the operation is refused. */
int work_find_session(struct work *work, struct session *session, bool *found);

/* The session that has the id already, if one has. One of a removed user only waits for its deletion; it goes now. */
int work_find_same_id(struct work *work, const struct uuid *id, struct session *session, bool *found);

void work_no_such_user(struct work *work, const struct identifier *user);

/* "focusSession: 'ID' why" */
void work_refuse_session(struct work *work, const struct uuid *id, enum status status, const char *why);

#endif
