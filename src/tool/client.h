/* How the admin tool carries out actions: through the process that owns the store where there is one, otherwise as the owner
 * for as long as the client is open (gateway/owner.h). One thread uses it.
 */
#ifndef FOCUSSTATS_TOOL_CLIENT_H
#define FOCUSSTATS_TOOL_CLIENT_H

#include "base/config.h"
#include "gateway/owner.h"

#include <json-c/json.h>

struct client {
	struct owner owner;
	struct uuid_source ids;
};

/* Open the home, which must be there. As root this process becomes the home's user first, so that no file in it is root's.
 * STATUS_INVALID where the home cannot be used. */
enum status client_open(struct client *client, const struct config *config, struct error *error);

/* The same for long work: where this process becomes the owner it has some cache and writes checkpoints. */
enum status client_open_job(struct client *client, const struct config *config, struct error *error);

/* Where this process is the owner: delete all that removed users still have. A service does that in the background. */
void client_complete_removals(struct client *client);

void client_close(struct client *client);

/* Carry out the action of a path whose body and answer are not JSON (struct action, raw), or whose answer is not. The answer is the
 * caller's to release, also on failure. */
enum status client_send(struct client *client, const char *path, struct text body, struct buffer *answer,
			struct error *error);

/* Carry out the action of a path: one of the API (api/action.h) or of the tool (api/local.h). fields is the request's object,
 * still the caller's, or NULL for none; *answer becomes what the action answers, the caller's. The statuses are the
 * action's; STATUS_UNAVAILABLE where the store cannot do it now. */
enum status client_ask(struct client *client, const char *path, json_object *fields, json_object **answer,
		       struct error *error);

#endif
