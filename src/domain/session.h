/* A session: one user reading one document from a start to an end. And when one that nobody ends is over. */
#ifndef FOCUSSTATS_DOMAIN_SESSION_H
#define FOCUSSTATS_DOMAIN_SESSION_H

#include "domain/identifier.h"
#include "domain/uuid.h"

enum {
	SESSION_AHEAD_MAX_MS = 5 * 60 * 1000,   /* how far ahead of the clock a client's instant may be */
	SESSION_STALE_MS = 12 * 60 * 60 * 1000, /* open for so long without a heartbeat, it is stale */
};

/* What is known of a session besides whose it is. Instants are ms since 1970, never negative. */
struct session_facts {
	int64_t start_ms;
	bool ended;
	int64_t end_ms; /* where ended; not before start_ms */
	bool seen;      /* had a heartbeat */
	int64_t last_seen_ms;
	bool reported;       /* its reader told how far they are */
	double progress;     /* 0 to 1 */
	int64_t progress_ms; /* when that was told */
};

struct session {
	struct uuid id;
	struct identifier user, document, library;
	struct identifier started; /* the document that it was started with, where that was changed; otherwise size 0 */
	struct session_facts facts;
};

/* True for an open session that had a heartbeat, and then none for idle_ms: it counts as ended at its last one. */
bool session_is_over(const struct session_facts *facts, int64_t now_ms, int64_t idle_ms);

/* Make it an ended one where it is over. True where it was. */
bool session_settle(struct session_facts *facts, int64_t now_ms, int64_t idle_ms);

/* True for an open session without a heartbeat that began SESSION_STALE_MS ago. */
bool session_is_stale(const struct session_facts *facts, int64_t now_ms);

/* End an open session by the clock, or at its start where the clock was set back behind it. */
void session_end(struct session_facts *facts, int64_t now_ms);

/* A heartbeat of an open session: last-seen never moves back, nor before the start. */
void session_see(struct session_facts *facts, int64_t now_ms);

void session_report(struct session_facts *facts, double progress, int64_t now_ms);

/* Check a start and an end that a client gave. STATUS_INVALID with a text that begins with startTime or endTime. */
enum status session_check_start(int64_t start_ms, int64_t now_ms, struct error *error);
enum status session_check_end(int64_t start_ms, int64_t end_ms, int64_t now_ms, struct error *error);

/* Check a session as it is after an edit that gave these of its times. What was not given is not held against the clock,
 * which may have been set back since. */
enum status session_check_edit(const struct session_facts *facts, bool start_given, bool end_given, int64_t now_ms,
			       struct error *error);

/* Whether all that is known of two sessions is the same. */
bool session_equal(const struct session *a, const struct session *b);

/* Check that facts can be those of a session: instants from 0 to INSTANT_MAX_MS, the end and the last heartbeat not before the
 * start, progress from 0 to 1. STATUS_INVALID with a text that begins with the field of the API. */
enum status session_check_facts(const struct session_facts *facts, struct error *error);

#endif
