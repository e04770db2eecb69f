/* Values of MongoDB's Extended JSON as mongoexport writes it, version 1 and version 2, relaxed and canonical, and what a server may
 * have stored in their place. https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md
 */
#ifndef FOCUSSTATS_TOOL_EXTENDED_JSON_H
#define FOCUSSTATS_TOOL_EXTENDED_JSON_H

#include "domain/identifier.h"
#include "domain/uuid.h"

#include <json-c/json.h>

/* All of these: value is NULL for null and what is missing. STATUS_INVALID, with a text that begins with `name`, for what it cannot
 * be; the output is untouched then. */

/* A date, or an instant as a string (foreign_time.h) or as milliseconds since 1970: *ms is 0 to INSTANT_MAX_MS. */
enum status extended_instant(json_object *value, const char *name, int64_t *ms, struct error *error);

/* The id of a record: a UUID, as binary or as text, stays what it is; of an ObjectId's digits or another text one is derived
 * (domain/derived.h), in the space e7dfee13-021b-402e-95d1-2e188c037fb6. */
enum status extended_id(json_object *value, const char *name, struct uuid *id, struct error *error);

/* An id that is a text here: a string, the digits of an ObjectId, a UUID's text, or a whole number. */
enum status extended_identifier(json_object *value, const char *name, struct identifier *identifier,
				struct error *error);

#endif
