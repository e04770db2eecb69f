/* Sessions; see session.h. */
#include "domain/session.h"

void session_end(struct session *session, int64_t now_ms)
{
	session->ended = true;
	session->end_ms = now_ms > session->start_ms ? now_ms : session->start_ms;
}
