/* What the statistics queries are made of: a user's ended sessions under a filter, copied out of the store as of one
 * moment, in the form that domain/statistics.h takes. */
#ifndef FOCUSSTATS_API_COLLECTION_H
#define FOCUSSTATS_API_COLLECTION_H

#include "api/filter.h"
#include "base/names.h"
#include "domain/statistics.h"

/* What a query wants to know besides the sessions. */
enum collection_want {
	COLLECTION_TIMES, /* nothing: all readings are of document 0, which has no id */
	COLLECTION_SESSIONS,
	COLLECTION_DOCUMENTS, /* of each document its description, and the latest report whatever the range */
};

struct collection {
	struct stats stats;
	struct filter filter;
	struct readings readings; /* points into what follows */
	struct reading *items;
	size_t capacity;
	struct names documents;
	struct text *document_ids;
	/* With COLLECTION_DOCUMENTS, for each document: */
	struct document_progress *progress;
	struct buffer *descriptions; /* as output_description writes them; empty where there is none */
	bool failed;                 /* out of memory */
};

/* Read it for the user of the call. The caller releases it, also on failure. */
enum status collection_read(struct store *store, const struct call *call, enum collection_want want,
			    struct collection *collection, struct error *error);

void collection_release(struct collection *collection);

#endif
