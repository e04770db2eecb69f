/* JSON Schemas; see json_schema.h. Patterns are regular expressions of ECMA-262, as JSON Schema Core, 6.4 recommends. */
#include "api/json_schema.h"

#define NO_CONTROL_CHARACTERS "^[^\\u0000-\\u001F\\u007F]*$"
#define DATE "(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
#define TIME "([01][0-9]|2[0-3]):[0-5][0-9]"
#define INSTANT "^" DATE "[Tt]" TIME ":[0-5][0-9](\\.[0-9]+)?([Zz]|[+-]" TIME ")$"
#define UUID(digit) "^" digit "{8}-" digit "{4}-" digit "{4}-" digit "{4}-" digit "{12}$"
#define ZONE "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"

static void put_type(struct writer *writer, const char *type, bool nullable)
{
	if (!nullable) {
		writer_string(writer, "type", type);
		return;
	}
	writer_begin_array(writer, "type");
	writer_string(writer, NULL, type);
	writer_string(writer, NULL, "null");
	writer_end_array(writer);
}

static void put_string(struct writer *writer, bool nullable, const char *format, const char *pattern)
{
	put_type(writer, "string", nullable);
	if (format)
		writer_string(writer, "format", format);
	if (pattern)
		writer_string(writer, "pattern", pattern);
}

static void put_text(struct writer *writer, bool nullable, long long least, long long most, const char *pattern)
{
	put_string(writer, nullable, NULL, pattern);
	if (least > 0)
		writer_integer(writer, "minLength", least);
	writer_integer(writer, "maxLength", most);
}

static void put_number(struct writer *writer, const char *type, bool nullable, long long least, long long most)
{
	put_type(writer, type, nullable);
	writer_integer(writer, "minimum", least);
	if (most > 0)
		writer_integer(writer, "maximum", most);
}

static void put_moment(struct writer *writer)
{
	writer_begin_array(writer, "anyOf");
	writer_begin_object(writer, NULL);
	put_string(writer, false, "date-time", INSTANT);
	writer_end_object(writer);
	writer_begin_object(writer, NULL);
	put_string(writer, false, "date", "^" DATE "$");
	writer_end_object(writer);
	writer_end_array(writer);
}

static void put_choices(struct writer *writer, const struct field *field, bool nullable)
{
	put_type(writer, "string", nullable);
	writer_begin_array(writer, "enum");
	for (int i = 0; field->choices[i]; i++)
		writer_string(writer, NULL, field->choices[i]);
	writer_end_array(writer);
}

static void put_authors(struct writer *writer, const struct field *field)
{
	put_type(writer, "array", false);
	writer_integer(writer, "maxItems", field->most);
	writer_begin_object(writer, "items");
	put_text(writer, false, 1, IDENTIFIER_MAX_BYTES, NO_CONTROL_CHARACTERS);
	writer_end_object(writer);
}

static void put_sessions(struct writer *writer, const struct field *field)
{
	put_type(writer, "array", false);
	writer_integer(writer, "maxItems", field->most);
	json_schema_put_request(writer, "items", FIELD_SESSIONS_REQUIRED, FIELD_SESSIONS_OPTIONAL);
}

/* What the field's type and bounds are, within its schema. */
static void put_field(struct writer *writer, const struct field *field, bool nullable)
{
	switch (field->type) {
	case FIELD_TYPE_ID:
		put_text(writer, nullable, 1, IDENTIFIER_MAX_BYTES, NO_CONTROL_CHARACTERS);
		break;
	case FIELD_TYPE_UUID:
		put_string(writer, nullable, "uuid", UUID("[0-9A-Fa-f]"));
		break;
	case FIELD_TYPE_INSTANT:
		put_string(writer, nullable, "date-time", INSTANT);
		break;
	case FIELD_TYPE_MOMENT:
		put_moment(writer);
		break;
	case FIELD_TYPE_PORTION:
		put_number(writer, "number", nullable, 0, 1);
		break;
	case FIELD_TYPE_INTEGER:
		put_number(writer, "integer", nullable, field->least, field->most);
		break;
	case FIELD_TYPE_CHOICE:
		put_choices(writer, field, nullable);
		break;
	case FIELD_TYPE_BOOLEAN:
		put_type(writer, "boolean", nullable);
		break;
	case FIELD_TYPE_ZONE:
		put_text(writer, nullable, 1, ZONE_NAME_MAX_BYTES, ZONE);
		break;
	case FIELD_TYPE_CLOCK:
		put_string(writer, nullable, NULL, "^" TIME "$");
		break;
	case FIELD_TYPE_TITLE:
		put_text(writer, nullable, 0, field->most, NO_CONTROL_CHARACTERS);
		break;
	case FIELD_TYPE_AUTHORS:
		put_authors(writer, field);
		break;
	case FIELD_TYPE_SESSIONS:
		put_sessions(writer, field);
		break;
	}
}

