/* Writing iCalendar; see export_icalendar.h. Numbers of sections are those of RFC 5545. */
#include "tool/export_icalendar.h"

#include "domain/instant.h"

#include <string.h>

enum { LINE_MAX_BYTES = 75, MS_A_SECOND = 1000, PERCENT = 100 };

/* Append a content line, folded: no piece is longer than 75 bytes without its CRLF, and none ends within a character (3.1). */
static void put_line(struct buffer *to, struct text line)
{
	size_t room = LINE_MAX_BYTES;

	while (line.size > room) {
		size_t size = room;
		while (((unsigned char)line.data[size] & 0xC0) == 0x80)
			size--;
		buffer_append(to, line.data, size);
		buffer_append_string(to, "\r\n ");
		line.data += size;
		line.size -= size;
		room = LINE_MAX_BYTES - 1; /* the blank counts */
	}
	buffer_append_text(to, line);
	buffer_append_string(to, "\r\n");
}

/* Append a value of the type TEXT (3.3.11). */
static void put_text(struct buffer *line, struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (strchr("\\;,", text.data[i]))
			buffer_append_string(line, "\\");
		buffer_append(line, text.data + i, 1);
	}
}

/* Append a date with UTC time (3.3.5): 20251110T124101Z. */
static void put_instant(struct buffer *to, const char *name, int64_t ms)
{
	char text[INSTANT_TEXT_SIZE];

	instant_format(ms, text);
	buffer_append_format(to, "%s:%.4s%.2s%.2sT%.2s%.2s%.2sZ\r\n", name, text, text + 5, text + 8, text + 11,
			     text + 14, text + 17);
}

static void put_summary(struct buffer *to, struct buffer *line, const struct session *session,
			const struct description *description)
{
	bool titled = description && description->title_size > 0;

	line->size = 0;
	buffer_append_string(line, "SUMMARY:");
	put_text(line, titled ? (struct text){description->title, description->title_size}
			      : identifier_text(&session->document));
	put_line(to, buffer_text(line));
}

static void put_description(struct buffer *to, struct buffer *line, const struct session *session,
			    const struct description *description)
{
	line->size = 0;
	buffer_append_string(line, "DESCRIPTION:");
	for (size_t i = 0; description && i < description->author_count; i++) {
		buffer_append_string(line, i > 0 ? "\\, " : "By ");
		put_text(line, identifier_text(&description->authors[i]));
	}
	if (description && description->author_count > 0)
		buffer_append_string(line, "\\n");
	buffer_append_string(line, "Reader: ");
	put_text(line, identifier_text(&session->user));
	buffer_append_string(line, "\\nLibrary: ");
	put_text(line, identifier_text(&session->library));
	if (session->facts.reported)
		buffer_append_format(line, "\\nProgress: %.0f %%", session->facts.progress * PERCENT);
	put_line(to, buffer_text(line));
}

static void begin(struct buffer *to, int64_t now_ms)
{
	(void)now_ms;
	buffer_append_string(to, "BEGIN:VCALENDAR\r\n"
				 "VERSION:2.0\r\n"
				 "PRODID:-//FocusStats//FocusStats//EN\r\n");
}

/* DTSTAMP is when the event came to be as it is (3.8.7.2), so the same session makes the same event whenever it is exported. An end
 * has to be later than the start (3.8.2.2); without one the event takes no time. */
static void put_session(struct buffer *to, const struct session *session, const struct description *description)
{
	const struct session_facts *facts = &session->facts;
	struct buffer line = BUFFER_INIT;
	char id[UUID_TEXT_SIZE];

	if (!facts->ended)
		return;
	uuid_format(&session->id, id);
	buffer_append_string(to, "BEGIN:VEVENT\r\nUID:");
	buffer_append(to, id, sizeof id);
	buffer_append_string(to, "\r\n");
	put_instant(to, "DTSTAMP", facts->end_ms);
	put_instant(to, "DTSTART", facts->start_ms);
	if (facts->end_ms / MS_A_SECOND > facts->start_ms / MS_A_SECOND)
		put_instant(to, "DTEND", facts->end_ms);
	put_summary(to, &line, session, description);
	put_description(to, &line, session, description);
	buffer_append_string(to, "TRANSP:TRANSPARENT\r\nEND:VEVENT\r\n");
	to->failed |= buffer_failed(&line);
	buffer_release(&line);
}

static void end(struct buffer *to, const struct export_counts *counts)
{
	(void)counts;
	buffer_append_string(to, "END:VCALENDAR\r\n");
}

const struct export_format export_icalendar = {
	.name = "icalendar",
	.summary = "ended sessions, for calendars",
	.describes = true,
	.begin = begin,
	.session = put_session,
	.end = end,
};
