/* focusstats: the admin tool. Options, then one of the commands (commands.h) on a home folder, whether the service runs there
 * or not. */
#include "config.h"

#include "tool/export.h"
#include "tool/import.h"
#include "tool/visible.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	GAP_SECONDS = 300,
	GAP_MAX_SECONDS = 86400,
	SHIFT_MAX_SECONDS = 2000000000, /* some 63 years: a device whose clock began in 1970 or 2000 */
};

static void print_usage(FILE *to)
{
	fputs("usage: focusstats [--home FOLDER] [--json] [-q] [--yes] COMMAND [OPERAND…]\n\ncommands:\n", to);
	for (const struct command *command = commands; command->name; command++)
		fprintf(to, "  %-8s%-8s%s\n", command->name, command->operands, command->summary);
	fputs("\noptions:\n"
	      "  --home FOLDER  the data folder; otherwise FOCUSSTATS_HOME, or " FOCUSSTATS_DEFAULT_HOME "\n"
	      "  --json         one JSON object a line instead of tables\n"
	      "  -q, --quiet    no headings, and nothing about what went well\n"
	      "  --yes          do not ask before something is destroyed\n"
	      "  --format NAME, --user USER, --library LIBRARY, --gap SECONDS, --shift SECONDS,\n"
	      "  --dry-run, --create-users\n"
	      "                 for export and import: see below\n"
	      "  -V, --version  which version this is\n"
	      "  -h, --help     this text\n"
	      "\nformats of files:\n",
	      to);
	for (const struct import_format *format = import_formats; format->name; format++)
		fprintf(to, "  import  %-15s %s\n", format->name, format->summary);
	for (const struct export_format *const *format = export_formats; *format; format++)
		fprintf(to, "  export  %-15s %s\n", (*format)->name, (*format)->summary);
	fputs("\nfocusstats(1) says more.\n", to);
}

static int misused(const char *what, const char *which)
{
	visible_line(stderr, "focusstats: %s%s (focusstats --help)", what, which);
	return EXIT_USAGE;
}

static int run(const struct command *command, const struct config *config, const struct options *options,
	       char *const *operands)
{
	struct client client;
	struct error error = {.status = STATUS_OK};

	if (command->run_apart) {
		command->run_apart(config, options, operands, &error);
	} else if (client_open(&client, config, &error) == STATUS_OK) {
		command->run(&client, options, operands, &error);
		client_close(&client);
	}
	if (error.status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout)))
		error_set(&error, STATUS_UNAVAILABLE, "writing the output failed");
	if (error.status == STATUS_OK)
		return EXIT_SUCCESS;
	visible_line(stderr, "focusstats: %s%s%s", error.text, error.detail[0] ? ": " : "", error.detail);
	return EXIT_FAILURE;
}

static int check_operands(const struct command *command, char *const *operands)
{
	int count = 0;

	while (operands[count])
		count++;
	if (count < command->least) {
		fprintf(stderr, "focusstats: %s: %s is missing (focusstats --help)\n", command->name,
			command->operands);
		return EXIT_USAGE;
	}
	if (count > command->most)
		return misused("one too many: ", operands[command->most]);
	return EXIT_SUCCESS;
}

/* Seconds, with a sign where the least is negative. */
static bool read_seconds(const char *text, int64_t least, int64_t most, int64_t *seconds)
{
	char *end;

	errno = 0;
	long long number = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < least || number > most)
		return false;
	*seconds = number;
	return true;
}

/* Options of one character are those of known[] that all commands know; the others are told by their set bit above that. */
enum { BEYOND = 256 };

static const struct option known[] = {
	{"home", required_argument, NULL, 'd'},
	{"json", no_argument, NULL, 'j'},
	{"quiet", no_argument, NULL, 'q'},
	{"yes", no_argument, NULL, 'y'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{"dry-run", no_argument, NULL, BEYOND + OPTION_DRY_RUN},
	{"create-users", no_argument, NULL, BEYOND + OPTION_CREATE_USERS},
	{"format", required_argument, NULL, BEYOND + OPTION_FORMAT},
	{"user", required_argument, NULL, BEYOND + OPTION_USER},
	{"library", required_argument, NULL, BEYOND + OPTION_LIBRARY},
	{"gap", required_argument, NULL, BEYOND + OPTION_GAP},
	{"shift", required_argument, NULL, BEYOND + OPTION_SHIFT},
	{NULL, 0, NULL, 0},
};

/* Take an option that not all commands know. False where its value is none. */
static bool take_special(int option, struct options *options)
{
	switch (option - BEYOND) {
	case OPTION_DRY_RUN:
		options->dry_run = true;
		return true;
	case OPTION_CREATE_USERS:
		options->create_users = true;
		return true;
	case OPTION_FORMAT:
		options->format = optarg;
		return true;
	case OPTION_USER:
		options->user = optarg;
		return true;
	case OPTION_LIBRARY:
		options->library = optarg;
		return true;
	case OPTION_GAP:
		return read_seconds(optarg, 0, GAP_MAX_SECONDS, &options->gap_seconds);
	default:
		return read_seconds(optarg, -SHIFT_MAX_SECONDS, SHIFT_MAX_SECONDS, &options->shift_seconds);
	}
}

/* The name of an option that was given and that the command does not know; NULL where there is none. */
static const char *unknown_to(const struct command *command, unsigned given)
{
	for (const struct option *option = known; option->name; option++)
		if (option->val > BEYOND && given & (unsigned)(option->val - BEYOND) & ~command->options)
			return option->name;
	return NULL;
}

/* The defaults, and the home if that can be told. */
static void read_home_alone(struct config *config)
{
	struct error ignored;
	char *entries[] = {NULL, NULL};

	for (char **entry = environ; *entry; entry++)
		if (strncmp(*entry, "FOCUSSTATS_HOME=", 16) == 0)
			entries[0] = *entry;
	if (config_read(entries, FOCUSSTATS_DEFAULT_HOME, config, &ignored) != STATUS_OK)
		config_read(&entries[1], FOCUSSTATS_DEFAULT_HOME, config, &ignored);
}

int main(int argc, char **argv)
{
	struct options options = {.gap_seconds = GAP_SECONDS};
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
			if (option <= BEYOND)
				return misused("not understood: ", argv[optind - 1]);
			if (!take_special(option, &options))
				return misused("no number of seconds: ", optarg);
			options.given |= (unsigned)(option - BEYOND);
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
	if (unknown_to(command, options.given)) {
		fprintf(stderr, "focusstats: %s has no --%s (focusstats --help)\n", command->name,
			unknown_to(command, options.given));
		return EXIT_USAGE;
	}
	int usage = check_operands(command, argv + 1);
	if (usage != EXIT_SUCCESS)
		return usage;
	if (config_read(environ, FOCUSSTATS_DEFAULT_HOME, &config, &error) != STATUS_OK) {
		if (!(command->options & COMMAND_ANY_SETTINGS))
			return misused(error.text, "");
		read_home_alone(&config);
	}
	if (home)
		config.home = home;
	signal(SIGPIPE, SIG_IGN); /* an owner that goes away is an error of the write */
	return run(command, &config, &options, argv + 1);
}
