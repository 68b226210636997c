/* Addresses by the registries of special-purpose addresses (RFC 6890, as of 2026). */
#include "base/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/entries.h"

#define TEXT(text) (text), sizeof(text) - 1

bool address_parse(const char *text, struct network *out)
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

bool network_parse(const char *text, size_t len, struct network *out)
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

static struct network four(const uint8_t bytes[4])
{
	struct network out = {.bits = 32, .most = 32};

	memcpy(out.bytes, bytes, 4);
	return out;
}

bool address_of_socket(const struct sockaddr *socket, struct network *out)
{
	struct in6_addr six;

	if (socket->sa_family == AF_INET) {
		*out = four((const uint8_t *)&((const struct sockaddr_in *)(const void *)socket)->sin_addr);
		return true;
	}
	if (socket->sa_family != AF_INET6)
		return false;
	six = ((const struct sockaddr_in6 *)(const void *)socket)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		*out = four(&six.s6_addr[12]);
		return true;
	}
	*out = (struct network){.bits = 128, .most = 128};
	memcpy(out->bytes, six.s6_addr, 16);
	return true;
}

bool network_has(const struct network *network, const struct network *address)
{
	int whole = network->bits / 8, rest = network->bits % 8;

	if (network->most != address->most || memcmp(network->bytes, address->bytes, (size_t)whole) != 0)
		return false;
	return rest == 0 || (network->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool network_list_has(const char *list, const char *separators, const struct network *address)
{
	struct network network;
	const char *entry;
	size_t len;

	while (entries_next(&list, separators, &entry, &len))
		if (network_parse(entry, len, &network) && network_has(&network, address))
			return true;
	return false;
}

/* `embeds`: where an IPv4 address begins that decides; -1: none. `flipped`: with all its bits inverted. */
static const struct special {
	const char *network;
	size_t len;
	const char *what;
	int embeds;
	bool flipped;
} specials[] = {
	{TEXT("0.0.0.0/8"), "unspecified", -1, false},
	{TEXT("10.0.0.0/8"), "private", -1, false},
	{TEXT("100.64.0.0/10"), "shared (carrier-grade NAT)", -1, false},
	{TEXT("127.0.0.0/8"), "loopback", -1, false},
	{TEXT("169.254.0.0/16"), "link-local", -1, false},
	{TEXT("172.16.0.0/12"), "private", -1, false},
	{TEXT("192.0.0.0/24"), "reserved", -1, false},
	{TEXT("192.0.2.0/24"), "documentation", -1, false},
	{TEXT("192.88.99.0/24"), "reserved", -1, false},
	{TEXT("192.168.0.0/16"), "private", -1, false},
	{TEXT("198.18.0.0/15"), "benchmarking", -1, false},
	{TEXT("198.51.100.0/24"), "documentation", -1, false},
	{TEXT("203.0.113.0/24"), "documentation", -1, false},
	{TEXT("224.0.0.0/4"), "multicast", -1, false},
	{TEXT("255.255.255.255"), "broadcast", -1, false},
	{TEXT("240.0.0.0/4"), "reserved", -1, false},
	{TEXT("::"), "unspecified", -1, false},
	{TEXT("::1"), "loopback", -1, false},
	{TEXT("::ffff:0:0/96"), NULL, 12, false},
	{TEXT("64:ff9b::/96"), NULL, 12, false},
	{TEXT("2001::/32"), NULL, 12, true},
	{TEXT("2002::/16"), NULL, 2, false},
	{TEXT("2001:2::/48"), "benchmarking", -1, false},
	{TEXT("2001:db8::/32"), "documentation", -1, false},
	{TEXT("2001::/23"), "reserved", -1, false},
	{TEXT("3fff::/20"), "documentation", -1, false},
	{TEXT("fc00::/7"), "private", -1, false},
	{TEXT("fe80::/10"), "link-local", -1, false},
	{TEXT("fec0::/10"), "private", -1, false},
	{TEXT("ff00::/8"), "multicast", -1, false},
	/* Everything outside 2000::/3 is not assigned to hosts. */
	{TEXT("::/3"), "reserved", -1, false},
	{TEXT("4000::/2"), "reserved", -1, false},
	{TEXT("8000::/1"), "reserved", -1, false},
};

const char *address_special(const struct network *address)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		const struct special *special = &specials[i];
		struct network network;
		uint8_t inner[4];

		if (!network_parse(special->network, special->len, &network) || !network_has(&network, address))
			continue;
		if (special->embeds < 0)
			return special->what;
		for (int j = 0; j < 4; j++)
			inner[j] = (uint8_t)(address->bytes[special->embeds + j] ^ (special->flipped ? 0xff : 0));
		network = four(inner);
		return address_special(&network);
	}
	return NULL;
}
