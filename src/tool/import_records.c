/* Reading the own format; see import_records.h. */
#include "tool/import_records.h"

#include "api/arguments.h"
#include "api/field.h"
#include "domain/instant.h"
#include "tool/export_records.h"
#include "tool/members.h"
#include "tool/objects.h"

#include <string.h>

#define SET(field) FIELD_SET(field)

enum {
	SETTINGS = SET(TIMEZONE) | SET(DAY_START) | SET(WEEK_START) | SET(DAILY_GOAL) | SET(IDLE_TIMEOUT),
};

struct reading_file {
	struct import *import;
	const char *file;
	uint64_t line;
	bool begun, ended; /* the first and the last line were seen */
};

static enum status read_instant(json_object *object, const char *key, bool *known, int64_t *ms, struct error *error)
{
	*known = members_get(object, key) != NULL;
	if (*known && !instant_parse(members_text(object, key), ms))
		return error_set(error, STATUS_INVALID, "%s: is no instant such as 2025-11-10T12:41:01.000Z", key);
	return STATUS_OK;
}

static enum status take_user(struct reading_file *file, json_object *object, struct error *reason, struct error *error)
{
	struct arguments arguments = {0};
	struct import_user user = {.has_id = true, .has_settings = true};

	if (field_read_all(object, SET(USER), 0, &arguments, reason) != STATUS_OK)
		return STATUS_OK;
	json_object *settings = members_get(object, "settings");
	if (!json_object_is_type(settings, json_type_object))
		return error_set(reason, STATUS_INVALID, "settings: must be an object"), STATUS_OK;
	if (field_read_all(settings, SETTINGS, 0, &arguments, reason) != STATUS_OK)
		return STATUS_OK;
	if (!uuid_parse(members_text(object, "focusStats"), &user.id))
		return error_set(reason, STATUS_INVALID, "focusStats: is no UUID"), STATUS_OK;
	user.user = arguments.user;
	user.settings = (struct settings){
		.timezone = arguments.timezone,
		.day_start_minutes = (uint16_t)arguments.day_start_minutes,
		.week_start = (uint8_t)(arguments.week_start + 1), /* the first choice is Monday, 1 */
		.daily_goal_seconds = (uint32_t)arguments.daily_goal_seconds,
		.idle_timeout_seconds = (uint32_t)arguments.idle_timeout_seconds,
	};
	return import_put_user(file->import, file->line, &user, error);
}

static enum status take_document(struct reading_file *file, json_object *object, struct error *reason,
				 struct error *error)
{
	struct arguments arguments = {0};

	error->status = STATUS_OK;
	/* A title that nobody gave is null in answers. */
	if (!members_get(object, "title"))
		json_object_object_del(object, "title");
	field_read_all(object, SET(USER) | SET(DOCUMENT) | SET(AUTHORS), SET(TITLE), &arguments, reason);
	if (reason->status == STATUS_OK)
		import_put_document(file->import, file->line, &arguments.user, &arguments.document,
				    arguments.description, error);
	arguments_release(&arguments);
	return error->status;
}

static enum status take_session(struct reading_file *file, json_object *object, struct error *reason,
				struct error *error)
{
	struct arguments arguments = {0};
	struct session session = {.started = {.size = 0}};
	struct session_facts *facts = &session.facts;

