/* The name by which a request came; see host.h. */
#include "api/host.h"

#include "base/config.h"

#include <arpa/inet.h>
#include <string.h>

enum { NAME_MAX_BYTES = 255, SHOWN_MAX_BYTES = 120 };

/* Without the port and the brackets of an IPv6 address (RFC 3986, 3.2.2), in lower case. False where it is longer than a name can be. */
static bool take_name(struct text host, char name[NAME_MAX_BYTES + 1])
{
	struct text port;

	if (host.data[0] == '[') {
		host = text_split((struct text){host.data + 1, host.size - 1}, ']', &port);
		if (!port.data || (port.size > 0 && port.data[0] != ':'))
			return false;
	} else {
		host = text_split(host, ':', &port);
	}
	if (host.size > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < host.size; i++)
		name[i] =
			host.data[i] >= 'A' && host.data[i] <= 'Z' ? (char)(host.data[i] + ('a' - 'A')) : host.data[i];
	name[host.size] = '\0';
	return host.size == strlen(name);
}

static bool is_address(const char *name)
{
	struct in6_addr address;

	return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

/* The name alone, as it would have to be set. */
static enum status refuse(const char *name, struct error *error)
{
	char shown[SHOWN_MAX_BYTES + 1];
	size_t size = strnlen(name, SHOWN_MAX_BYTES);

	for (size_t i = 0; i < size; i++)
		shown[i] = name[i] > 0x20 && name[i] < 0x7F ? name[i] : '?';
	shown[size] = '\0';
	return error_set(error, STATUS_FORBIDDEN, "Host: '%s' is no name of this service (FOCUSSTATS_HOSTS)", shown);
}

enum status host_check(const struct policy *policy, struct text host, struct error *error)
{
	char name[NAME_MAX_BYTES + 1];

	if (policy->any_host || host.size == 0)
		return STATUS_OK;
	if (!take_name(host, name))
		return refuse("?", error);
	if (is_address(name) || strcmp(name, "localhost") == 0 || config_list_has(policy->hosts, ' ', text_of(name)))
		return STATUS_OK;
	return refuse(name, error);
}
