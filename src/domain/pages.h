/* Pages that were read one after the other, joined into sessions: a reader notes when each page was opened and left, and
 * nothing of when reading began and ended. */
#ifndef FOCUSSTATS_DOMAIN_PAGES_H
#define FOCUSSTATS_DOMAIN_PAGES_H

#include "domain/session.h"

/* One page of a document, open for a while. */
struct page {
	int64_t start_ms, end_ms; /* the end is not before the start */
	int64_t number, count;    /* which one of how many; count is 0 where that is not known */
};

/* Begin a session with its first page. */
void pages_begin(struct session_facts *facts, const struct page *page);

/* Join a page that does not start before those that were joined already: the session then lasts to the latest end of its
 * pages. False, and nothing done, where more than gap_ms lie between that end and the page's start: then it begins another
 * session. */
bool pages_join(struct session_facts *facts, const struct page *page, int64_t gap_ms);

#endif
