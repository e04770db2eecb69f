/* Asking before something is destroyed. */
#ifndef FOCUSSTATS_TOOL_CONFIRM_H
#define FOCUSSTATS_TOOL_CONFIRM_H

#include "base/error.h"

/* Whether the person at the terminal answers the question, a line, and the prompt with exactly `expected`. STATUS_INVALID, with a text that begins with
 * the command's name, where they do not, or there is no terminal. */
enum status confirm(const char *command, const char *question, const char *prompt, const char *expected,
		    const char *refusal, struct error *error);

#endif
