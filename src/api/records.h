/* Records in bulk, as bytes between the admin tool and the owner of the store: what import sends and export gets. Values are those of
 * store/record.h. One after the other, each:
 *
 *   1      kind     `u`, `d` or `s`
 *   1      flags    of a user: 1 the id is given, 2 the settings are; otherwise 0
 *   2      size     of the rest, big-endian
 *   1 + n  user     length and id; of users and documents
 *   1 + n  document length and id; of documents
 *   16     id       of sessions
 *   all    value    of `stats`, `documents` or `sessions`
 *
 * A body of the import begins with two bytes: RECORDS_VERSION, and flags: 1 for a dry run, 2 where sessions may have grown, 4 where
 * they are outlines (store/operation.h). Its
 * answer has for each record a byte, enum store_became or RECORDS_REFUSED; behind the latter an enum status, and the size (2 bytes) and
 * bytes of the reason.
 */
#ifndef FOCUSSTATS_API_RECORDS_H
#define FOCUSSTATS_API_RECORDS_H

#include "api/request.h"

enum {
	RECORDS_VERSION = 1, /* the tool and the owner may be of different releases */
	RECORDS_DRY_RUN = 1,
	RECORDS_GROW = 2,
	RECORDS_OUTLINE = 4,
	RECORDS_REFUSED = 255,
	RECORDS_MAX = 1000, /* in one call */
};

enum record_kind { RECORD_USER = 'u', RECORD_DOCUMENT = 'd', RECORD_SESSION = 's' };

/* One of them, read. */
struct record_item {
	enum record_kind kind;
	struct identifier user, document; /* of users and documents */
	bool has_id, has_settings;        /* of a user */
	struct stats stats;               /* of a user: id and settings */
	struct description *description;  /* of a document: owned */
	struct session session;
};

void records_put_user(struct buffer *records, const struct identifier *user, const struct uuid *id,
		      const struct settings *settings);
void records_put_document(struct buffer *records, const struct identifier *user, const struct identifier *document,
			  const struct description *description);
void records_put_session(struct buffer *records, const struct session *session);

/* Read the first one of *records, which becomes what follows it. False where the bytes are none, or memory runs out. The caller
 * releases the item in both cases. */
bool records_take(struct text *records, struct record_item *item);
void record_item_release(struct record_item *item);

/* See LOCAL_IMPORT, LOCAL_EXPORT_USER and LOCAL_EXPORT (local.h). */
enum status records_import(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status records_export_user(struct store *store, const struct call *call, struct buffer *body, struct error *error);
enum status records_export(struct store *store, const struct call *call, struct buffer *body, struct error *error);

#endif
