/* The checks of options that are texts (base/conf/conf.h). */
#include <stdlib.h>
#include <string.h>

#include "base/conf/conf.h"

bool conf_check_address(const char *value, struct err *err)
{
	const char *colon = strrchr(value, ':');
	char *rest;
	long port;

	if (strncmp(value, "unix:/", 6) == 0)
		return true;
	if (!colon || colon == value)
		return err_set(err, ERR_INVALID, "\"%.80s\" is no address; 127.0.0.1:7420, [::1]:7420 or unix:/path is",
			value);
	if (value[0] != '[' && memchr(value, ':', (size_t)(colon - value)))
		return err_set(err, ERR_INVALID, "\"%.80s\" is no address; IPv6 takes brackets, [::1]:7420", value);
	port = strtol(colon + 1, &rest, 10);
	if (colon[1] < '0' || colon[1] > '9' || *rest || port > 65535)
		return err_set(err, ERR_INVALID, "\"%.80s\" has no port of 0 to 65535 after its last colon", value);
	return true;
}

bool conf_check_redis(const char *value, struct err *err)
{
	if (strncmp(value, "redis://", 8) == 0 || strncmp(value, "rediss://", 9) == 0)
		return true;
	if (strncmp(value, "unix:///", 8) == 0)
		return true;
	/* Not quoted: it may hold a password. */
	return err_set(err, ERR_INVALID, "is no Redis address; redis://127.0.0.1:6379/0 or unix:///path/to/socket is");
}
