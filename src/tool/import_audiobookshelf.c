/* Import of Audiobookshelf's listening sessions, as its API answers them (GET /api/me/listening-sessions: pages with the array
 * "sessions") or as a list of such sessions. The fields are those of its server/objects/PlaybackSession.js.
 *
 * A session is from startedAt on, for as long as was listened: timeListening seconds, but at most until updatedAt. The time from
 * startedAt to updatedAt has the pauses in it, often a night; timeListening was counted twice by some clients. startTime and
 * currentTime are places in the recording, in seconds; the latter, of the duration, is the progress. */
#include "tool/import_audiobookshelf.h"

#include "domain/derived.h"
#include "domain/instant.h"
#include "tool/elements.h"
#include "tool/members.h"
#include "tool/naming.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SECOND_MS = 1000 };

/* The space of names for derived_uuid: sessions of (user, id), where the id is no UUID. */
static const struct uuid space = {
	{0xE2, 0x6B, 0x30, 0x8A, 0x41, 0xD7, 0x4F, 0x05, 0xB1, 0x7C, 0x90, 0x2D, 0xF4, 0x66, 0x1B, 0x3E}};

struct listening {
	struct import *import;
	const struct options *options;
	struct identifier listener; /* with --user: the userId of all sessions; size 0 before the first */
};

/* A number from 0 to most; otherwise *number stays as it is. */
static bool number_of(json_object *object, const char *key, double most, double *number)
{
	json_object *value = members_get(object, key);
	double found = json_object_get_double(value);

	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return false;
	if (!(found >= 0 && found <= most))
		return false;
	*number = found;
	return true;
}

/* The first of some keys that has a string which is not empty, as an id. */
static enum status read_id(json_object *object, const char *const *keys, struct identifier *id, struct error *error)
{
	for (size_t i = 0; keys[i]; i++)
		if (members_text(object, keys[i]).size > 0)
			return identifier_set(id, members_text(object, keys[i]), keys[i], error);
	return error_set(error, STATUS_INVALID, "%s: is missing", keys[0]);
}

static enum status read_user(struct listening *listening, json_object *object, struct identifier *user,
			     struct error *error)
{
	static const char *const keys[] = {"userId", NULL};
	struct identifier listener;

	if (!listening->options->user)
		return read_id(object, keys, user, error);
	if (identifier_set(user, text_of(listening->options->user), "--user", error) != STATUS_OK ||
	    members_text(object, "userId").size == 0)
		return error->status;
	/* Not to make one reader of two. */
	if (read_id(object, keys, &listener, error) != STATUS_OK)
		return error->status;
	if (listening->listener.size == 0)
		listening->listener = listener;
	if (!identifier_equal(&listener, &listening->listener))
		return error_set(error, STATUS_INVALID,
				 "userId: is another one than in the sessions before, which are "
				 "imported as --user");
	return STATUS_OK;
}

/* A book is its library item, an episode the podcast's item and its own id with a hyphen between them, as Audiobookshelf itself
 * puts them together; what is no longer in a library has only the ids of the recording. */
static enum status read_document(json_object *object, struct identifier *document, struct error *error)
{
	static const char *const keys[] = {"libraryItemId", "episodeId", "bookId", NULL};
	struct text item = members_text(object, "libraryItemId"), episode = members_text(object, "episodeId");
	char both[IDENTIFIER_MAX_BYTES + 2];

	if (item.size == 0 || episode.size == 0)
		return read_id(object, keys, document, error);
	int size = snprintf(both, sizeof both, "%.*s-%.*s", (int)item.size, item.data, (int)episode.size, episode.data);
	return identifier_set(document,
			      (struct text){both, (size_t)size < sizeof both ? (size_t)size : sizeof both - 1},
			      "libraryItemId, episodeId", error);
}

static enum status read_library(const struct listening *listening, json_object *object, struct identifier *library,
				struct error *error)
{
	struct text name = text_of(listening->options->library);

	if (name.size == 0)
		name = members_text(object, "libraryId");
	if (name.size == 0)
		name = text_of("audiobookshelf");
	return identifier_set(library, name, "libraryId", error);
}

static enum status read_times(json_object *object, struct session_facts *facts, struct error *error)
{
	double started = 0, updated = 0, listened = 0, duration = 0, at = 0;

