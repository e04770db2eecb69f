/* A session: one user reading one document from a start to an end. */
#ifndef FOCUSSTATS_DOMAIN_SESSION_H
#define FOCUSSTATS_DOMAIN_SESSION_H

#include "domain/identifier.h"
#include "domain/uuid.h"

struct session {
	struct uuid id;
	struct identifier user, document, library;
	int64_t start_ms; /* since 1970, never negative */
	int64_t end_ms;   /* not before start_ms; meaningless while the session is active */
	bool ended;
};

/* End an active session at now_ms, or at its start where the clock was set back behind it. */
void session_end(struct session *session, int64_t now_ms);

#endif
