/* The listening socket of the HTTP server. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/internal.h"

enum { BACKLOG = 1024 };

/* Host and port of "host:port" or "[host]:port". */
static bool split_address(
	const char *option, const char *listen, char *host, size_t host_size, const char **port, struct err *err)
{
	const char *colon = strrchr(listen, ':');
	size_t len;

	if (!colon || strncmp(listen, "unix:", 5) == 0)
		return err_set(err, ERR_INVALID, "%s: \"%s\" is not an address; use 127.0.0.1:7421", option, listen);
	len = (size_t)(colon - listen);
	if (listen[0] == '[' && len >= 2 && listen[len - 1] == ']') {
		listen++;
		len -= 2;
	}
	if (len == 0 || len >= host_size)
		return err_set(err, ERR_INVALID, "%s: the host is missing or too long", option);
	memcpy(host, listen, len);
	host[len] = '\0';
	*port = colon + 1;
	return true;
}

static int bind_one(const struct addrinfo *address, int *port)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} bound = {.six = {0}};
	socklen_t len = sizeof(bound);
	int on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
		getsockname(fd, &bound.any, &len) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	*port = ntohs(bound.any.sa_family == AF_INET6 ? bound.six.sin6_port : bound.four.sin_port);
	return fd;
}

/* A listening socket at `text`; -1 with `err` set on failure. */
int http_listen_at(const char *option, const char *text, int *port, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	const char *service = NULL;
	char host[256] = "";
	int error;
	int fd;

	if (!split_address(option, text, host, sizeof(host), &service, err))
		return -1;
	error = getaddrinfo(host, service, &hints, &found);
	if (error) {
		err_set(err, ERR_INVALID, "%s: %s: %s", option, text, gai_strerror(error));
		return -1;
	}
	fd = bind_one(found, port);
	if (fd < 0)
		err_set(err, ERR_UNAVAILABLE, "%s: cannot listen on %s: %s", option, text, strerror(errno));
	freeaddrinfo(found);
	return fd;
}
