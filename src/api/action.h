/* The dispatch table: one row an action. The dispatcher checks what the row says before it calls the handler, and
 * tests walk the table to see that every action is documented.
 */
#ifndef FOCUSSTATS_API_ACTION_H
#define FOCUSSTATS_API_ACTION_H

#include "api/answer.h"

/* One of the statuses that only the action itself can know of, for a set. */
#define REFUSAL(status) (UINT32_C(1) << STATUS_##status)

struct action {
	const char *path; /* PATH_INFO, exactly */
	bool is_get;      /* GET and HEAD without a body; otherwise POST */
	bool open;        /* nobody need be signed in */
	bool creates;     /* makes something that needs call->new_id */
	bool raw;         /* the body is no JSON: the function reads it (call->body), and answers in bytes */
	bool repeatable;  /* done twice with the same new_id and now_ms it is done once, and answers the same */
	uint32_t required, optional;       /* sets of fields (field.h); `user` left out is who signed in */
	uint32_t refusals;                 /* what it may be refused with for its own reasons: set of REFUSAL(status) */
	const struct answer_shape *answer; /* what it answers or, where it is a query, a list of; NULL: no JSON */
	const char *content_type;          /* of the answer; NULL: application/json */
	const char *summary;
	/* A write of one operation is given in two halves. What is to be carried out: */
	enum status (*prepare)(const struct call *call, struct operation *operation, struct error *error);
	/* and once it was, the answer: append its JSON to body, without a newline. */
	void (*report)(const struct operation *operation, struct buffer *body);
	/* All others do the two as one. On failure the body does not matter. */
	enum status (*carry_out)(struct store *store, const struct call *call, struct buffer *body,
				 struct error *error);
};

/* Carry a call out on the store, waiting for it. */
enum status action_carry_out(struct store *store, const struct call *call, struct buffer *body, struct error *error);

/* All rows; *count of them. */
const struct action *action_table(size_t *count);

/* The action of a path, or NULL. */
const struct action *action_find(struct text path);

/* The last part of the path, for the log. */
const char *action_name(const struct action *action);

#endif
