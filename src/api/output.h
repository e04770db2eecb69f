/* The pieces that answers are made of, as JSON. */
#ifndef FOCUSSTATS_API_OUTPUT_H
#define FOCUSSTATS_API_OUTPUT_H

#include "base/buffer.h"
#include "domain/description.h"
#include "domain/settings.h"
#include "domain/uuid.h"

void output_uuid(struct buffer *body, const struct uuid *uuid);

/* An instant of ms since 1970; null where there is none. */
void output_instant(struct buffer *body, bool known, int64_t ms);

/* A date of a day (base/date.h); null where there is none. */
void output_date(struct buffer *body, bool known, int32_t day);

/* The shortest decimal number that reads back as this one; null where there is none. */
void output_portion(struct buffer *body, bool known, double portion);

/* Title and authors as members of an object: `"title":…,"authors":[…]`. description may be NULL. */
void output_description(struct buffer *body, const struct description *description);

void output_settings(struct buffer *body, const struct settings *settings);

/* {"NAME":"ID"} */
void output_one_id(struct buffer *body, const char *name, const struct uuid *id);

/* A comma before all elements of a list but the first. */
void output_separator(struct buffer *body, bool *begun);

#endif
