/* The filter of the queries: which sessions a request asks for, and by whose calendar. */
#ifndef FOCUSSTATS_API_FILTER_H
#define FOCUSSTATS_API_FILTER_H

#include "api/request.h"
#include "domain/calendar.h"

struct filter {
	struct calendar calendar;
	int64_t from_ms, to_ms;        /* half-open; INT64_MIN and INT64_MAX where open */
	struct text document, library; /* empty for all; they point into the call */
	int64_t now_ms, idle_ms;
};

/* Make the filter of a call for its user. STATUS_INVALID where from is after to. */
enum status filter_make(const struct call *call, const struct stats *stats, struct filter *filter, struct error *error);

/* Whether a session, settled (session_settle), is of the document and library asked for. */
bool filter_selects(const struct filter *filter, const struct session_entry *entry);

/* Whether it touches the range. An open one lasts until now. */
bool filter_touches(const struct filter *filter, const struct session_facts *facts);

#endif
