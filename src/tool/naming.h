/* What other programs call a document, made a description that can be stored: their names may have NULs behind them,
 * line breaks in them, bytes that are no UTF-8, any length, or be "N/A" where there is none. */
#ifndef FOCUSSTATS_TOOL_NAMING_H
#define FOCUSSTATS_TOOL_NAMING_H

#include "domain/description.h"

/* Copy a name, at most `most` bytes: it ends at the first NUL; each run of white space and control characters becomes one
 * blank, and none at the ends; what is no UTF-8 becomes U+FFFD; it is cut between two characters; "N/A" becomes nothing. Returns
 * the size; no NUL is added. */
size_t naming_clean(struct text name, char *to, size_t most);

/* Set the title; 0 bytes where the name says nothing. */
void naming_set_title(struct description *description, struct text name);

/* Add an author, unless the name says nothing, has been added before, or there are AUTHORS_MAX. */
void naming_add_author(struct description *description, struct text name);

#endif
