/* The settings: environment variables whose names begin with FOCUSSTATS_; focusstats(5) describes them. */
#ifndef FOCUSSTATS_BASE_CONFIG_H
#define FOCUSSTATS_BASE_CONFIG_H

#include "base/error.h"
#include "base/text.h"

struct config {
	const char *home;      /* FOCUSSTATS_HOME: the data folder */
	unsigned threads;      /* FOCUSSTATS_THREADS: 1 to 1,024 workers */
	size_t max_body_bytes; /* FOCUSSTATS_MAX_BODY: 1,024 to 67,108,864 */
	bool auth_required;    /* FOCUSSTATS_AUTH=required */
	struct text admins;    /* FOCUSSTATS_ADMINS: names separated by commas */
	struct text origins;   /* FOCUSSTATS_CORS_ORIGIN: origins separated by spaces */
	struct text hosts;     /* FOCUSSTATS_HOSTS: names separated by spaces */
	bool any_host;         /* FOCUSSTATS_HOSTS=*, or not set and somebody has to sign in */
	bool refusals_as_200;  /* FOCUSSTATS_ERROR_STATUS=200 */
	int relay_timeout_ms;  /* FOCUSSTATS_RELAY_TIMEOUT: 100 to 60,000 */
};

/* Read the settings from an environment (NAME=VALUE strings, ended by NULL), which must outlive the config. A name that
 * begins with FOCUSSTATS_ and is no setting, an empty value and a bad value are STATUS_INVALID with a text that
 * names the setting: a misspelt FOCUSSTATS_AUTH must not leave the door open. */
enum status config_read(char *const *environment, const char *default_home, struct config *config, struct error *error);

/* True where `item`, not empty, is one of the list's, which are separated by `separator` and blanks around it. */
bool config_list_has(struct text list, char separator, struct text item);

#endif
