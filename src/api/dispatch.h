/* What is common to all actions: which one a request asks for, whether it may, and how the answer looks. In order:
 *
 *   dispatch_head    the service's name (403), path (404), method (405), preflight, who is signed in (401), type (415), size (413)
 *   dispatch_body    JSON and fields (400), acting for others (403)
 *   …                the action itself, by whoever owns the store
 *   dispatch_answer  the status and body of the result; the headers for the origin
 */
#ifndef FOCUSSTATS_API_DISPATCH_H
#define FOCUSSTATS_API_DISPATCH_H

#include "api/action.h"

/* Check all but the body. On STATUS_OK call->action is set, and *body_bytes is how many bytes of body to read, or -1 for
 * as many as come; where answer->preflight is set, the request is answered already. Otherwise error says why not;
 * answer->allow and the origin are set in any case. */
enum status dispatch_head(const struct policy *policy, const struct request *request, struct call *call,
			  struct answer *answer, long long *body_bytes, struct error *error);

/* Check the body, request->body, and make the call's arguments of it. */
enum status dispatch_body(const struct request *request, struct call *call, struct error *error);

/* What HTTP calls it. */
unsigned dispatch_http_status(enum status status);

/* Complete the answer. error->status tells whether answer->body holds the action's answer or error the refusal.
 * action is NULL where the request named none. */
void dispatch_answer(const struct policy *policy, const struct action *action, const struct error *error,
		     struct answer *answer);

#endif
