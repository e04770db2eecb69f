/* The name by which a request came: its Host header.
 *
 * A page of another site can be made to talk to this service as if it were the page's own: the site's name is first that of
 * its own machine and then that of this one (DNS rebinding). No origin differs then and no preflight is asked for, but Host still is
 * the site's name. Where nobody has to sign in that name is all that tells such a page apart, so it has to be one of the service's.
 */
#ifndef FOCUSSTATS_API_HOST_H
#define FOCUSSTATS_API_HOST_H

#include "api/request.h"

/* STATUS_OK, or STATUS_FORBIDDEN with a text that names the host. An address and `localhost` are always right: no resolver has a say in
 * them. So is a request without the header, which no browser sends. */
enum status host_check(const struct policy *policy, struct text host, struct error *error);

#endif
