/* Time zones; see zone.h. GLib reads the database's files and knows the rules in their last line, which hold beyond their
 * table; with one exception: it takes a summer time of offset 0, which only Europe/Dublin has ("IST-1GMT0"), for one that
 * is not given, so that this zone is wrong from 2038 on, where its table ends (GLib 2.74). What GLib knows is copied out into
 * a table of changes once a zone, so that everything after that is arithmetic, takes no lock and cannot fail. */
#include "base/zone.h"

#include "base/zone_file.h"

#include <fcntl.h>
#include <glib.h>
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

/* Offsets have less than 26 hours (RFC 9636, 3.2, utoff); a rule could say otherwise. */
static const int64_t OFFSET_LIMIT_MS = INT64_C(26) * 3600 * 1000;

/* What is copied of a zone: 1968-01-01, because the year in which 1970 begins somewhere may be 1969, to 2200-01-01. */
static const int64_t TABLE_BEGIN_S = -63158400;
static const int64_t TABLE_END_S = 7258118400;

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
			if (!g_ascii_isalnum(word.data[i]) && !(word.data[i] != '\0' && strchr("_+-", word.data[i])))
				return false;
	}
	return true;
}

/* 0 where it cannot be read, or is longer. */
static size_t read_whole(int file, char *data, size_t limit)
{
	size_t size = 0;
	ssize_t got;

	while ((got = read(file, data + size, limit - size)) > 0)
		size += (size_t)got;
	return got == 0 && size < limit ? size : 0;
}

/* The folder of the database also has tables that are no zones. */
static bool is_zone_file(const char *path)
{
	struct text content = {NULL, 0};
	struct stat about;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (file < 0)
		return false;
	char *data = g_malloc(ZONE_FILE_MAX_BYTES);
	if (fstat(file, &about) == 0 && S_ISREG(about.st_mode))
		content = (struct text){data, read_whole(file, data, ZONE_FILE_MAX_BYTES)};
	close(file);
	bool is_one = zone_file_is_whole(content);
	g_free(data);
	return is_one;
}

/* Where the interval after the one at begin_s starts; GLib numbers them in their order and does not tell. */
static int64_t next_interval_s(GTimeZone *source, int64_t begin_s)
{
	int interval = g_time_zone_find_interval(source, G_TIME_TYPE_UNIVERSAL, begin_s);
	int64_t before_s = begin_s, after_s = TABLE_END_S;

	if (g_time_zone_find_interval(source, G_TIME_TYPE_UNIVERSAL, after_s) == interval)
		return after_s;
	while (after_s - before_s > 1) {
		int64_t middle_s = before_s + (after_s - before_s) / 2;
		if (g_time_zone_find_interval(source, G_TIME_TYPE_UNIVERSAL, middle_s) == interval)
			before_s = middle_s;
		else
			after_s = middle_s;
	}
	return after_s;
}

static int64_t offset_at(GTimeZone *source, int64_t at_s)
{
	int interval = g_time_zone_find_interval(source, G_TIME_TYPE_UNIVERSAL, at_s);

	return (int64_t)g_time_zone_get_offset(source, interval) * 1000;
}

/* NULL where an offset is out of bounds. */
static struct zone *copy_zone(GTimeZone *source, struct text name)
{
	GArray *changes = g_array_new(FALSE, FALSE, sizeof(struct change));
	struct change change = {INT64_MIN, offset_at(source, TABLE_BEGIN_S)};

	g_array_append_val(changes, change);
	for (int64_t at_s = next_interval_s(source, TABLE_BEGIN_S); at_s < TABLE_END_S;
	     at_s = next_interval_s(source, at_s)) {
		int64_t offset_ms = offset_at(source, at_s);
		if (offset_ms == change.offset_ms) /* another name for the same time */
			continue;
		change = (struct change){at_s * 1000, offset_ms};
		g_array_append_val(changes, change);
	}
	for (guint i = 0; i < changes->len; i++) {
		int64_t offset_ms = g_array_index(changes, struct change, i).offset_ms;
		if (offset_ms <= -OFFSET_LIMIT_MS || offset_ms >= OFFSET_LIMIT_MS) {
			g_array_free(changes, TRUE);
			return NULL;
		}
	}
	struct zone *zone = g_new(struct zone, 1);
	*zone = (struct zone){.name = {g_strndup(name.data, name.size), name.size}, .count = changes->len};
	zone->changes = (const struct change *)(const void *)g_array_free(changes, FALSE);
	return zone;
}

static struct zone *load(struct text name)
{
	const char *folder = getenv("TZDIR");
	char path[PATH_MAX];

	if (!folder || folder[0] != '/')
		folder = "/usr/share/zoneinfo";
	int size = snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.size, name.data);
	if (size < 0 || (size_t)size >= sizeof path || !is_zone_file(path))
		return NULL;
	/* Other than by an absolute path GLib would take EST5EDT for a rule, and GMT0 for an offset. */
	GTimeZone *source = g_time_zone_new_identifier(path);
	if (!source)
		return NULL;
	struct zone *zone = copy_zone(source, name);
	g_time_zone_unref(source);
	return zone;
}

const struct zone *zone_find(struct text name)
{
	const struct zone *found;

	if (text_equal(name, zone_utc()->name))
		return zone_utc();
	if (!is_name(name))
		return NULL;
	pthread_mutex_lock(&found_mutex);
	for (found = found_zones; found && !text_equal(found->name, name); found = found->next)
		;
	if (!found) {
		struct zone *zone = load(name);
		if (zone) {
			zone->next = found_zones;
			found_zones = found = zone;
		}
	}
	pthread_mutex_unlock(&found_mutex);
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
