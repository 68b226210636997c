/*
 * The sockets that a server listens on. The first worker accepts connections and deals them out in turn: callers keep
 * few connections for long, and the kernel (SO_REUSEPORT) would often give one worker most of them.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/observe/log.h"
#include "rpc/h2/internal.h"

enum { BACKLOG = 1024, PAUSE_MS = 100, STEP_NS = 1000000, HOST_MAX = 256 };

static bool refuse(struct err *err, const char *listen, const char *why)
{
	return err_set(err, ERR_UNAVAILABLE, "cannot listen on %s: %s", listen, why);
}

static void add(struct h2_server *server, int fd)
{
	server->listeners[server->listener_count++] = (struct h2_listener){.fd = fd, .server = server};
}

/* True when nobody listens at the path any more, so that the file of an earlier server may go. */
static bool is_left_over(const struct sockaddr_un *address)
{
	struct stat file;
	int fd;
	bool refused;

	if (lstat(address->sun_path, &file) != 0 || !S_ISSOCK(file.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		  errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return refused;
}

static bool listen_unix(struct h2_server *server, const char *listen_at, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = listen_at + strlen("unix:");
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return refuse(err, listen_at, "the path is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (is_left_over(&address))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refuse(err, listen_at, strerror(errno));
	add(server, fd);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0)
		return refuse(err, listen_at, strerror(errno));
	server->unix_path = strdup(path);
	return true;
}

static void set_port(struct addrinfo *address, int port)
{
	if (address->ai_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)address->ai_addr)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)(void *)address->ai_addr)->sin_port = htons((uint16_t)port);
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} bound = {.six = {0}};
	socklen_t len = sizeof(bound);

	if (getsockname(fd, &bound.any, &len) != 0)
		return 0;
	return ntohs(bound.any.sa_family == AF_INET6 ? bound.six.sin6_port : bound.four.sin_port);
}

/* A host with several addresses ("localhost") is served on one port of all that this machine has. */
static bool listen_at_one(struct h2_server *server, struct addrinfo *address)
{
	int on = 1, off = 0;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return false;
	if (server->server.port)
		set_port(address, server->server.port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (server->server.options.reuse_port)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return false;
	}
	add(server, fd);
	server->server.port = port_of(fd);
	return true;
}

static struct addrinfo *resolve(const char *listen_at, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	const char *colon = strrchr(listen_at, ':');
	const char *begin = listen_at;
	char host[HOST_MAX];
	size_t len = colon ? (size_t)(colon - listen_at) : 0;
	int error;

	if (len >= 2 && begin[0] == '[' && begin[len - 1] == ']') {
		begin++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host)) {
		refuse(err, listen_at, "the host is missing or too long");
		return NULL;
	}
	memcpy(host, begin, len);
	host[len] = '\0';
	error = getaddrinfo(host, colon + 1, &hints, &found);
	if (error)
		refuse(err, listen_at, gai_strerror(error));
	return error ? NULL : found;
}

static bool listen_tcp(struct h2_server *server, const char *listen_at, struct err *err)
{
	struct addrinfo *found = resolve(listen_at, err);
	int error = 0;

	if (!found)
		return false;
	for (struct addrinfo *at = found; at && server->listener_count < H2_ADDRESSES_MAX; at = at->ai_next)
		/* Of the addresses of a name, those count that this machine has; none may be another server's. */
		if (!listen_at_one(server, at) && (!error || errno == EADDRINUSE))
			error = errno;
	freeaddrinfo(found);
	if (server->listener_count == 0 || error == EADDRINUSE)
		return refuse(err, listen_at, strerror(error));
	return true;
}

bool h2_listen(struct h2_server *server, struct err *err)
{
	const char *listen_at = server->server.options.listen;

	if (strncmp(listen_at, "unix:", 5) == 0)
		return listen_unix(server, listen_at, err);
	return listen_tcp(server, listen_at, err);
}

static void deal_out(struct h2_server *server, int fd)
{
	unsigned number = server->next_worker++ % server->server.options.workers;
	struct h2_worker *worker = h2_worker_of(server->server.workers[number]);
	struct h2_connection *connection = h2_connection_new(worker, fd);

	connection->arrived.done = h2_connection_start;
	if (number == 0)
		h2_connection_start(&connection->arrived, true);
	else
		worker_hand_over(&worker->worker, &connection->arrived);
}

static void on_pause_over(uv_timer_t *timer);

/* Without this, a loop with no file left would be told of the same connection again and again. */
static void take_a_pause(struct h2_server *server)
{
	for (size_t i = 0; i < server->listener_count; i++)
		uv_poll_stop(&server->listeners[i].poll);
	uv_timer_start(&server->pause, on_pause_over, PAUSE_MS, 0);
}

static void accept_all(struct h2_server *server, int listening)
{
	size_t most = (size_t)H2_CONNECTIONS_MAX * server->server.options.workers;

	for (;;) {
		int fd;

		if (atomic_load(&server->connections) >= most) {
			take_a_pause(server);
			return;
		}
		fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0) {
			if (errno != EAGAIN)
				take_a_pause(server);
			return;
		}
		deal_out(server, fd);
	}
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	const struct h2_listener *listener = container_of(poll, struct h2_listener, poll);

	(void)status;
	(void)events;
	accept_all(listener->server, listener->fd);
}

static void accept_begin(struct h2_server *server)
{
	for (size_t i = 0; i < server->listener_count; i++)
		uv_poll_start(&server->listeners[i].poll, UV_READABLE, on_acceptable);
}

static void on_pause_over(uv_timer_t *timer)
{
	accept_begin(container_of(timer, struct h2_server, pause));
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct h2_listener *listener = container_of((uv_poll_t *)handle, struct h2_listener, poll);

	close(listener->fd);
	listener->fd = -1;
}

/* The file goes while its socket still listens: afterwards another server may have put its own there. */
static void remove_path(struct h2_server *server)
{
	if (server->unix_path)
		unlink(server->unix_path);
	free(server->unix_path);
	server->unix_path = NULL;
}

/* Those who have connected already are still served. */
static void on_stop_listening(struct tag *tag, bool ok)
{
	struct h2_server *server = container_of(tag, struct h2_server, stop_listening);

	(void)ok;
	remove_path(server);
	for (size_t i = 0; i < server->listener_count; i++) {
		accept_all(server, server->listeners[i].fd);
		shutdown(server->listeners[i].fd, SHUT_RDWR);
		uv_close((uv_handle_t *)&server->listeners[i].poll, on_listener_closed);
	}
	uv_close((uv_handle_t *)&server->pause, NULL);
	atomic_store(&server->listening, false);
}

void h2_accept_start(struct h2_server *server, uv_loop_t *loop)
{
	server->stop_listening.done = on_stop_listening;
	uv_timer_init(loop, &server->pause);
	for (size_t i = 0; i < server->listener_count; i++)
		uv_poll_init(loop, &server->listeners[i].poll, server->listeners[i].fd);
	accept_begin(server);
}

void h2_stop_listening(struct rpc_server *server)
{
	static const struct timespec step = {.tv_nsec = STEP_NS};
	struct h2_server *h2 = h2_server_of(server);

	worker_hand_over(server->workers[0], &h2->stop_listening);
	/* Otherwise a connection might be given to a worker that has ended. */
	while (atomic_load(&h2->listening))
		nanosleep(&step, NULL);
}

/* A server that has stopped has no open listener any more. */
void h2_listen_release(struct h2_server *server)
{
	for (size_t i = 0; i < server->listener_count; i++)
		if (server->listeners[i].fd >= 0)
			close(server->listeners[i].fd);
	remove_path(server);
}
