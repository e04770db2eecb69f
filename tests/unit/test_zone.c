/* Time zones: base/zone.h beside the C library's clocks, and what base/zone_file.h takes for whole. */
#include "check.h"

#include "base/zone.h"
#include "base/zone_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HOUR_MS = 3600000, LIST_SIZE = 700 };

static const char *const DATABASE = "/usr/share/zoneinfo";
static const int64_t BEGIN_S = 0;
static const int64_t END_S = INT64_C(7258118400); /* 2200-01-01 */

static int forget_other_databases(void **state)
{
	(void)state;
	return unsetenv("TZDIR");
}

static const struct zone *must_find(const char *name)
{
	const struct zone *zone = zone_find(text_of(name));

	if (!zone)
		fail_msg("%s: there is no such zone (Debian package tzdata)", name);
	return zone;
}

static void utc_needs_no_database(void **state)
{
	int64_t until_ms = 1;

	(void)state;
	setenv("TZDIR", "/nowhere", 1);
	assert_ptr_equal(zone_find(text_of("UTC")), zone_utc());
	assert_null(zone_find(text_of("Europe/Andorra")));
	unsetenv("TZDIR");
	assert_int_equal(zone_offset_ms(zone_utc(), 1762778461000, &until_ms), 0);
	assert_int_equal(until_ms, INT64_MAX);
	assert_int_equal(zone_offset_ms(zone_utc(), 0, NULL), 0);
	assert_int_equal(zone_instant_of(zone_utc(), 1762778461000), 1762778461000);
}

static void names(void **state)
{
	static const char *const right[] = {"Europe/Berlin",  "America/Argentina/Buenos_Aires",
					    "Etc/GMT+5",      "America/Port-au-Prince",
					    "US/Eastern",     "EST5EDT",
					    "GMT0",           "Etc/UTC",
					    "Asia/Kathmandu", "Zulu"};
	static const char *const wrong[] = {
		"",
		"europe/berlin",
		"EUROPE/BERLIN",
		"Europe/Berlin ",
		" Europe/Berlin",
		"Europe",
		"Europe/",
		"/Europe/Berlin",
		"Europe//Berlin",
		"Europe/Berlin/",
		"./UTC",
		"../zoneinfo/UTC",
		"Europe/./Paris",
		"Europe/../Europe/Rome",
		"posix/Europe/Berlin",
		"right/UTC",
		"posix",
		"localtime",
		"posixrules",
		"zone.tab",
		"tzdata.zi",
		"leapseconds",
		"+01:00",
		"UTC+1",
		"UTC0",
		"CET-1CEST",
		":UTC",
		"utc",
		"Nowhere/Land",
		"EST5EDT,M3.2.0,M11.1.0",
		"Europe\\Berlin",
		"Europe/Berlin\n",
		"Europe/B\xC3\xA9rlin",
	};
	char long_name[400];

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_ptr_equal(must_find(right[i]), must_find(right[i]));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (zone_find(text_of(wrong[i])))
			fail_msg("'%s' was taken", wrong[i]);
	assert_null(zone_find((struct text){NULL, 0}));
	assert_null(zone_find((struct text){"Europe/Berlin\0", 14}));
	assert_null(zone_find((struct text){"Europe/Berlinish", 12}));
	assert_non_null(zone_find((struct text){"Europe/Berlinish", 13}));
	memset(long_name, 'a', sizeof long_name);
	assert_null(zone_find((struct text){long_name, sizeof long_name}));
}

