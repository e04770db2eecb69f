/* Fuzzing whole requests. The first byte tells who sends it: `A` a web server to a service that wants somebody signed in, `R` another
 * process of ours, anything else a web server to one that does not. Then come the parameters, NAME=VALUE, a line each, an
 * empty line, and the body. The store stays from one to the next, and is thrown away from time to time. */
#include "fuzz.h"
#include "shop.h"

#include <string.h>

enum { PARAMETERS_MAX = 32, STORE_REQUESTS = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned requests;
	char *parameters[PARAMETERS_MAX + 1];
	struct buffer answer = BUFFER_INIT;
	size_t count = 0;

	if (size == 0)
		return 0;
	char *text = malloc(size); /* without its first byte, with a NUL */
	FUZZ_CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	char *line = text, *end;
	while ((end = memchr(line, '\n', (size_t)(text + size - 1 - line)))) {
		*end = '\0';
		char *parameter = line;
		line = end + 1;
		if (parameter == end)
			break;
		if (count < PARAMETERS_MAX)
			parameters[count++] = parameter;
	}
	parameters[count] = NULL;
	/* A copy of its own, so that a byte read behind it is noticed. */
	size_t body_size = (size_t)(text + size - 1 - line);
	char *body = malloc(body_size + 1);
	FUZZ_CHECK(body);
	memcpy(body, line, body_size);
	shop_send(parameters, (struct text){body, body_size}, data[0] == 'R', data[0] == 'A', &answer);
	buffer_release(&answer);
	free(body);
	free(text);
	if (++requests % STORE_REQUESTS == 0)
		shop_clear();
	return 0;
}
