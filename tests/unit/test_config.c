/* The settings: base/config.h. */
#include "check.h"

#include "base/config.h"

#include <stdio.h>
#include <string.h>

static enum status read_settings(const char *const *settings, struct config *config, struct error *error)
{
	char text[8][256];
	char *environment[10] = {(char[]){"PATH=/bin"}};
	int count = 0;

	for (; settings[count]; count++) {
		snprintf(text[count], sizeof text[count], "FOCUSSTATS_%s", settings[count]);
		environment[count + 1] = text[count];
	}
	enum status status = config_read(environment, "/var/lib/focusstats", config, error);
	/* The config refers to the environment, which is gone when this returns. */
	if (status == STATUS_OK && strcmp(config->home, "/var/lib/focusstats") != 0)
		config->home = "elsewhere";
	return status;
}

static void defaults(void **state)
{
	struct config config;
	struct error error;

	(void)state;
	assert_int_equal(read_settings((const char *[]){NULL}, &config, &error), STATUS_OK);
	assert_string_equal(config.home, "/var/lib/focusstats");
	assert_int_equal(config.threads, 64);
	assert_int_equal(config.max_body_bytes, 4194304);
	assert_int_equal(config.relay_timeout_ms, 5000);
	assert_false(config.auth_required);
	assert_false(config.refusals_as_200);
	assert_int_equal(config.admins.size, 0);
	assert_int_equal(config.origins.size, 0);
}

static void everything_set(void **state)
{
	char *environment[] = {
		(char[]){"FOCUSSTATS_HOME=/srv/a b"},
		(char[]){"FOCUSSTATS_THREADS=1024"},
		(char[]){"FOCUSSTATS_MAX_BODY=67108864"},
		(char[]){"FOCUSSTATS_AUTH=required"},
		(char[]){"FOCUSSTATS_ADMINS=ann, bob ,c=d"},
		(char[]){"FOCUSSTATS_CORS_ORIGIN=https://reader.example http://[::1]:8080"},
		(char[]){"FOCUSSTATS_ERROR_STATUS=200"},
		(char[]){"FOCUSSTATS_RELAY_TIMEOUT=60000"},
		(char[]){"XFOCUSSTATS_NONSENSE=1"},
		(char[]){"FOCUSSTATS=1"},
		NULL,
	};
	struct config config;
	struct error error;

	(void)state;
	assert_int_equal(config_read(environment, "/x", &config, &error), STATUS_OK);
	assert_string_equal(config.home, "/srv/a b");
	assert_int_equal(config.threads, 1024);
	assert_int_equal(config.max_body_bytes, 67108864);
	assert_true(config.auth_required);
	assert_true(config.refusals_as_200);
	assert_int_equal(config.relay_timeout_ms, 60000);
	assert_true(config_list_has(config.admins, ',', text_of("ann")));
	assert_true(config_list_has(config.admins, ',', text_of("bob")));
	assert_true(config_list_has(config.admins, ',', text_of("c=d")));
	assert_false(config_list_has(config.admins, ',', text_of("an")));
	assert_false(config_list_has(config.admins, ',', text_of("ann, bob")));
	assert_false(config_list_has(config.admins, ',', text_of("")));
	assert_true(config_list_has(config.origins, ' ', text_of("http://[::1]:8080")));
	assert_false(config_list_has(config.origins, ' ', text_of("https://reader.example.evil")));
}

