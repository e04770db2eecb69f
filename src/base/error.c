/* Errors and their texts; see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that vsnprintf cut may end inside a UTF-8 sequence: take the rest of that sequence away. */
static void trim_partial_character(char *text, size_t capacity)
{
	size_t size = strlen(text);

	if (size + 1 < capacity)
		return;
	size_t start = size;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0xC0)
		text[start - 1] = '\0';
}

enum status error_set(struct error *error, enum status status, const char *format, ...)
{
	va_list list;

	error->status = status;
	error->detail[0] = '\0';
	va_start(list, format);
	vsnprintf(error->text, sizeof error->text, format, list);
	va_end(list);
	trim_partial_character(error->text, sizeof error->text);
	return status;
}

enum status error_detail(struct error *error, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(error->detail, sizeof error->detail, format, list);
	va_end(list);
	return error->status;
}

enum status error_context(struct error *error, const char *format, ...)
{
	char *text = error->detail[0] ? error->detail : error->text;
	size_t capacity = error->detail[0] ? sizeof error->detail : sizeof error->text;
	char old[sizeof error->text];
	va_list list;

	memcpy(old, text, strlen(text) + 1);
	va_start(list, format);
	vsnprintf(text, capacity, format, list);
	va_end(list);
	size_t used = strlen(text);
	snprintf(text + used, capacity - used, ": %s", old);
	trim_partial_character(text, capacity);
	return error->status;
}
