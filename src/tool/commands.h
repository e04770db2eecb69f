/* The admin tool's commands: focusstats(1). */
#ifndef FOCUSSTATS_TOOL_COMMANDS_H
#define FOCUSSTATS_TOOL_COMMANDS_H

#include "tool/client.h"

#include <stdio.h>

struct options {
	bool json;  /* one JSON object a line instead of tables */
	bool quiet; /* no headings, and nothing about what went well */
	bool yes;   /* do not ask before something is destroyed */
};

struct command {
	const char *name;
	const char *operand; /* its name, or NULL where the command takes none */
	const char *summary;
	/* Print to standard output. The statuses are those of client_ask. */
	enum status (*run)(struct client *client, const struct options *options, const char *operand,
			   struct error *error);
};

/* All of them; the last one has no name. */
extern const struct command commands[];

#endif