/* Worked out by hand from the laws. */
static void known_offsets(void **state)
{
	static const struct {
		const char *zone;
		int64_t ms;
		int64_t offset_minutes;
	} known[] = {
		{"Europe/Berlin", INT64_C(1743296399999), 60},   /* 2025-03-30T00:59:59.999Z */
		{"Europe/Berlin", INT64_C(1743296400000), 120},  /* 2025-03-30T01:00Z */
		{"Europe/Berlin", INT64_C(1761440399999), 120},  /* 2025-10-26T00:59:59.999Z */
		{"Europe/Berlin", INT64_C(1761440400000), 60},   /* 2025-10-26T01:00Z */
		{"Europe/Berlin", INT64_C(4118079600000), 120},  /* 2100-06-30T23:00Z, by the rule of the last line */
		{"Asia/Kathmandu", INT64_C(1762778461000), 345}, /* +05:45 */
		{"Australia/Lord_Howe", INT64_C(1762778461000), 660},
		{"Australia/Lord_Howe", INT64_C(1747000000000), 630}, /* half an hour, in May */
		{"Pacific/Apia", INT64_C(1325239199999), -600},       /* 2011-12-30T09:59:59.999Z, the 29th there */
		{"Pacific/Apia", INT64_C(1325239200000), 840},        /* a moment later it is the 31st */
		{"Pacific/Kiritimati", INT64_C(1762778461000), 840},
		{"Etc/GMT+5", INT64_C(1762778461000), -300},
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		assert_int_equal(zone_offset_ms(must_find(known[i].zone), known[i].ms, NULL),
				 known[i].offset_minutes * 60000);
	/* Liberia was 44 minutes and a half behind until 1972-01-07. */
	assert_int_equal(zone_offset_ms(must_find("Africa/Monrovia"), 0, NULL), -(44 * 60 + 30) * 1000);
	assert_int_equal(zone_offset_ms(must_find("Africa/Monrovia"), INT64_C(100000000000), NULL), 0);
}

/* The names of the database's own list. */
static size_t list_names(char names[LIST_SIZE][64])
{
	char path[256], line[512];
	size_t count = 0;

	snprintf(path, sizeof path, "%s/zone1970.tab", DATABASE);
	FILE *list = fopen(path, "r");
	assert_non_null(list);
	while (count < LIST_SIZE && fgets(line, sizeof line, list))
		if (line[0] != '#' && sscanf(line, "%*s %*s %63s", names[count]) == 1)
			count++;
	fclose(list);
	assert_true(count > 200);
	return count;
}

static int64_t offset_by_the_c_library(int64_t s)
{
	time_t time = (time_t)s;
	struct tm local;

	assert_non_null(localtime_r(&time, &local));
	return local.tm_gmtoff * INT64_C(1000);
}

static void assert_same_offset(const char *name, const struct zone *zone, int64_t s)
{
	int64_t ours = zone_offset_ms(zone, s * 1000, NULL), theirs = offset_by_the_c_library(s);

	if (ours != theirs)
		fail_msg("%s at %lld: %lld ms, the C library says %lld", name, (long long)s, (long long)ours,
			 (long long)theirs);
}

/* Every change that either of the two knows would show: the moments before and at each of ours, and one a week. */
static void offsets_of_all_zones_beside_the_c_library(void **state)
{
	static char list[LIST_SIZE][64];
	size_t count = list_names(list);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct zone *zone = must_find(list[i]);
		char path[128];
		int64_t until_ms = 0;
		snprintf(path, sizeof path, ":%s/%s", DATABASE, list[i]);
		setenv("TZ", path, 1);
		tzset();
		for (int64_t s = BEGIN_S; s < END_S; s = until_ms / 1000) {
			assert_same_offset(list[i], zone, s);
			zone_offset_ms(zone, s * 1000, &until_ms);
			if (until_ms == INT64_MAX)
				break;
			assert_int_equal(until_ms % 1000, 0);
			assert_same_offset(list[i], zone, until_ms / 1000 - 1);
			assert_int_not_equal(zone_offset_ms(zone, until_ms - 1, NULL),
					     zone_offset_ms(zone, until_ms, NULL));
		}
		for (int64_t s = BEGIN_S; s < END_S; s += 7 * 86400)
			assert_same_offset(list[i], zone, s);
	}
	unsetenv("TZ");
	tzset();
}

