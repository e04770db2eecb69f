/* Writing CSV; see export_csv.h. */
#include "tool/export_csv.h"

#include "tool/csv_sessions.h"

static void begin(struct buffer *to, int64_t now_ms)
{
	(void)now_ms;
	csv_put_header(to);
}

const struct export_format export_csv = {
	.name = "csv",
	.summary = "sessions, for spreadsheets",
	.describes = true,
	.begin = begin,
	.session = csv_put_session,
};
