/* The actions that write: what carries their rows out (api/action.h). */
#ifndef FOCUSSTATS_API_RECORDING_H
#define FOCUSSTATS_API_RECORDING_H

#include "api/action.h"

enum status recording_start_session(const struct call *call, struct operation *operation, struct error *error);
enum status recording_heartbeat(const struct call *call, struct operation *operation, struct error *error);
enum status recording_end_session(const struct call *call, struct operation *operation, struct error *error);
enum status recording_add_session(const struct call *call, struct operation *operation, struct error *error);
enum status recording_edit_session(const struct call *call, struct operation *operation, struct error *error);
enum status recording_remove_session(const struct call *call, struct operation *operation, struct error *error);
enum status recording_set_document(const struct call *call, struct operation *operation, struct error *error);
enum status recording_set_settings(const struct call *call, struct operation *operation, struct error *error);

void recording_report_session(const struct operation *operation, struct buffer *body);
void recording_report_document(const struct operation *operation, struct buffer *body);
void recording_report_user(const struct operation *operation, struct buffer *body);
void recording_report_nothing(const struct operation *operation, struct buffer *body);

enum status recording_init_user(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status recording_add_sessions(struct store *store, const struct call *call, struct buffer *body,
				   struct error *error);
enum status recording_remove_user(struct store *store, const struct call *call, struct buffer *body,
				  struct error *error);

#endif
