/* Pages joined into sessions; see pages.h. */
#include "domain/pages.h"

/* How far the reader was when the page was left; what is known already stays where the page does not tell. */
static void tell_progress(struct session_facts *facts, const struct page *page)
{
	if (page->count <= 0)
		return;
	int64_t number = page->number < page->count ? page->number : page->count;
	session_report(facts, (double)number / (double)page->count, page->end_ms);
}

void pages_begin(struct session_facts *facts, const struct page *page)
{
	*facts = (struct session_facts){.start_ms = page->start_ms, .ended = true, .end_ms = page->end_ms};
	tell_progress(facts, page);
}

bool pages_join(struct session_facts *facts, const struct page *page, int64_t gap_ms)
{
	if (page->start_ms - facts->end_ms > gap_ms)
		return false;
	if (page->end_ms > facts->end_ms)
		facts->end_ms = page->end_ms;
	tell_progress(facts, page);
	return true;
}
