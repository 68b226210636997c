/* The rules of URLs and addresses of alerts. A URL is read strictly, so that curl cannot read it otherwise. */
#include "base/net/destination.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

/* The part behind "https://", or NULL. */
static const char *behind_scheme(const char *url)
{
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return strncasecmp(url, "http://", 7) == 0 ? url + 7 : NULL;
}

bool url_is_plain(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0;
}

/* How many bytes the host takes, with its brackets; 0: it is not one. */
static size_t host_len(const char *host)
{
	char inner[URL_HOST_MAX];
	struct in6_addr six;
	size_t len;

	if (host[0] != '[') {
		len = strspn(host, letters);
		return len < URL_HOST_MAX ? len : 0;
	}
	len = strcspn(host + 1, "]");
	if (host[1 + len] != ']' || len >= sizeof(inner))
		return 0;
	memcpy(inner, host + 1, len);
	inner[len] = '\0';
	return inet_pton(AF_INET6, inner, &six) == 1 ? len + 2 : 0;
}

static bool port_ok(const char **at)
{
	char *end;
	long port;

	if (**at != ':')
		return true;
	if ((*at)[1] < '0' || (*at)[1] > '9')
		return false;
	port = strtol(*at + 1, &end, 10);
	*at = end;
	return port >= 1 && port <= 65535;
}

bool url_check(const char *url, const char *field, struct err *err)
{
	const char *host = behind_scheme(url), *at;
	size_t len = strlen(url), authority;

	if (!host)
		return err_invalid(err, field, "must be a URL that begins with https://");
	if (len > DESTINATION_MAX)
		return err_invalid(err, field, "is %zu bytes long; at most %d are allowed", len, DESTINATION_MAX);
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("\\\"<>^`{|}#", *p))
			return err_invalid(err, field,
				"has a character at byte %zu that a URL cannot have; write it as %%XX, and no fragment",
				(size_t)(p - url));
	authority = strcspn(host, "/?");
	if (memchr(host, '@', authority))
		return err_invalid(err, field, "must not have a user or a password; use a header, or signing secrets");
	at = host + host_len(host);
	if (at == host)
		return err_invalid(err, field, "has no host; use a form like https://hooks.example.org/path");
	if (!port_ok(&at) || at != host + authority)
		return err_invalid(err, field,
			"has a host or port that cannot be read; use a form like https://hooks.example.org:8443/path");
	return true;
}

void url_host(const char *url, char out[URL_HOST_MAX])
{
	const char *host = behind_scheme(url);
	size_t len = host_len(host);

	if (host[0] == '[') {
		host++;
		len -= 2;
	}
	memcpy(out, host, len);
	out[len] = '\0';
}

const char *destination_refused(const struct network *address, bool plain, const char *allow)
{
	const char *special;

	if (network_list_has(allow, ",", address))
		return NULL;
	special = address_special(address);
	if (special)
		return special;
	return plain ? "reached without TLS" : NULL;
}

/* The host as an address, also in the forms that only inet_aton reads. */
static bool host_address(const char *host, struct network *out)
{
	struct in_addr classic;

	if (address_parse(host, out))
		return true;
	if (!inet_aton(host, &classic))
		return false;
	*out = (struct network){.bits = 32, .most = 32};
	memcpy(out->bytes, &classic, 4);
	return true;
}

static bool is_local_name(const char *host)
{
	size_t len = strlen(host);

	if (len && host[len - 1] == '.')
		len--;
	return (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (len > 10 && strncasecmp(host + len - 10, ".localhost", 10) == 0);
}

bool destination_check(const char *url, const char *allow, const char *field, struct err *err)
{
	char host[URL_HOST_MAX];
	struct network address;
	const char *why;

	url_host(url, host);
	if (host_address(host, &address))
		why = destination_refused(&address, url_is_plain(url), allow);
	else if (is_local_name(host) && !allow[0])
		why = "loopback";
	else
		why = url_is_plain(url) && !allow[0] ? "reached without TLS" : NULL;
	if (!why)
		return true;
	if (url_is_plain(url) && strcmp(why, "reached without TLS") == 0)
		return err_invalid(
			err, field, "must begin with https://; http:// is for the networks of the option alert_allow");
	return err_invalid(
		err, field, "the address is %s; only the networks of the option alert_allow may be such", why);
}
