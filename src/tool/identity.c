/* Becoming the home's user; see identity.h. */
#include "tool/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status identity_become(const char *home, struct error *error)
{
	struct stat info;

	if (stat(home, &info) != 0)
		return error_set(error, STATUS_INVALID, "%s: %s", home,
				 errno == ENOENT ? "there is no such folder: --home or FOCUSSTATS_HOME says which"
						 : strerror(errno));
	if (geteuid() != 0 || info.st_uid == 0)
		return STATUS_OK;
	const struct passwd *user = getpwuid(info.st_uid);
	if ((user ? initgroups(user->pw_name, info.st_gid) : setgroups(0, NULL)) != 0 || setgid(info.st_gid) != 0 ||
	    setuid(info.st_uid) != 0)
		return error_set(error, STATUS_INVALID, "%s: becoming its user, %ld: %s", home, (long)info.st_uid,
				 strerror(errno));
	return STATUS_OK;
}
