/* Exporting: `focusstats export` walks the store, page by page, and hands what it finds to a format's functions, which append to a
 * buffer that goes to standard output. Memory does not grow with the number of sessions.
 */
#ifndef FOCUSSTATS_TOOL_EXPORT_H
#define FOCUSSTATS_TOOL_EXPORT_H

#include "base/buffer.h"
#include "domain/description.h"
#include "domain/session.h"
#include "domain/settings.h"
#include "tool/commands.h"

struct export_counts {
	uint64_t users, documents, sessions;
};

/* A user, then their documents by id, then their sessions by start and id; all of them may be NULL. */
struct export_format {
	const char *name, *summary;
	bool describes; /* session() wants the description of its document; kept for one user at a time */
	void (*begin)(struct buffer *to, int64_t now_ms);
	void (*user)(struct buffer *to, const struct identifier *user, const struct uuid *id,
		     const struct settings *settings);
	void (*document)(struct buffer *to, const struct identifier *user, const struct identifier *document,
			 const struct description *description);
	/* description is NULL where there is none. */
	void (*session)(struct buffer *to, const struct session *session, const struct description *description);
	void (*end)(struct buffer *to, const struct export_counts *counts);
};

/* All of them; the last one has no name. The first is the own one. */
extern const struct export_format *const export_formats[];

enum status export_run(struct client *client, const struct options *options, char *const *operands,
		       struct error *error);

#endif
