/* The actions that write: what carries their rows out (api/action.h). */
#ifndef FOCUSSTATS_API_RECORDING_H
#define FOCUSSTATS_API_RECORDING_H

#include "api/action.h"

enum status recording_init_user(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status recording_start_session(struct store *store, const struct call *call, struct buffer *body,
				    struct error *error);
enum status recording_heartbeat(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status recording_end_session(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error);
enum status recording_add_session(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error);
enum status recording_add_sessions(struct store *store, const struct call *call, struct buffer *body,
				   struct error *error);
enum status recording_edit_session(struct store *store, const struct call *call, struct buffer *body,
				   struct error *error);
enum status recording_remove_session(struct store *store, const struct call *call, struct buffer *body,
				     struct error *error);
enum status recording_set_document(struct store *store, const struct call *call, struct buffer *body,
				   struct error *error);
enum status recording_set_settings(struct store *store, const struct call *call, struct buffer *body,
				   struct error *error);
enum status recording_remove_user(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error);

#endif
