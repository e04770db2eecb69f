/* From the body of a request to checked arguments; see arguments.h. */
#include "api/arguments.h"

#include <stdlib.h>

enum { PARTS_MAX = 50000 }; /* the most that an action takes, 1,000 sessions to be added, have 10,000 */

enum status arguments_parse(const struct action *action, struct text body, const struct identifier *actor,
			    struct arguments *arguments, struct error *error)
{
	struct arguments read = {0};
	json_object *object = NULL;

	enum status status = json_parse_object(body, PARTS_MAX, &object, error);
	if (status != STATUS_OK)
		return status;
	if (actor) {
		read.user = *actor;
		read.given = FIELD_SET(USER);
	}
	status = field_read_all(object, action->required, action->optional, &read, error);
	json_object_put(object);
	if (status == STATUS_OK)
		*arguments = read;
	else
		arguments_release(&read);
	return status;
}

void arguments_release(struct arguments *arguments)
{
	free(arguments->description);
	free(arguments->sessions);
	arguments->description = NULL;
	arguments->sessions = NULL;
}
