/* The JSON objects of a file; see objects.h. */
#include "tool/objects.h"

#include "api/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK_BYTES = 64 << 10, BYTE_ORDER_MARK_BYTES = 3 };

struct objects {
	const char *name; /* of the file, for people; the caller's */
	FILE *file;
	uint64_t size, position;
	uint64_t line; /* of what comes next */
	char *text;    /* a line */
	size_t capacity;
	bool begun, is_array, ended;
	/* Of an array: what was read and not parsed yet. */
	json_tokener *tokener;
	char chunk[CHUNK_BYTES];
	size_t at, end;
};

enum status objects_open(const char *file, struct objects **objects, struct error *error)
{
	struct objects *opened = calloc(1, sizeof *opened);
	struct stat info;

	if (!opened)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	bool standard = strcmp(file, "-") == 0;
	opened->name = standard ? "standard input" : file;
	opened->line = 1;
	opened->file = standard ? stdin : fopen(file, "re");
	if (!opened->file || fstat(fileno(opened->file), &info) != 0) {
		error_set(error, STATUS_INVALID, "%s: %s", opened->name, strerror(errno));
		objects_close(opened);
		return error->status;
	}
	if (S_ISREG(info.st_mode))
		opened->size = (uint64_t)info.st_size;
	*objects = opened;
	return STATUS_OK;
}

void objects_close(struct objects *objects)
{
	if (objects->file && objects->file != stdin)
		fclose(objects->file);
	if (objects->tokener)
		json_tokener_free(objects->tokener);
	free(objects->text);
	free(objects);
}

uint64_t objects_position(const struct objects *objects)
{
	return objects->position;
}

uint64_t objects_size(const struct objects *objects)
{
	return objects->size;
}

static enum status cannot_read(struct objects *objects, struct error *error)
{
	objects->ended = true;
	return error_set(error, STATUS_INVALID, "%s: reading: %s", objects->name, strerror(errno));
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Make room for one more byte of a line. False where it is too long, or memory runs out. */
static bool make_room(struct objects *objects, size_t size)
{
	if (size < objects->capacity)
		return true;
	if (size >= OBJECT_MAX_BYTES)
		return false;
	size_t capacity = objects->capacity ? 2 * objects->capacity : CHUNK_BYTES;
	char *text = realloc(objects->text, capacity);
	if (!text)
		return false;
	objects->text = text;
	objects->capacity = capacity;
	return true;
}

/* Read a line, without its newline, into objects->text; at most OBJECT_MAX_BYTES of it are kept, *whole tells whether that is all.
 * False at the end of the file. */
static bool read_line(struct objects *objects, size_t *size, bool *whole)
{
	size_t length = 0;
	int c;

	*size = 0;
	*whole = true;
	while ((c = getc_unlocked(objects->file)) != EOF && c != '\n') {
		length++;
		*whole = *whole && make_room(objects, *size);
		if (*whole)
			objects->text[(*size)++] = (char)c;
	}
	objects->position += length + (c == '\n');
	objects->line++;
	return c != EOF || length > 0;
}

static enum status next_line(struct objects *objects, json_object **object, uint64_t *line, bool *go_on,
			     struct error *error)
{
	struct text text;
	size_t size;
	bool whole;

	do {
		if (!read_line(objects, &size, &whole)) {
			objects->ended = true;
			*go_on = false;
			return ferror(objects->file) ? cannot_read(objects, error) : STATUS_OK;
		}
		text = text_trim((struct text){objects->text, size});
		if (text.size > 0 && text.data[text.size - 1] == '\r')
			text.size--;
	} while (whole && text.size == 0);
	*line = objects->line - 1;
	*go_on = true;
	if (!whole)
		return error_set(error, STATUS_INVALID, "the line is longer than %d bytes", OBJECT_MAX_BYTES);
	if (json_parse_object(text, object, error) != STATUS_OK && strncmp(error->text, "the body", 8) == 0)
		memcpy(error->text, "the line", 8); /* in requests it is the body */
	return error->status;
}

/* The next byte of an array's file, not taken yet; EOF at its end. */
static int peek(struct objects *objects)
{
	if (objects->at == objects->end) {
		objects->at = 0;
		objects->end = fread(objects->chunk, 1, sizeof objects->chunk, objects->file);
		objects->position += objects->end;
		if (objects->end == 0)
			return EOF;
	}
	return (unsigned char)objects->chunk[objects->at];
}

static int skip_blanks(struct objects *objects)
{
	int c;

	for (; (c = peek(objects)) != EOF && is_blank(c); objects->at++)
		objects->line += c == '\n';
	return c;
}

static enum status spoilt(struct objects *objects, const char *why, struct error *error)
{
	objects->ended = true;
	return ferror(objects->file) ? cannot_read(objects, error) : error_set(error, STATUS_INVALID, "%s", why);
}

/* Parse one element; objects->at is on its first byte. */
static enum status parse_element(struct objects *objects, json_object **object, struct error *error)
{
	enum json_tokener_error state = json_tokener_continue;
	json_object *parsed = NULL;
	size_t size = 0;

