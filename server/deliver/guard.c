/* The guard is asked for each socket: curl has no connection without one. */
#include "deliver/guard.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static void refuse(struct guard *guard, const struct network *address, const char *why)
{
	if (guard->refused)
		return;
	guard->refused = why;
	inet_ntop(address->most == 32 ? AF_INET : AF_INET6, address->bytes, guard->address, sizeof(guard->address));
}

static curl_socket_t on_open(
	void *arg, __attribute__((unused)) curlsocktype purpose, struct curl_sockaddr *socket_address)
{
	struct guard *guard = arg;
	struct network address;
	const char *why;

	if (!address_of_socket(&socket_address->addr, &address))
		return CURL_SOCKET_BAD;
	why = destination_refused(&address, guard->plain, guard->allow);
	if (why) {
		refuse(guard, &address, why);
		return CURL_SOCKET_BAD;
	}
	guard->passed = true;
	return socket(socket_address->family, socket_address->socktype | SOCK_CLOEXEC, socket_address->protocol);
}

void guard_attach(struct guard *guard, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, guard);
}
