/* Importing; see import.h. Records go to the owner of the store in batches, as api/records.h has them. */
#include "tool/import_command.h"

#include "api/local.h"
#include "api/records.h"
#include "base/clock.h"
#include "base/names.h"
#include "tool/import_audiobookshelf.h"
#include "tool/import_csv.h"
#include "tool/import_koreader.h"
#include "tool/import_mongodb.h"
#include "tool/import_records.h"
#include "tool/progress.h"
#include "tool/visible.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 500, BATCH_BYTES_MAX = 1 << 20 };

enum kind { KIND_USER, KIND_DOCUMENT, KIND_SESSION, KINDS };
enum fate { FATE_CREATED = STORE_CREATED, FATE_THERE = STORE_THERE, FATE_GROWN = STORE_GROWN, FATE_REFUSED, FATES };

static const char *const kind_names[KINDS] = {"users", "documents", "sessions"};
static const char *const fate_names[FATES] = {"created", "alreadyThere", "grown", "refused"};

/* What is known of a record of the batch while it is on its way. */
struct sent {
	enum kind kind;
	import_place place;
	bool implied; /* a user that --create-users made of a session's */
	struct identifier user;
};

struct import {
	struct client client;
	const struct options *options;
	const char *file; /* that is read */
	int64_t now_ms;
	struct buffer batch;
	struct sent sent[BATCH_MAX];
	size_t count;
	unsigned flags;       /* IMPORT_GROWS and IMPORT_OUTLINE, of the sessions in the batch */
	struct names ensured; /* the users that --create-users has put into a batch */
	struct names planned; /* in a dry run, the users that would be created */
	uint64_t counts[KINDS][FATES], others_refused, handed_over;
	struct progress progress;
};

const struct options *import_options(const struct import *import)
{
	return import->options;
}

static void report_refused(struct import *import, import_place place, const char *reason)
{
	progress_clear(&import->progress);
	if (!import->options->json) {
		visible_line(stderr, "%s:%" PRIu64 ": %s", import->file, place, reason);
		return;
	}
	json_object *object = json_object_new_object(), *refused = json_object_new_object();
	json_object_object_add(refused, "file", json_object_new_string(import->file));
	json_object_object_add(refused, "line", json_object_new_int64((int64_t)place));
	json_object_object_add(refused, "reason", json_object_new_string(reason));
	json_object_object_add(object, "refused", refused);
	visible_json(object);
	json_object_put(object);
}

void import_refuse(struct import *import, import_place place, const char *reason)
{
	import->others_refused++;
	report_refused(import, place, reason);
}

static bool is_planned(const struct import *import, const struct sent *sent)
{
	return names_find(&import->planned, identifier_text(&sent->user)) != NAMES_FAILED;
}

void import_remark(struct import *import, const char *text)
{
	progress_clear(&import->progress);
	visible_line(stderr, "%s: %s", import->file, text);
}

static void count(struct import *import, const struct sent *sent, enum fate fate)
{
	if (import->options->dry_run && sent->kind == KIND_USER && fate == FATE_CREATED) {
		if (is_planned(import, sent))
			fate = FATE_THERE;
		else
			names_number(&import->planned, identifier_text(&sent->user));
	}
	if (!sent->implied || fate == FATE_CREATED)
		import->counts[sent->kind][fate]++;
}

/* Behind the text that there is no such user. */
static void add_hint(struct error *reason)
{
	static const char hint[] = ": users come before what is theirs, or --create-users makes them";
	size_t size = strlen(reason->text);

	if (size + sizeof hint <= sizeof reason->text)
		memcpy(reason->text + size, hint, sizeof hint);
}

/* What became of one record; moves *answer on. False where the answer is none. */
static bool take_fate(struct import *import, const struct sent *sent, struct text *answer)
{
	enum { REFUSED_BYTES = 4 };
	const uint8_t *bytes = (const uint8_t *)answer->data;
	struct error reason;
	size_t size = 1;

	if (answer->size < 1 || (bytes[0] != RECORDS_REFUSED && bytes[0] > STORE_GROWN))
		return false;
	if (bytes[0] != RECORDS_REFUSED) {
		count(import, sent, (enum fate)bytes[0]);
	} else {
		if (answer->size < REFUSED_BYTES ||
		    answer->size - REFUSED_BYTES < (size = (size_t)(bytes[2] << 8 | bytes[3])))
			return false;
		error_set(&reason, (enum status)bytes[1], "%.*s", (int)size, answer->data + REFUSED_BYTES);
		size += REFUSED_BYTES;
		/* In a dry run nobody is there who would have been created by now. */
		if (import->options->dry_run && reason.status == STATUS_NOT_FOUND && is_planned(import, sent)) {
			count(import, sent, FATE_CREATED);
		} else {
			count(import, sent, FATE_REFUSED);
			if (reason.status == STATUS_NOT_FOUND)
				add_hint(&reason);
			report_refused(import, sent->place, reason.text);
		}
	}
	answer->data += size;
	answer->size -= size;
	return true;
}

