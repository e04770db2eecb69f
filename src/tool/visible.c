/* Lines for people's eyes; see visible.h. */
#include "tool/visible.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void visible_line(FILE *to, const char *format, ...)
{
	char line[VISIBLE_LINE_SIZE];
	va_list list;

	va_start(list, format);
	vsnprintf(line, sizeof line, format, list);
	va_end(list);
	size_t size = text_make_visible(line, strlen(line));
	fwrite(line, 1, size, to);
	putc('\n', to);
}

void visible_json(json_object *object)
{
	struct text rest = text_of(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	uint32_t character;

	while (rest.size > 0) {
		size_t shown = 0, size = 0;
		while (shown < rest.size) {
			size = text_character((struct text){rest.data + shown, rest.size - shown}, &character);
			if (size > 0 && !text_is_visible(character))
				break;
			shown += size > 0 ? size : 1;
			size = 0;
		}
		fwrite(rest.data, 1, shown, stdout);
		if (size > 0)
			printf("\\u%04" PRIx32, character);
		rest.data += shown + size;
		rest.size -= shown + size;
	}
	putchar('\n');
}
