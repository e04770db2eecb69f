/* A service to send requests to; see shop.h. */
#include "shop.h"

#include "fuzz.h"

#include "base/log.h"
#include "gateway/exchange.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	struct service service;
	bool open;
	char home[64];
	int front, back; /* the connection that relayed requests come on */
} shop;

/* The sanitizers ask. What Berkeley DB keeps of its transactions is its own, and it was not built with them. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the name is the sanitizer's */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libdb-5.3";
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void fatal(void *context, const char *what)
{
	(void)context;
	fprintf(stderr, "the store cannot go on: %s\n", what);
	abort();
}

static void remove_below(int parent, const char *name)
{
	int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = descriptor >= 0 ? fdopendir(descriptor) : NULL;

	FUZZ_CHECK(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(descriptor, entry->d_name, 0) != 0)
			remove_below(descriptor, entry->d_name);
	}
	closedir(folder);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void shop_clear(void)
{
	if (!shop.open)
		return;
	owner_destroy(&shop.service.owner);
	close(shop.front);
	close(shop.back);
	remove_below(AT_FDCWD, shop.home);
	shop.open = false;
}

static void open_shop(void)
{
	static bool cleared_at_exit;
	const struct owner_options options = {.once = true, .job = true, .patience_ms = 10000, .fatal = fatal};
	struct error error;
	int ends[2];

	/* In memory where there is a file system for that: a write is synced. */
	snprintf(shop.home, sizeof shop.home, "%s/focusstats-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	FUZZ_CHECK(mkdtemp(shop.home));
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	shop.service = (struct service){.ids = UUID_SOURCE_INIT};
	shop.front = ends[0];
	shop.back = ends[1];
	if (owner_init(&shop.service.owner, shop.home, &options, &error) != STATUS_OK) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	shop.open = true;
	if (!cleared_at_exit)
		atexit(shop_clear);
	cleared_at_exit = true;
}

static long read_body(void *context, char *data, size_t size)
{
	struct text *left = context;

	if (size > left->size)
		size = left->size;
	if (size > 0)
		memcpy(data, left->data, size);
	left->data += size;
	left->size -= size;
	return (long)size;
}

static bool says(const struct buffer *answer, const char *text)
{
	return memmem(answer->data, answer->size, text, strlen(text)) != NULL;
}

/* Nothing fails here, so that it cannot be done now for two reasons alone. */
static void check_answer(const struct buffer *answer, const struct buffer *log)
{
	static const char status[] = "Status: ", unavailable[] = "Status: 503";

	FUZZ_CHECK(!buffer_failed(answer));
	FUZZ_CHECK(answer->size > sizeof status && memcmp(answer->data, status, sizeof status - 1) == 0);
	if (memcmp(answer->data, unavailable, sizeof unavailable - 1) != 0 || says(answer, "is being removed") ||
	    says(answer, "the time for this request has run out"))
		return;
	fprintf(stderr, "%.*s\n%.*s\n", (int)answer->size, answer->data, (int)log->size, log->data);
	abort();
}

void shop_send(char *const *parameters, struct text body, bool relayed, bool auth_required, struct buffer *answer)
{
	struct buffer log = BUFFER_INIT;
	struct exchange exchange;
	char record[64];

	if (!shop.open)
		open_shop();
	shop.service.policy = (struct policy){
		.auth_required = auth_required,
		.admins = text_of("root"),
		.origins = text_of("https://a.example https://b.example"),
		.max_body_bytes = 65536,
	};
	const struct exchange_source source = {
		.parameters = parameters, .read_body = read_body, .context = &body, .relay = relayed ? shop.back : -1};
	exchange_serve(&exchange, &shop.service, &source);
	exchange_finish(&exchange, answer, &log);
	check_answer(answer, &log);
	while (relayed && recv(shop.front, record, sizeof record, MSG_DONTWAIT) > 0)
		;
	buffer_release(&log);
}
