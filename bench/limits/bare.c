/* The least that a FastCGI program can do with libfcgi, a thread a connection: read the body, answer a fixed JSON value. What it reaches behind a web
 * server is what is left for a service that takes no time of its own. The listening socket is descriptor 0, as web servers and spawn-fcgi hand it over.
 *
 *   BARE_THREADS   threads, 16 by default; a kept connection takes one
 *   BARE_BYTES     the answer has so many bytes instead
 *   BARE_APPEND    a file to which each request adds RECORD bytes that are on the disk before it is answered
 */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD = 256, BODY = 4096, MAX_THREADS = 1024, MAX_BYTES = 1 << 26 };

static const char OBJECT[] = "{\"focusSession\":\"0198f0de-aaaa-7000-8000-00000000d0c5\"}\n";

/* Headers and body, never changed once the threads run. */
static char *answer;
static int append = -1;

static void fail(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void *serve(void *unused)
{
	FCGX_Request request;
	char body[BODY], record[RECORD];

	(void)unused;
	memset(record, 'x', sizeof record);
	if (FCGX_InitRequest(&request, 0, 0))
		fail("FCGX_InitRequest");
	while (FCGX_Accept_r(&request) == 0) {
		while (FCGX_GetStr(body, sizeof body, request.in) == sizeof body)
			;
		if (append >= 0 && (write(append, record, sizeof record) != sizeof record || fdatasync(append)))
			fail("append");
		FCGX_PutS(answer, request.out);
		FCGX_Finish_r(&request);
	}
	return NULL;
}

/* The number that a variable holds, from 1 to MOST. */
static size_t number(const char *name, size_t otherwise, size_t most)
{
	const char *value = getenv(name);
	unsigned long read = otherwise;
	char *end;

	if (value) {
		errno = 0;
		read = strtoul(value, &end, 10);
		if (errno || *end || end == value || read < 1 || read > most) {
			fprintf(stderr, "bare: %s=%s\n", name, value);
			exit(2);
		}
	}
	return read;
}

static void make_answer(void)
{
	size_t bytes = number("BARE_BYTES", 0, MAX_BYTES);
	size_t length = bytes ? bytes : sizeof OBJECT - 1;
	char head[128];
	int head_length =
		snprintf(head, sizeof head, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", length);
	char *body;

	answer = calloc(1, (size_t)head_length + length + 1);
	if (!answer)
		fail("calloc");
	memcpy(answer, head, (size_t)head_length);
	body = answer + head_length;
	if (!bytes) {
		memcpy(body, OBJECT, length);
	} else { /* a list with one string; of less than four bytes there is none */
		memset(body, 'x', length);
		if (length >= 4) {
			memcpy(body, "[\"", 2);
			memcpy(body + length - 2, "\"]", 2);
		}
	}
}

static void end(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

int main(void)
{
	const char *file = getenv("BARE_APPEND");
	size_t threads = number("BARE_THREADS", 16, MAX_THREADS);

	signal(SIGTERM, end);
	make_answer();
	if (file) {
		append = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (append < 0)
			fail(file);
	}
	if (FCGX_Init())
		fail("FCGX_Init");
	while (--threads > 0) {
		pthread_t thread;

		errno = pthread_create(&thread, NULL, serve, NULL);
		if (errno)
			fail("pthread_create");
	}
	serve(NULL);
	return 1;
}
