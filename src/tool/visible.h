/* Lines for people's eyes: whatever ids, file names and damaged records hold, a line stays one, and no terminal takes a part of it for a
 * command. */
#ifndef FOCUSSTATS_TOOL_VISIBLE_H
#define FOCUSSTATS_TOOL_VISIBLE_H

#include <json-c/json.h>
#include <stdio.h>

enum { VISIBLE_LINE_SIZE = 8192 }; /* what is beyond is cut */

/* Print a line, without its newline in the format. What cannot be shown becomes '?' (text_make_visible). */
void visible_line(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print an object in one line to standard output, the JSON whole: characters that are not visible (base/text.h) as \u and their number. */
void visible_json(json_object *object);

#endif