/* Send what has gathered. */
static enum status send_batch(struct import *import, struct error *error)
{
	const char header[] = {RECORDS_VERSION, (char)((import->options->dry_run ? RECORDS_DRY_RUN : 0) |
						       (import->flags & IMPORT_GROWS ? RECORDS_GROW : 0) |
						       (import->flags & IMPORT_OUTLINE ? RECORDS_OUTLINE : 0))};
	struct buffer answer = BUFFER_INIT;

	error->status = STATUS_OK;
	if (import->count == 0)
		return STATUS_OK;
	buffer_prepend(&import->batch, (struct text){header, sizeof header});
	if (buffer_failed(&import->batch))
		error_set(error, STATUS_UNAVAILABLE, "out of memory");
	else
		client_send(&import->client, LOCAL_IMPORT, buffer_text(&import->batch), &answer, error);
	struct text rest = buffer_text(&answer);
	for (size_t i = 0; error->status == STATUS_OK && i < import->count; i++)
		if (!take_fate(import, &import->sent[i], &rest))
			error_set(error, STATUS_UNAVAILABLE, "the owner's answer to an import is none");
	buffer_release(&answer);
	buffer_release(&import->batch);
	import->count = 0;
	progress_show(&import->progress, import->handed_over);
	return error->status;
}

/* Note what the record is that was just put into the batch. */
static enum status note(struct import *import, enum kind kind, import_place place, const struct identifier *user,
			bool implied, struct error *error)
{
	import->sent[import->count++] = (struct sent){kind, place, implied, *user};
	import->handed_over += !implied;
	error->status = STATUS_OK;
	return import->count == BATCH_MAX || import->batch.size >= BATCH_BYTES_MAX ? send_batch(import, error)
										   : STATUS_OK;
}

enum status import_put_user(struct import *import, import_place place, const struct import_user *user,
			    struct error *error)
{
	records_put_user(&import->batch, &user->user, user->has_id ? &user->id : NULL,
			 user->has_settings ? &user->settings : NULL);
	return note(import, KIND_USER, place, &user->user, false, error);
}

/* With --create-users: that user, before what is theirs. */
static enum status ensure_user(struct import *import, import_place place, const struct identifier *user,
			       struct error *error)
{
	error->status = STATUS_OK;
	if (!import->options->create_users || names_find(&import->ensured, identifier_text(user)) != NAMES_FAILED)
		return STATUS_OK;
	names_number(&import->ensured, identifier_text(user));
	records_put_user(&import->batch, user, NULL, NULL);
	return note(import, KIND_USER, place, user, true, error);
}

enum status import_put_document(struct import *import, import_place place, const struct identifier *user,
				const struct identifier *document, const struct description *description,
				struct error *error)
{
	if (ensure_user(import, place, user, error) != STATUS_OK)
		return error->status;
	records_put_document(&import->batch, user, document, description);
	return note(import, KIND_DOCUMENT, place, user, false, error);
}

static enum status check_session(const struct import *import, const struct session *session, unsigned flags,
				 struct error *error)
{
	const struct session_facts *facts = &session->facts;

	if (session_check_facts(facts, error) != STATUS_OK || flags & IMPORT_EXACT)
		return error->status;
	return facts->ended ? session_check_end(facts->start_ms, facts->end_ms, import->now_ms, error)
			    : session_check_start(facts->start_ms, import->now_ms, error);
}

enum status import_put_session(struct import *import, import_place place, const struct session *session, unsigned flags,
			       struct error *error)
{
	struct error reason = {.status = STATUS_OK};

	error->status = STATUS_OK;
	if (check_session(import, session, flags, &reason) != STATUS_OK) {
		import->counts[KIND_SESSION][FATE_REFUSED]++;
		report_refused(import, place, reason.text);
		return STATUS_OK;
	}
	/* Whether sessions may have grown is said once for a batch. */
	if ((flags ^ import->flags) & (IMPORT_GROWS | IMPORT_OUTLINE) && send_batch(import, error) != STATUS_OK)
		return error->status;
	import->flags = flags;
	if (ensure_user(import, place, &session->user, error) != STATUS_OK)
		return error->status;
	records_put_session(&import->batch, session);
	return note(import, KIND_SESSION, place, &session->user, false, error);
}

static uint64_t refused(const struct import *import)
{
	uint64_t sum = import->others_refused;

	for (int kind = 0; kind < KINDS; kind++)
		sum += import->counts[kind][FATE_REFUSED];
	return sum;
}

