/* What a user calls a document: its title and authors, shown instead of its id. */
#ifndef FOCUSSTATS_DOMAIN_DESCRIPTION_H
#define FOCUSSTATS_DOMAIN_DESCRIPTION_H

#include "domain/identifier.h"

enum {
	TITLE_MAX_BYTES = 1000,
	AUTHORS_MAX = 50,
};

struct description {
	uint16_t title_size; /* 0 where there is none */
	char title[TITLE_MAX_BYTES];
	uint8_t author_count;                   /* 0 to AUTHORS_MAX */
	struct identifier authors[AUTHORS_MAX]; /* names have the bounds of ids */
};

#endif