	if (field_read_all(object, SET(USER) | SET(NEW_SESSION) | SET(DOCUMENT) | SET(LIBRARY) | SET(START_TIME),
			   SET(END_TIME) | SET(PROGRESS), &arguments, reason) != STATUS_OK ||
	    read_instant(object, "lastSeen", &facts->seen, &facts->last_seen_ms, reason) != STATUS_OK ||
	    read_instant(object, "progressTime", &facts->reported, &facts->progress_ms, reason) != STATUS_OK)
		return STATUS_OK;
	if (facts->reported != ((arguments.given & SET(PROGRESS)) != 0))
		return error_set(reason, STATUS_INVALID, "progress, progressTime: there must be both or none"),
		       STATUS_OK;
	if (members_get(object, "startedWith") &&
	    identifier_set(&session.started, members_text(object, "startedWith"), "startedWith", reason) != STATUS_OK)
		return STATUS_OK;
	session.id = arguments.new_session;
	session.user = arguments.user;
	session.document = arguments.document;
	session.library = arguments.library;
	facts->start_ms = arguments.start_ms;
	facts->ended = arguments.given & SET(END_TIME);
	facts->end_ms = arguments.end_ms;
	facts->progress = arguments.progress;
	return import_put_session(file->import, file->line, &session, IMPORT_EXACT, error);
}

static enum status take_begin(struct reading_file *file, json_object *object, struct error *reason, struct error *error)
{
	int64_t version = json_object_get_int64(members_get(object, "version"));

	(void)reason;
	if (version > EXPORT_RECORDS_VERSION)
		return error_set(error, STATUS_INVALID,
				 "%s: was exported by a newer release, in version %lld of the format", file->file,
				 (long long)version);
	file->begun = true;
	return STATUS_OK;
}

static enum status take_end(struct reading_file *file, json_object *object, struct error *reason, struct error *error)
{
	(void)object;
	(void)reason;
	(void)error;
	file->ended = true;
	return STATUS_OK;
}

/* reason becomes why the record is refused; the status and error tell whether the import can go on. */
static enum status take_line(struct reading_file *file, json_object *line, struct error *reason, struct error *error)
{
	static const struct {
		const char *key;
		enum status (*take)(struct reading_file *file, json_object *object, struct error *reason,
				    struct error *error);
	} kinds[] = {
		{"session", take_session},  {"document", take_document}, {"user", take_user},
		{"focusstats", take_begin}, {"end", take_end},
	};

	reason->status = STATUS_OK;
	error->status = STATUS_OK;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		json_object *object = members_get(line, kinds[i].key);
		if (!json_object_is_type(object, json_type_object))
			continue;
		if (!file->begun && kinds[i].take != take_begin)
			break;
		return kinds[i].take(file, object, reason, error);
	}
	if (!file->begun)
		return error_set(error, STATUS_INVALID,
				 "%s: is no export of FocusStats: those begin with {\"focusstats\":{\"version\":1}}",
				 file->file);
	error_set(reason, STATUS_INVALID, "is neither a user nor a document nor a session");
	return STATUS_OK;
}

static enum status read_lines(struct reading_file *file, struct objects *objects, struct error *error)
{
	struct error reason;
	json_object *line;
	bool go_on;

	for (;;) {
		enum status status = objects_next(objects, &line, &file->line, &go_on, error);
		if (status != STATUS_OK && !(go_on && file->begun)) {
			if (!file->begun && go_on)
				error_set(error, STATUS_INVALID,
					  "%s: is no export of FocusStats: those begin with "
					  "{\"focusstats\":{\"version\":1}}",
					  file->file);
			return error->status;
		}
		if (status != STATUS_OK) {
			import_refuse(file->import, file->line, error->text);
			continue;
		}
		if (!line)
			return error->status;
		status = take_line(file, line, &reason, error);
		json_object_put(line);
		if (status != STATUS_OK)
			return status;
		if (reason.status != STATUS_OK)
			import_refuse(file->import, file->line, reason.text);
	}
}

enum status import_records_read(struct import *import, const char *file, struct error *error)
{
	struct reading_file reading = {.import = import, .file = strcmp(file, "-") == 0 ? "standard input" : file};
	struct objects *objects;

	if (objects_open(file, &objects, error) != STATUS_OK)
		return error->status;
	if (read_lines(&reading, objects, error) == STATUS_OK && !reading.ended)
		error_set(error, STATUS_INVALID,
			  reading.begun ? "%s: is cut off: its last line is missing" : "%s: is empty", reading.file);
	objects_close(objects);
	return error->status;
}
