/* JSON to arguments; see arguments.h. json-c parses; what it lets through and RFC 8259 does not is found by a scan
 * before (control characters in strings, lone surrogates, which it replaces, an empty object one level too deep) and a
 * look behind (trailing bytes). */
#include "api/arguments.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

static int hex_value(const char *digits, size_t left)
{
	int value = 0;

	if (left < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = digits[i];
		int digit = c >= '0' && c <= '9' ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static bool is_surrogate(int unit, int first)
{
	return unit >= first && unit <= first + 0x3FF;
}

/* The size of the escape sequence at `at` that follows a backslash; 0 where it is a lone surrogate. */
static size_t escape_size(const char *at, size_t left)
{
	if (left == 0 || *at != 'u')
		return 1;
	int unit = hex_value(at + 1, left - 1);
	if (is_surrogate(unit, 0xDC00))
		return 0;
	if (!is_surrogate(unit, 0xD800))
		return 1;
	if (left < 11 || at[5] != '\\' || at[6] != 'u' || !is_surrogate(hex_value(at + 7, left - 7), 0xDC00))
		return 0;
	return 11;
}

static enum status scan(struct text body, struct error *error)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < body.size; i++) {
		unsigned char c = (unsigned char)body.data[i];
		if (c == '"') {
			in_string = !in_string;
		} else if (in_string && c < 0x20) {
			return error_set(error, STATUS_INVALID,
					 "the body is not JSON: the control character U+%04X at byte %zu must be escaped", c,
					 i);
		} else if (in_string && c == '\\') {
			size_t size = escape_size(body.data + i + 1, body.size - i - 1);
			if (size == 0)
				return error_set(error, STATUS_INVALID,
						 "the body is not JSON: the escape at byte %zu is half of a surrogate pair",
						 i);
			i += size;
		} else if (!in_string && (c == '{' || c == '[') && ++depth > NESTING_MAX) {
			return error_set(error, STATUS_INVALID, "the body is nested more than %d deep", NESTING_MAX);
		} else if (!in_string && (c == '}' || c == ']')) {
			depth--;
		}
	}
	return STATUS_OK;
}

static bool is_json_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static enum status parse_object(struct text body, json_object **object, struct error *error)
{
	if (body.size == 0)
		return error_set(error, STATUS_INVALID, "the body is empty: it must be a JSON object");
	if (body.size > INT_MAX || !text_is_utf8(body))
		return error_set(error, STATUS_INVALID, "the body is not valid UTF-8");
	if (scan(body, error) != STATUS_OK)
		return error->status;

	/* The tokener counts a value inside the innermost object as one level more; the scan has the limit. */
	json_tokener *tokener = json_tokener_new_ex(NESTING_MAX + 2);
	if (!tokener)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	json_object *parsed = json_tokener_parse_ex(tokener, body.data, (int)body.size);
	enum json_tokener_error problem = json_tokener_get_error(tokener);
	size_t end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);

	enum status status = STATUS_OK;
	while (end < body.size && is_json_space(body.data[end]))
		end++;
	if (problem == json_tokener_continue)
		status = error_set(error, STATUS_INVALID, "the body is not JSON: it ends too early");
	else if (problem != json_tokener_success)
		status = error_set(error, STATUS_INVALID, "the body is not JSON: %s at byte %zu",
				   json_tokener_error_desc(problem), end);
	else if (end < body.size)
		status = error_set(error, STATUS_INVALID, "the body is not JSON: more follows the object at byte %zu",
				   end);
	else if (!json_object_is_type(parsed, json_type_object))
		status = error_set(error, STATUS_INVALID, "the body must be a JSON object");
	if (status == STATUS_OK)
		*object = parsed;
	else
		json_object_put(parsed);
	return status;
}

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

	enum status status = parse_object(body, &object, error);
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
