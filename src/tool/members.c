/* Members of JSON objects; see members.h. */
#include "tool/members.h"

json_object *members_get(json_object *object, const char *key)
{
	json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

struct text members_text(json_object *object, const char *key)
{
	json_object *value = members_get(object, key);

	if (!json_object_is_type(value, json_type_string))
		return (struct text){NULL, 0};
	return (struct text){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

const char *members_string(json_object *object, const char *key, const char *none)
{
	json_object *value = members_get(object, key);

	return value ? json_object_get_string(value) : none;
}

int64_t members_number(json_object *object, const char *key)
{
	return json_object_get_int64(members_get(object, key));
}
