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
		return err_set(err, ERR_INVALID,
			"\"%.80s\" is not an address; use 127.0.0.1:7420, [::1]:7420 or unix:/path", value);
	if (value[0] != '[' && memchr(value, ':', (size_t)(colon - value)))
		return err_set(
			err, ERR_INVALID, "\"%.80s\" is not an address; put IPv6 in brackets: [::1]:7420", value);
	port = strtol(colon + 1, &rest, 10);
	if (colon[1] < '0' || colon[1] > '9' || *rest || port > 65535)
		return err_set(err, ERR_INVALID, "\"%.80s\" must end in a colon and a port, 0 to 65535", value);
	return true;
}

bool conf_check_otlp(const char *value, struct err *err)
{
	if (!value[0] || strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0)
		return true;
	/* Not quoted: it may hold a password. */
	return err_set(err, ERR_INVALID, "not the address of an OTLP/HTTP receiver; use http://127.0.0.1:4318");
}

bool conf_check_redis(const char *value, struct err *err)
{
	if (strncmp(value, "redis://", 8) == 0 || strncmp(value, "rediss://", 9) == 0)
		return true;
	if (strncmp(value, "unix:///", 8) == 0)
		return true;
	/* Not quoted: it may hold a password. */
	return err_set(err, ERR_INVALID, "not a Redis address; use redis://127.0.0.1:6379/0 or unix:///path/to/socket");
}
