/* The operations that take records as they are, from another store or another program, and the one that looks at what only
 * sessions.db knows. See operation.h for their requirements.
 */
#ifndef FOCUSSTATS_STORE_IMPORT_H
#define FOCUSSTATS_STORE_IMPORT_H

#include "store/work.h"

int import_user(struct work *work);
int import_document(struct work *work);
int import_session(struct work *work);
int import_look_up(struct work *work);

#endif
