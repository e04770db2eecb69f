/* focusstats.fcgi: a FastCGI responder where descriptor 0 is a listening socket, otherwise a CGI program. */
#include "config.h"

#include "base/config.h"
#include "base/log.h"
#include "gateway/cgi.h"
#include "gateway/fastcgi.h"

#include <fcgiapp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_usage(FILE *to, int status)
{
	fputs("usage: focusstats.fcgi [--help | --version]\n"
	      "\n"
	      "A web server starts this program: as a FastCGI responder, whose listening socket is\n"
	      "descriptor 0, or as a CGI program, whose request is in the environment. Settings are\n"
	      "environment variables, FOCUSSTATS_HOME (the data folder, " FOCUSSTATS_DEFAULT_HOME ")\n"
	      "and others: see focusstats(5).\n",
	      to);
	return status;
}

/* Answers take some hundred kilobytes now and then: keep such memory instead of giving it back each time. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 32 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_ARENA_MAX, 4);
}

static int serve(const struct config *config, bool cgi)
{
	struct error error;

	if (!cgi)
		keep_memory();
	if ((cgi ? cgi_serve(config, environ, &error) : fastcgi_serve(config, &error)) == STATUS_OK)
		return EXIT_SUCCESS;
	log_line("%s", error.text);
	if (cgi)
		cgi_answer_unavailable();
	return EXIT_FAILURE;
}

/* Started by a person, not by a web server. */
static int talk(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("focusstats.fcgi " PACKAGE_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return print_usage(stdout, EXIT_SUCCESS);
	return print_usage(stderr, 2);
}

int main(int argc, char **argv)
{
	struct config config;
	struct error error;
	sigset_t before;

	fastcgi_hold_signals(&before);
	bool cgi = FCGX_IsCGI();
	if (cgi) {
		signal(SIGTERM, SIG_DFL); /* libfcgi's handler does nothing that would end it */
		sigprocmask(SIG_SETMASK, &before, NULL);
	}

	/* A web server may pass a query to a CGI program as arguments (RFC 3875, 4.4), so they count only without one. */
	if (cgi && !getenv("GATEWAY_INTERFACE") && !getenv("REQUEST_METHOD"))
		return talk(argc, argv);
	if (config_read(environ, FOCUSSTATS_DEFAULT_HOME, &config, &error) != STATUS_OK) {
		log_line("%s", error.text);
		if (cgi)
			cgi_answer_unavailable();
		return EXIT_FAILURE;
	}
	return serve(&config, cgi);
}
