/* The objects in a JSON file of any layout: one behind the other, on a line each or over many, in an array, or in the array that
 * the outermost object has under a key, as pages of an API's answers have it. Memory is that of the largest object.
 */
#ifndef FOCUSSTATS_TOOL_ELEMENTS_H
#define FOCUSSTATS_TOOL_ELEMENTS_H

#include "base/error.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { ELEMENT_MAX_BYTES = 16 << 20 };

struct elements;

/* Open a file, "-" for standard input; key is that of the arrays. Both strings stay the caller's, and in use. STATUS_INVALID, with the
 * file's name, where it cannot be read. */
enum status elements_open(const char *file, const char *key, struct elements **elements, struct error *error);
/* The same of an open file, which is closed along with it, of this name and at this line. It has no key: `elements_next` finds
 * arrays that stand for themselves only. */
enum status elements_take(FILE *file, const char *name, uint64_t line, struct elements **elements, struct error *error);

void elements_close(struct elements *elements);

/* The next one, the caller's (json_object_put); NULL at the end. *line (from 1) is where it begins. Otherwise STATUS_INVALID: with
 * *go_on for one that is no JSON object, behind which another call goes on; without, and with the file's name, where nobody
 * knows where the next one begins. */
enum status elements_next(struct elements *elements, json_object **object, uint64_t *line, bool *go_on,
			  struct error *error);

#endif
