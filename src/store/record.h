/* The records of the databases as bytes: doc/schema.md describes every one of them. Numbers are big-endian, strings
 * carry their length, the first byte of a value is its version. Nothing here does I/O.
 */
#ifndef FOCUSSTATS_STORE_RECORD_H
#define FOCUSSTATS_STORE_RECORD_H

#include "domain/description.h"
#include "domain/session.h"
#include "domain/settings.h"

#include <stddef.h>

enum {
	/* Of the values of `sessions` and `stats`, and with the former of the keys of sessions_by_user. Version 1 is read
	 * too; nothing of it is written but the keys of a session that is still stored so. */
	RECORD_VERSION = 2,
	DESCRIPTION_VERSION = 1,
	TOTALS_VERSION = 1,

	FACTS_MAX = 1 + 8 + 8 + 8 + 16,
	SESSION_VALUE_MAX = 1 + FACTS_MAX + 4 * (1 + IDENTIFIER_MAX_BYTES),
	STATS_VALUE_MAX = 1 + 16 + 6 * 8 + 1 + 2 + 1 + 4 + 4 + 1 + ZONE_NAME_MAX_BYTES,
	USER_PREFIX_MAX = IDENTIFIER_MAX_BYTES + 1,
	/* The covering key stays under 1,007 bytes, from which on a key overflows a page of 4 KiB. */
	BY_USER_KEY_MAX = USER_PREFIX_MAX + 16 + FACTS_MAX + 2 * (1 + IDENTIFIER_MAX_BYTES),
	DOCUMENT_KEY_MAX = USER_PREFIX_MAX + IDENTIFIER_MAX_BYTES,
	DOCUMENT_VALUE_MAX = 1 + 2 + TITLE_MAX_BYTES + 1 + AUTHORS_MAX * (1 + IDENTIFIER_MAX_BYTES),
	TOTALS_VALUE_SIZE = 1 + 8 + 8,
};

/* A user's FocusStats object, what is summed up of their sessions, and their settings. */
struct stats {
	struct uuid id;
	uint64_t sessions;     /* all that the user has */
	uint64_t ended;        /* of these, those that have ended */
	int64_t ended_ms;      /* the sum of their lengths */
	int64_t longest_ms;    /* none of them is longer; it may be that none is as long any more */
	uint64_t watched;      /* of the open ones, those that had a heartbeat */
	int64_t first_seen_ms; /* where watched > 0: none of those had its last heartbeat before this */
	bool removed;          /* the user is gone, and what they had is being deleted */
	struct settings settings;
};

/* What a list says of a session, read from a key of sessions_by_user; the texts point into that key. */
struct session_entry {
	struct uuid id;
	struct session_facts facts;
	struct text document, library;
};

/* How much there is. */
struct totals {
	uint64_t users, sessions;
};

/* Values of `sessions` (its key is the id). Returns the size, at most SESSION_VALUE_MAX. */
size_t record_encode_session(const struct session *session, uint8_t value[SESSION_VALUE_MAX]);

/* False, and *session undefined, where the bytes are no such record. *version (may be NULL) becomes the record's. */
bool record_decode_session(const struct uuid *id, const void *value, size_t size, struct session *session,
			   int *version);

/* Values of `stats` (its key is the user's id). Returns the size. Of a record of version 1 the sums are 0 and the
 * settings the default ones. */
size_t record_encode_stats(const struct stats *stats, uint8_t value[STATS_VALUE_MAX]);
bool record_decode_stats(const void *value, size_t size, struct stats *stats, int *version);

/* Keys of sessions_by_user and active_by_user: they sort by user, start, id and cover what lists need. version is that of
 * the session's record. Returns the size. */
size_t record_encode_by_user(const struct session *session, int version, uint8_t key[BY_USER_KEY_MAX]);

/* What all keys of a user begin with, there and in `documents`. Returns the size. */
size_t record_encode_user_prefix(struct text user, uint8_t prefix[USER_PREFIX_MAX]);

/* What the keys of a user's sessions begin with that start at start_ms, and where id is not NULL have that id. */
size_t record_encode_position(struct text user, int64_t start_ms, const struct uuid *id, uint8_t key[BY_USER_KEY_MAX]);

/* Read the part of such a key behind the user's prefix. False where the bytes are none. */
bool record_decode_by_user(const void *rest, size_t size, struct session_entry *entry);

/* The version of the record that such a key belongs to. */
int record_by_user_version(const void *rest, size_t size);

/* Values of `documents`; its keys are a user's prefix and the document's id. Returns the size. */
size_t record_encode_description(const struct description *description, uint8_t value[DOCUMENT_VALUE_MAX]);
bool record_decode_description(const void *value, size_t size, struct description *description);

/* The value of `totals` in `meta`. */
void record_encode_totals(const struct totals *totals, uint8_t value[TOTALS_VALUE_SIZE]);
bool record_decode_totals(const void *value, size_t size, struct totals *totals);

#endif
