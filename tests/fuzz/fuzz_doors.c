/*
 * What admins type for keys and certificates: a key's networks, and the option tls_clients. The first byte says which;
 * the rest is text. Networks are lines, followed by a zero byte and an address.
 */
#include <arpa/inet.h>
#include <string.h>

#include "domain/api_key.h"
#include "fuzz/fuzz.h"

static char text[4097];

/* Compares addresses bit by bit. */
static bool bits_equal(const uint8_t *a, const uint8_t *b, int bits)
{
#ifdef PLANTED_BUG
	bits = bits / 8 * 8; /* whole bytes only */
#endif
	for (int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static int address_bits(const char *address, uint8_t out[16])
{
	if (inet_pton(AF_INET, address, out) == 1)
		return 32;
	return inet_pton(AF_INET6, address, out) == 1 ? 128 : 0;
}

/* True if the address is in the network of a line that network_check accepts. */
static bool line_has(const char *line, const char *address)
{
	uint8_t network[16], from[16];
	char copy[128];
	int most, bits;

	snprintf(copy, sizeof(copy), "%s", line);
	char *slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	most = address_bits(copy, network);
	HOLDS(most > 0);
	bits = slash ? atoi(slash + 1) : most;
	HOLDS(bits >= 0 && bits <= most);
	return address_bits(address, from) == most && bits_equal(network, from, bits);
}

static void networks(void)
{
	const char *address = text + strlen(text) + 1;
	char lines[sizeof(text)];
	bool in_one = text[0] == '\0';
	struct err err;

	memcpy(lines, text, sizeof(lines));
	for (char *line = lines, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (network_check(line, "addresses", &err))
			in_one = line_has(line, address) || in_one;
		else
			HOLDS(strcmp(err.field, "addresses") == 0);
	}
	HOLDS(networks_have(text, address) == in_one);
}

static void clients(void)
{
	struct client_role role;
	struct err err;

	if (!client_roles_check(text, &err)) {
		HOLDS(err.code == ERR_INVALID && strcmp(err.field, "tls_clients") == 0);
		return;
	}
	for (const char *entry = text; *entry; entry += strcspn(entry, ","), entry += *entry == ',') {
		entry += strspn(entry, " ");
		if (!*entry)
			return;
		size_t len = strcspn(entry, "=");
		HOLDS(client_role_find(text, entry, len, &role));
		HOLDS(role.role >= ROLE_BOT && role.role <= ROLE_OPERATOR);
		HOLDS((role.role == ROLE_OPERATOR) == (role.tenant_len == 0) && role.tenant_len <= 128);
		HOLDS(role.name_len == len && memcmp(role.name, entry, len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > sizeof(text) - 2)
		return 0;
	memset(text, 0, sizeof(text));
	memcpy(text, data + 1, size - 1);
	if (data[0] % 2)
		clients();
	else
		networks();
	return 0;
}
