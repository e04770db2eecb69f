/* The actions of the admin tool, focusstats(1): rows like those of the dispatch table, but no part of the API. They come from
 * the tool's own process, or over the home's socket, which only processes of the home's user can reach; a request from a web
 * server never finds them (policy.local).
 */
#ifndef FOCUSSTATS_API_LOCAL_H
#define FOCUSSTATS_API_LOCAL_H

#include "api/action.h"

/* {after?, limit?}: [{"user": {"user", "sessions", "active", "seconds"}}, …], by id; `after` is a user. */
#define LOCAL_USERS "/local/users"
/* {user}: {"endedSessions"}, those stored as ended that counted so. */
#define LOCAL_SETTLE "/local/settle"
/* {}: {"stats": {…}}, what the owner knows of the store. */
#define LOCAL_STATS "/local/stats"
/* {}: {"copy": ID}: a copy of the store is begun in the folder STORE_COPY of the home (store_begin_copy). */
#define LOCAL_COPY "/local/copy"
/* {}: {"copy", "running", "bytes", "expectedBytes", "error"?}: the last copy that this owner began, and how far it is. */
#define LOCAL_COPY_STATE "/local/copyState"

/* Bytes as records.h has them: imports them. */
#define LOCAL_IMPORT "/local/import"
/* {user}: the user and their documents, as records.h has them. */
#define LOCAL_EXPORT_USER "/local/exportUser"
/* {user, after?, limit?}: sessions of the user by start and id, as records.h has them; `after` is the start (RFC 3339) and id of the last
 * one that is not to come again, with a slash between them. */
#define LOCAL_EXPORT "/local/export"

/* The action of a path, or NULL. */
const struct action *local_find(struct text path);

#endif
