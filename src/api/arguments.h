/* From the body of a request to checked arguments. */
#ifndef FOCUSSTATS_API_ARGUMENTS_H
#define FOCUSSTATS_API_ARGUMENTS_H

#include "api/action.h"

/* Parse the body (json.h) and check the action's fields; others are ignored. actor is whose id `user` may be left out
 * for, or NULL. STATUS_INVALID names the field, and *arguments is untouched. The caller releases the arguments. */
enum status arguments_parse(const struct action *action, struct text body, const struct identifier *actor,
			    struct arguments *arguments, struct error *error);

/* Free what the arguments own. */
void arguments_release(struct arguments *arguments);

#endif
