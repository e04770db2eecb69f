/* The settings; see config.h. */
#include "base/config.h"

#include <stddef.h>
#include <string.h>

static const char PREFIX[] = "FOCUSSTATS_";

static enum status bad(struct error *error, const char *name, const char *value, const char *expected)
{
	return error_set(error, STATUS_INVALID, "%s%s: '%s' is not %s", PREFIX, name, value, expected);
}

static enum status set_home(struct config *config, const char *name, const char *value, struct error *error)
{
	if (value[0] != '/')
		return bad(error, name, value, "an absolute path");
	config->home = value;
	return STATUS_OK;
}

static bool integer_between(const char *value, long long least, long long most, long long *number)
{
	return text_to_integer(text_of(value), number) && *number >= least && *number <= most;
}

static enum status set_threads(struct config *config, const char *name, const char *value, struct error *error)
{
	long long number;

	if (!integer_between(value, 1, 1024, &number))
		return bad(error, name, value, "a number of threads from 1 to 1024");
	config->threads = (unsigned)number;
	return STATUS_OK;
}

static enum status set_max_body(struct config *config, const char *name, const char *value, struct error *error)
{
	long long number;

	if (!integer_between(value, 1024, 67108864, &number))
		return bad(error, name, value, "a number of bytes from 1024 to 67108864");
	config->max_body_bytes = (size_t)number;
	return STATUS_OK;
}

static enum status set_auth(struct config *config, const char *name, const char *value, struct error *error)
{
	if (strcmp(value, "required") != 0 && strcmp(value, "none") != 0)
		return bad(error, name, value, "'required' or 'none'");
	config->auth_required = strcmp(value, "required") == 0;
	return STATUS_OK;
}

static enum status set_admins(struct config *config, const char *name, const char *value, struct error *error)
{
	struct text rest = text_of(value);

	do {
		struct text item = text_trim(text_split(rest, ',', &rest));
		if (item.size == 0)
			return bad(error, name, value, "a list of names separated by single commas");
	} while (rest.data);
	config->admins = text_of(value);
	return STATUS_OK;
}

/* An origin as browsers send it (RFC 6454, 6.2): scheme://host or scheme://host:port and nothing more. */
static bool is_origin(struct text text)
{
	static const struct text schemes[] = {{"https://", 8}, {"http://", 7}};

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t skip = schemes[i].size;
		if (text.size <= skip || memcmp(text.data, schemes[i].data, skip) != 0)
			continue;
		for (size_t at = skip; at < text.size; at++) {
			char c = text.data[at];
			if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(".-:[]", c)) || c == '\0')
				return false;
		}
		return true;
	}
	return false;
}

static enum status set_origins(struct config *config, const char *name, const char *value, struct error *error)
{
	struct text rest = text_of(value);

	do {
		struct text item = text_split(rest, ' ', &rest);
		if (!is_origin(item))
			return bad(error, name, value,
				   "one or more origins like https://reader.example, in lower case, separated by "
				   "single spaces");
	} while (rest.data);
	config->origins = text_of(value);
	return STATUS_OK;
}

static bool is_host(struct text text)
{
	bool good = text.size > 0;

	for (size_t at = 0; good && at < text.size; at++) {
		char c = text.data[at];
		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
	}
	return good;
}

static enum status set_hosts(struct config *config, const char *name, const char *value, struct error *error)
{
	struct text rest = text_of(value);

	config->any_host = strcmp(value, "*") == 0;
	if (config->any_host)
		return STATUS_OK;
	do {
		if (!is_host(text_split(rest, ' ', &rest)))
			return bad(error, name, value,
				   "'*', or one or more host names in lower case, without ports, separated by single "
				   "spaces");
	} while (rest.data);
	config->hosts = text_of(value);
	return STATUS_OK;
}

static enum status set_error_status(struct config *config, const char *name, const char *value, struct error *error)
{
	if (strcmp(value, "200") != 0)
		return bad(error, name, value, "200");
	config->refusals_as_200 = true;
	return STATUS_OK;
}

static enum status set_relay_timeout(struct config *config, const char *name, const char *value, struct error *error)
{
	long long number;

	if (!integer_between(value, 100, 60000, &number))
		return bad(error, name, value, "a number of milliseconds from 100 to 60000");
	config->relay_timeout_ms = (int)number;
	return STATUS_OK;
}

static const struct setting {
	const char *name; /* behind the prefix */
	enum status (*set)(struct config *config, const char *name, const char *value, struct error *error);
} settings[] = {
	{"HOME", set_home},
	{"THREADS", set_threads},
	{"MAX_BODY", set_max_body},
	{"AUTH", set_auth},
	{"ADMINS", set_admins},
	{"CORS_ORIGIN", set_origins},
	{"HOSTS", set_hosts},
	{"ERROR_STATUS", set_error_status},
	{"RELAY_TIMEOUT", set_relay_timeout},
};

static const struct setting *find(struct text name)
{
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (text_equal(text_of(settings[i].name), name))
			return &settings[i];
	return NULL;
}

enum status config_read(char *const *environment, const char *default_home, struct config *config, struct error *error)
{
	struct config read = {
		.home = default_home,
		.threads = 64,
		.max_body_bytes = 4194304,
		.relay_timeout_ms = 5000,
	};

	for (; *environment; environment++) {
		const char *entry = *environment;
		if (strncmp(entry, PREFIX, sizeof PREFIX - 1) != 0)
			continue;
		struct text value;
		struct text name = text_split(text_of(entry + sizeof PREFIX - 1), '=', &value);
		const struct setting *setting = find(name);
		if (!setting)
			return error_set(error, STATUS_INVALID, "%s%.*s: there is no such setting", PREFIX,
					 (int)name.size, name.data);
		if (value.size == 0)
			return error_set(error, STATUS_INVALID, "%s%s: the value is empty", PREFIX, setting->name);
		if (setting->set(&read, setting->name, value.data, error) != STATUS_OK)
			return error->status;
	}
	if (read.admins.size > 0 && !read.auth_required)
		return error_set(error, STATUS_INVALID,
				 "FOCUSSTATS_ADMINS: works only with FOCUSSTATS_AUTH=required, without which everyone "
				 "may do everything");
	/* Who has signed in did so on a page of this very name. */
	if (read.auth_required && read.hosts.size == 0)
		read.any_host = true;
	*config = read;
	return STATUS_OK;
}

bool config_list_has(struct text list, char separator, struct text item)
{
	while (item.size > 0 && list.size > 0)
		if (text_equal(text_trim(text_split(list, separator, &list)), item))
			return true;
	return false;
}
