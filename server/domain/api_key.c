/* Roles, lists and networks of API keys. */
#include "domain/api_key.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "domain/limit/name.h"

const char *role_name(enum role role)
{
	static const char *const names[] = {"nobody", "user", "bot", "viewer", "admin", "operator"};

	return role >= ROLE_NONE && role <= ROLE_OPERATOR ? names[role] : "nobody";
}

bool key_list_has(const char *lines, const char *word, size_t len)
{
	if (!lines[0])
		return true;
	while (*lines) {
		size_t line = strcspn(lines, "\n");

		if (line == len && memcmp(lines, word, len) == 0)
			return true;
		lines += line + (lines[line] == '\n');
	}
	return false;
}

struct network {
	uint8_t bytes[16];
	int bits; /* that count, from the first */
	int most; /* 32 or 128 */
};

static bool address_parse(const char *text, struct network *out)
{
	memset(out->bytes, 0, sizeof(out->bytes));
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		out->most = 32;
	else if (inet_pton(AF_INET6, text, out->bytes) == 1)
		out->most = 128;
	else
		return false;
	out->bits = out->most;
	return true;
}

static bool network_parse(const char *text, size_t len, struct network *out)
{
	char copy[64];
	char *slash, *end;
	long bits;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (!address_parse(copy, out))
		return false;
	if (!slash)
		return true;
	if (slash[1] < '0' || slash[1] > '9')
		return false;
	bits = strtol(slash + 1, &end, 10);
	if (*end || bits > out->most)
		return false;
	out->bits = (int)bits;
	return true;
}

void interface_lines_fold(char *lines)
{
	char *out = lines, *line = lines;

	for (char *end; line; line = end) {
		size_t len;

		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		interface_fold(line);
		len = strlen(line);
		memmove(out, line, len);
		out += len;
		*out = '\0';
		if (end)
			*out++ = '\n';
	}
}

bool network_check(const char *network, const char *field, struct err *err)
{
	struct network parsed;

	if (network_parse(network, strlen(network), &parsed))
		return true;
	return err_invalid(
		err, field, "'%.64s' is no network; it looks like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7", network);
}

static bool network_has(const struct network *network, const struct network *address)
{
	int whole = network->bits / 8, rest = network->bits % 8;

	if (network->most != address->most || memcmp(network->bytes, address->bytes, (size_t)whole) != 0)
		return false;
	return rest == 0 || (network->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool networks_have(const char *lines, const char *address)
{
	struct network network, from;

	if (!lines[0])
		return true;
	if (!address_parse(address, &from))
		return false;
	while (*lines) {
		size_t line = strcspn(lines, "\n");

		if (network_parse(lines, line, &network) && network_has(&network, &from))
			return true;
		lines += line + (lines[line] == '\n');
	}
	return false;
}

void address_crowd(const char *address, char out[ADDRESS_MAX])
{
	struct in6_addr six;

	if (inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six)) {
		memset(&six.s6_addr[8], 0, 8);
		inet_ntop(AF_INET6, &six, out, ADDRESS_MAX);
	} else {
		snprintf(out, ADDRESS_MAX, "%s", address);
	}
}

static enum role role_parse(const char *text, size_t len)
{
	for (enum role role = ROLE_BOT; role <= ROLE_OPERATOR; role++)
		if (strlen(role_name(role)) == len && memcmp(role_name(role), text, len) == 0)
			return role;
	return ROLE_NONE;
}

/* Takes one entry off; what is wrong with it, or NULL. */
static const char *entry_take(const char **entries, struct client_role *out)
{
	const char *entry = *entries + strspn(*entries, " ");
	size_t len = strcspn(entry, ",");
	const char *equals = memchr(entry, '=', len), *end = entry + len;
	const char *at, *tenant;

	*entries = end + (*end == ',');
	while (end > entry && end[-1] == ' ')
		end--;
	if (!equals || equals == entry)
		return "has no '='";
	at = memchr(equals, '@', (size_t)(end - equals));
	tenant = at ? at + 1 : end;
	*out = (struct client_role){
		.name = entry,
		.name_len = (size_t)(equals - entry),
		.tenant = tenant,
		.tenant_len = (size_t)(end - tenant),
		.role = role_parse(equals + 1, (size_t)((at ? at : end) - equals - 1)),
	};
	if (out->role == ROLE_NONE)
		return "names none of bot, viewer, admin, operator";
	if ((out->role == ROLE_OPERATOR) != (out->tenant_len == 0))
		return out->tenant_len ? "gives an operator a tenant, who has all" : "lacks @tenant";
	return out->tenant_len > 128 ? "has a tenant of more than 128 bytes" : NULL;
}

bool client_role_find(const char *entries, const char *name, size_t len, struct client_role *out)
{
	while (*entries)
		if (!entry_take(&entries, out) && out->name_len == len && memcmp(out->name, name, len) == 0)
			return true;
	return false;
}

bool client_roles_check(const char *entries, struct err *err)
{
	struct client_role entry;

	while (*entries) {
		const char *text = entries, *why = entry_take(&entries, &entry);
		if (why)
			return err_invalid(err, "tls_clients", "'%.*s' %s; it looks like telegram.acme=bot@acme",
				(int)strcspn(text, ","), text, why);
	}
	return true;
}
