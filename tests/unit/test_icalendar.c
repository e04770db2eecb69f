/* iCalendar's lines: folded, escaped, in UTC: tool/export_icalendar.h. */
#include "check.h"

#include "domain/instant.h"
#include "tool/export_icalendar.h"

enum { LINE_MAX_BYTES = 75, RANDOM_TITLES = 3000 };

static const int64_t NOW = INT64_C(1762778461123); /* 2025-11-10T12:41:01.123Z */

static struct session session_of(int64_t start_ms, int64_t end_ms)
{
	struct session session = {
		.user = {3, "ann"},
		.document = {1, "d"},
		.library = {1, "l"},
		.facts = {.start_ms = start_ms, .ended = true, .end_ms = end_ms},
	};

	memset(session.id.bytes, 0x5A, sizeof session.id.bytes);
	return session;
}

static void assert_text(const struct buffer *buffer, const char *expected)
{
	assert_int_equal(buffer->size, strlen(expected));
	assert_memory_equal(buffer->data, expected, buffer->size);
}

static void an_event(void **state)
{
	struct session session = session_of(NOW, NOW + 1500);
	struct description description = {.title_size = 8, .title = "A; B,\\C\"", .author_count = 2};
	struct buffer buffer = BUFFER_INIT;

	(void)state;
	description.authors[0] = (struct identifier){3, "X,Y"};
	description.authors[1] = (struct identifier){1, "Z"};
	session.facts.reported = true;
	session.facts.progress = 0.29;
	export_icalendar.session(&buffer, &session, &description);
	assert_text(&buffer, "BEGIN:VEVENT\r\n"
			     "UID:5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a\r\n"
			     "DTSTAMP:20251110T124102Z\r\n"
			     "DTSTART:20251110T124101Z\r\n"
			     "DTEND:20251110T124102Z\r\n"
			     "SUMMARY:A\\; B\\,\\\\C\"\r\n"
			     "DESCRIPTION:By X\\,Y\\, Z\\nReader: ann\\nLibrary: l\\nProgress: 29 %\r\n"
			     "TRANSP:TRANSPARENT\r\n"
			     "END:VEVENT\r\n");
	buffer_release(&buffer);
}

static void ends(void **state)
{
	static const struct {
		int64_t start_ms, end_ms;
		const char *lines;
	} cases[] = {
		{0, 0, "DTSTAMP:19700101T000000Z\r\nDTSTART:19700101T000000Z\r\nSUMMARY"},
		{NOW, NOW + 876, "DTSTAMP:20251110T124101Z\r\nDTSTART:20251110T124101Z\r\nSUMMARY"},
		{NOW, NOW + 877, "DTSTART:20251110T124101Z\r\nDTEND:20251110T124102Z\r\nSUMMARY"},
		{NOW, INSTANT_MAX_MS, "DTSTART:20251110T124101Z\r\nDTEND:99991231T235959Z\r\nSUMMARY"},
	};
	struct session open = session_of(NOW, 0);
	struct buffer buffer = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct session session = session_of(cases[i].start_ms, cases[i].end_ms);
		export_icalendar.session(&buffer, &session, NULL);
		buffer_append(&buffer, "", 1);
		assert_non_null(strstr(buffer.data, cases[i].lines));
		buffer_release(&buffer);
	}
	open.facts.ended = false;
	export_icalendar.session(&buffer, &open, NULL);
	assert_int_equal(buffer.size, 0);
}

/* The value of a property, unfolded; all lines on the way are as they have to be. */
static struct buffer unfolded(const struct buffer *buffer, const char *name)
{
	struct text rest = buffer_text(buffer);
	struct buffer value = BUFFER_INIT;
	bool within = false;

	while (rest.size > 0) {
		struct text line = text_split(rest, '\n', &rest);
		assert_non_null(rest.data);
		assert_true(line.size > 1 && line.data[line.size - 1] == '\r');
		line.size--;
		assert_true(line.size <= LINE_MAX_BYTES);
		assert_true(text_is_utf8(line));
		assert_null(memchr(line.data, '\r', line.size));
		within = line.data[0] == ' ' ? within
					     : line.size > strlen(name) && memcmp(line.data, name, strlen(name)) == 0;
		size_t skipped = line.data[0] == ' ' ? 1 : strlen(name);
		if (within)
			buffer_append(&value, line.data + skipped, line.size - skipped);
	}
	return value;
}

static void unescape(struct buffer *value)
{
	size_t size = 0;

	for (size_t i = 0; i < value->size; i++) {
		if (value->data[i] == '\\') {
			i++;
			assert_true(i < value->size && strchr("\\;,", value->data[i]));
		} else {
			assert_null(strchr(";,", value->data[i]));
		}
		value->data[size++] = value->data[i];
	}
	value->size = size;
}

static void titles_of_all_kinds(void **state)
{
	static const char *const pieces[] = {"a", " ", "é", "语", "📚", ",", ";", "\\", ":", "\"", "\\n"};
	struct session session = session_of(NOW, NOW + 1000);
	struct description *description = calloc(1, sizeof *description);
	uint64_t random = 3;

	(void)state;
	assert_non_null(description);
	for (int i = 0; i < RANDOM_TITLES; i++) {
		size_t most = 1 + random_below(&random, i % 10 == 0 ? TITLE_MAX_BYTES : 160);
		size_t kinds = 1 + random_below(&random, sizeof pieces / sizeof pieces[0]);
		description->title_size = 0;
		for (;;) {
			const char *piece = pieces[random_below(&random, kinds)];
			if (description->title_size + strlen(piece) > most)
				break;
			memcpy(description->title + description->title_size, piece, strlen(piece));
			description->title_size = (uint16_t)(description->title_size + strlen(piece));
		}
		if (description->title_size == 0)
			continue;
		struct buffer buffer = BUFFER_INIT;
		export_icalendar.session(&buffer, &session, description);
		struct buffer value = unfolded(&buffer, "SUMMARY:");
		unescape(&value);
		assert_true(
			text_equal(buffer_text(&value), (struct text){description->title, description->title_size}));
		buffer_release(&value);
		buffer_release(&buffer);
	}
	free(description);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event),
		cmocka_unit_test(ends),
		cmocka_unit_test(titles_of_all_kinds),
	};

	return cmocka_run_group_tests_name("icalendar", tests, NULL, NULL);
}
