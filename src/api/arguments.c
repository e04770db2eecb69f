/* From the body of a request to checked arguments; see arguments.h. */
#include "api/arguments.h"

#include "api/json.h"

static enum status read_field(json_object *object, const struct field *field, const struct identifier *actor,
			      struct identifier *identifier, struct error *error)
{
	json_object *value;

	if (!json_object_object_get_ex(object, field->name, &value)) {
		if (field->defaults_to_actor && actor) {
			*identifier = *actor;
			return STATUS_OK;
		}
		if (field->required)
			return error_set(error, STATUS_INVALID, "%s: is missing", field->name);
		return STATUS_OK;
	}
	if (!json_object_is_type(value, json_type_string))
		return error_set(error, STATUS_INVALID, "%s: must be a string", field->name);
	struct text text = {json_object_get_string(value), (size_t)json_object_get_string_len(value)};
	return identifier_set(identifier, text, field->name, error);
}

enum status arguments_parse(const struct action *action, struct text body, const struct identifier *actor,
			    struct arguments *arguments, struct error *error)
{
	struct arguments read = {0};
	json_object *object = NULL;

	enum status status = json_parse_object(body, &object, error);
	if (status != STATUS_OK)
		return status;
	for (int i = 0; status == STATUS_OK && i < FIELDS_MAX && action->fields[i].name; i++) {
		const struct field *field = &action->fields[i];
		struct identifier *identifier = (struct identifier *)((char *)&read + field->offset);
		status = read_field(object, field, actor, identifier, error);
	}
	json_object_put(object);
	if (status == STATUS_OK)
		*arguments = read;
	return status;
}
