/* focusstats: the admin tool. Options, then one of the commands (commands.h) on a home folder, whether the service runs there
 * or not. */
#include "config.h"

#include "tool/commands.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static void print_usage(FILE *to)
{
	fputs("usage: focusstats [--home FOLDER] [--json] [-q] [--yes] COMMAND [USER]\n\ncommands:\n", to);
	for (const struct command *command = commands; command->name; command++)
		fprintf(to, "  %-7s%-6s%s\n", command->name, command->operand ? command->operand : "",
			command->summary);
	fputs("\noptions:\n"
	      "  --home FOLDER  the data folder; otherwise FOCUSSTATS_HOME, or " FOCUSSTATS_DEFAULT_HOME "\n"
	      "  --json         one JSON object a line instead of tables\n"
	      "  -q, --quiet    no headings, and nothing about what went well\n"
	      "  --yes          do not ask before something is destroyed\n"
	      "  -V, --version  which version this is\n"
	      "  -h, --help     this text\n"
	      "\nfocusstats(1) says more.\n",
	      to);
}

static int misused(const char *what, const char *which)
{
	fprintf(stderr, "focusstats: %s%s (focusstats --help)\n", what, which);
	return EXIT_USAGE;
}

static int run(const struct command *command, const struct config *config, const struct options *options,
	       const char *operand)
{
	struct client client;
	struct error error = {.status = STATUS_OK};

	if (client_open(&client, config, &error) == STATUS_OK) {
		command->run(&client, options, operand, &error);
		client_close(&client);
	}
	if (error.status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout)))
		error_set(&error, STATUS_UNAVAILABLE, "writing the output failed");
	if (error.status == STATUS_OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "focusstats: %s%s%s\n", error.text, error.detail[0] ? ": " : "", error.detail);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{"home", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"quiet", no_argument, NULL, 'q'},
		{"yes", no_argument, NULL, 'y'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {0};
	struct config config;
	struct error error;
	const char *home = NULL;

	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "hqV", known, NULL)) != -1;) {
		switch (option) {
		case 'd':
			home = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'q':
			options.quiet = true;
			break;
		case 'y':
			options.yes = true;
			break;
		case 'V':
			puts("focusstats " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			print_usage(stdout);
			return EXIT_SUCCESS;
		default:
			return misused("not understood: ", argv[optind - 1]);
		}
	}
	argv += optind;
	if (!argv[0])
		return misused("which command?", "");
	const struct command *command = commands;
	while (command->name && strcmp(command->name, argv[0]) != 0)
		command++;
	if (!command->name)
		return misused("there is no command ", argv[0]);
	if (command->operand && !argv[1])
		return misused(command->name, ": which user?");
	if (argv[1] && argv[command->operand ? 2 : 1])
		return misused("one too many: ", argv[command->operand ? 2 : 1]);
	if (config_read(environ, FOCUSSTATS_DEFAULT_HOME, &config, &error) != STATUS_OK)
		return misused(error.text, "");
	if (home)
		config.home = home;
	signal(SIGPIPE, SIG_IGN); /* an owner that goes away is an error of the write */
	return run(command, &config, &options, argv[1]);
}
