/* What goes through libfcgi; see stream.h. */
#include "gateway/stream.h"

#include "base/log.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum {
	DISCARD_MAX = 64 << 20, /* bytes of a refused body: a server that is cut off while it sends loses the answer */
	ROOM_BYTES = 64 << 10,  /* libfcgi's buffers, and parameters as web servers send them */
	ROOM_NAP_MS = 20,
	ROOM_NAPS = 50,
	RECORD_BYTES_MAX = 0xFFF8, /* of a FastCGI record, and a multiple of 8 */
	STREAM_BYTES = 8000,       /* what libfcgi sends at once with the end of the answer: its buffer has 8,192 */
};

long stream_read(void *context, char *data, size_t size)
{
	FCGX_Request *request = context;

	return FCGX_GetStr(data, (int)size, request->in);
}

bool stream_discard(FCGX_Request *request)
{
	char bytes[8192];
	long sum = 0, got = 1;

	while (FCGX_HasSeenEOF(request->in) == 0 && sum < DISCARD_MAX && got > 0) {
		got = stream_read(request, bytes, sizeof bytes);
		sum += got;
	}
	return FCGX_HasSeenEOF(request->in) != 0 && FCGX_GetError(request->in) == 0;
}

/* Send a record of the answer (FastCGI specification, 3.3). */
static bool send_record(const FCGX_Request *request, struct text text)
{
	uint8_t header[FCGI_HEADER_LEN] = {
		FCGI_VERSION_1,
		FCGI_STDOUT,
		(uint8_t)(request->requestId >> 8),
		(uint8_t)request->requestId,
		(uint8_t)(text.size >> 8),
		(uint8_t)text.size,
	};
	struct iovec parts[] = {{header, sizeof header}, {(char *)text.data, text.size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	while (parts[1].iov_len > 0) {
		ssize_t sent = sendmsg(request->ipcFd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		for (int i = 0; sent > 0 && i < 2; i++) {
			size_t of_part = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
			parts[i].iov_base = (char *)parts[i].iov_base + of_part;
			parts[i].iov_len -= of_part;
			sent -= (ssize_t)of_part;
		}
	}
	return true;
}

/* libfcgi would copy a long answer into its buffer and send it 8 KiB by 8 KiB, so only the end of one goes that way. */
void stream_put(FCGX_Request *request, const struct buffer *output)
{
	struct text left = buffer_text(output);

	while (left.size > STREAM_BYTES) {
		size_t size = left.size - STREAM_BYTES;
		size = size < RECORD_BYTES_MAX ? size : RECORD_BYTES_MAX;
		if (!send_record(request, (struct text){left.data, size})) {
			/* Nothing that libfcgi still sends may be taken for the rest of the record. */
			shutdown(request->ipcFd, SHUT_RDWR);
			request->keepConnection = 0;
			return;
		}
		left.data += size;
		left.size -= size;
	}
	FCGX_PutStr(left.data, (int)left.size, request->out);
}

bool stream_has_room(void)
{
	for (int i = 0; i < ROOM_NAPS; i++) {
		void *room = malloc(ROOM_BYTES);
		if (room) {
			*(volatile char *)room = 0; /* or the compiler does without */
			free(room);
			return true;
		}
		nanosleep(&(struct timespec){.tv_nsec = ROOM_NAP_MS * 1000000L}, NULL);
	}
	log_repeated("out of memory: a connection is closed, and what was asked on it not carried out");
	return false;
}
