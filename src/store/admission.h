/* A home that the engine must not be let at, because it would wait there for good, or make what is lost anew and so hide that; and what can
 * be seen of one at which it has failed.
 */
#ifndef FOCUSSTATS_STORE_ADMISSION_H
#define FOCUSSTATS_STORE_ADMISSION_H

#include "store/store.h"

/* STATUS_UNAVAILABLE where it is so, with what to do in the detail. */
enum status admission_check(const struct store_options *options, struct error *error);

/* Whether the store was made already, so that no file of it may be made anew. */
bool admission_has_records(const struct store_options *options);

/* Say in the log which databases are none by their size and first bytes: the engine's words about a recovery that failed name no file. */
void admission_name_faults(const struct store_options *options);

#endif
