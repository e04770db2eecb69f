/* Instants as other programs write them: RFC 3339 (domain/instant.h), and what they make of it. A space may stand for the T; the
 * offset may lack its colon or its minutes (+0100, +01). One without an offset is no instant.
 */
#ifndef FOCUSSTATS_TOOL_FOREIGN_TIME_H
#define FOCUSSTATS_TOOL_FOREIGN_TIME_H

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

/* Read one; *ms is 0 to INSTANT_MAX_MS. STATUS_INVALID, with a text that begins with `name`, for anything else. */
enum status foreign_time_read(struct text text, const char *name, int64_t *ms, struct error *error);

/* Milliseconds since 1970 that another program wrote as a number: STATUS_INVALID where they are not 0 to INSTANT_MAX_MS. */
enum status foreign_time_check(int64_t ms, const char *name, struct error *error);

#endif
