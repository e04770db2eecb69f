/* What JSON objects have under their keys. Nothing of it is the caller's to release. */
#ifndef FOCUSSTATS_TOOL_MEMBERS_H
#define FOCUSSTATS_TOOL_MEMBERS_H

#include "base/text.h"

#include <json-c/json.h>
#include <stdint.h>

/* NULL where it has nothing under the key, or null. */
json_object *members_get(json_object *object, const char *key);

/* The string under the key; data is NULL where there is none, or something else. */
struct text members_text(json_object *object, const char *key);

/* The string under the key, or the number as one; otherwise `none`. */
const char *members_string(json_object *object, const char *key, const char *none);

/* The number under the key; 0 where there is none. */
int64_t members_number(json_object *object, const char *key);

#endif
