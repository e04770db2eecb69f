/* GET metrics: what was counted, and the store's figures, in the text format of Prometheus (exposition format 0.0.4,
 * https://prometheus.io/docs/instrumenting/exposition_formats/); and what the numbers in struct metrics stand for.
 */
#ifndef FOCUSSTATS_API_EXPOSITION_H
#define FOCUSSTATS_API_EXPOSITION_H

#include "api/action.h"
#include "base/metrics.h"

/* What requests are counted as: by the action, or NULL where the path names none, and by how they ended: STATUS_OK or what
 * they were refused with, whatever FOCUSSTATS_ERROR_STATUS makes of it; or as preflights. */
unsigned exposition_kind(const struct action *action);
unsigned exposition_outcome(enum status status, bool preflight);

/* A number that differs where these would be others, so that counts of another version are not taken for one's own. */
uint64_t exposition_layout(void);

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Carries the action out. */
enum status exposition_write(struct store *store, const struct call *call, struct buffer *body, struct error *error);

#endif
