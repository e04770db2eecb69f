/* The statistics queries: what carries their rows out (api/action.h). The rules are in domain/statistics.h. */
#ifndef FOCUSSTATS_API_SUMMARIES_H
#define FOCUSSTATS_API_SUMMARIES_H

#include "api/action.h"

enum status summaries_get_summary(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error);
enum status summaries_get_periods(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error);
enum status summaries_get_hours(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status summaries_get_documents(struct store *store, const struct call *call, struct buffer *body,
				    struct error *error);
enum status summaries_get_streaks(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error);
enum status summaries_get_goal(struct store *store, const struct call *call, struct buffer *body, struct error *error);

#endif
