/* The checks of options that are texts (base/conf/conf.h). */
#include <stdlib.h>
#include <string.h>

#include "base/conf/conf.h"
#include "base/net/address.h"
#include "base/text/entries.h"

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

bool conf_check_smtp(const char *value, struct err *err)
{
	if (!value[0] || strncmp(value, "smtp://", 7) == 0 || strncmp(value, "smtps://", 8) == 0)
		return true;
	/* Not quoted: it may hold a password. */
	return err_set(
		err, ERR_INVALID, "not the address of an SMTP server; use smtp://user:password@mail.example.org:587");
}

bool conf_check_commands(const char *value, struct err *err)
{
	const char *entry;
	size_t len;

	while (entries_next(&value, ",", &entry, &len)) {
		size_t name = strspn(entry, "abcdefghijklmnopqrstuvwxyz0123456789._-");

		if (!name || name > 64 || name + 1 >= len || entry[name] != '=' || entry[name + 1] != '/')
			return err_set(err, ERR_INVALID,
				"\"%.*s\" is not a command; use a form like page=/usr/local/bin/page, the name of a-z 0-9 . _ -",
				(int)(len < 80 ? len : 80), entry);
	}
	return true;
}

bool conf_check_networks(const char *value, struct err *err)
{
	const char *entry;
	struct network network;
	size_t len;

	while (entries_next(&value, ",", &entry, &len))
		if (!network_parse(entry, len, &network))
			return err_set(err, ERR_INVALID,
				"\"%.*s\" is not a network; use a form like 10.1.0.0/16 or fd00::/8",
				(int)(len < 80 ? len : 80), entry);
	return true;
}
