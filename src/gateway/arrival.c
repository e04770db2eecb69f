/* How much has arrived; see arrival.h. */
#include "gateway/arrival.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum {
	/* A larger request is handed out before it is complete: small records fill a socket's buffer soon, with what the
	 * kernel keeps for each, and what is not taken out then never becomes complete. */
	PEEK_BYTES = 16 << 10,
	READ_BYTES = 8 << 10, /* libfcgi's first read takes that much (fcgiapp.c, FCGX_Accept_r) */
};

/* The length of a name or value at *at, behind which it moves on (FastCGI Specification 1.0, 3.4). Of one that is cut off, any small
 * number. */
static uint32_t take_length(const unsigned char *bytes, size_t size, size_t *at)
{
	uint32_t length = *at < size ? bytes[*at] : 0;

	if (length < 0x80 || size - *at < 4) {
		++*at;
		return length & 0x7F;
	}
	length =
		(length & 0x7F) << 24 | (uint32_t)bytes[*at + 1] << 16 | (uint32_t)bytes[*at + 2] << 8 | bytes[*at + 3];
	*at += 4;
	return length;
}

/* Whether names and values have lengths that libfcgi can take: it asks for memory for each, and asserts that it got it, which ends the process
 * (fcgiapp.c, ReadParams). */
static bool lengths_are_sane(const unsigned char *pairs, size_t size)
{
	for (size_t at = 0; at < size;) {
		uint64_t length = take_length(pairs, size, &at);
		length += take_length(pairs, size, &at);
		if (length > PARAMETER_MAX_BYTES)
			return false;
		at += length;
	}
	return true;
}

/* What a request's records say of names and values, as far as they are there. */
struct names {
	unsigned char bytes[PEEK_BYTES];
	size_t size;
	bool begun, complete, bad;
	unsigned request;
};

/* As libfcgi reads them: the parameters of the request that is begun first, and each question for values (FCGI_GET_VALUES) by itself. */
static void note_names(struct names *names, const unsigned char *header, const unsigned char *content, size_t size)
{
	unsigned request = (unsigned)header[2] << 8 | header[3];

	if (header[1] == FCGI_GET_VALUES && !lengths_are_sane(content, size))
		names->bad = true;
	if (header[1] == FCGI_BEGIN_REQUEST && request != FCGI_NULL_REQUEST_ID && !names->begun) {
		names->begun = true;
		names->request = request;
	}
	if (header[1] != FCGI_PARAMS || !names->begun || request != names->request || names->complete)
		return;
	names->complete = header[4] == 0 && header[5] == 0;
	memcpy(names->bytes + names->size, content, size);
	names->size += size;
}

enum arrival arrival_look(int connection, bool *more)
{
	unsigned char bytes[PEEK_BYTES];
	struct names names;
	ssize_t got;

	*more = false;
	do
		got = recv(connection, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? ARRIVED_NOTHING : ARRIVED_WHOLE;
	size_t size = (size_t)got;
	*more = size > READ_BYTES;
	enum arrival arrival = size == 0 || size == sizeof bytes ? ARRIVED_WHOLE : ARRIVED_PART;
	names.size = 0;
	names.begun = names.complete = names.bad = false;
	for (size_t at = 0; at + FCGI_HEADER_LEN <= size;) {
		const unsigned char *header = bytes + at;
		size_t content = (size_t)header[4] << 8 | header[5];
		at += FCGI_HEADER_LEN;
		if (header[0] != FCGI_VERSION_1 || (header[1] == FCGI_STDIN && content == 0))
			arrival = ARRIVED_WHOLE;
		if (header[0] != FCGI_VERSION_1)
			break;
		note_names(&names, header, bytes + at, content < size - at ? content : size - at);
		at += content + header[6];
	}
	return names.bad || !lengths_are_sane(names.bytes, names.size) ? ARRIVED_BAD : arrival;
}
