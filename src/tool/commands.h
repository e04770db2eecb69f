/* The admin tool's commands: focusstats(1). */
#ifndef FOCUSSTATS_TOOL_COMMANDS_H
#define FOCUSSTATS_TOOL_COMMANDS_H

#include "tool/client.h"

#include <stdio.h>

/* What the options say; strings are the command line's. */
struct options {
	bool json;  /* one JSON object a line instead of tables */
	bool quiet; /* no headings, and nothing about what went well */
	bool yes;   /* do not ask before something is destroyed */
	/* The rest for import and export alone. */
	unsigned given;        /* set of OPTION_…, those that are */
	bool dry_run;          /* store nothing, only say what would become of it */
	bool create_users;     /* make users that sessions are of and that are not there */
	const char *format;    /* of the file; NULL for the own one */
	const char *user;      /* whose: of formats that do not say it, or the only one to export; or NULL */
	const char *library;   /* of formats that have none; or NULL for the format's name */
	int64_t gap_seconds;   /* between pages of one session, at most */
	int64_t shift_seconds; /* to be added to all times of the file */
};

/* Options that not all commands know, for a set. */
enum {
	OPTION_DRY_RUN = 1,
	OPTION_CREATE_USERS = 2,
	OPTION_FORMAT = 4,
	OPTION_USER = 8,
	OPTION_LIBRARY = 16,
	OPTION_GAP = 32,
	OPTION_SHIFT = 64,
	/* No option: it runs with wrong settings, too; in the place of these it gets the defaults, but for the home. */
	COMMAND_ANY_SETTINGS = 1024,
};

enum { COMMAND_ANY_NUMBER = 1000 };

struct command {
	const char *name;
	const char *operands; /* as the usage names them, or "" */
	int least, most;      /* how many of them */
	unsigned options;     /* set of OPTION_…: what it knows beside what all know */
	const char *summary;
	/* One of the two: on the open home, or with the home's settings alone. operands ends with NULL. What is printed goes
	 * to standard output. The statuses are those of client_ask. */
	enum status (*run)(struct client *client, const struct options *options, char *const *operands,
			   struct error *error);
	enum status (*run_apart)(const struct config *config, const struct options *options, char *const *operands,
				 struct error *error);
};

/* All of them; the last one has no name. */
extern const struct command commands[];

#endif
