#include "rpc/listen/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool rpc_address_is_loopback(const char *listen)
{
	const char *colon = strrchr(listen, ':');
	struct in6_addr six;
	struct in_addr four;
	char host[64];
	size_t len;

	if (strncmp(listen, "unix:", 5) == 0)
		return true;
	if (!colon)
		return false;
	len = (size_t)(colon - listen);
	if (listen[0] == '[' && len >= 2 && listen[len - 1] == ']') {
		listen++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host))
		return false;
	memcpy(host, listen, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return strcmp(host, "localhost") == 0;
}
