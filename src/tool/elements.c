/* The objects in a JSON file; see elements.h. Where one begins and ends its brackets and strings tell; json_parse_object then says
 * whether it is JSON. */
#include "tool/elements.h"

#include "api/json.h"
#include "base/buffer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct elements {
	const char *name; /* of the file, for people */
	const char *key;  /* or NULL */
	FILE *file;
	uint64_t line;
	enum { OUTSIDE, IN_ARRAY, IN_WRAPPED_ARRAY } within;
	bool begun, ended;
	struct buffer text; /* of the value that is read */
};

/* How far a value has been read. */
struct scan {
	size_t depth; /* brackets that are open */
	bool in_string, escaped;
	size_t string_at, string_end; /* the last string, where nothing but a colon came behind it */
	bool key_came;                /* and it did: the string is a key */
};

enum status elements_take(FILE *file, const char *name, uint64_t line, struct elements **elements, struct error *error)
{
	struct elements *taken = calloc(1, sizeof *taken);

	if (!taken) {
		if (file != stdin)
			fclose(file);
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	}
	*taken = (struct elements){.name = name, .file = file, .line = line};
	*elements = taken;
	return error->status = STATUS_OK;
}

enum status elements_open(const char *file, const char *key, struct elements **elements, struct error *error)
{
	bool standard = strcmp(file, "-") == 0;
	FILE *opened = standard ? stdin : fopen(file, "re");

	if (!opened)
		return error_set(error, STATUS_INVALID, "%s: %s", file, strerror(errno));
	if (elements_take(opened, standard ? "standard input" : file, 1, elements, error) == STATUS_OK)
		(*elements)->key = key;
	return error->status;
}

void elements_close(struct elements *elements)
{
	if (elements->file != stdin)
		fclose(elements->file);
	buffer_release(&elements->text);
	free(elements);
}

/* Nobody knows where the next one begins. */
static enum status give_up(struct elements *elements, const char *why, struct error *error)
{
	elements->ended = true;
	if (ferror(elements->file))
		return error_set(error, STATUS_INVALID, "%s: reading: %s", elements->name, strerror(errno));
	return error_set(error, STATUS_INVALID, "%s:%" PRIu64 ": %s", elements->name, elements->line, why);
}

static int next_byte(struct elements *elements)
{
	int c = getc_unlocked(elements->file);

	elements->line += c == '\n';
	return c;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The first byte of what comes next: behind white space, commas between elements, and a byte order mark. */
static int next_token(struct elements *elements)
{
	static const unsigned char mark[] = {0xEF, 0xBB, 0xBF};
	int c = next_byte(elements);

	for (size_t i = 0; !elements->begun && i < sizeof mark && c == mark[i]; i++)
		c = next_byte(elements);
	elements->begun = true;
	while (is_blank(c) || (c == ',' && elements->within != OUTSIDE))
		c = next_byte(elements);
	return c;
}

/* Carry a scan over a byte that stands at `at` in the text. */
static void scan_byte(struct scan *scan, int c, size_t at)
{
	if (scan->in_string) {
		scan->in_string = c != '"' || scan->escaped;
		scan->escaped = c == '\\' && !scan->escaped;
		scan->string_end = at;
		return;
	}
	if (is_blank(c))
		return;
	scan->key_came = c == ':' && scan->string_end > 0;
	if (c != ':')
		scan->string_at = scan->string_end = 0;
	if (c == '"') {
		scan->in_string = true;
		scan->string_at = at + 1;
	} else if (c == '{' || c == '[') {
		scan->depth++;
	} else if (c == '}' || c == ']') {
		scan->depth--;
	}
}

/* Whether a '[' that comes now begins the array of objects. */
static bool begins_array(const struct elements *elements, const struct scan *scan)
{
	if (!elements->key || elements->within != OUTSIDE || scan->depth != 1 || !scan->key_came)
		return false;
	return text_equal((struct text){elements->text.data + scan->string_at, scan->string_end - scan->string_at},
			  text_of(elements->key));
}

/* Read a value, whose first byte is c, into the text; *array where the array of objects began within it instead. */
static enum status read_value(struct elements *elements, int c, bool *array, struct error *error)
{
	struct scan scan = {.depth = 0};

	elements->text.size = 0;
	for (*array = false; c != EOF && !*array; c = next_byte(elements)) {
		char byte = (char)c;
		buffer_append(&elements->text, &byte, 1);
		if (buffer_failed(&elements->text))
			return error_set(error, STATUS_UNAVAILABLE, "out of memory");
		if (elements->text.size > ELEMENT_MAX_BYTES)
			return give_up(elements, "an object is larger than 16 MiB", error);
		*array = c == '[' && begins_array(elements, &scan);
		scan_byte(&scan, c, elements->text.size - 1);
		if (*array || (scan.depth == 0 && !scan.in_string))
			return STATUS_OK;
	}
	return give_up(elements, "the file ends within an object", error);
}

/* Skip what the outermost object has behind its array. */
static enum status skip_wrapper(struct elements *elements, struct error *error)
{
	struct scan scan = {.depth = 1};

	while (scan.depth > 0) {
		int c = next_byte(elements);
		if (c == EOF)
			return give_up(elements, "the file ends within an object", error);
		scan_byte(&scan, c, 1);
	}
	return STATUS_OK;
}

/* The begin of the next value: goes into arrays and out of them. EOF at the end of the file. */
static enum status find_value(struct elements *elements, int *c, struct error *error)
{
	while ((*c = next_token(elements)) != EOF) {
		if (elements->within == OUTSIDE && *c == '[') {
			elements->within = IN_ARRAY;
		} else if (elements->within != OUTSIDE && *c == ']') {
			if (elements->within == IN_WRAPPED_ARRAY && skip_wrapper(elements, error) != STATUS_OK)
				return error->status;
			elements->within = OUTSIDE;
		} else if (*c == '{') {
			return STATUS_OK;
		} else {
			return give_up(elements, "an object should begin here", error);
		}
	}
	if (elements->within != OUTSIDE || ferror(elements->file))
		return give_up(elements, "the file ends within an array", error);
	return STATUS_OK;
}

enum status elements_next(struct elements *elements, json_object **object, uint64_t *line, bool *go_on,
			  struct error *error)
{
	bool array = false;
	int c;

	*object = NULL;
	*go_on = false;
	error->status = STATUS_OK;
	while (!elements->ended) {
		if (find_value(elements, &c, error) != STATUS_OK)
			return error->status;
		elements->ended = c == EOF;
		*line = elements->line;
		if (elements->ended || read_value(elements, c, &array, error) != STATUS_OK)
			return error->status;
		if (!array) {
			*go_on = true;
			return json_parse_object(buffer_text(&elements->text), SIZE_MAX, object, error);
		}
		elements->within = IN_WRAPPED_ARRAY;
	}
	return STATUS_OK;
}
