/* The filter of the queries, and reading days, as the target `actions` sees them: zones whose clocks are never set, so that a day is
 * a division.
 */
#ifndef FOCUSSTATS_TESTS_FUZZ_RANGE_H
#define FOCUSSTATS_TESTS_FUZZ_RANGE_H

#include "model.h"

/* What of the filter is asked for. */
struct range {
	int64_t from_ms, to_ms;
	int document, library; /* -1 for any */
	int zone;
	bool given;
	struct buffer fields; /* as JSON, with a comma before each; the owner's to release */
};

/* From the input; days are those of the user where there is one, otherwise of a new one. */
void range_choose(int user, struct range *range);

/* Whether it is one of the document and library that are asked for. */
bool range_selects(const struct range *range, const struct session_model *session);

enum { RANGE_DAY_MS = 24 * 60 * 60 * 1000 };

/* The user's reading day that holds the instant, in days since 1970, and where one begins. */
int64_t range_day(const struct user_model *user, int zone, int64_t ms);
int64_t range_day_start_ms(const struct user_model *user, int zone, int64_t day);

/* "2025-11-10", in the caller's space. */
enum { RANGE_DATE_SIZE = 32 };
const char *range_date(int64_t day, char text[RANGE_DATE_SIZE]);

#endif
