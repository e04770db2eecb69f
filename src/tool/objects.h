/* The JSON objects of a file, one after the other: newline-delimited JSON (one object a line), or an array of objects (elements.h). Which
 * of the two it is the first character tells. Memory is that of the longest line or element.
 */
#ifndef FOCUSSTATS_TOOL_OBJECTS_H
#define FOCUSSTATS_TOOL_OBJECTS_H

#include "base/error.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

enum { OBJECT_MAX_BYTES = 64 << 20 };

struct objects;

/* Open a file, "-" for standard input. STATUS_INVALID, with the file's name, where it cannot be read. */
enum status objects_open(const char *file, struct objects **objects, struct error *error);
void objects_close(struct objects *objects);

/* The next one, the caller's (json_object_put); NULL at the end. *line (from 1) is where it begins. STATUS_INVALID for what is no JSON
 * object: with *go_on where another call goes on behind it; without, and with the file's name in the text, where nobody knows
 * where the next one begins, or the file cannot be read. */
enum status objects_next(struct objects *objects, json_object **object, uint64_t *line, bool *go_on,
			 struct error *error);

#endif
