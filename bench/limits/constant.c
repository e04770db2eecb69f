/* The least that a CGI program can do: read the body, answer with a fixed JSON object. bench/cgi.py puts it in the service's place. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	const char *length = getenv("CONTENT_LENGTH");
	long left = length ? atol(length) : 0;
	char body[4096];

	while (left > 0) {
		ssize_t got = read(STDIN_FILENO, body, sizeof body);
		if (got <= 0)
			break;
		left -= got;
	}
	fputs("Content-Type: application/json\r\n\r\n{\"focusSession\":\"0198f0de-aaaa-7000-8000-00000000d0c5\"}\n",
	      stdout);
	return 0;
}
