/* The CGI gateway; see cgi.h. */
#include "gateway/cgi.h"

#include "base/log.h"
#include "gateway/exchange.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DISCARD_MAX = 64 << 20, /* bytes of a refused body */
};

/* context is a count of the bytes read so far. */
static long read_stdin(void *context, char *data, size_t size)
{
	long long *sum = context;

	for (;;) {
		ssize_t got = read(STDIN_FILENO, data, size);
		if (got > 0)
			*sum += got;
		if (got >= 0 || errno != EINTR)
			return (long)got;
	}
}

/* Read what is left of the body: a web server that is cut off while it sends loses the answer. Never beyond its declared
 * size, for there may be no end to read (RFC 3875, 4.2); only a chunked body, whose size nobody declared, has one. */
static void discard_stdin(long long sum)
{
	char bytes[8192];
	long long declared;

	if (getenv("HTTP_TRANSFER_ENCODING"))
		declared = DISCARD_MAX;
	else if (!text_to_integer(text_of(getenv("CONTENT_LENGTH")), &declared) || declared > DISCARD_MAX)
		return;
	while (sum < declared && read_stdin(&sum, bytes, sizeof bytes) > 0)
		continue;
}

static bool write_all(int fd, struct text text)
{
	while (text.size > 0) {
		ssize_t written = write(fd, text.data, text.size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text.data += written;
		text.size -= (size_t)written;
	}
	return true;
}

void cgi_answer_unavailable(void)
{
	write_all(STDOUT_FILENO,
		  text_of("Status: 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\r\n"
			  "{\"error\":\"the service cannot be used now: the log says why\"}\n"));
}

static void end_process(void *context, const char *what)
{
	(void)context;
	log_line("%s: this process ends, the next one recovers the store", what);
	cgi_answer_unavailable();
	_exit(EXIT_FATAL);
}

enum status cgi_serve(const struct config *config, char *const *environment, struct error *error)
{
	struct service service = {.policy = exchange_policy(config), .ids = UUID_SOURCE_INIT};
	const struct owner_options options = {
		.once = true,
		.patience_ms = config->relay_timeout_ms,
		.fatal = end_process,
	};
	long long body_bytes = 0;
	const struct exchange_source source = {
		.parameters = environment,
		.read_body = read_stdin,
		.context = &body_bytes,
		.relay = -1,
	};
	struct buffer output = BUFFER_INIT, log = BUFFER_INIT;
	struct exchange exchange;

	signal(SIGPIPE, SIG_IGN);
	if (owner_init(&service.owner, config->home, &options, error) != STATUS_OK)
		return error->status;
	exchange_serve(&exchange, &service, &source);
	exchange_finish(&exchange, &output, &log);
	discard_stdin(body_bytes);
	/* The answer first: what is stored is stored, and closing the store takes its time. */
	bool written = !buffer_failed(&output) && write_all(STDOUT_FILENO, buffer_text(&output));
	int reason = errno;
	close(STDOUT_FILENO);
	write_all(STDERR_FILENO, buffer_text(&log));
	owner_destroy(&service.owner);
	buffer_release(&output);
	buffer_release(&log);
	if (!written)
		return error_set(error, STATUS_UNAVAILABLE, "writing the answer: %s", strerror(reason));
	return STATUS_OK;
}
