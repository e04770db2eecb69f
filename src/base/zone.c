/* Time zones; see zone.h. A zone's file is read once, and its table and what its rule says for the time behind it become one table of
 * changes, so that everything after that is arithmetic, takes no lock and cannot fail. */
#include "base/zone.h"

#include "base/zone_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From here on the offset is this one. */
struct change {
	int64_t from_ms;
	int64_t offset_ms;
};

struct zone {
	const struct zone *next; /* of those that were found before */
	struct text name;
	const struct change *changes; /* the first one is from INT64_MIN on */
	size_t count;                 /* at least 1 */
};

/* Offsets have less than 26 hours (RFC 9636, 3.2, utoff), those of rules less than 25. */
static const int64_t OFFSET_LIMIT_MS = INT64_C(26) * 3600 * 1000;

/* What is copied of a zone: 1968-01-01, because the year in which 1970 begins somewhere may be 1969, to 2200-01-01. */
static const int64_t TABLE_BEGIN_S = -63158400;
static const int64_t TABLE_END_S = 7258118400;

/* The years that have changes in that time. */
enum { FIRST_YEAR = 1967, LAST_YEAR = 2200, CHANGES_A_YEAR = 2 };

static pthread_mutex_t found_mutex = PTHREAD_MUTEX_INITIALIZER;
static const struct zone *found_zones; /* each is there for good */

const struct zone *zone_utc(void)
{
	static const struct change none = {INT64_MIN, 0};
	static const struct zone utc = {.name = {"UTC", 3}, .count = 1, .changes = &none};

	return &utc;
}

/* The names that the database gives its files: words of letters, digits, '_', '+' and '-' between slashes. The folders
 * posix and right hold the same zones again, the latter with leap seconds; localtime and posixrules are the machine's. */
static bool is_name(struct text name)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-";
	struct text rest = name;

	if (name.size > NAME_MAX || text_equal(name, text_of("localtime")) || text_equal(name, text_of("posixrules")))
		return false;
	for (bool first = true; first || rest.data; first = false) {
		struct text word = text_split(rest, '/', &rest);
		if (word.size == 0)
			return false;
		if (first && (text_equal(word, text_of("posix")) || text_equal(word, text_of("right"))))
			return false;
		for (size_t i = 0; i < word.size; i++)
			if (!memchr(characters, word.data[i], sizeof characters - 1))
				return false;
	}
	return true;
}

/* False with errno where it cannot be read. */
static bool read_whole(int file, char *data, size_t limit, size_t *size)
{
	ssize_t got;

	*size = 0;
	while ((got = read(file, data + *size, limit - *size)) > 0)
		*size += (size_t)got;
	return got == 0;
}

/* From an instant on the clock is ahead by so much. Instants come in their order, but that a rule's summer may end where the next
 * begins, or behind it. */
static void add_change(struct change *changes, size_t *count, int64_t at_s, int64_t offset_s)
{
	struct change change = {at_s <= TABLE_BEGIN_S ? INT64_MIN : at_s * 1000, offset_s * 1000};

	if (at_s >= TABLE_END_S || change.from_ms < changes[*count - 1].from_ms)
		return;
	if (change.from_ms == changes[*count - 1].from_ms)
		changes[*count - 1] = change;
	else
		changes[(*count)++] = change;
	/* Another name for the same time. */
	if (*count > 1 && changes[*count - 2].offset_ms == change.offset_ms)
		--*count;
}

static void add_rule(struct change *changes, size_t *count, const struct zone_rule *rule, int64_t behind_s)
{
	for (int year = FIRST_YEAR; rule->has_summer && year <= LAST_YEAR; year++) {
		int64_t begins_s, ends_s;
		zone_rule_changes(rule, year, &begins_s, &ends_s);
		if (ends_s < begins_s && ends_s > behind_s)
			add_change(changes, count, ends_s, rule->standard_s);
		if (begins_s > behind_s)
			add_change(changes, count, begins_s, rule->summer_s);
		if (ends_s >= begins_s && ends_s > behind_s)
			add_change(changes, count, ends_s, rule->standard_s);
	}
}

