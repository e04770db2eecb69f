/* Reading what the earlier server's database exported; see import_mongodb.h. */
#include "tool/import_mongodb.h"

#include "tool/extended_json.h"
#include "tool/members.h"
#include "tool/objects.h"

#include <inttypes.h>
#include <string.h>

static bool has(json_object *object, const char *key)
{
	return json_object_object_get_ex(object, key, NULL);
}

static enum status put_user(struct import *import, import_place place, json_object *object, struct error *error)
{
	struct import_user user = {.has_id = true};

	if (extended_id(members_get(object, "_id"), "_id", &user.id, error) != STATUS_OK ||
	    extended_identifier(members_get(object, "user"), "user", &user.user, error) != STATUS_OK) {
		import_refuse(import, place, error->text);
		return error->status = STATUS_OK;
	}
	return import_put_user(import, place, &user, error);
}

/* The earlier server took a library, and did not keep it. */
static enum status read_library(json_object *object, const struct identifier *otherwise, struct identifier *library,
				struct error *error)
{
	json_object *value = members_get(object, "library");

	if (value)
		return extended_identifier(value, "library", library, error);
	*library = *otherwise;
	return STATUS_OK;
}

static enum status read_session(json_object *object, const struct identifier *library, struct session *session,
				struct error *error)
{
	json_object *end = members_get(object, "endTime");

	memset(session, 0, sizeof *session);
	if (extended_id(members_get(object, "_id"), "_id", &session->id, error) != STATUS_OK ||
	    extended_identifier(members_get(object, "user"), "user", &session->user, error) != STATUS_OK ||
	    extended_identifier(members_get(object, "document"), "document", &session->document, error) != STATUS_OK ||
	    read_library(object, library, &session->library, error) != STATUS_OK ||
	    extended_instant(members_get(object, "startTime"), "startTime", &session->facts.start_ms, error) !=
		    STATUS_OK)
		return error->status;
	session->facts.ended = end != NULL;
	if (end)
		return extended_instant(end, "endTime", &session->facts.end_ms, error);
	return STATUS_OK;
}

static enum status put_session(struct import *import, import_place place, json_object *object,
			       const struct identifier *library, struct error *error)
{
	struct session session;

	if (read_session(object, library, &session, error) != STATUS_OK) {
		import_refuse(import, place, error->text);
		return error->status = STATUS_OK;
	}
	return import_put_session(import, place, &session, IMPORT_OUTLINE, error);
}

static enum status put(struct import *import, import_place place, json_object *object, const struct identifier *library,
		       struct error *error)
{
	if (has(object, "focusSessionIds"))
		return put_user(import, place, object, error);
	if (has(object, "document") || has(object, "startTime"))
		return put_session(import, place, object, library, error);
	import_refuse(
		import, place,
		"is of neither collection: focusStats has focusSessionIds, focusSessions has document and startTime");
	return STATUS_OK;
}

/* What is no JSON object: a line of many, or something that mongoexport did not write. */
static enum status refuse_text(struct import *import, const char *file, import_place place, bool first,
			       struct error *error)
{
	struct error reason;

	if (first)
		return error_context(error, "%s:%" PRIu64 ": is not what mongoexport writes", file, place);
	error_set(&reason, STATUS_INVALID,
		  "%.900s (mongoexport writes JSON, without the shell's ISODate(…) and new Date(…))", error->text);
	import_refuse(import, place, reason.text);
	return error->status = STATUS_OK;
}

static enum status read_objects(struct import *import, const char *file, struct objects *objects,
				const struct identifier *library, struct error *error)
{
	json_object *object;
	import_place line;
	bool go_on;

	for (bool first = true;; first = false) {
		enum status status = objects_next(objects, &object, &line, &go_on, error);
		if (status != STATUS_OK && !go_on)
			return status;
		if (status == STATUS_OK && !object)
			return STATUS_OK;
		status = status == STATUS_OK ? put(import, line, object, library, error)
					     : refuse_text(import, file, line, first, error);
		json_object_put(object);
		if (status != STATUS_OK)
			return status;
	}
}

enum status import_mongodb_read(struct import *import, const char *file, struct error *error)
{
	const struct options *options = import_options(import);
	struct identifier library;
	struct objects *objects;

	if (identifier_set(&library, text_of(options->library ? options->library : "mongodb"), "--library", error) !=
		    STATUS_OK ||
	    objects_open(file, &objects, error) != STATUS_OK)
		return error->status;
	read_objects(import, strcmp(file, "-") == 0 ? "standard input" : file, objects, &library, error);
	objects_close(objects);
	return error->status;
}