/* The moments before and at each change of a rule, with all forms of dates and times. */
static void rules_beside_the_c_library(void **state)
{
	static const char *const rules[] = {
		"CET-1CEST,M3.5.0,M10.5.0/3",          "AEST-10AEDT,M10.1.0,M4.1.0/3",
		"IST-1GMT0,M10.5.0,M3.5.0/1",          "EET-2EEST,M3.4.4/50,M10.4.4/50",
		"<-02>+2<-01>1,M3.5.0/-1,M10.5.0/0",   "AAA3BBB,J60/2,J365/1:30",
		"AAA-5:30BBB-6:15:10,59,300/-3:00:01", "NZST-12:45NZDT,M2.5.6/167,M9.4.3/-167",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		struct zone_rule rule;
		assert_true(zone_rule_parse(text_of(rules[i]), &rule));
		assert_true(rule.has_summer);
		setenv("TZ", rules[i], 1);
		tzset();
		for (int year = 1970; year < 2200; year++) {
			int64_t begins_s, ends_s;
			zone_rule_changes(&rule, year, &begins_s, &ends_s);
			if (offset_by_the_c_library(begins_s - 1) != rule.standard_s * INT64_C(1000) ||
			    offset_by_the_c_library(begins_s) != rule.summer_s * INT64_C(1000) ||
			    offset_by_the_c_library(ends_s - 1) != rule.summer_s * INT64_C(1000) ||
			    offset_by_the_c_library(ends_s) != rule.standard_s * INT64_C(1000))
				fail_msg("%s in %d: %lld, %lld", rules[i], year, (long long)begins_s,
					 (long long)ends_s);
		}
	}
	unsetenv("TZ");
	tzset();
}

static void rules(void **state)
{
	static const char *const wrong[] = {
		"",
		"A",
		"AB1",
		"ABC",
		"ABC25",
		"ABC1:60",
		"ABC1:",
		"ABC1 ",
		"<AB>1",
		"<ABC1",
		"<A_C>1",
		"A1C1",
		"ABC1DEF",
		"ABC1DEF2",
		"ABC1DEF,",
		"ABC1DEF,M3.5.0",
		"ABC1DEF,M3.5.0,",
		"ABC1DEF,M0.5.0,M10.5.0",
		"ABC1DEF,M13.5.0,M10.5.0",
		"ABC1DEF,M3.0.0,M10.5.0",
		"ABC1DEF,M3.6.0,M10.5.0",
		"ABC1DEF,M3.5.7,M10.5.0",
		"ABC1DEF,M3.5,M10.5.0",
		"ABC1DEF,J0,J300",
		"ABC1DEF,J366,J300",
		"ABC1DEF,-1,300",
		"ABC1DEF,366,300",
		"ABC1DEF,1/168,300",
		"ABC1DEF,1/,300",
		"ABC1DEF,1,300,",
		"ABC99999999999999999999",
		":Europe/Berlin",
	};
	struct zone_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (zone_rule_parse(text_of(wrong[i]), &rule))
			fail_msg("'%s' was taken", wrong[i]);
	assert_true(zone_rule_parse(text_of("<+0530>-5:30"), &rule));
	assert_false(rule.has_summer);
	assert_int_equal(rule.standard_s, 19800);
}

