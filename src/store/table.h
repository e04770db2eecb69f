/* The databases as tables of typed records: one get, put or delete each, in a transaction or a snapshot (txn). Every
 * function returns 0, DB_NOTFOUND, EBADMSG where the bytes are no such record, or what the engine said.
 */
#ifndef FOCUSSTATS_STORE_TABLE_H
#define FOCUSSTATS_STORE_TABLE_H

#include "store/environment.h"
#include "store/record.h"

int table_get_stats(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
		    struct stats *stats);
int table_put_stats(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
		    const struct stats *stats);
int table_delete_stats(const struct environment *environment, DB_TXN *txn, const struct identifier *user);

/* Only the committer, and whoever opens the store, reads sessions: readers go by sessions_by_user. *version becomes that of the
 * record, if version is not NULL. */
int table_get_session(const struct environment *environment, DB_TXN *txn, const struct uuid *id,
		      struct session *session, int *version);

/* Store one, and its keys in the indexes, in the place of what is stored under its id: `before`, of a record of that version, as
 * table_get_session found it in this transaction; NULL where it found none. */
int table_put_session(const struct environment *environment, DB_TXN *txn, const struct session *before, int version,
		      const struct session *after);

/* Delete what table_get_session found. */
int table_delete_session(const struct environment *environment, DB_TXN *txn, const struct session *session,
			 int version);

int table_get_description(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			  struct text document, struct description *description);
int table_put_description(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			  struct text document, const struct description *description);

int table_delete_description(const struct environment *environment, DB_TXN *txn, const struct identifier *user,
			     struct text document);

int table_get_totals(const struct environment *environment, DB_TXN *txn, struct totals *totals);
int table_put_totals(const struct environment *environment, DB_TXN *txn, const struct totals *totals);

/* Users that were removed and are being deleted: meta's keys "removed", NUL, the user. */
int table_note_removal(const struct environment *environment, DB_TXN *txn, const struct identifier *user);
int table_forget_removal(const struct environment *environment, DB_TXN *txn, const struct identifier *user);
/* 0 where the user is one of them. */
int table_has_removal(const struct environment *environment, DB_TXN *txn, const struct identifier *user);
int table_count_removals(const struct environment *environment, DB_TXN *txn, uint64_t *count);
/* The first of them; DB_NOTFOUND where there is none. */
int table_first_removal(const struct environment *environment, DB_TXN *txn, struct identifier *user);

/* The keys of a database that begin with a user's prefix, in order: up to `most` of what follows the prefix goes to visit,
 * which returns 0 to go on. Not for readers: it takes one at a time. */
typedef int table_visit(void *context, const uint8_t *rest, size_t size);
int table_each_of_user(DB *db, DB_TXN *txn, const struct identifier *user, size_t most, table_visit *visit,
		       void *context);

#endif
