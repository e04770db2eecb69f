/* What the answers look like: the keys of each, in their order, and what is behind them. The description of the API is made
 * from it (openapi.h), and tests hold every answer against that.
 */
#ifndef FOCUSSTATS_API_ANSWER_H
#define FOCUSSTATS_API_ANSWER_H

#include "api/field.h"

enum answer_type {
	ANSWER_OBJECT,  /* of `shape` */
	ANSWER_FIELD,   /* what `field` takes in requests */
	ANSWER_UUID,    /* in lower case */
	ANSWER_INSTANT, /* UTC with milliseconds */
	ANSWER_DATE,
	ANSWER_TEXT,
	ANSWER_NUMBER, /* whole; `least` to `most`, where 0 is no bound */
	ANSWER_BOOLEAN,
};

struct answer_key {
	const char *name;
	enum answer_type type;
	bool list;     /* an array of them */
	bool nullable; /* or null */
	bool optional; /* not in every answer */
	enum field_id field;
	long long least, most;
	const struct answer_shape *shape;
	const char *summary;
};

struct answer_shape {
	const struct answer_key *keys;      /* ended by a NULL name */
	const struct answer_shape *instead; /* what may be in its place, or NULL */
};

/* One for each kind of answer. Queries answer with an array of such objects, actions with one. */
extern const struct answer_shape answer_focus_stats, answer_focus_session, answer_results, answer_document, answer_user,
	answer_nothing, answer_removed, answer_stats_list, answer_session_list, answer_active_list, answer_summary_list,
	answer_period_list, answer_hour_list, answer_document_list, answer_streak_list, answer_goal_list,
	answer_settings_list, answer_title_list, answer_export_list, answer_health, answer_description;

#endif
