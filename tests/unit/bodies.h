/* Bodies of requests with any action's fields, right but for the one that is looked at. */
#ifndef FOCUSSTATS_TESTS_UNIT_BODIES_H
#define FOCUSSTATS_TESTS_UNIT_BODIES_H

#include "check.h"

#include "api/arguments.h"

#define ID "0190a6c5-5bcd-7c8e-9f6d-2d5c7f0e1b3a"

/* A field's value that is right, as JSON. */
const char *body_right_value(enum field_id id);

/* A body of the fields of a set, with another value for one of them; FIELD_COUNT for none. Valid until the next one. */
struct text body_of(uint32_t set, enum field_id other, const char *value);

/* The action refuses the body for this field, and leaves nothing behind. */
void assert_refused(const struct action *action, struct text body, enum field_id id);

/* The action takes the body, and these fields were given. The caller releases the arguments. */
void assert_taken(const struct action *action, struct text body, uint32_t given, struct arguments *arguments);

/* The first action that has the field takes this value of it, or refuses it. */
void body_take(enum field_id id, const char *value, struct arguments *arguments);
void body_refuse(enum field_id id, const char *value);

/* So many letters between quotes; an array of so many times the same. Valid until the next one. */
const char *body_quoted(size_t size, char letter);
const char *body_array(size_t count, const char *element);

#endif
