/* HTTP as a carrier, over real sockets: the handlers of served.c, and a translator that hands bytes through. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"
#include "lib/test.h"
#include "served.h"

enum { ROOM = 3 * POURED + POURED / 2 }; /* for streams that do not read */

static struct http *http;
static atomic_int parts; /* how many messages of streams became text */

static void request(const struct http_translator *self, struct http_exchange *exchange, struct buf *message)
{
	(void)self;
	if (strncmp(exchange->path, "/t.T/", 5) == 0) {
		exchange->rpc = exchange->path;
		buf_put(message, exchange->body, exchange->body_len);
		return;
	}
	exchange->status = 404;
	buf_putf(&exchange->reply, "%s %s?%s", exchange->method, exchange->path, exchange->query);
}

static void reply(const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n)
{
	(void)self;
	exchange->status = 200;
	buf_put(&exchange->reply, bytes, n);
}

static void failure(
	const struct http_translator *self, struct http_exchange *exchange, int code, const uint8_t *bytes, size_t n)
{
	(void)self;
	assert_true(bytes && n);
	exchange->status = 400;
	http_header_add(exchange, "X-Code", arena_printf(exchange->arena, "%d", code));
}

static void begin(const struct http_translator *self, struct http_exchange *exchange)
{
	(void)self;
	exchange->status = 200;
}

static void part(const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n,
	struct buf *out)
{
	(void)self;
	(void)exchange;
	atomic_fetch_add(&parts, 1);
	buf_put(out, bytes, n);
	buf_put_str(out, "\n");
}

static void broken(const struct http_translator *self, struct http_exchange *exchange, int code, const uint8_t *bytes,
	size_t n, struct buf *out)
{
	(void)self;
	(void)exchange;
	assert_true(bytes && n);
	buf_putf(out, "error %d\n", code);
}

static void idle(const struct http_translator *self, struct http_exchange *exchange, struct buf *out)
{
	(void)self;
	(void)exchange;
	buf_put_str(out, ".\n");
}

static const struct http_translator through = {request, reply, failure, begin, part, broken, idle};

static unsigned print_hello(const void *ctx, struct buf *body)
{
	buf_put_str(body, ctx);
	return 200;
}

static int open_with(int64_t timeout_us, void **state)
{
	static const struct http_page pages[] = {{"/hello", "text/plain", print_hello, "hello\n"}, {0}};
	struct err err;

	served_open(state);
	http = http_start(&(struct http_options){.option = "http_listen",
				  .listen = "127.0.0.1:0",
				  .threads = 2,
				  .max_body_bytes = 2000,
				  .request_timeout_us = timeout_us,
				  .unsent_bytes = ROOM,
				  .pages = pages},
		&err);
	assert_non_null(http);
	http_attach(http, served.server, &through);
	return 0;
}

static int open_both(void **state)
{
	return open_with(0, state);
}

static int open_hasty(void **state)
{
	return open_with(1, state);
}

static void detach(void *ctx)
{
	http_detach(ctx);
}

static int close_both(void **state)
{
	(void)state;
	client_release(&served.client);
	rpc_server_stop(served.server, &(struct rpc_stop){.drain_us = 100000, .detach = detach, .ctx = http});
	assert_int_equal(served.closed, 2);
	http_stop(http);
	return 0;
}

#define CARRIED(name) TEST_WITH(name, open_both, close_both)

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(http))};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void post(int fd, const char *path, const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text),
		"POST %s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\nContent-Length: %zu\r\n\r\n%s", path,
		strlen(body), body);
	say(fd, text);
}

/* Reads until `end` has come, or the connection has ended; returns everything. */
static const char *hear(int fd, const char *end)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;

	text[0] = '\0';
	while (!(end && strstr(text, end)) && (n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0) {
		len += (size_t)n;
		text[len] = '\0';
	}
	return text;
}

static void hears(int fd, const char *end)
{
	assert_non_null(strstr(hear(fd, end), end));
}

CARRIED(a_call_is_answered_on_a_connection_that_stays)
{
	int fd = dial();

	post(fd, "/t.T/Echo", "first");
	hears(fd, "\r\n\r\nfirst");
	post(fd, "/t.T/Echo", "second");
	hears(fd, "\r\n\r\nsecond");
	post(fd, "/t.T/Echo", "");
	hears(fd, "Content-Length: 0\r\n\r\n");
	post(fd, "/t.T/Echo", "third");
	post(fd, "/t.T/Echo", "fourth");
	hears(fd, "\r\n\r\nfourth");
	close(fd);
}

CARRIED(a_handler_sees_headers_peer_and_deadline)
{
	int fd = dial();

	post(fd, "/t.T/Tell", "");
	hears(fd, "/t.T/Tell Bearer k ipv4:127.0.0.1 ? 10");
	close(fd);
}

