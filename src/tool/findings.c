/* What is wrong with a copy; see findings.h. */
#include "tool/findings.h"

#include "base/log.h"
#include "base/text.h"
#include "gateway/owner.h"
#include "tool/visible.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRINTED_MAX = 100, LINE_SIZE = 1024 };

static void print_one(void *context, const char *what)
{
	struct findings *findings = context;
	char line[LINE_SIZE];

	if (findings->count++ >= PRINTED_MAX)
		return;
	progress_clear(&findings->progress);
	if (!findings->options->json) {
		visible_line(stdout, "%s", what);
		return;
	}
	snprintf(line, sizeof line, "%s", what); /* a damaged record need not hold UTF-8, and JSON must */
	line[text_make_visible(line, strlen(line))] = '\0';
	json_object *object = json_object_new_object();
	json_object_object_add(object, "finding", json_object_new_string(line));
	visible_json(object);
	json_object_put(object);
}

static void show_progress(void *context, uint64_t records)
{
	struct findings *findings = context;

	progress_show(&findings->progress, records);
}

static void end_process(void *context, const char *what)
{
	(void)context;
	log_line("%s: this process ends, and the copy is none", what);
	_exit(EXIT_FATAL);
}

static void begin(struct findings *findings, const struct options *options)
{
	*findings = (struct findings){
		.options = options,
		.progress = progress_begin(options, "looking through", "records", 0),
	};
}

static void say_how_many_more(const struct findings *findings)
{
	if (findings->count > PRINTED_MAX && !findings->options->json)
		printf("and %" PRIu64 " more\n", findings->count - PRINTED_MAX);
}

static enum status judge(const struct findings *findings, const char *name, struct error *error)
{
	if (findings->count > 0)
		error_set(error, STATUS_INVALID,
			  "%s: what is listed above (%llu) is wrong: see \"When something is wrong\" in operation.md",
			  name, (unsigned long long)findings->count);
	return error->status;
}

enum status findings_of_copy(struct findings *findings, const struct folder *folder, const char *name,
			     const struct options *options, struct error *error)
{
	const struct verify_watch watch = {print_one, show_progress, findings};
	char reach[64];
	const struct store_options store = {
		.home = folder_reach(folder, reach),
		.name = folder->path,
		.copy = true,
		.fatal = end_process,
	};

	begin(findings, options);
	verify_copy(&store, &watch, &findings->counts, error);
	progress_clear(&findings->progress);
	say_how_many_more(findings);
	if (error->status != STATUS_OK)
		return error_context(error, "%s", name);
	return judge(findings, name, error);
}

void findings_of_pages(struct findings *findings, const struct folder *home, const struct options *options)
{
	const struct verify_watch watch = {print_one, NULL, findings};
	char reach[64];

	begin(findings, options);
	verify_closed(folder_reach(home, reach), &watch);
	say_how_many_more(findings);
}

enum status findings_of_sums(struct findings *findings, const struct folder *home, const char *name,
			     const struct options *options, struct error *error)
{
	const struct verify_watch watch = {print_one, NULL, findings};
	const struct verify_counts counts = findings->counts;
	char reach[64];

	begin(findings, options);
	findings->counts = counts;
	verify_sums(folder_reach(home, reach), &watch);
	say_how_many_more(findings);
	return judge(findings, name, error);
}
