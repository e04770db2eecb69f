/* The records of the databases as bytes: doc/schema.md describes every one of them. Numbers are big-endian, strings
 * carry their length in one byte, the first byte of a value is its version. Nothing here does I/O.
 */
#ifndef FOCUSSTATS_STORE_RECORD_H
#define FOCUSSTATS_STORE_RECORD_H

#include "domain/session.h"

#include <stddef.h>

enum {
	RECORD_VERSION = 1,
	SESSION_VALUE_MAX = 2 + 8 + 8 + 3 * (1 + IDENTIFIER_MAX_BYTES),
	STATS_VALUE_SIZE = 1 + 16 + 8 + 8,
	/* The covering key stays under 1,007 bytes, from which on a key overflows a page of 4 KiB. */
	BY_USER_KEY_MAX = IDENTIFIER_MAX_BYTES + 1 + 8 + 16 + 1 + 8 + 2 * (1 + IDENTIFIER_MAX_BYTES),
};

/* A user's FocusStats object. */
struct stats {
	struct uuid id;
	uint64_t sessions; /* all that the user has */
	uint64_t ended;    /* of these, those that have ended */
};

/* What a list says of a session, read from a key of sessions_by_user; the texts point into that key. */
struct session_entry {
	struct uuid id;
	int64_t start_ms;
	int64_t end_ms; /* meaningless while the session is active */
	bool ended;
	struct text document, library;
};

/* Values of `sessions` (its key is the id). Returns the size, at most SESSION_VALUE_MAX. */
size_t record_encode_session(const struct session *session, uint8_t value[SESSION_VALUE_MAX]);

/* False, and *session undefined, where the bytes are no such record. */
bool record_decode_session(const struct uuid *id, const void *value, size_t size, struct session *session);

/* Values of `stats` (its key is the user's id). */
void record_encode_stats(const struct stats *stats, uint8_t value[STATS_VALUE_SIZE]);
bool record_decode_stats(const void *value, size_t size, struct stats *stats);

/* Keys of `sessions_by_user`: they sort by user, start, id and cover what lists need. Returns the size. */
size_t record_encode_by_user(const struct session *session, uint8_t key[BY_USER_KEY_MAX]);

/* What all keys of a user begin with. Returns the size, at most IDENTIFIER_MAX_BYTES + 1. */
size_t record_encode_by_user_prefix(struct text user, uint8_t prefix[IDENTIFIER_MAX_BYTES + 1]);

/* Read the part of such a key behind the user's prefix. False where the bytes are none. */
bool record_decode_by_user(const void *rest, size_t size, struct session_entry *entry);

#endif
