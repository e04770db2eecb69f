/* Walking through the records; see verify_walk.h. */
#include "store/verify_walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 768, PROGRESS_EVERY = 1024, HEX_BYTES = 24 };

void walk_found(struct walk *walk, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	walk->watch->found(walk->watch->context, text);
}

int cursor_open(struct cursor *cursor, DB *db)
{
	*cursor = (struct cursor){.key = {.flags = DB_DBT_REALLOC}, .value = {.flags = DB_DBT_REALLOC}};
	return db->cursor(db, NULL, &cursor->handle, 0);
}

void cursor_close(struct cursor *cursor)
{
	if (cursor->handle)
		cursor->handle->close(cursor->handle);
	free(cursor->key.data);
	free(cursor->value.data);
}

int cursor_step(struct walk *walk, struct cursor *cursor)
{
	int result = cursor->handle->get(cursor->handle, &cursor->key, &cursor->value, DB_NEXT);

	cursor->at_end = result == DB_NOTFOUND;
	if (++walk->records % PROGRESS_EVERY == 0 && walk->watch->progress)
		walk->watch->progress(walk->watch->context, walk->records);
	return cursor->at_end ? 0 : result;
}

struct text cursor_key(const struct cursor *cursor)
{
	return (struct text){cursor->key.data, cursor->key.size};
}

int walk_compare(struct text a, struct text b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size > 0 ? memcmp(a.data, b.data, size) : 0;

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool walk_is_identifier(struct text text)
{
	struct error ignored;

	return identifier_check(text, 1, IDENTIFIER_MAX_BYTES, "id", &ignored) == STATUS_OK;
}

const char *walk_hex(struct text key, char text[WALK_HEX_SIZE])
{
	size_t size = key.size < HEX_BYTES ? key.size : HEX_BYTES;

	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", (uint8_t)key.data[i]);
	snprintf(text + 2 * size, 4, "%s", key.size > size ? "..." : "");
	return text;
}

const char *walk_id(const struct uuid *id, char text[UUID_TEXT_SIZE + 1])
{
	uuid_format(id, text);
	text[UUID_TEXT_SIZE] = '\0';
	return text;
}
