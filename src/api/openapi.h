/* GET openapi.json: the description of the API as OpenAPI 3.1 has it (https://spec.openapis.org/oas/v3.1.0), made from the
 * tables of actions, fields and answers. */
#ifndef FOCUSSTATS_API_OPENAPI_H
#define FOCUSSTATS_API_OPENAPI_H

#include "api/action.h"

/* Carries the action out. */
enum status openapi_write(struct store *store, const struct call *call, struct buffer *body, struct error *error);

#endif
