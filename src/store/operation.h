/* A write, as data: what is to happen, its arguments checked. The committer carries it out. */
#ifndef FOCUSSTATS_STORE_OPERATION_H
#define FOCUSSTATS_STORE_OPERATION_H

#include "base/error.h"
#include "domain/description.h"
#include "domain/session.h"
#include "domain/settings.h"

enum operation_kind {
	OPERATION_INIT_USER,       /* id: of the new FocusStats object; user */
	OPERATION_START_SESSION,   /* id: of the new session; user, document, library; now_ms is its start */
	OPERATION_HEARTBEAT,       /* id: of the session; progress */
	OPERATION_END_SESSION,     /* id: of the session; end, otherwise now_ms is its end; progress */
	OPERATION_ADD_SESSION,     /* id: of the new session; user, document, library, start, end */
	OPERATION_EDIT_SESSION,    /* id: of the session; what of document, start, end is given */
	OPERATION_REMOVE_SESSION,  /* id: of the session */
	OPERATION_SET_DOCUMENT,    /* user, document; what of title, authors is given */
	OPERATION_SET_SETTINGS,    /* user; settings: those given */
	OPERATION_SETTLE_USER,     /* user: nothing but what comes before all else, below */
	OPERATION_REMOVE_USER,     /* user: gone for everybody from now on; what they had is still on the disk */
	OPERATION_PURGE_USER,      /* user, removed before: delete some of what they had */
	OPERATION_IMPORT_USER,     /* user; of id and all settings what is given, otherwise id is that of a new one */
	OPERATION_IMPORT_DOCUMENT, /* user, document, description */
	OPERATION_IMPORT_SESSION,  /* session, as it is; grows */
	OPERATION_LOOK_UP_SESSION, /* id: what of it is in no index; writes nothing */
};

/* What of an operation's values is given. */
enum {
	GIVEN_DOCUMENT = 1,
	GIVEN_START = 2,
	GIVEN_END = 4,
	GIVEN_PROGRESS = 8,
	GIVEN_TITLE = 16,
	GIVEN_AUTHORS = 32,
	GIVEN_ID = 64,
	GIVEN_SETTINGS = 128,
};

/* Requirements, and what an operation that does not meet them ends with:
 *   all             the user has a FocusStats object           STATUS_NOT_FOUND (but for init user and purge user)
 *   init user       no FocusStats object yet                   STATUS_CONFLICT (not where it has this very id)
 *   start session   no session has the id                      STATUS_CONFLICT (not where it is this user's, of this
 *                                                              document: then it is this session, asked for again)
 *   add session     no session has the id                      STATUS_CONFLICT (not where it has all these values)
 *   on a session    it exists, and is `actor`'s if restricted  STATUS_NOT_FOUND
 *   heartbeat       it is open                                 STATUS_CONFLICT
 *   end session     it is open                                 STATUS_CONFLICT (not where it ended at the end given, or
 *                                                              `repeated` and at this very now_ms)
 *   edit session    an end is given only where it has one      STATUS_CONFLICT
 *   start, end      session_check_start, _end, _edit           STATUS_INVALID
 *   import user     none of that name, or the very same one    STATUS_CONFLICT
 *   import session  none has the id, or the very same one, or  STATUS_CONFLICT
 *                   with `grows` one with an earlier end,
 *                   with `outline` one without an end
 *
 * Before all else what counts as ended by now (session_is_over) of the user's sessions is stored so; but not by imports and
 * look-ups.
 */
struct operation {
	int64_t now_ms; /* since 1970: when the request came in */
	int64_t start_ms, end_ms;
	double progress;
	const struct description *description; /* for set and import document; outlives the operation */
	const struct session *session;         /* for import session; outlives the operation */
	enum operation_kind kind;
	unsigned given;          /* of the values above, and of document */
	unsigned settings_given; /* see settings_change */
	struct settings settings;
	struct uuid id;
	struct identifier user, document, library;
	struct identifier actor; /* where restricted */
	bool restricted;         /* only the actor's own sessions exist for it */
	bool repeated;           /* sent before, and what became of it is not known */
	bool grows;              /* import session: one that is there and ends earlier becomes this one */
	bool outline;            /* import session: only whose it is, of what, its start, end and progress are known */
	bool dry_run;            /* imports: only tell what would become of it */
};

#endif