/* NULL where there is no memory. */
static struct zone *make_zone(const struct zone_file *file, struct text name)
{
	size_t most = 1 + file->count + (LAST_YEAR - FIRST_YEAR + 1) * CHANGES_A_YEAR;
	struct change *changes = malloc(most * sizeof *changes);
	struct zone *zone = malloc(sizeof *zone + name.size);
	int64_t at_s = INT64_MIN;

	if (!changes || !zone) {
		free(changes);
		free(zone);
		return NULL;
	}
	changes[0] = (struct change){INT64_MIN, INT64_C(1000) * zone_file_first_offset_s(file)};
	*zone = (struct zone){.name = {(char *)(zone + 1), name.size}, .changes = changes, .count = 1};
	memcpy(zone + 1, name.data, name.size);
	for (size_t i = 0; i < file->count; i++) {
		int32_t offset_s;
		at_s = zone_file_change(file, i, &offset_s);
		add_change(changes, &zone->count, at_s, offset_s);
	}
	if (file->has_rule)
		add_rule(changes, &zone->count, &file->rule, at_s);
	return zone;
}

/* The folder of the database also has tables that are no zones. 0 or an errno. */
static int read_zone(int descriptor, struct text name, struct zone **zone)
{
	struct zone_file file;
	struct stat about;
	size_t size;
	int result = ENOENT;

	if (fstat(descriptor, &about) != 0)
		return errno;
	if (!S_ISREG(about.st_mode) || about.st_size > ZONE_FILE_MAX_BYTES)
		return ENOENT;
	size_t limit = (size_t)about.st_size + 1;
	char *data = malloc(limit);
	if (!data)
		return ENOMEM;
	if (!read_whole(descriptor, data, limit, &size))
		result = errno;
	else if (zone_file_read((struct text){data, size}, &file))
		result = (*zone = make_zone(&file, name)) ? 0 : ENOMEM;
	free(data);
	return result;
}

/* 0 or an errno, and then *zone stays NULL. */
static int load(struct text name, struct zone **zone)
{
	const char *folder = getenv("TZDIR");
	char path[PATH_MAX];

	if (!folder || folder[0] != '/')
		folder = "/usr/share/zoneinfo";
	int size = snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.size, name.data);
	if (size < 0 || (size_t)size >= sizeof path)
		return ENOENT;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0)
		return errno == ENOTDIR ? ENOENT : errno;
	int result = read_zone(descriptor, name, zone);
	close(descriptor);
	return result;
}

const struct zone *zone_find(struct text name)
{
	const struct zone *found;
	int result = 0;

	if (text_equal(name, zone_utc()->name))
		return zone_utc();
	if (!is_name(name)) {
		errno = ENOENT;
		return NULL;
	}
	pthread_mutex_lock(&found_mutex);
	for (found = found_zones; found && !text_equal(found->name, name); found = found->next)
		;
	if (!found) {
		struct zone *zone = NULL;
		result = load(name, &zone);
		if (zone) {
			zone->next = found_zones;
			found_zones = found = zone;
		}
	}
	pthread_mutex_unlock(&found_mutex);
	errno = result;
	return found;
}

/* The change that holds at an instant. */
static const struct change *change_at(const struct zone *zone, int64_t ms)
{
	size_t low = 0, high = zone->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (zone->changes[middle].from_ms <= ms)
			low = middle;
		else
			high = middle;
	}
	return &zone->changes[low];
}

/* The end of a change's time. */
static int64_t change_until(const struct zone *zone, const struct change *change)
{
	return change + 1 < zone->changes + zone->count ? change[1].from_ms : INT64_MAX;
}

int64_t zone_offset_ms(const struct zone *zone, int64_t ms, int64_t *until_ms)
{
	const struct change *change = change_at(zone, ms);

	if (until_ms)
		*until_ms = change_until(zone, change);
	return change->offset_ms;
}

int64_t zone_instant_of(const struct zone *zone, int64_t wall_ms)
{
	/* What ended so long before ended before the clock showed it. */
	const struct change *change = change_at(zone, wall_ms - OFFSET_LIMIT_MS);

	while (change_until(zone, change) <= wall_ms - change->offset_ms)
		change++;
	int64_t ms = wall_ms - change->offset_ms;
	return ms > change->from_ms ? ms : change->from_ms;
}
