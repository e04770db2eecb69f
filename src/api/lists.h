/* The queries that list what is stored: what carries their rows out (api/action.h). */
#ifndef FOCUSSTATS_API_LISTS_H
#define FOCUSSTATS_API_LISTS_H

#include "api/action.h"

enum status lists_view_stats(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status lists_get_sessions(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status lists_get_active_sessions(struct store *store, const struct call *call, struct buffer *body,
				      struct error *error);
enum status lists_get_settings(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status lists_get_titles(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status lists_export_user(struct store *store, const struct call *call, struct buffer *body, struct error *error);

#endif