static void print_report(const struct import *import)
{
	if (import->options->json) {
		printf("{\"dryRun\":%s", import->options->dry_run ? "true" : "false");
		for (int kind = 0; kind < KINDS; kind++) {
			printf(",\"%s\":{", kind_names[kind]);
			for (int fate = 0; fate < FATES; fate++)
				printf("%s\"%s\":%" PRIu64, fate > 0 ? "," : "", fate_names[fate],
				       import->counts[kind][fate]);
			putchar('}');
		}
		printf(",\"othersRefused\":%" PRIu64 "}\n", import->others_refused);
		return;
	}
	printf("%-10s  %9s  %13s  %9s  %9s\n", import->options->dry_run ? "DRY RUN" : "", "CREATED", "ALREADY THERE",
	       "GROWN", "REFUSED");
	for (int kind = 0; kind < KINDS; kind++)
		printf("%-10s  %9" PRIu64 "  %13" PRIu64 "  %9" PRIu64 "  %9" PRIu64 "\n", kind_names[kind],
		       import->counts[kind][FATE_CREATED], import->counts[kind][FATE_THERE],
		       import->counts[kind][FATE_GROWN], import->counts[kind][FATE_REFUSED]);
	if (import->others_refused > 0)
		printf("%-10s  %9s  %13s  %9s  %9" PRIu64 "\n", "no records", "", "", "", import->others_refused);
}

const struct import_format import_formats[] = {
	{"focusstats", "what export writes", 0, false, import_records_read},
	{"koreader", "statistics.sqlite3 of KOReader", OPTION_USER | OPTION_LIBRARY | OPTION_GAP | OPTION_SHIFT, true,
	 import_koreader_read},
	{"audiobookshelf", "listening sessions, as the API of Audiobookshelf answers them",
	 OPTION_USER | OPTION_LIBRARY, false, import_audiobookshelf_read},
	{"mongodb", "mongoexport of the earlier server", OPTION_LIBRARY, false, import_mongodb_read},
	{"csv", "sessions, a line each", OPTION_USER | OPTION_LIBRARY, false, import_csv_read},
	{NULL, NULL, 0, false, NULL},
};

static const struct import_format *find_format(const char *name)
{
	const struct import_format *format = import_formats;

	while (name && format->name && strcmp(format->name, name) != 0)
		format++;
	return format;
}

static enum status check_options(const struct import_format *format, const struct options *options, struct error *error)
{
	static const struct {
		unsigned option;
		const char *name;
	} special[] = {
		{OPTION_USER, "user"}, {OPTION_LIBRARY, "library"}, {OPTION_GAP, "gap"}, {OPTION_SHIFT, "shift"}};

	if (!format->name)
		return error_set(error, STATUS_INVALID, "import: there is no format %s (focusstats --help)",
				 options->format);
	for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
		if (options->given & special[i].option & ~format->options)
			return error_set(error, STATUS_INVALID, "import: the format %s has no --%s", format->name,
					 special[i].name);
	if (format->needs_user && !options->user)
		return error_set(error, STATUS_INVALID,
				 "import: the format %s does not say whose it is: --user is needed", format->name);
	return STATUS_OK;
}

static void read_files(struct import *import, const struct import_format *format, char *const *files,
		       struct error *error)
{
	struct error unsent;

	for (; *files && error->status == STATUS_OK; files++) {
		import->file = strcmp(*files, "-") == 0 ? "standard input" : *files;
		format->read(import, *files, error);
		/* What stands before an error counts. */
		if ((error->status == STATUS_OK || error->status == STATUS_INVALID) &&
		    send_batch(import, &unsent) != STATUS_OK)
			*error = unsent;
	}
	progress_clear(&import->progress);
}

enum status import_run(const struct config *config, const struct options *options, char *const *operands,
		       struct error *error)
{
	const struct import_format *format = find_format(options->format);
	struct import *import = calloc(1, sizeof *import);

	if (!import)
		return error_set(error, STATUS_UNAVAILABLE, "out of memory");
	if (check_options(format, options, error) != STATUS_OK ||
	    client_open_job(&import->client, config, error) != STATUS_OK)
		goto out;
	import->options = options;
	import->now_ms = clock_wall_ms();
	import->progress = progress_begin(options, options->dry_run ? "checking" : "importing", "records", 0);
	names_init(&import->ensured);
	names_init(&import->planned);
	read_files(import, format, operands, error);
	client_close(&import->client);
	names_release(&import->ensured);
	names_release(&import->planned);
	if (!options->quiet)
		print_report(import);
	fflush(stdout); /* before what follows on standard error */
	if (error->status == STATUS_OK && refused(import) > 0)
		error_set(error, STATUS_INVALID, "import: %llu refused", (unsigned long long)refused(import));
out:
	free(import);
	return error->status;
}
