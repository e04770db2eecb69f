/* A write, as data: what is to happen, its arguments checked. The committer carries it out. */
#ifndef FOCUSSTATS_STORE_OPERATION_H
#define FOCUSSTATS_STORE_OPERATION_H

#include "base/error.h"
#include "domain/session.h"

enum operation_kind {
	OPERATION_INIT_USER,      /* id: of the new FocusStats object; user */
	OPERATION_START_SESSION,  /* id: of the new session; user, document, library; now_ms is its start */
	OPERATION_END_SESSION,    /* id: of the session; now_ms is its end */
	OPERATION_REMOVE_SESSION, /* id: of the session */
};

/* Requirements, and what an operation that does not meet them ends with:
 *   init user       no FocusStats object yet                   STATUS_CONFLICT (not where it has this very id)
 *   start session   the user has one                           STATUS_NOT_FOUND
 *                   no session has the id                      STATUS_CONFLICT (not where it is this user's, of this
 *                                                              document: then it is this session, asked for again)
 *   end session     it exists, and is `actor`'s if restricted  STATUS_NOT_FOUND
 *                   it is active                               STATUS_CONFLICT (not where `repeated` and it ended
 *                                                              at this very instant)
 *   remove session  it exists, and is `actor`'s if restricted  STATUS_NOT_FOUND
 */
struct operation {
	enum operation_kind kind;
	struct uuid id;
	struct identifier user, document, library;
	int64_t now_ms;          /* since 1970: when the request came in */
	bool restricted;         /* only the actor's own sessions exist for it */
	struct identifier actor; /* where restricted */
	bool repeated;           /* sent before, and what became of it is not known */
};

#endif
