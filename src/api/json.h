/* Parsing the JSON of requests, strictly as RFC 8259 has it. */
#ifndef FOCUSSTATS_API_JSON_H
#define FOCUSSTATS_API_JSON_H

#include "base/error.h"
#include "base/text.h"

#include <json-c/json.h>

enum { JSON_NESTING_MAX = 16 }; /* objects and arrays within one another, the outermost included */

/* Parse one object in UTF-8 with nothing but white space around it. The caller releases it with json_object_put.
 * It may have PARTS_MAX objects, arrays and commas: json-c takes some hundred bytes for what may be two bytes of the text.
 * STATUS_INVALID, and *object untouched, with a text that says what is wrong at which byte; STATUS_UNAVAILABLE where memory is short. */
enum status json_parse_object(struct text body, size_t parts_max, json_object **object, struct error *error);

#endif
