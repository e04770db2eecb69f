/* What can be told of a store without opening it, so whether a process has it open or not: nothing is written, and nothing is
 * locked.
 */
#ifndef FOCUSSTATS_STORE_LOOK_H
#define FOCUSSTATS_STORE_LOOK_H

#include <stdbool.h>
#include <stddef.h>

/* The engine's version: that of the library that is loaded, and that of the headers which this program was built with. The
 * first two numbers of each have to be the same. */
struct look_engine {
	int loaded[3], built[3];
};

struct look_engine look_engine(void);

/* The databases of a store; the last one has no name. */
struct look_database {
	const char *file;
	int since; /* schema version */
};

extern const struct look_database look_databases[];

/* What a file of the home is, by its first bytes. */
enum look_kind {
	LOOK_GOOD,
	LOOK_MISSING,
	LOOK_EMPTY,
	LOOK_UNREADABLE, /* errno says why */
	LOOK_FOREIGN,    /* none of the engine's files, or of a machine with another byte order */
	LOOK_NEWER,      /* of a newer version of the engine */
};

/* A database, or a file of the log. */
enum look_kind look_database(int folder, const char *file);
enum look_kind look_log(int folder, const char *file);

/* What is wrong with a database by its size and first bytes, in words; NULL where nothing is. After a process was killed while it made
 * the file, that is in order, and recovery sees to it. */
const char *look_fault(int folder, const char *file);

/* Whether the databases were written with a log, and belong to it; db_load writes some without. */
bool look_is_logged(int folder);

/* Whether that log is gone: it should be in this folder, and no file of it is one. The engine would begin another. */
bool look_log_is_gone(int folder);

/* The schema version in the home's meta.db, 0 where it cannot be told: there is none yet, or it is not on the disk yet. */
int look_schema(const char *home);

/* The version that this program writes. */
int look_schema_known(void);

/* The first line of DB_CONFIG that store_open refuses whatever else there is, without its newline; false where there is none. */
bool look_refused_setting(int folder, char *line, size_t size);

/* Whether DB_CONFIG says that the log is in another folder. */
bool look_log_is_elsewhere(int folder);

#endif