CARRIED(paths_and_queries_stay_encoded)
{
	int fd = dial();

	say(fd, "GET /a%2Fb%20c?d=%26&e HTTP/1.1\r\nHost: h\r\n\r\n");
	hears(fd, "GET /a%2Fb%20c?d=%26&e");
	say(fd, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
	hears(fd, "\r\n\r\nhello\n");
	close(fd);
}

CARRIED(errors_have_their_code)
{
	int fd = dial();

	post(fd, "/t.T/Fail", "x");
	hears(fd, "X-Code: 3\r\n");
	post(fd, "/t.T/Nothing", "x");
	hears(fd, "X-Code: 12\r\n");
	close(fd);
}

CARRIED(a_large_body_is_refused_and_not_kept)
{
	static char body[2002];
	int fd = dial();

	memset(body, 'x', 2001);
	post(fd, "/t.T/Echo", body);
	hears(fd, "X-Code: 8\r\n");
	body[2000] = '\0';
	post(fd, "/t.T/Echo", body);
	hears(fd, body);
	close(fd);
}

CARRIED(a_stream_brings_its_messages_in_order)
{
	int fd = dial();
	const char *text;

	post(fd, "/t.T/Count", "300");
	text = hear(fd, "0\r\n\r\n");
	for (int i = 0; i < 300; i++) {
		char line[16];

		snprintf(line, sizeof(line), "%d\n", i);
		text = strstr(text, line);
		assert_non_null(text);
	}
	post(fd, "/t.T/Count", "0");
	hears(fd, "\r\n0\r\n\r\n");
	close(fd);
}

CARRIED(a_message_for_many_becomes_text_once)
{
	enum { READERS = 20, LETTERS = 50000 };
	static char text[LETTERS];
	int fd[READERS];

	memset(text, 'y', sizeof(text));
	served.shared = shared_message_new(text, sizeof(text));
	atomic_store(&parts, 0);
	for (int i = 0; i < READERS; i++)
		post(fd[i] = dial(), "/t.T/Share", "");
	for (int i = 0; i < READERS; i++)
		hears(fd[i], "y\n");
	assert_int_equal(atomic_load(&parts), 1);
	for (int i = 0; i < READERS; i++)
		close(fd[i]);
	for (int i = 0; i < READERS; i++)
		sem_wait(&served.cancelled);
	shared_message_drop(served.shared);
}

/* Three megabytes have room: of eight readers who do not read, those who began first make room for the others. */
CARRIED(streams_that_are_not_read_hold_no_more_than_their_room)
{
	enum { DEAF = 8, STAY = ROOM / POURED };
	int fd[DEAF], other;

	for (int i = 0; i < DEAF; i++)
		post(fd[i] = dial(), "/t.T/Pour", "");
	for (int i = 0; i < DEAF - STAY; i++)
		sem_wait(&served.cancelled);
	post(other = dial(), "/t.T/Count", "3");
	hears(other, "2\n");
	close(other);
	for (int i = 0; i < DEAF; i++)
		close(fd[i]);
	for (int i = 0; i < STAY; i++)
		sem_wait(&served.cancelled);
}

CARRIED(a_stream_whose_reader_leaves_ends)
{
	int fd = dial(), busy = dial();

	post(fd, "/t.T/Linger", "");
	post(busy, "/t.T/Linger", "on");
	hears(fd, "x\n");
	hears(busy, "x\n");
	close(fd);
	close(busy);
	for (int i = 0; i < 2; i++)
		sem_wait(&served.cancelled);
}

CARRIED(a_caller_who_leaves_a_waiting_call_is_noticed)
{
	int fd = dial();

	post(fd, "/t.T/Hold", "x");
	sem_wait(&served.held);
	close(fd);
	sem_wait(&served.cancelled);
}

CARRIED(a_caller_who_is_no_longer_admitted_is_told)
{
	int fd = dial();

	post(fd, "/t.T/Linger", "");
	hears(fd, "x\n");
	atomic_store(&served.expels, true);
	hears(fd, "error 16\n");
	close(fd);
}

CARRIED(a_stop_ends_streams_and_waiting_calls)
{
	int stream = dial(), held = dial(), resting = dial();

	post(stream, "/t.T/Linger", "");
	hears(stream, "x\n");
	post(held, "/t.T/Hold", "x");
	sem_wait(&served.held);
	sem_wait(&served.held);
	rpc_server_stop(served.server, &(struct rpc_stop){.drain_us = 100000, .detach = detach, .ctx = http});
	served.server = NULL;
	for (int i = 0; i < 2; i++)
		sem_wait(&served.cancelled);
	close(resting);
	resting = dial();
	post(resting, "/t.T/Echo", "x");
	hears(resting, "X-Code: 14\r\n");
	say(resting, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
	hears(resting, "hello\n");
	close(stream);
	close(held);
	close(resting);
}

CARRIED(a_malformed_request_is_refused_and_leaves_nothing)
{
	int fd = dial();

	say(fd, "GET /hello HTTP/1.1\r\nHost h\r\n bad\r\n\r\n");
	hears(fd, "HTTP/1.1 400");
	close(fd);
	fd = dial();
	say(fd, "GET /hello HT");
	close(fd);
}

TEST_WITH(a_request_that_takes_too_long_is_cut_off, open_hasty, close_both)
{
	int fd = dial(), slow = dial();

	say(slow, "POST /t.T/Echo HTTP/1.1\r\nHost: h\r\nContent-Le");
	post(fd, "/t.T/Echo", "x");
	hears(fd, "\r\n\r\nx");
	/* It may not have been accepted yet. */
	do
		http_look(http);
	while (poll(&(struct pollfd){.fd = slow, .events = POLLIN}, 1, 10) == 0);
	assert_string_equal(hear(slow, NULL), "");
	close(fd);
	close(slow);
}
