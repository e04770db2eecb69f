/* Asking; see confirm.h. */
#include "tool/confirm.h"

#include "tool/visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status confirm(const char *command, const char *question, const char *prompt, const char *expected,
		    const char *refusal, struct error *error)
{
	char *line = NULL;
	size_t capacity = 0;

	if (!isatty(STDIN_FILENO))
		return error_set(error, STATUS_INVALID, "%s: there is no terminal to ask on: say --yes", command);
	visible_line(stderr, "%s", question);
	fputs(prompt, stderr);
	ssize_t size = getline(&line, &capacity, stdin);
	if (size > 0 && line[size - 1] == '\n')
		line[size - 1] = '\0';
	if (size <= 0 || strcmp(line, expected) != 0)
		error_set(error, STATUS_INVALID, "%s: %s", command, refusal);
	else
		error->status = STATUS_OK;
	free(line);
	return error->status;
}
