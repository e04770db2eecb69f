/* The fields that requests can have: their names, types and bounds, once for all actions. A field is read into the
 * member of struct arguments that is its own.
 */
#ifndef FOCUSSTATS_API_FIELD_H
#define FOCUSSTATS_API_FIELD_H

#include "api/json.h"
#include "api/request.h"
#include "base/zone.h"

/* In the order in which they are checked. */
enum field_id {
	FIELD_USER,
	FIELD_DOCUMENT,
	FIELD_LIBRARY,
	FIELD_SESSION,     /* focusSession, one that exists */
	FIELD_NEW_SESSION, /* focusSession, chosen by the client */
	FIELD_START_TIME,
	FIELD_END_TIME,
	FIELD_PROGRESS,
	FIELD_SESSIONS,
	FIELD_TITLE,
	FIELD_AUTHORS,
	FIELD_TIMEZONE,
	FIELD_DAY_START,
	FIELD_WEEK_START,
	FIELD_DAILY_GOAL,
	FIELD_IDLE_TIMEOUT,
	FIELD_CONFIRM,
	FIELD_FROM,
	FIELD_TO,
	FIELD_UNIT,
	FIELD_FILL,
	FIELD_LEAST_SECONDS,
	FIELD_LIMIT,
	FIELD_AFTER,
	FIELD_ORDER,
	FIELD_COUNT,
};

/* A set of fields: bit 1 << enum field_id. */
#define FIELD_SET(id) (UINT32_C(1) << FIELD_##id)

enum field_type {
	FIELD_TYPE_ID,       /* struct identifier: 1 to 255 bytes */
	FIELD_TYPE_UUID,     /* struct uuid: 8-4-4-4-12 */
	FIELD_TYPE_INSTANT,  /* int64_t, ms since 1970: RFC 3339 */
	FIELD_TYPE_MOMENT,   /* struct moment: an instant or a date */
	FIELD_TYPE_PORTION,  /* double: 0 to 1 */
	FIELD_TYPE_INTEGER,  /* int64_t: least to most */
	FIELD_TYPE_CHOICE,   /* int64_t: the index of one of choices */
	FIELD_TYPE_BOOLEAN,  /* bool */
	FIELD_TYPE_ZONE,     /* struct zone_name: of the zone database */
	FIELD_TYPE_CLOCK,    /* int64_t, minutes after midnight: HH:MM */
	FIELD_TYPE_TITLE,    /* into arguments->description: 0 to `most` bytes */
	FIELD_TYPE_AUTHORS,  /* into arguments->description: 0 to `most` strings of 1 to 255 bytes */
	FIELD_TYPE_SESSIONS, /* arguments->sessions: 0 to `most` objects of FIELD_SESSIONS_REQUIRED and …_OPTIONAL */
};

enum { FIELD_CHOICES_MAX = 8 };

struct field {
	const char *name;
	size_t offset; /* in struct arguments */
	long long least, most;
	const char *choices[FIELD_CHOICES_MAX]; /* ended by NULL */
	const char *summary;
	enum field_type type;
	bool defaults; /* left out, it is 0, false or the first choice */
};

/* What an element of `sessions` holds. */
#define FIELD_SESSIONS_REQUIRED (FIELD_SET(DOCUMENT) | FIELD_SET(LIBRARY) | FIELD_SET(START_TIME) | FIELD_SET(END_TIME))
#define FIELD_SESSIONS_OPTIONAL FIELD_SET(NEW_SESSION)

const struct field *field_of(enum field_id id);

/* Read the fields of two sets from an object; others are ignored. What is required must be there unless the arguments have
 * it already. STATUS_INVALID, with a text that begins with the field's name, where it is not, or one is not of
 * its type and within its bounds; STATUS_UNAVAILABLE where a time zone cannot be read now. The arguments need arguments_release (arguments.h) in any case. */
enum status field_read_all(json_object *object, uint32_t required, uint32_t optional, struct arguments *arguments,
			   struct error *error);

/* The zone of a name; *zone becomes NULL where the database has none of it. STATUS_UNAVAILABLE where there may be one that
 * cannot be read now. */
enum status field_find_zone(struct text name, const struct zone **zone, struct error *error);

#endif