static void bounds(void **state)
{
	static const struct {
		const char *setting;
		bool right;
	} cases[] = {
		{"THREADS=1", true},
		{"THREADS=1024", true},
		{"THREADS=0", false},
		{"THREADS=1025", false},
		{"THREADS=8 ", false},
		{"THREADS=-8", false},
		{"THREADS=0x8", false},
		{"THREADS=eight", false},
		{"THREADS=99999999999999999999", false},
		{"MAX_BODY=1024", true},
		{"MAX_BODY=67108864", true},
		{"MAX_BODY=1023", false},
		{"MAX_BODY=67108865", false},
		{"MAX_BODY=64k", false},
		{"RELAY_TIMEOUT=100", true},
		{"RELAY_TIMEOUT=60000", true},
		{"RELAY_TIMEOUT=99", false},
		{"RELAY_TIMEOUT=60001", false},
		{"RELAY_TIMEOUT=5s", false},
		{"AUTH=none", true},
		{"AUTH=required", true},
		{"AUTH=Required", false},
		{"AUTH=yes", false},
		{"AUTH=require", false},
		{"ERROR_STATUS=200", true},
		{"ERROR_STATUS=400", false},
		{"ERROR_STATUS=0200", false},
		{"HOME=/", true},
		{"HOME=relative", false},
		{"HOME=~/x", false},
		{"CORS_ORIGIN=https://reader.example", true},
		{"CORS_ORIGIN=http://127.0.0.1:8080", true},
		{"CORS_ORIGIN=*", false},
		{"CORS_ORIGIN=https://Reader.example", false},
		{"CORS_ORIGIN=https://a/", false},
		{"CORS_ORIGIN=https://a https://b/", false},
		{"CORS_ORIGIN=reader.example", false},
		{"CORS_ORIGIN=https://", false},
		{"CORS_ORIGIN=null", false},
		{"CORS_ORIGIN=https://a,https://b", false},
		{"HOSTS=*", true},
		{"HOSTS=books.example my_host", true},
		{"HOSTS=*.example", false},
		{"HOSTS=Books.example", false},
		{"HOSTS=a:80", false},
		{"HOSTS=a  b", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config config = {.threads = 7};
		struct error error;
		enum status status = read_settings((const char *[]){cases[i].setting, NULL}, &config, &error);

		if (status != (cases[i].right ? STATUS_OK : STATUS_INVALID))
			fail_msg("%s: status %d", cases[i].setting, (int)status);
		if (cases[i].right)
			continue;
		char name[64] = "FOCUSSTATS_";
		strncat(name, cases[i].setting, strcspn(cases[i].setting, "="));
		assert_non_null(strstr(error.text, name));
		assert_null(strchr(error.text, '\n'));
		assert_int_equal(config.threads, 7);
	}
}

static void empty_values_are_refused(void **state)
{
	static const char *const names[] = {"HOME",   "THREADS",     "MAX_BODY",     "AUTH",
					    "ADMINS", "CORS_ORIGIN", "ERROR_STATUS", "RELAY_TIMEOUT"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char setting[64];
		struct config config;
		struct error error;

		snprintf(setting, sizeof setting, "%s=", names[i]);
		assert_int_equal(read_settings((const char *[]){setting, NULL}, &config, &error), STATUS_INVALID);
		assert_non_null(strstr(error.text, names[i]));
	}
}

static void unknown_names_are_refused(void **state)
{
	static const char *const settings[] = {"HOMES=/x", "AUTHS=required", "auth=required",
					       "=1",       "THREAD=1",       "XAUTH=none"};

	(void)state;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		struct config config;
		struct error error;

		assert_int_equal(read_settings((const char *[]){settings[i], NULL}, &config, &error), STATUS_INVALID);
		assert_non_null(strstr(error.text, "FOCUSSTATS_"));
	}
}

static void admins_need_authentication(void **state)
{
	struct config config;
	struct error error;

	(void)state;
	assert_int_equal(read_settings((const char *[]){"ADMINS=ann", NULL}, &config, &error), STATUS_INVALID);
	assert_non_null(strstr(error.text, "FOCUSSTATS_ADMINS"));
	assert_int_equal(read_settings((const char *[]){"ADMINS=ann", "AUTH=none", NULL}, &config, &error),
			 STATUS_INVALID);
	assert_int_equal(read_settings((const char *[]){"ADMINS=ann", "AUTH=required", NULL}, &config, &error),
			 STATUS_OK);
	assert_int_equal(read_settings((const char *[]){"AUTH=required", "ADMINS=ann", NULL}, &config, &error),
			 STATUS_OK);
	assert_int_equal(read_settings((const char *[]){"AUTH=required", "ADMINS=ann,,bob", NULL}, &config, &error),
			 STATUS_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything_set),
		cmocka_unit_test(bounds),
		cmocka_unit_test(empty_values_are_refused),
		cmocka_unit_test(unknown_names_are_refused),
		cmocka_unit_test(admins_need_authentication),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