static void put_default(struct writer *writer, const struct field *field)
{
	if (field->type == FIELD_TYPE_BOOLEAN)
		writer_boolean(writer, "default", false);
	else if (field->type == FIELD_TYPE_CHOICE)
		writer_string(writer, "default", field->choices[0]);
	else
		writer_integer(writer, "default", 0);
}

/* Left out, `user` is who signed in, so that only the service can tell whether it is missing. */
static bool must_be_there(uint32_t required, int id)
{
	return (required & UINT32_C(1) << id) && id != FIELD_USER;
}

void json_schema_put_request(struct writer *writer, const char *key, uint32_t required, uint32_t optional)
{
	writer_begin_object(writer, key);
	put_type(writer, "object", false);
	writer_begin_object(writer, "properties");
	for (int id = 0; id < FIELD_COUNT; id++) {
		const struct field *field = field_of((enum field_id)id);
		if (!((required | optional) & UINT32_C(1) << id))
			continue;
		writer_begin_object(writer, field->name);
		writer_string(writer, "description", field->summary);
		put_field(writer, field, false);
		if (field->defaults)
			put_default(writer, field);
		writer_end_object(writer);
	}
	writer_end_object(writer);
	writer_begin_array(writer, "required");
	for (int id = 0; id < FIELD_COUNT; id++)
		if (must_be_there(required, id))
			writer_string(writer, NULL, field_of((enum field_id)id)->name);
	writer_end_array(writer);
	writer_end_object(writer);
}

/* What is behind a key, or each element of the list that is there. */
static void put_value(struct writer *writer, const struct answer_key *key, bool nullable)
{
	switch (key->type) {
	case ANSWER_OBJECT:
		break;
	case ANSWER_FIELD:
		put_field(writer, field_of(key->field), nullable);
		break;
	case ANSWER_UUID:
		put_string(writer, nullable, "uuid", UUID("[0-9a-f]"));
		break;
	case ANSWER_INSTANT:
		put_string(writer, nullable, "date-time", "^" DATE "T" TIME ":[0-5][0-9]\\.[0-9]{3}Z$");
		break;
	case ANSWER_DATE:
		put_string(writer, nullable, "date", "^" DATE "$");
		break;
	case ANSWER_TEXT:
		put_string(writer, nullable, NULL, NULL);
		break;
	case ANSWER_NUMBER:
		put_number(writer, "integer", nullable, key->least, key->most);
		break;
	case ANSWER_BOOLEAN:
		put_type(writer, "boolean", nullable);
		break;
	}
}

static void put_key(struct writer *writer, const struct answer_key *key)
{
	if (!key->list && key->shape) {
		json_schema_put_answer(writer, key->name, key->shape);
		return;
	}
	writer_begin_object(writer, key->name);
	if (key->summary)
		writer_string(writer, "description", key->summary);
	if (!key->list) {
		put_value(writer, key, key->nullable);
	} else if (key->shape) {
		put_type(writer, "array", false);
		json_schema_put_answer(writer, "items", key->shape);
	} else {
		put_type(writer, "array", false);
		writer_begin_object(writer, "items");
		put_value(writer, key, false);
		writer_end_object(writer);
	}
	writer_end_object(writer);
}

static void put_shape(struct writer *writer, const char *key, const struct answer_shape *shape)
{
	writer_begin_object(writer, key);
	put_type(writer, "object", false);
	writer_begin_object(writer, "properties");
	for (const struct answer_key *one = shape->keys; one->name; one++)
		put_key(writer, one);
	writer_end_object(writer);
	writer_begin_array(writer, "required");
	for (const struct answer_key *one = shape->keys; one->name; one++)
		if (!one->optional)
			writer_string(writer, NULL, one->name);
	writer_end_array(writer);
	writer_end_object(writer);
}

void json_schema_put_answer(struct writer *writer, const char *key, const struct answer_shape *shape)
{
	if (!shape->instead) {
		put_shape(writer, key, shape);
		return;
	}
	writer_begin_object(writer, key);
	writer_begin_array(writer, "oneOf");
	for (; shape; shape = shape->instead)
		put_shape(writer, NULL, shape);
	writer_end_array(writer);
	writer_end_object(writer);
}

void json_schema_put_error(struct writer *writer, const char *key)
{
	static const struct answer_key keys[] = {{.name = "error", .type = ANSWER_TEXT, .summary = "Why, in words."},
						 {.name = NULL}};
	static const struct answer_shape error = {keys, NULL};

	put_shape(writer, key, &error);
}
