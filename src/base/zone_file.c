/* Files of the time zone database; see zone_file.h. The sections are those of RFC 9636. */
#include "base/zone_file.h"

#include <stdint.h>
#include <string.h>

/* A block of data behind its header (3.1). */
struct block {
	size_t time_bytes; /* 4 in the first block, 8 in the second */
	uint64_t universals, standards, leaps, times, types, characters;
};

enum { HEADER_BYTES = 44, VERSION_AT = 4, COUNTS_AT = 20, TYPE_BYTES = 6, TYPES_MAX = 256, RULE_MAX_BYTES = 255 };

static uint64_t get_number(const char *from, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | (unsigned char)from[i];
	return value;
}

/* Take the first bytes away. False, and nothing taken, where there are not so many. */
static bool take(struct text *content, uint64_t bytes, const char **taken)
{
	if (bytes > content->size)
		return false;
	*taken = content->data;
	content->data += bytes;
	content->size -= bytes;
	return true;
}

static bool take_header(struct text *content, struct block *block, char *version)
{
	const char *header;

	if (!take(content, HEADER_BYTES, &header) || memcmp(header, "TZif", 4) != 0)
		return false;
	*version = header[VERSION_AT];
	block->universals = get_number(header + COUNTS_AT, 4);
	block->standards = get_number(header + COUNTS_AT + 4, 4);
	block->leaps = get_number(header + COUNTS_AT + 8, 4);
	block->times = get_number(header + COUNTS_AT + 12, 4);
	block->types = get_number(header + COUNTS_AT + 16, 4);
	block->characters = get_number(header + COUNTS_AT + 20, 4);
	return (block->universals == 0 || block->universals == block->types) &&
	       (block->standards == 0 || block->standards == block->types) && block->leaps == 0 && block->types > 0 &&
	       block->types <= TYPES_MAX && block->characters > 0;
}

static int64_t get_time(const char *times, size_t place, size_t time_bytes)
{
	uint64_t number = get_number(times + place * time_bytes, time_bytes);

	return time_bytes == 4 ? (int32_t)number : (int64_t)number;
}

/* 3.2: "sorted in strictly ascending order"; and not before the Big Bang. */
static bool times_rise(const struct block *block, const char *times)
{
	static const int64_t least = -(INT64_C(1) << 59);
	int64_t last = INT64_MIN;

	for (uint64_t i = 0; i < block->times; i++) {
		int64_t time = get_time(times, i, block->time_bytes);
		if (time <= last || time < least || time > -least)
			return false;
		last = time;
	}
	return true;
}

static bool types_are_right(const struct block *block, const char *types, const char *characters)
{
	for (uint64_t i = 0; i < block->types; i++) {
		const char *type = types + i * TYPE_BYTES;
		int32_t offset_s = (int32_t)get_number(type, 4);
		unsigned char is_summer = (unsigned char)type[4], name = (unsigned char)type[5];
		if (offset_s <= -26 * 3600 || offset_s >= 26 * 3600 || is_summer > 1 || name >= block->characters)
			return false;
	}
	return characters[block->characters - 1] == '\0';
}

static bool take_block(struct text *content, const struct block *block, struct zone_file *file)
{
	const char *times, *indices, *types, *characters, *flags;

	if (!take(content, block->times * block->time_bytes, &times) || !take(content, block->times, &indices) ||
	    !take(content, block->types * TYPE_BYTES, &types) || !take(content, block->characters, &characters) ||
	    !take(content, block->standards + block->universals, &flags))
		return false;
	for (uint64_t i = 0; i < block->times; i++)
		if ((unsigned char)indices[i] >= block->types)
			return false;
	for (uint64_t i = 0; i < block->standards + block->universals; i++)
		if (flags[i] != 0 && flags[i] != 1)
			return false;
	file->times = times;
	file->indices = indices;
	file->types = types;
	file->count = (size_t)block->times;
	file->time_bytes = block->time_bytes;
	return times_rise(block, times) && types_are_right(block, types, characters);
}

/* 3.3: a line with the rule for the time behind the table, or with nothing. */
static bool take_footer(struct text footer, struct zone_file *file)
{
	if (footer.size < 2 || footer.size > RULE_MAX_BYTES + 2 || footer.data[0] != '\n' ||
	    footer.data[footer.size - 1] != '\n')
		return false;
	file->has_rule = footer.size > 2;
	return !file->has_rule || zone_rule_parse((struct text){footer.data + 1, footer.size - 2}, &file->rule);
}

bool zone_file_read(struct text content, struct zone_file *file)
{
	struct block first = {.time_bytes = 4}, second = {.time_bytes = 8};
	char version, again;

	file->has_rule = false;
	if (!take_header(&content, &first, &version) || !take_block(&content, &first, file))
		return false;
	if (version == '\0')
		return content.size == 0;
	return take_header(&content, &second, &again) && again == version && take_block(&content, &second, file) &&
	       take_footer(content, file);
}

static int32_t offset_of(const struct zone_file *file, size_t type)
{
	return (int32_t)get_number(file->types + type * TYPE_BYTES, 4);
}

int64_t zone_file_change(const struct zone_file *file, size_t place, int32_t *offset_s)
{
	*offset_s = offset_of(file, (unsigned char)file->indices[place]);
	return get_time(file->times, place, file->time_bytes);
}

/* 3.2: "the first time type". */
int32_t zone_file_first_offset_s(const struct zone_file *file)
{
	return offset_of(file, 0);
}
