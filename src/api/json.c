/* Parsing JSON; see json.h. json-c parses, and a scan before it finds what json-c lets through though RFC 8259 does
 * not: control characters in strings, lone surrogates (it replaces them), NaN, Infinity and numbers like 01 or 1.,
 * an empty object one level too deep. It also finds keys that hold U+0000, which are JSON: json-c ends a key there, so
 * that another field would be taken for one of ours. */
#include "api/json.h"

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static int hex_value(const char *digits, size_t left)
{
	int value = 0;

	if (left < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = digits[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
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

/* Whether what follows a backslash makes it U+0000. */
static bool is_nul(const char *at, size_t left)
{
	return left > 0 && *at == 'u' && hex_value(at + 1, left - 1) == 0;
}

static size_t skip_digits(struct text text, size_t at)
{
	while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
		at++;
	return at;
}

/* Numbers as RFC 8259, 6 has them: no leading zeros or plus, digits on both sides of the point. */
static bool is_number(struct text text)
{
	size_t at = text.size > 0 && text.data[0] == '-';
	size_t end = skip_digits(text, at);

	if (end == at || (text.data[at] == '0' && end > at + 1))
		return false;
	if (end < text.size && text.data[end] == '.') {
		at = end + 1;
		if ((end = skip_digits(text, at)) == at)
			return false;
	}
	if (end < text.size && (text.data[end] == 'e' || text.data[end] == 'E')) {
		at = end + 1;
		if (at < text.size && (text.data[at] == '+' || text.data[at] == '-'))
			at++;
		if ((end = skip_digits(text, at)) == at)
			return false;
	}
	return end == text.size;
}

static bool is_word_character(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
	       c == '.';
}

/* The size of the number or name that begins at `at`; 0 where it is none of JSON's. */
static size_t literal_size(struct text body, size_t at)
{
	struct text literal = {body.data + at, 0};

	while (at + literal.size < body.size && is_word_character(literal.data[literal.size]))
		literal.size++;
	if (text_equal(literal, text_of("true")) || text_equal(literal, text_of("false")) ||
	    text_equal(literal, text_of("null")) || is_number(literal))
		return literal.size;
	return 0;
}

static bool is_json_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether the string that ends before `at` is a key. */
static bool is_key(struct text body, size_t at)
{
	while (at < body.size && is_json_space(body.data[at]))
		at++;
	return at < body.size && body.data[at] == ':';
}

static enum status scan(struct text body, size_t parts_max, struct error *error)
{
	bool in_string = false, has_nul = false;
	size_t parts = 0;
	int depth = 0;

	for (size_t i = 0; i < body.size; i++) {
		unsigned char c = (unsigned char)body.data[i];
		if (c == '"') {
			if (has_nul && is_key(body, i + 1))
				return error_set(error, STATUS_INVALID, "the key that ends at byte %zu contains U+0000",
						 i);
			in_string = !in_string;
			has_nul = false;
		} else if (c < 0x20 && (in_string || !is_json_space(body.data[i]))) {
			return error_set(error, STATUS_INVALID,
					 "the body is not JSON: control character U+%04X at byte %zu", c, i);
		} else if (in_string && c == '\\') {
			size_t size = escape_size(body.data + i + 1, body.size - i - 1);
			if (size == 0)
				return error_set(
					error, STATUS_INVALID,
					"the body is not JSON: the escape at byte %zu is half of a surrogate pair", i);
			has_nul = has_nul || is_nul(body.data + i + 1, body.size - i - 1);
			i += size;
		} else if (!in_string && (c == '{' || c == '[') && ++depth > JSON_NESTING_MAX) {
			return error_set(error, STATUS_INVALID, "the body is nested more than %d deep",
					 JSON_NESTING_MAX);
		} else if (!in_string && (c == '{' || c == '[' || c == ',') && ++parts > parts_max) {
			return error_set(error, STATUS_INVALID, "the body has more than %zu objects, arrays and commas",
					 parts_max);
		} else if (!in_string && (c == '}' || c == ']')) {
			depth--;
		} else if (!in_string && is_word_character(body.data[i])) {
			size_t size = literal_size(body, i);
			if (size == 0)
				return error_set(
					error, STATUS_INVALID,
					"the body is not JSON: neither a number nor true, false or null at byte %zu",
					i);
			i += size - 1;
		}
	}
	return STATUS_OK;
}

/* The size of the piece of a text that begins at `at`: up to a number outside of its strings, behind a colon or behind a bracket. */
static size_t piece_size(struct text body, size_t at, bool *in_string)
{
	for (size_t i = at; i < body.size; i++) {
		char c = body.data[i];
		if (*in_string && c == '\\')
			i++;
		else if (c == '"')
			*in_string = !*in_string;
		else if (*in_string)
			continue;
		else if (c == ':' || c == '[')
			return i + 1 - at;
		else if (i > at && ((c >= '0' && c <= '9') || c == '-') && !is_word_character(body.data[i - 1]))
			return i - at;
	}
	return body.size - at;
}

/* Whether there is what the next value is put into, behind a colon or a bracket. json-c 0.16 does not look, and crashes; 0.17
 * ends with an error, as later ones do whose tokener may be opaque. */
static bool has_place(const json_tokener *tokener, char last)
{
#ifdef HAVE_STRUCT_JSON_TOKENER_STACK
	const struct json_tokener_srec *level = &tokener->stack[tokener->depth];

	return (last != ':' && last != '[') || (level->current && (last == '[' || level->obj_field_name));
#else
	(void)tokener;
	(void)last;
	return true;
#endif
}

/* What there is in a text, or was made of it: values, those of them that are null, and the bytes of all strings and keys. */
struct content {
	size_t values, nulls, bytes;
};

/* The size of the escape sequence behind a backslash (see escape_size) as UTF-8. */
static size_t escaped_bytes(const char *at, size_t left, size_t size)
{
	int unit = *at == 'u' ? hex_value(at + 1, left - 1) : 0;

	return size > 1 ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
}

/* Of a text that scan and json-c take for JSON. */
static struct content content_of_text(struct text body)
{
	struct content content = {0};
	bool in_string = false;

	for (size_t i = 0; i < body.size; i++) {
		char c = body.data[i];
		if (in_string && c == '\\') {
			size_t left = body.size - i - 1, size = escape_size(body.data + i + 1, left);
			content.bytes += escaped_bytes(body.data + i + 1, left, size);
			i += size == 1 && body.data[i + 1] == 'u' ? 5 : size;
		} else if (c == '"') {
			in_string = !in_string;
			content.values += !in_string && !is_key(body, i + 1);
		} else if (in_string) {
			content.bytes++;
		} else if (c == '{' || c == '[') {
			content.values++;
		} else if (is_word_character(c)) {
			content.values++;
			content.nulls += c == 'n';
			i += literal_size(body, i) - 1;
		}
	}
	return content;
}

static void add_content(json_object *object, struct content *content)
{
	content->values++;
	content->nulls += object == NULL;
	if (json_object_is_type(object, json_type_string)) {
		content->bytes += (size_t)json_object_get_string_len(object);
	} else if (json_object_is_type(object, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(object); i++)
			add_content(json_object_array_get_idx(object, i), content);
	} else if (json_object_is_type(object, json_type_object)) {
		json_object_object_foreach(object, key, value)
		{
			content->bytes += strlen(key);
			add_content(value, content);
		}
	}
}

/* Whether all of the text is there. A key that comes twice makes one member, so this is asked only where there is doubt. */
static bool is_whole(json_object *parsed, struct text body)
{
	struct content wanted = content_of_text(body), made = {0};

	add_content(parsed, &made);
	return made.values == wanted.values && made.nulls == wanted.nulls && made.bytes == wanted.bytes;
}

/* Parse with json-c. Where memory is short it (0.16) leaves out a member, an element or the end of a string and goes on; only the C
 * library's errno tells, and `doubt`, though that is ENOMEM, too, where the C library found the memory at last. As json-c clears errno for each
 * number, it gets the text in pieces that begin with one; and in pieces that end where it might crash on what comes. */
static enum json_tokener_error parse(json_tokener *tokener, struct text body, json_object **parsed, size_t *end,
				     bool *doubt)
{
	enum json_tokener_error problem;
	bool in_string = false, go_on;
	size_t at = 0;

	*doubt = false;
	do {
		size_t size = piece_size(body, at, &in_string);
		errno = 0;
		/* Only the end tells that a bare number is complete. */
		*parsed = size > 0 ? json_tokener_parse_ex(tokener, body.data + at, (int)size)
				   : json_tokener_parse_ex(tokener, "", 1);
		bool starved = errno == ENOMEM;
		*doubt |= starved;
		problem = json_tokener_get_error(tokener);
		*end = at + json_tokener_get_parse_end(tokener);
		at += size;
		go_on = problem == json_tokener_continue && size > 0 &&
			(!starved || has_place(tokener, body.data[at - 1]));
	} while (go_on);
	/* The next piece begins behind the end of the value. */
	if (problem == json_tokener_success && at < body.size) {
		*end = at;
		problem = json_tokener_error_parse_unexpected;
	}
	return problem;
}

enum status json_parse_object(struct text body, size_t parts_max, json_object **object, struct error *error)
{
	if (body.size == 0)
		return error_set(error, STATUS_INVALID, "the body is empty: it must be a JSON object");
	if (body.size > INT_MAX || !text_is_utf8(body))
		return error_set(error, STATUS_INVALID, "the body is not valid UTF-8");
	if (scan(body, parts_max, error) != STATUS_OK)
		return error->status;

	/* The tokener counts a value inside the innermost object as one level more; the scan has the limit. */
	json_tokener *tokener = json_tokener_new_ex(JSON_NESTING_MAX + 2);
	if (!tokener)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	json_object *parsed = NULL;
	size_t end = 0;
	bool doubt;
	enum json_tokener_error problem = parse(tokener, body, &parsed, &end, &doubt);
	json_tokener_free(tokener);

	enum status status = STATUS_OK;
	if (doubt && (problem != json_tokener_success || !is_whole(parsed, body)))
		status = error_set(error, STATUS_UNAVAILABLE, "out of memory");
	else if (problem != json_tokener_success)
		status = error_set(error, STATUS_INVALID, "the body is not JSON: %s at byte %zu",
				   json_tokener_error_desc(problem), end);
	else if (!json_object_is_type(parsed, json_type_object))
		status = error_set(error, STATUS_INVALID, "the body must be a JSON object");
	if (status == STATUS_OK)
		*object = parsed;
	else
		json_object_put(parsed);
	return status;
}