static void walls(void **state)
{
	const struct zone *berlin = must_find("Europe/Berlin"), *apia = must_find("Pacific/Apia");

	(void)state;
	/* 2025-11-10T13:41:01 */
	assert_int_equal(zone_instant_of(berlin, INT64_C(1762782061000)), INT64_C(1762778461000));
	/* 02:00, 02:30 and 03:00 of 2025-03-30: the first two are leapt over. */
	assert_int_equal(zone_instant_of(berlin, INT64_C(1743299999999)), INT64_C(1743296399999));
	assert_int_equal(zone_instant_of(berlin, INT64_C(1743300000000)), INT64_C(1743296400000));
	assert_int_equal(zone_instant_of(berlin, INT64_C(1743301800000)), INT64_C(1743296400000));
	assert_int_equal(zone_instant_of(berlin, INT64_C(1743303600000)), INT64_C(1743296400000));
	assert_int_equal(zone_instant_of(berlin, INT64_C(1743303600001)), INT64_C(1743296400001));
	/* 02:00, 02:30 and 03:00 of 2025-10-26: the first two come twice. */
	assert_int_equal(zone_instant_of(berlin, INT64_C(1761444000000)), INT64_C(1761436800000));
	assert_int_equal(zone_instant_of(berlin, INT64_C(1761445800000)), INT64_C(1761438600000));
	assert_int_equal(zone_instant_of(berlin, INT64_C(1761447600000)), INT64_C(1761444000000));
	/* All of 2011-12-30 in Samoa. */
	assert_int_equal(zone_instant_of(apia, INT64_C(1325203200000)), INT64_C(1325239200000));
	assert_int_equal(zone_instant_of(apia, INT64_C(1325250000000)), INT64_C(1325239200000));
	assert_int_equal(zone_instant_of(apia, INT64_C(1325289600000)), INT64_C(1325239200000));
}

/* Around every change: the instant of what the clock shows is that instant or an earlier one that shows the same, no earlier
 * one shows as much, and the instants rise with the wall. */
static void instants_of_walls_around_every_change(void **state)
{
	static char list[LIST_SIZE][64];
	size_t count = list_names(list);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct zone *zone = must_find(list[i]);
		for (int64_t at_ms = 0, until_ms; at_ms < END_S * 1000; at_ms = until_ms) {
			zone_offset_ms(zone, at_ms, &until_ms);
			if (until_ms == INT64_MAX)
				break;
			int64_t last_ms = INT64_MIN;
			for (int64_t quarter = -8; quarter <= 8; quarter++) {
				int64_t ms = until_ms + quarter * HOUR_MS / 4;
				int64_t wall_ms = ms + zone_offset_ms(zone, ms, NULL);
				int64_t first_ms = zone_instant_of(zone, wall_ms);
				assert_true(first_ms <= ms);
				assert_int_equal(first_ms + zone_offset_ms(zone, first_ms, NULL), wall_ms);
				assert_true(first_ms - 1 + zone_offset_ms(zone, first_ms - 1, NULL) < wall_ms);
				int64_t any_ms = zone_instant_of(zone, until_ms + quarter * HOUR_MS / 4 +
									       zone_offset_ms(zone, until_ms, NULL));
				assert_true(any_ms >= last_ms);
				last_ms = any_ms;
			}
		}
	}
}

static void *find_some(void *context)
{
	static const char *const some[] = {"Asia/Tokyo", "Asia/Seoul", "Africa/Lagos", "America/Lima"};
	uintptr_t *sum = context;

	for (int i = 0; i < 400; i++)
		*sum ^= (uintptr_t)zone_find(text_of(some[i % 4])) >> (i / 4 % 8);
	return NULL;
}

/* Each zone is there once, whoever asks first. */
static void threads_find_the_same(void **state)
{
	pthread_t threads[8];
	uintptr_t sums[8] = {0};

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, find_some, &sums[i]), 0);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 1; i < 8; i++)
		assert_true(sums[i] == sums[0]);
}

static size_t read_zone(const char *name, char *data, size_t capacity)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", DATABASE, name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t size = fread(data, 1, capacity, file);
	fclose(file);
	assert_true(size > 100 && size < capacity);
	return size;
}

/* A copy of its own, so that a step beyond the end is seen by a checker of memory. */
static bool is_whole(const char *data, size_t size)
{
	char *copy = malloc(size + 1);

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, data, size);
	char *exact = realloc(copy, size > 0 ? size : 1);
	assert_non_null(exact);
	struct zone_file file;
	bool whole = zone_file_read((struct text){exact, size}, &file);
	free(exact);
	return whole;
}

static void whole_files(void **state)
{
	static char list[LIST_SIZE][64], data[65536];
	size_t count = list_names(list);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		size_t size = read_zone(list[i], data, sizeof data);
		assert_true(is_whole(data, size));
	}
}

