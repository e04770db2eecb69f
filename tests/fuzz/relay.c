/* Fuzzing what a process hears from the owner of the store: the input is what comes back on the connection, and then it ends. */
#include "fuzz.h"

#include "base/clock.h"
#include "gateway/relay.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	const uint8_t *data;
	size_t size;
	int owner; /* its end of the connection */
} reply;

/* In the place of home.c's: the owner has answered already. */
int home_connect(const struct home *home, int *connection)
{
	int ends[2];

	(void)home;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return errno;
	FUZZ_CHECK(reply.size == 0 || send(ends[1], reply.data, reply.size, MSG_NOSIGNAL) == (ssize_t)reply.size);
	shutdown(ends[1], SHUT_WR);
	reply.owner = ends[1];
	*connection = ends[0];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct home home;
	size_t count;
	const struct call call = {.action = action_table(&count), .body = text_of("{\"user\":\"u\"}")};
	struct buffer body = BUFFER_INIT;
	struct error error = {.status = STATUS_METHOD};

	if (size > 65536)
		return 0;
	reply.data = data;
	reply.size = size;
	enum relay_outcome outcome = relay_forward(&home, NULL, &call, clock_boot_ms() + 60000, &body, &error);
	close(reply.owner);
	FUZZ_CHECK(outcome == RELAY_ANSWERED || (body.size == 0 && error.status == STATUS_METHOD));
	FUZZ_CHECK(outcome != RELAY_NO_OWNER);
	if (outcome == RELAY_ANSWERED && error.status != STATUS_OK)
		FUZZ_CHECK(error.text[0] != '\0');
	buffer_release(&body);
	return 0;
}