	if (!number_of(object, "startedAt", (double)INSTANT_MAX_MS, &started))
		return error_set(error, STATUS_INVALID, "startedAt: is no number of milliseconds since 1970");
	if (!number_of(object, "updatedAt", (double)INSTANT_MAX_MS, &updated))
		return error_set(error, STATUS_INVALID, "updatedAt: is no number of milliseconds since 1970");
	if (members_get(object, "timeListening") && !number_of(object, "timeListening", HUGE_VAL, &listened))
		return error_set(error, STATUS_INVALID, "timeListening: is no number of seconds");
	if (updated < started)
		return error_set(error, STATUS_INVALID, "updatedAt: is before startedAt");
	*facts = (struct session_facts){.start_ms = (int64_t)started, .ended = true};
	facts->end_ms = (int64_t)fmin(updated, started + round(listened * SECOND_MS));
	if (number_of(object, "duration", HUGE_VAL, &duration) && duration > 0 &&
	    number_of(object, "currentTime", HUGE_VAL, &at)) {
		facts->reported = true;
		facts->progress = fmin(at / duration, 1);
		facts->progress_ms = (int64_t)updated;
	}
	return STATUS_OK;
}

/* The id, which old versions made of other characters than a UUID's. */
static enum status read_session_id(json_object *object, struct session *session, struct error *error)
{
	static const char *const keys[] = {"id", NULL};
	struct identifier id;

	if (read_id(object, keys, &id, error) != STATUS_OK)
		return error->status;
	if (!uuid_parse(identifier_text(&id), &session->id)) {
		const struct text names[] = {identifier_text(&session->user), identifier_text(&id)};
		session->id = derived_uuid(&space, names, 2);
	}
	return STATUS_OK;
}

static void read_description(json_object *object, struct description *description)
{
	json_object *metadata = members_get(object, "mediaMetadata"), *authors = NULL;

	*description = (struct description){.title_size = 0};
	naming_set_title(description, members_text(object, "displayTitle"));
	if (json_object_is_type(metadata, json_type_object))
		authors = members_get(metadata, "authors");
	/* Of books, one by one. */
	if (json_object_is_type(authors, json_type_array))
		for (size_t i = 0; i < json_object_array_length(authors); i++) {
			json_object *author = json_object_array_get_idx(authors, i);
			if (json_object_is_type(author, json_type_object))
				naming_add_author(description, members_text(author, "name"));
		}
	if (description->author_count == 0)
		naming_add_author(description, members_text(object, "displayAuthor"));
}

/* Hand over one session and what it was of. */
static enum status take_session(struct listening *listening, json_object *object, uint64_t line, struct error *error)
{
	struct session session = {.id = {{0}}};
	struct description description;

	if (read_user(listening, object, &session.user, error) != STATUS_OK ||
	    read_document(object, &session.document, error) != STATUS_OK ||
	    read_library(listening, object, &session.library, error) != STATUS_OK ||
	    read_session_id(object, &session, error) != STATUS_OK ||
	    read_times(object, &session.facts, error) != STATUS_OK) {
		import_refuse(listening->import, line, error->text);
		return error->status = STATUS_OK;
	}
	if (import_put_session(listening->import, line, &session, IMPORT_GROWS, error) != STATUS_OK)
		return error->status;
	read_description(object, &description);
	if (description.title_size == 0 && description.author_count == 0)
		return STATUS_OK;
	return import_put_document(listening->import, line, &session.user, &session.document, &description, error);
}

enum status import_audiobookshelf_read(struct import *import, const char *file, struct error *error)
{
	struct listening listening = {.import = import, .options = import_options(import)};
	struct elements *elements;
	json_object *object = NULL;
	uint64_t line;
	bool go_on;

	if (elements_open(file, "sessions", &elements, error) != STATUS_OK)
		return error->status;
	do {
		if (elements_next(elements, &object, &line, &go_on, error) == STATUS_OK && object)
			take_session(&listening, object, line, error);
		else if (error->status == STATUS_INVALID && go_on) {
			import_refuse(import, line, "this is not JSON as RFC 8259 has it");
			error->status = STATUS_OK;
		}
		json_object_put(object);
	} while (error->status == STATUS_OK && go_on);
	elements_close(elements);
	return error->status;
}
