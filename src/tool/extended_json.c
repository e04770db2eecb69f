/* Values of Extended JSON; see extended_json.h. */
#include "tool/extended_json.h"

#include "base/base64.h"
#include "domain/derived.h"
#include "tool/foreign_time.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECT_ID_DIGITS = 24, NUMBER_TEXT_SIZE = 24 };

/* The space of names for derived_uuid: ids that are no UUID. */
static const struct uuid space = {
	{0xE7, 0xDF, 0xEE, 0x13, 0x02, 0x1B, 0x40, 0x2E, 0x95, 0xD1, 0x2E, 0x18, 0x8C, 0x03, 0x7F, 0xB6},
};

static struct text string_of(json_object *value)
{
	return (struct text){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

/* What an object has under its only key; NULL where it has another, or more. */
static json_object *only(json_object *value, const char *key)
{
	json_object *inner = NULL;

	if (json_object_is_type(value, json_type_object) && json_object_object_length(value) == 1)
		json_object_object_get_ex(value, key, &inner);
	return inner;
}

/* The only value under `key` where it is a string. */
static bool only_string(json_object *value, const char *key, struct text *text)
{
	json_object *inner = only(value, key);

	if (!json_object_is_type(inner, json_type_string))
		return false;
	*text = string_of(inner);
	return true;
}

/* A double that is a whole number. */
static bool whole(double number, int64_t *integer)
{
	/* 2^53: above it not every whole number has a double of its own. */
	if (!(fabs(number) <= 9007199254740992.0) || floor(number) < number)
		return false;
	*integer = (int64_t)number;
	return true;
}

static bool parse_integer(struct text text, int64_t *integer)
{
	char *end;

	if (text.size == 0 || strlen(text.data) != text.size || !strchr("-0123456789", text.data[0]))
		return false;
	errno = 0;
	long long number = strtoll(text.data, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*integer = number;
	return true;
}

static bool parse_double(struct text text, int64_t *integer)
{
	char *end;

	if (text.size == 0 || strlen(text.data) != text.size || !strchr("-0123456789", text.data[0]))
		return false;
	double number = strtod(text.data, &end);
	return *end == '\0' && whole(number, integer);
}

/* A whole number in any of its forms. */
static bool number_of(json_object *value, int64_t *integer)
{
	struct text text;

	if (json_object_is_type(value, json_type_int)) {
		*integer = json_object_get_int64(value);
		return true;
	}
	if (json_object_is_type(value, json_type_double))
		return whole(json_object_get_double(value), integer);
	if (only_string(value, "$numberLong", &text) || only_string(value, "$numberInt", &text))
		return parse_integer(text, integer);
	return only_string(value, "$numberDouble", &text) && parse_double(text, integer);
}

/* What a value is that cannot be taken, for messages. */
static const char *kind_of(json_object *value)
{
	if (!json_object_is_type(value, json_type_object))
		return value ? json_type_to_name(json_object_get_type(value)) : "null";
	json_object_object_foreach(value, key, inner)
	{
		static const char *const known[] = {"$timestamp", "$date",         "$oid",
						    "$uuid",      "$binary",       "$numberLong",
						    "$numberInt", "$numberDouble", "$numberDecimal"};
		(void)inner;
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			if (strcmp(key, known[i]) == 0)
				return known[i];
		break;
	}
	return "object";
}

enum status extended_instant(json_object *value, const char *name, int64_t *ms, struct error *error)
{
	json_object *date = only(value, "$date");
	json_object *inner = date ? date : value;
	int64_t number;

	if (json_object_is_type(inner, json_type_string))
		return foreign_time_read(string_of(inner), name, ms, error);
	if (!number_of(inner, &number))
		return error_set(error, STATUS_INVALID, "%s: is %s, and no date, text or number", name,
				 value ? kind_of(value) : "missing");
	if (foreign_time_check(number, name, error) != STATUS_OK)
		return error->status;
	*ms = number;
	return STATUS_OK;
}

static bool is_object_id(struct text text)
{
	size_t digits = 0;

	while (digits < text.size && isxdigit((unsigned char)text.data[digits]))
		digits++;
	return digits == text.size && digits == OBJECT_ID_DIGITS;
}

/* Sixteen bytes as base64, of which subtype 4 says that they are a UUID, and 3 that a driver of former times made it one: that
 * of Python wrote the bytes in the same order, and those are taken. */
static bool uuid_of_bytes(json_object *base64, json_object *subtype, struct uuid *uuid)
{
	struct text type = string_of(subtype), digits = string_of(base64);

	if (!json_object_is_type(subtype, json_type_string) || !json_object_is_type(base64, json_type_string) ||
	    !(text_equal(type, text_of("04")) || text_equal(type, text_of("03")) || text_equal(type, text_of("4")) ||
	      text_equal(type, text_of("3"))))
		return false;
	return base64_decode(digits, uuid->bytes, sizeof uuid->bytes);
}

/* {"$binary": {"base64": …, "subType": …}} of version 2, {"$binary": …, "$type": …} of version 1, {"$uuid": …} of both. */
static bool binary_uuid(json_object *value, struct uuid *uuid)
{
	json_object *outer = NULL, *base64 = NULL, *subtype = NULL;
	struct text text;

	if (only_string(value, "$uuid", &text))
		return uuid_parse(text, uuid);
	if (!json_object_is_type(value, json_type_object) || !json_object_object_get_ex(value, "$binary", &outer))
		return false;
	if (json_object_is_type(outer, json_type_object)) {
		json_object_object_get_ex(outer, "base64", &base64);
		json_object_object_get_ex(outer, "subType", &subtype);
	} else {
		base64 = outer;
		json_object_object_get_ex(value, "$type", &subtype);
	}
	return uuid_of_bytes(base64, subtype, uuid);
}

enum status extended_identifier(json_object *value, const char *name, struct identifier *identifier,
				struct error *error)
{
	char text[UUID_TEXT_SIZE + 1];
	struct text read;
	struct uuid uuid;
	int64_t number;

	if (json_object_is_type(value, json_type_string))
		return identifier_set(identifier, string_of(value), name, error);
	if (only_string(value, "$oid", &read) && is_object_id(read))
		return identifier_set(identifier, read, name, error);
	if (binary_uuid(value, &uuid)) {
		uuid_format(&uuid, text);
		return identifier_set(identifier, (struct text){text, UUID_TEXT_SIZE}, name, error);
	}
	if (number_of(value, &number)) {
		snprintf(text, sizeof text, "%lld", (long long)number);
		return identifier_set(identifier, text_of(text), name, error);
	}
	return error_set(error, STATUS_INVALID, "%s: is %s, and no text, ObjectId or UUID", name,
			 value ? kind_of(value) : "missing");
}

enum status extended_id(json_object *value, const char *name, struct uuid *id, struct error *error)
{
	struct identifier text;

	if (extended_identifier(value, name, &text, error) != STATUS_OK)
		return error->status;
	struct text part = identifier_text(&text);
	if (!uuid_parse(part, id))
		*id = derived_uuid(&space, &part, 1);
	return STATUS_OK;
}
