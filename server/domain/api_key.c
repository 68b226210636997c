/* Roles, lists and networks of API keys. */
#include "domain/api_key.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/net/address.h"
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
	return err_invalid(err, field,
		"'%.64s' is not a network; use a form like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7", network);
}

bool networks_have(const char *lines, const char *address)
{
	struct network from;

	if (!lines[0])
		return true;
	if (!address_parse(address, &from))
		return false;
	return network_list_has(lines, "\n", &from);
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

/* Consumes one entry; returns what is wrong with it, or NULL. */
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
		return "does not name a role: bot, viewer, admin or operator";
	if ((out->role == ROLE_OPERATOR) != (out->tenant_len == 0))
		return out->tenant_len ? "gives an operator a tenant; operators have all of them" : "lacks @tenant";
	return out->tenant_len > 128 ? "has a tenant longer than 128 bytes" : NULL;
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
			return err_invalid(err, "tls_clients", "'%.*s' %s; use a form like telegram.acme=bot@acme",
				(int)strcspn(text, ","), text, why);
	}
	return true;
}
