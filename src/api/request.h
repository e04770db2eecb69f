/* A request as the web server hands it over, and the answer that goes back; and between the two the call: an action
 * with its arguments checked. */
#ifndef FOCUSSTATS_API_REQUEST_H
#define FOCUSSTATS_API_REQUEST_H

#include "base/buffer.h"
#include "base/error.h"
#include "domain/description.h"
#include "domain/settings.h"
#include "domain/uuid.h"
#include "store/store.h"

/* The parameters of the CGI standard (RFC 3875, 4.1) that matter here; views, empty where they are not set. */
struct request {
	struct text method, path, content_type, content_length;
	struct text remote_user;      /* who signed in, by the web server's word */
	struct text origin;           /* Origin header */
	struct text host;             /* Host header */
	struct text preflight_method; /* Access-Control-Request-Method header */
	struct text id;               /* the web server's id for the request, for the log */
	struct text body;             /* once it was read */
};

/* Who may do what, and how refusals look. A process has one from its settings; a relayed request brings its own. */
struct policy {
	bool auth_required;
	bool local;          /* it is from this machine's administrator: the admin tool, itself or through a relay */
	struct text admins;  /* separated by commas */
	struct text origins; /* separated by spaces */
	struct text hosts;   /* names of the service, separated by spaces */
	bool any_host;       /* it may have any name */
	bool refusals_as_200;
	size_t max_body_bytes;
};

/* An end of a range. */
struct moment {
	bool is_date;
	int64_t ms;  /* an instant, since 1970 */
	int32_t day; /* a date of the user's calendar (base/date.h) */
};

/* One of the sessions of addSessions. */
struct added_session {
	struct identifier document, library;
	int64_t start_ms, end_ms;
	bool chosen; /* the client chose the id */
	struct uuid id;
	struct error error; /* its status is STATUS_OK, or why this one cannot be added */
};

/* What the fields of a request (field.h) say. A member is meaningful where its field is in `given`. */
struct arguments {
	uint32_t given; /* set of fields */
	struct identifier user, document, library, session, confirm, after;
	struct uuid new_session;
	int64_t start_ms, end_ms;
	double progress;
	struct zone_name timezone;
	int64_t day_start_minutes, week_start, daily_goal_seconds, idle_timeout_seconds;
	struct moment from, to;
	int64_t unit, least_seconds, limit, order;
	bool fill;
	struct description *description; /* owned, or NULL */
	struct added_session *sessions;  /* owned, session_count of them */
	size_t session_count;
};

struct action;

/* What is to be done, ready to be carried out by this process or sent to the one that owns the store. */
struct call {
	const struct action *action;
	struct arguments arguments;
	bool restricted;               /* the actor sees only what is theirs */
	struct identifier actor;       /* who signed in; size 0 where nobody must */
	struct text body;              /* the request's, as it came */
	int64_t now_ms;                /* since 1970: when the request came in */
	struct uuid new_id;            /* for what the action creates, if it does */
	bool repeated;                 /* sent to an owner before, and the answer was lost */
	const struct store_gate *gate; /* NULL, or asked before a write is carried out */
};

struct answer {
	unsigned http_status;
	const char *content_type;
	struct buffer body; /* released by the caller */
	struct text allow;  /* Allow header, where not empty */
	bool retry_after;
	struct buffer request_id; /* where the log has a line about the request; released by the caller */
	bool preflight;           /* answer to a preflight: no body */
	struct text origin;       /* that may read the answer, where not empty */
	bool credentials;         /* and may send credentials */
	bool varies;              /* the answer depends on the Origin header */
};

#endif