	json_tokener_reset(objects->tokener);
	while (state == json_tokener_continue) {
		if (peek(objects) == EOF)
			return spoilt(objects, "the array ends within an element", error);
		size_t available = objects->end - objects->at;
		parsed = json_tokener_parse_ex(objects->tokener, objects->chunk + objects->at, (int)available);
		state = json_tokener_get_error(objects->tokener);
		size_t taken = state == json_tokener_success ? json_tokener_get_parse_end(objects->tokener) : available;
		for (size_t i = 0; i < taken; i++)
			objects->line += objects->chunk[objects->at + i] == '\n';
		objects->at += taken;
		size += taken;
		if (size > OBJECT_MAX_BYTES)
			return spoilt(objects, "the element is too long", error);
	}
	if (state != json_tokener_success)
		return spoilt(objects, json_tokener_error_desc(state), error);
	if (!json_object_is_type(parsed, json_type_object)) {
		json_object_put(parsed);
		return spoilt(objects, "the array has an element that is no object", error);
	}
	*object = parsed;
	return STATUS_OK;
}

static enum status next_element(struct objects *objects, json_object **object, uint64_t *line, bool *go_on,
				struct error *error)
{
	int c = skip_blanks(objects);

	*line = objects->line;
	*go_on = false;
	if (c == ',') {
		objects->at++;
		c = skip_blanks(objects);
		*line = objects->line;
	}
	if (c == ']') {
		objects->at++;
		c = skip_blanks(objects);
		objects->ended = true;
		return c == EOF ? STATUS_OK : spoilt(objects, "there is something behind the array", error);
	}
	if (c == EOF)
		return spoilt(objects, "the array has no end", error);
	if (parse_element(objects, object, error) != STATUS_OK)
		return error->status;
	c = skip_blanks(objects);
	return c == ',' || c == ']' || c == EOF ? STATUS_OK
						: spoilt(objects, "there is no comma behind an element", error);
}

/* Find out which of the two it is: look at the first byte that is no blank. */
static enum status begin(struct objects *objects, struct error *error)
{
	static const unsigned char mark[BYTE_ORDER_MARK_BYTES] = {0xEF, 0xBB, 0xBF};
	int c;

	objects->begun = true;
	for (int i = 0; (c = getc(objects->file)) != EOF && i < BYTE_ORDER_MARK_BYTES && c == mark[i]; i++)
		objects->position++;
	for (; c != EOF && is_blank(c); c = getc(objects->file)) {
		objects->position++;
		objects->line += c == '\n';
	}
	objects->is_array = c == '[';
	if (c == EOF && ferror(objects->file))
		return cannot_read(objects, error);
	if (objects->is_array) {
		objects->position++;
		objects->tokener = json_tokener_new_ex(JSON_NESTING_MAX);
		if (!objects->tokener)
			return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	} else if (c != EOF) {
		ungetc(c, objects->file);
	}
	return STATUS_OK;
}

enum status objects_next(struct objects *objects, json_object **object, uint64_t *line, bool *go_on,
			 struct error *error)
{
	*object = NULL;
	*go_on = false;
	*line = objects->line;
	error->status = STATUS_OK;
	if (!objects->begun && begin(objects, error) != STATUS_OK)
		return error->status;
	if (objects->ended)
		return STATUS_OK;
	return objects->is_array ? next_element(objects, object, line, go_on, error)
				 : next_line(objects, object, line, go_on, error);
}
