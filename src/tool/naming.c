/* What other programs call a document; see naming.h. */
#include "tool/naming.h"

#include <string.h>

size_t naming_clean(struct text name, char *to, size_t most)
{
	static const struct text replacement = {"\xEF\xBF\xBD", 3}, blank = {" ", 1}, none = {"N/A", 3};
	const char *nul = name.size > 0 ? memchr(name.data, '\0', name.size) : NULL;
	size_t size = 0;
	uint32_t ignored;

	if (nul)
		name.size = (size_t)(nul - name.data);
	while (name.size > 0) {
		size_t step = text_character(name, &ignored);
		struct text character = step > 0 ? (struct text){name.data, step} : replacement;
		if (step == 0)
			step = 1;
		if ((unsigned char)*character.data <= ' ' || *character.data == '\x7F')
			character = size > 0 && to[size - 1] != ' ' ? blank : (struct text){"", 0};
		if (size + character.size > most)
			break;
		memcpy(to + size, character.data, character.size);
		size += character.size;
		name.data += step;
		name.size -= step;
	}
	while (size > 0 && to[size - 1] == ' ')
		size--;
	return text_equal((struct text){to, size}, none) ? 0 : size;
}

void naming_set_title(struct description *description, struct text name)
{
	description->title_size = (uint16_t)naming_clean(name, description->title, sizeof description->title);
}

void naming_add_author(struct description *description, struct text name)
{
	struct identifier author;

	author.size = (uint8_t)naming_clean(name, author.data, sizeof author.data);
	if (author.size == 0 || description->author_count == AUTHORS_MAX)
		return;
	for (size_t i = 0; i < description->author_count; i++)
		if (identifier_equal(&description->authors[i], &author))
			return;
	description->authors[description->author_count++] = author;
}
