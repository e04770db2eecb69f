/* Importing: what reads a file format hands records over here, one by one; they go into the store in batches, and each is
 * counted as created, already there or refused. The formats are in import_FORMAT.c.
 *
 * Nothing is kept of what was handed over, so memory does not grow with the file. A record that cannot be taken is refused, with
 * its place and the reason, and the import goes on; a status other than STATUS_OK ends it (the store fails, the file cannot
 * be read on).
 */
#ifndef FOCUSSTATS_TOOL_IMPORT_H
#define FOCUSSTATS_TOOL_IMPORT_H

#include "domain/description.h"
#include "domain/session.h"
#include "domain/settings.h"
#include "tool/commands.h"

/* One run of `focusstats import`. */
struct import;

/* What the command line says; never NULL. */
const struct options *import_options(const struct import *import);

/* Where in the input a record is: its line, row or element, from 1 on. The file's name is added by the report. */
typedef uint64_t import_place;

/* A user. Where one of that id is there with another FocusStats id or other settings it stays as it is, and the record is
 * refused; without an id and settings any will do. */
struct import_user {
	struct identifier user;
	bool has_id, has_settings;
	struct uuid id; /* of the FocusStats object; a new one otherwise */
	struct settings settings;
};

enum status import_put_user(struct import *import, import_place place, const struct import_user *user,
			    struct error *error);

/* What a document is called. A description that is there already stays: readers change them. */
enum status import_put_document(struct import *import, import_place place, const struct identifier *user,
				const struct identifier *document, const struct description *description,
				struct error *error);

enum {
	/* It may have grown since it was imported: one that is there with the same id, user, document, library and start,
	 * and an earlier end, gets this end and progress. */
	IMPORT_GROWS = 1,
	/* It comes from a store: its times are not held against the clock. */
	IMPORT_EXACT = 2,
	/* Its format tells neither heartbeats nor when progress was told nor what document the session was started with; one that
	 * is there need not be the same in these, nor in an end or progress that is not told here. One that is there still open gets the
	 * end. */
	IMPORT_OUTLINE = 4,
};

/* A session, with its id. It is already there where one has the id and all its values; refused where one has the id and others. Of
 * a user who is not there it is refused, or with --create-users that user is made. */
enum status import_put_session(struct import *import, import_place place, const struct session *session, unsigned flags,
			       struct error *error);

/* Refuse what is no record. The reason is a short sentence without a full stop that names the field and value; it is copied. */
void import_refuse(struct import *import, import_place place, const char *reason);

/* Tell the person something about the file as a whole. The text is a short sentence without a full stop; it is copied. */
void import_remark(struct import *import, const char *text);

/* A reader of a format: it reads the file, "-" for standard input, and hands over what is in it. A file that is not of the
 * format at all is STATUS_INVALID with a text that begins with the file's name. */
struct import_format {
	const char *name, *summary;
	unsigned options; /* set of OPTION_… that it knows beside dry_run and create_users */
	bool needs_user;  /* the format does not say whose the records are: --user is required */
	enum status (*read)(struct import *import, const char *file, struct error *error);
};

/* All of them; the last one has no name. The first is the own one. */
extern const struct import_format import_formats[];

#endif
