/* The JSON objects of a file; see objects.h. */
#include "tool/objects.h"

#include "api/json.h"
#include "tool/elements.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK_BYTES = 64 << 10, BYTE_ORDER_MARK_BYTES = 3 };

struct objects {
	const char *name; /* of the file, for people; the caller's */
	FILE *file;
	uint64_t line; /* of what comes next */
	char *text;    /* a line */
	size_t capacity;
	bool begun, ended;
	struct elements *elements; /* of an array; then it has the file */
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
	*objects = opened;
	return STATUS_OK;
}

void objects_close(struct objects *objects)
{
	if (objects->file && objects->file != stdin)
		fclose(objects->file);
	if (objects->elements)
		elements_close(objects->elements);
	free(objects->text);
	free(objects);
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
	if (json_parse_object(text, SIZE_MAX, object, error) != STATUS_OK && strncmp(error->text, "the body", 8) == 0)
		memcpy(error->text, "the line", 8); /* in requests it is the body */
	return error->status;
}

/* Find out which of the two it is: look at the first byte that is no blank. */
static enum status begin(struct objects *objects, struct error *error)
{
	static const unsigned char mark[BYTE_ORDER_MARK_BYTES] = {0xEF, 0xBB, 0xBF};
	int c;

	objects->begun = true;
	for (int i = 0; (c = getc(objects->file)) != EOF && i < BYTE_ORDER_MARK_BYTES && c == mark[i]; i++)
		continue;
	for (; c != EOF && is_blank(c); c = getc(objects->file)) {
		objects->line += c == '\n';
	}
	if (c == EOF)
		return ferror(objects->file) ? cannot_read(objects, error) : STATUS_OK;
	ungetc(c, objects->file);
	if (c != '[')
		return STATUS_OK;
	FILE *file = objects->file;
	objects->file = NULL;
	return elements_take(file, objects->name, objects->line, &objects->elements, error);
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
	if (objects->elements)
		return elements_next(objects->elements, object, line, go_on, error);
	return next_line(objects, object, line, go_on, error);
}