static void files_that_are_cut_off_or_go_on(void **state)
{
	static char data[65536];
	size_t size = read_zone("Europe/Berlin", data, sizeof data - 1);

	(void)state;
	for (size_t less = 0; less < size; less++)
		assert_false(is_whole(data, less));
	assert_true(is_whole(data, size));
	for (int c = 0; c < 256; c++) {
		data[size] = (char)c;
		assert_int_equal(is_whole(data, size + 1), false);
	}
	assert_false(is_whole(NULL, 0));
}

/* The smallest whole file, in the form of RFC 9636: two times, two types. */
static size_t make_file(char data[256])
{
	static const char header[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const char counts[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\4";
	static const char types[] = "\0\0\0\0\0\0\0\0\x0E\x10\1\0";
	size_t size = 0;

	for (size_t time_bytes = 4; time_bytes <= 8; time_bytes += 4) {
		memcpy(data + size, header, 20);
		memcpy(data + size + 20, counts, 24);
		size += 44;
		memset(data + size, 0, 2 * time_bytes);
		data[size + time_bytes - 1] = 1;
		data[size + 2 * time_bytes - 1] = 2;
		size += 2 * time_bytes;
		memcpy(data + size, "\1\0", 2);
		memcpy(data + size + 2, types, 12);
		memcpy(data + size + 14, "ABC", 4);
		size += 18;
	}
	memcpy(data + size, "\nABC0\n", 6);
	return size + 6;
}

static void files_with_wrong_parts(void **state)
{
	enum {
		SECOND = 44 + 8 + 18,
		TIMES = SECOND + 44,
		INDICES = TIMES + 16,
		TYPES = INDICES + 2,
		NAMES = TYPES + 12
	};
	static const struct {
		size_t at;
		char byte;
	} wrong[] = {
		{0, 't'},          {4, '3'},                             /* another version than the second header's */
		{SECOND, 'X'},     {SECOND + 4, '\0'}, {SECOND + 23, 1}, /* one flag for two types */
		{SECOND + 27, 1},  {SECOND + 31, 1},                     /* a leap second */
		{SECOND + 35, 1},  {SECOND + 32, 127}, {SECOND + 36, 127}, {SECOND + 39, 0},
		{SECOND + 43, 0},  {TIMES + 7, 2}, /* the same as the next */
		{TIMES, 127},      {TIMES, -128},      {INDICES, 2},       {INDICES + 1, -1},
		{TYPES, 127},      {TYPES, -128},      {TYPES + 1, 2}, /* a day and a half */
		{TYPES + 4, 2},    {TYPES + 5, 4},     {NAMES + 3, 'D'},   {NAMES + 4, ' '},
		{NAMES + 5, '\n'}, {NAMES + 6, ' '},   {NAMES + 7, '\0'},  {NAMES + 9, '0'},
	};
	char data[256] = {0};

	(void)state;
	assert_true(is_whole(data, make_file(data)));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		size_t size = make_file(data);
		data[wrong[i].at] = wrong[i].byte;
		if (is_whole(data, size))
			fail_msg("byte %zu: %d was taken", wrong[i].at, wrong[i].byte);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_needs_no_database),
		cmocka_unit_test(names),
		cmocka_unit_test(known_offsets),
		cmocka_unit_test(offsets_of_all_zones_beside_the_c_library),
		cmocka_unit_test(rules_beside_the_c_library),
		cmocka_unit_test(rules),
		cmocka_unit_test(walls),
		cmocka_unit_test(instants_of_walls_around_every_change),
		cmocka_unit_test(threads_find_the_same),
		cmocka_unit_test(whole_files),
		cmocka_unit_test(files_that_are_cut_off_or_go_on),
		cmocka_unit_test(files_with_wrong_parts),
	};

	return cmocka_run_group_tests_name("zone", tests, forget_other_databases, NULL);
}
