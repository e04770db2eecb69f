/* Writing the own format; see export_records.h. */
#include "tool/export_records.h"

#include "api/output.h"

#include <inttypes.h>

static void begin(struct buffer *to, int64_t now_ms)
{
	(void)now_ms;
	buffer_append_format(to, "{\"focusstats\":{\"version\":%d}}\n", EXPORT_RECORDS_VERSION);
}

static void put_user(struct buffer *to, const struct identifier *user, const struct uuid *id,
		     const struct settings *settings)
{
	buffer_append_string(to, "{\"user\":{\"user\":");
	buffer_append_json(to, identifier_text(user));
	buffer_append_string(to, ",\"focusStats\":");
	output_uuid(to, id);
	buffer_append_string(to, ",\"settings\":");
	output_settings(to, settings);
	buffer_append_string(to, "}}\n");
}

static void put_document(struct buffer *to, const struct identifier *user, const struct identifier *document,
			 const struct description *description)
{
	buffer_append_string(to, "{\"document\":{\"user\":");
	buffer_append_json(to, identifier_text(user));
	buffer_append_string(to, ",\"document\":");
	buffer_append_json(to, identifier_text(document));
	buffer_append_string(to, ",");
	output_description(to, description);
	buffer_append_string(to, "}}\n");
}

static void put_instant(struct buffer *to, const char *key, bool known, int64_t ms)
{
	if (!known)
		return;
	buffer_append_format(to, ",\"%s\":", key);
	output_instant(to, true, ms);
}

static void put_session(struct buffer *to, const struct session *session, const struct description *description)
{
	const struct session_facts *facts = &session->facts;

	(void)description;
	buffer_append_string(to, "{\"session\":{\"user\":");
	buffer_append_json(to, identifier_text(&session->user));
	buffer_append_string(to, ",\"focusSession\":");
	output_uuid(to, &session->id);
	buffer_append_string(to, ",\"document\":");
	buffer_append_json(to, identifier_text(&session->document));
	buffer_append_string(to, ",\"library\":");
	buffer_append_json(to, identifier_text(&session->library));
	put_instant(to, "startTime", true, facts->start_ms);
	put_instant(to, "endTime", facts->ended, facts->end_ms);
	put_instant(to, "lastSeen", facts->seen, facts->last_seen_ms);
	if (facts->reported) {
		buffer_append_string(to, ",\"progress\":");
		output_portion(to, true, facts->progress);
	}
	put_instant(to, "progressTime", facts->reported, facts->progress_ms);
	if (session->started.size > 0) {
		buffer_append_string(to, ",\"startedWith\":");
		buffer_append_json(to, identifier_text(&session->started));
	}
	buffer_append_string(to, "}}\n");
}

static void end(struct buffer *to, const struct export_counts *counts)
{
	buffer_append_format(to,
			     "{\"end\":{\"users\":%" PRIu64 ",\"documents\":%" PRIu64 ",\"sessions\":%" PRIu64 "}}\n",
			     counts->users, counts->documents, counts->sessions);
}

const struct export_format export_records = {
	.name = "focusstats",
	.summary = "all that there is, for import",
	.begin = begin,
	.user = put_user,
	.document = put_document,
	.session = put_session,
	.end = end,
};
