/* What has nothing to do with the home: the settings that this process was started with, the engine, limits and the clock; see
 * doctor.h. */
#include "tool/doctor.h"

#include "base/clock.h"
#include "store/look.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PREFIX "FOCUSSTATS_"

enum {
	DESCRIPTORS_LEAST = 64, /* the engine's own, standard ones, and some connections */
	DESCRIPTORS_FEW = 256,
	LOG_FILE_BYTES = 1 << 20,
	SECOND_MS = 1000,
	SET_BACK_MS = 5 * 60 * SECOND_MS,
	YEAR_DAYS = 365,
};

static const int64_t DAY_MS = INT64_C(86400) * SECOND_MS;
static const int64_t YEAR_2025_MS = INT64_C(1735689600) * SECOND_MS; /* the program is not older */

/* FOCUSSTATS_AUTH=VALUE; NULL where it is not set. */
static char *entry_of_auth(void)
{
	static const char name[] = PREFIX "AUTH=";

	for (char **entry = environ; *entry; entry++)
		if (strncmp(*entry, name, sizeof name - 1) == 0)
			return *entry;
	return NULL;
}

/* Each for itself, so that all that are wrong are named and not only the first; FOCUSSTATS_ADMINS goes only with another one. */
void doctor_settings(struct doctor *doctor)
{
	char *auth = entry_of_auth();
	char *const auth_alone[] = {auth, NULL};
	struct config ignored;
	struct error error;
	unsigned count = 0;
	bool auth_is_good = config_read(auth_alone, "/", &ignored, &error) == STATUS_OK;

	for (char **entry = environ; *entry; entry++) {
		if (strncmp(*entry, PREFIX, sizeof PREFIX - 1) != 0)
			continue;
		char *const pair[] = {*entry, auth_is_good ? auth : NULL, NULL};
		count++;
		if (config_read(pair, "/", &ignored, &error) == STATUS_OK)
			continue;
		doctor_problem(doctor, "%s", error.text);
		doctor_advice(doctor,
			      "a process of the service does not start with it: focusstats.fcgi(8) has the settings");
	}
	doctor_ok(doctor, "%u in the environment of this command, none of them wrong", count);
}

void doctor_engine(struct doctor *doctor)
{
	const struct look_engine engine = look_engine();
	const int *loaded = engine.loaded, *built = engine.built;

	if (loaded[0] != built[0] || loaded[1] != built[1]) {
		doctor_problem(doctor, "Berkeley DB %d.%d.%d is loaded, and the program was built for %d.%d.%d",
			       loaded[0], loaded[1], loaded[2], built[0], built[1], built[2]);
		doctor_advice(doctor, "install Berkeley DB %d.%d (Debian package libdb%d.%d), or build FocusStats anew",
			      built[0], built[1], built[0], built[1]);
	}
	doctor_ok(doctor, "Berkeley DB %d.%d.%d, as the program was built for", loaded[0], loaded[1], loaded[2]);
}

void doctor_limits(struct doctor *doctor)
{
	struct rlimit files = {RLIM_INFINITY, RLIM_INFINITY};

	if (access("/proc/self/fd", F_OK) != 0) {
		doctor_warning(doctor, "/proc is not mounted");
		doctor_advice(doctor,
			      "mount it: without it a folder with a long path is out of reach, and nothing can be told "
			      "of other processes");
	}
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < DESCRIPTORS_LEAST)
		doctor_problem(doctor, "a process may have %llu files open here", (unsigned long long)files.rlim_max);
	else if (files.rlim_max < DESCRIPTORS_FEW)
		doctor_warning(doctor, "a process may have only %llu files open here",
			       (unsigned long long)files.rlim_max);
	if (files.rlim_max < DESCRIPTORS_FEW)
		doctor_advice(
			doctor,
			"raise the hard limit (ulimit -Hn) where the service is started: each connection takes one");
	doctor_ok(doctor, "%llu files may be open in a process", (unsigned long long)files.rlim_max);
}

/* Of the file size: only once the home's files are known; part of the check of its space. */
void doctor_file_size(struct doctor *doctor)
{
	struct rlimit size = {RLIM_INFINITY, RLIM_INFINITY};
	char limit[32], largest[32];
	/* So long the log file that is written to becomes, however short it is now. */
	int64_t largest_bytes = doctor->largest_bytes > LOG_FILE_BYTES ? doctor->largest_bytes : LOG_FILE_BYTES;

	getrlimit(RLIMIT_FSIZE, &size);
	if (size.rlim_cur == RLIM_INFINITY || (int64_t)size.rlim_cur > largest_bytes + LOG_FILE_BYTES)
		return;
	doctor_problem(doctor, "a file may have %s here, and the largest one has %s",
		       doctor_size((int64_t)size.rlim_cur, limit), doctor_size(largest_bytes, largest));
	doctor_advice(doctor, "raise the limit (ulimit -f) where the service is started: writes fail with it");
}

void doctor_clock(struct doctor *doctor)
{
	int64_t now_ms = clock_wall_ms(), ahead_ms = doctor->newest_ms - now_ms;
	time_t seconds = (time_t)(now_ms / SECOND_MS);
	struct tm utc;
	char now[32];

	gmtime_r(&seconds, &utc);
	strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (now_ms < YEAR_2025_MS) {
		doctor_problem(doctor, "the clock says %s", now);
		doctor_advice(doctor, "set it: sessions are recorded at the time that it says");
	} else if (ahead_ms > SET_BACK_MS) {
		doctor_warning(doctor, "the clock says %s, %" PRId64 " minutes before a file of the home was written",
			       now, ahead_ms / (60 * SECOND_MS));
		doctor_advice(doctor,
			      "see which of the two is right: where the clock was ahead, sessions were recorded with "
			      "times to come");
	} else if (doctor->newest_ms > 0 && -ahead_ms > YEAR_DAYS * DAY_MS) {
		doctor_warning(doctor, "the clock says %s, %" PRId64 " days after anything in the home was written",
			       now, -ahead_ms / DAY_MS);
		doctor_advice(doctor, "set it, unless the service was out of use for so long");
	}
	doctor_ok(doctor, "it is %s", now);
}
