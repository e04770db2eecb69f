/* Instants of other programs; see foreign_time.h. */
#include "tool/foreign_time.h"

#include "base/date.h"
#include "domain/instant.h"

#include <string.h>

enum {
	TEXT_MAX_BYTES = 64,                             /* no instant is longer, unless by digits that say nothing */
	LOCAL_MIN_BYTES = sizeof "2025-11-10T12:41" - 1, /* with fewer there can be no offset */
};

/* Whether a message may show it. */
static bool is_plain(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	return text.size <= TEXT_MAX_BYTES;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The sign of a numeric offset, or NULL. */
static char *sign_of(char *text)
{
	char *sign = strpbrk(text + LOCAL_MIN_BYTES, "+-");

	if (!sign)
		return NULL;
	for (const char *at = sign + 1; *at; at++)
		if (!is_digit(*at))
			return NULL;
	return sign;
}

/* Into RFC 3339, where it is something alike. text has room for three characters more. */
static void mend(char *text)
{
	if (strlen(text) <= LOCAL_MIN_BYTES)
		return;
	if (text[DATE_TEXT_SIZE] == ' ')
		text[DATE_TEXT_SIZE] = 'T';
	char *sign = sign_of(text);
	if (sign && strlen(sign) == sizeof "+01" - 1) {
		memcpy(sign + 3, ":00", sizeof ":00");
	} else if (sign && strlen(sign) == sizeof "+0100" - 1) {
		memmove(sign + 4, sign + 3, sizeof "00");
		sign[3] = ':';
	}
}

/* Whether it would be an instant if it ended with a Z. */
static bool lacks_offset(char *text)
{
	int64_t ms;
	size_t size = strlen(text);

	text[size] = 'Z';
	bool lacks = instant_parse((struct text){text, size + 1}, &ms);
	text[size] = '\0';
	return lacks;
}

enum status foreign_time_read(struct text text, const char *name, int64_t *ms, struct error *error)
{
	char mended[TEXT_MAX_BYTES + 4];

	if (text.size == 0)
		return error_set(error, STATUS_INVALID, "%s: must not be empty", name);
	if (instant_parse(text, ms))
		return error->status = STATUS_OK;
	if (!is_plain(text))
		return error_set(error, STATUS_INVALID, "%s: is no instant as RFC 3339 writes it", name);
	memcpy(mended, text.data, text.size);
	mended[text.size] = '\0';
	mend(mended);
	if (instant_parse(text_of(mended), ms))
		return error->status = STATUS_OK;
	if (lacks_offset(mended))
		return error_set(error, STATUS_INVALID,
				 "%s: '%.*s' has no offset from UTC, as 2025-11-10T12:41:01Z has", name, (int)text.size,
				 text.data);
	return error_set(error, STATUS_INVALID, "%s: '%.*s' is no instant of 1970 to 9999 as RFC 3339 writes it", name,
			 (int)text.size, text.data);
}

enum status foreign_time_check(int64_t ms, const char *name, struct error *error)
{
	if (ms < 0 || ms > INSTANT_MAX_MS)
		return error_set(error, STATUS_INVALID, "%s: %lld ms is not within 1970 to 9999", name, (long long)ms);
	return STATUS_OK;
}
