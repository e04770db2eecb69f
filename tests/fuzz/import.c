/* Fuzzing the formats that are imported: the first byte tells which, the rest is the file. What is handed over is looked at in the
 * place of import.c, and must be what the store takes. */
#include "fuzz.h"

#include "domain/instant.h"
#include "tool/import_audiobookshelf.h"
#include "tool/import_csv.h"
#include "tool/import_koreader.h"
#include "tool/import_mongodb.h"
#include "tool/import_records.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct import {
	struct options options;
};

const struct options *import_options(const struct import *import)
{
	return &import->options;
}

static void check_identifier(const struct identifier *identifier)
{
	FUZZ_CHECK(identifier->size >= 1 && identifier->size <= IDENTIFIER_MAX_BYTES);
	FUZZ_CHECK(text_is_utf8(identifier_text(identifier)));
}

enum status import_put_user(struct import *import, import_place place, const struct import_user *user,
			    struct error *error)
{
	(void)import;
	(void)place;
	(void)error;
	check_identifier(&user->user);
	return STATUS_OK;
}

enum status import_put_document(struct import *import, import_place place, const struct identifier *user,
				const struct identifier *document, const struct description *description,
				struct error *error)
{
	(void)import;
	(void)place;
	(void)error;
	check_identifier(user);
	check_identifier(document);
	FUZZ_CHECK(description->title_size <= TITLE_MAX_BYTES);
	FUZZ_CHECK(text_is_utf8((struct text){description->title, description->title_size}));
	FUZZ_CHECK(description->author_count <= AUTHORS_MAX);
	for (size_t i = 0; i < description->author_count; i++)
		check_identifier(&description->authors[i]);
	return STATUS_OK;
}

enum status import_put_session(struct import *import, import_place place, const struct session *session, unsigned flags,
			       struct error *error)
{
	(void)import;
	(void)place;
	(void)flags;
	(void)error;
	check_identifier(&session->user);
	check_identifier(&session->document);
	check_identifier(&session->library);
	FUZZ_CHECK(session->facts.start_ms >= 0 && session->facts.start_ms <= INSTANT_MAX_MS);
	if (session->facts.ended)
		FUZZ_CHECK(session->facts.end_ms >= 0 && session->facts.end_ms <= INSTANT_MAX_MS);
	return STATUS_OK;
}

void import_refuse(struct import *import, import_place place, const char *reason)
{
	(void)import;
	(void)place;
	FUZZ_CHECK(reason[0] != '\0' && text_is_utf8(text_of(reason)));
}

void import_remark(struct import *import, const char *text)
{
	(void)import;
	FUZZ_CHECK(text[0] != '\0');
}

static char folder[] = "/tmp/focusstats-fuzz-XXXXXX", file[sizeof folder + 8];

static void remove_file(void)
{
	unlink(file);
	rmdir(folder);
}

static void write_file(const uint8_t *data, size_t size)
{
	if (file[0] == '\0') {
		FUZZ_CHECK(mkdtemp(folder));
		snprintf(file, sizeof file, "%s/input", folder);
		atexit(remove_file);
	}
	int descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(descriptor >= 0);
	FUZZ_CHECK(write(descriptor, data, size) == (ssize_t)size);
	close(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static enum status (*const formats[])(struct import *, const char *, struct error *) = {
		import_records_read, import_mongodb_read, import_csv_read, import_audiobookshelf_read,
		import_koreader_read};
	struct import import = {.options = {.quiet = true, .gap_seconds = 300}};
	struct error error = {.status = STATUS_OK};

	if (size == 0)
		return 0;
	if (data[0] & 0x40) {
		import.options.user = "ada";
		import.options.given |= OPTION_USER;
	}
	unsigned format = data[0] % (sizeof formats / sizeof formats[0]);
	if (format == 4) { /* its command line must name a user */
		import.options.user = "ada";
		import.options.given |= OPTION_USER | OPTION_GAP;
	}
	write_file(data + 1, size - 1);
	if (formats[format](&import, file, &error) != STATUS_OK)
		FUZZ_CHECK(error.text[0] != '\0');
	return 0;
}
