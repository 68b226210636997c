/* Addresses and networks of IPv4 and IPv6, and which addresses are not those of public hosts. */
#ifndef BURSAR_BASE_NET_ADDRESS_H
#define BURSAR_BASE_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A network; an address is one of which all bits count. */
struct network {
	uint8_t bytes[16];
	int bits; /* how many leading bits count */
	int most; /* 32 or 128 */
};

/* "10.1.2.3", "2001:db8::1". */
bool address_parse(const char *text, struct network *out);
/* "10.0.0.0/8", "2001:db8::/32", or one address; the text need not be terminated. */
bool network_parse(const char *text, size_t len, struct network *out);
/* The address of a socket of IPv4 or IPv6; IPv4 inside IPv6 ("::ffff:10.0.0.1") becomes IPv4. */
bool address_of_socket(const struct sockaddr *socket, struct network *out);

bool network_has(const struct network *network, const struct network *address);
/* Is the address in one of the networks of the text, separated by any of the characters? What is not a network has none. */
bool network_list_has(const char *list, const char *separators, const struct network *address);

/*
 * What the address is if it is not the address of a public host: "loopback", "private", "link-local", ... (the registries of RFC 6890).
 * NULL for a public one. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) counts as if it stood alone. Static storage.
 */
const char *address_special(const struct network *address);

#endif
