/*
 * A connection to a server of rpc/h2 whose loop runs, by a caller who knows the frames but not what they are good for. Each
 * byte of the input is a step, some with arguments behind it: a call, a message or a part of one, a reset, settings,
 * windows, padding, frames that are cut short or say anything. Every byte of a stream's messages is the stream's number, so
 * an answer that has another one is another call's. The server must send frames only, and close when the caller does.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/observe/log.h"
#include "fuzz/fuzz.h"
#include "rpc/h2/h2.h"
#include "rpc/server.h"

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING = 6, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, END_HEADERS = 4, PADDED = 8 };
enum { STREAMS_MAX = 32, STEPS_MAX = 400, FRAME_MAX = 16384, MESSAGE_MAX = 300, PATIENCE_S = 60 };

struct play {
	const uint8_t *data;
	size_t left;
	struct buf out;
	uint32_t newest; /* stream */
	bool odd[STREAMS_MAX]; /* by stream / 2: what was sent on it says nothing about the answer */
	bool astray; /* nor does anything that was sent since */
};

static char path[64];

/* Answers with what it was asked. */
static void echo(struct call *call, void *ctx)
{
	static uint8_t before[MESSAGE_MAX];
	size_t len;
	const uint8_t *bytes = call_request(call, &len);

	(void)ctx;
#ifdef PLANTED_BUG
	/* The mistake: a buffer that calls share is filled after it was sent. */
	call_reply(call, before, len < sizeof(before) ? len : sizeof(before));
#else
	call_reply(call, bytes, len);
#endif
	memcpy(before, bytes, len < sizeof(before) ? len : sizeof(before));
}

static void again(struct call *call, const uint8_t *bytes, size_t n, void *ctx);

static void on_written(struct call *call, bool ok, void *ctx)
{
	if (ok)
		call_read(call, again, ctx);
}

static void again(struct call *call, const uint8_t *bytes, size_t n, void *ctx)
{
	if (bytes)
		call_write(call, bytes, n, on_written, ctx);
	else
		call_end(call);
}

static void on_left(struct call *call, void *ctx)
{
	(void)ctx;
	call_end(call);
}

/* The same for each message of a stream. */
static void echo_all(struct call *call, void *ctx)
{
	call_on_cancel(call, on_left, NULL);
	call_read(call, again, ctx);
}

static void remove_path(void)
{
	unlink(path);
}

static void set_up(void)
{
	static struct rpc_server *server;
	static const struct rpc_method methods[] = {
		{.path = "/t.T/Echo", .handle = echo, .kind = RPC_UNARY},
		{.path = "/t.T/EchoAll", .handle = echo_all, .kind = RPC_STREAMS},
		{0},
	};
	static const struct rpc_method *const tables[] = {methods, NULL};
	static char listen[80];
	struct err err;

	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
	snprintf(path, sizeof(path), "/tmp/bursar-fuzz-h2-%d", (int)getpid());
	snprintf(listen, sizeof(listen), "unix:%s", path);
	server = rpc_server_start(&(struct rpc_options){.transport = &h2_transport,
					  .listen = listen,
					  .workers = 1,
					  .max_message_bytes = MESSAGE_MAX,
					  .max_calls = 10,
					  .answer_timeout_us = 60000000,
					  .tables = tables},
		&err);
	HOLDS(server);
	atexit(remove_path);
}

static uint8_t next(struct play *play)
{
	if (!play->left)
		return 0;
	play->left--;
	return *play->data++;
}

static void put_frame(struct play *play, uint8_t kind, uint8_t flags, uint32_t stream, const void *payload, size_t n)
{
	const uint8_t head[9] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, kind, flags,
		(uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};

	buf_put(&play->out, head, sizeof(head));
	buf_put(&play->out, payload, n);
}

static uint32_t some_stream(struct play *play)
{
	uint8_t choice = next(play);

	return play->newest ? choice * 2U % (play->newest + 1) | 1 : 1;
}

static void mark_odd(struct play *play, uint32_t stream)
{
	if (stream / 2 < STREAMS_MAX)
		play->odd[stream / 2] = true;
}

static void put_literal(struct buf *block, const char *name, const char *value)
{
	buf_put_u8(block, 0);
	buf_put_u8(block, (uint8_t)strlen(name));
	buf_put_str(block, name);
	buf_put_u8(block, (uint8_t)strlen(value));
	buf_put_str(block, value);
}

static void put_call(struct play *play, bool stream)
{
	static const char *const odd[][2] = {{"grpc-timeout", "1m"}, {"grpc-timeout", "x"}, {"grpc-encoding", "gzip"},
		{"authorization", "Bearer x"}, {"x-bin", "AAA="}, {"te", "x"}, {":path", "/"}, {"X", "y"}};
	struct buf block = {0};
	uint8_t how = next(play);

	play->newest = play->newest ? play->newest + 2 : 1;
	put_literal(&block, ":method", how & 64 ? "GET" : "POST");
	put_literal(&block, ":scheme", "http");
	put_literal(&block, ":authority", "x");
	put_literal(&block, ":path", stream ? "/t.T/EchoAll" : "/t.T/Echo");
	put_literal(&block, "content-type", how & 32 ? "text/plain" : "application/grpc");
	put_literal(&block, "te", "trailers");
	if (how & 16)
		put_literal(&block, odd[how & 7][0], odd[how & 7][1]);
	if (how & (16 | 32 | 64))
		mark_odd(play, play->newest);
	put_frame(play, HEADERS, (how & 128 ? END_STREAM : 0) | (how & 8 ? 0 : END_HEADERS), play->newest, block.data,
		block.len);
	if (how & 8)
		put_frame(play, CONTINUATION, next(play) & 3 ? END_HEADERS : 0, play->newest, "", 0);
	buf_release(&block);
}

/* One or two messages, or a part of one. */
static void put_messages(struct play *play)
{
	uint32_t stream = some_stream(play);
	uint8_t how = next(play);
	size_t len = next(play) % 40 + (how & 64 ? MESSAGE_MAX - 20 : 0);
	struct buf bytes = {0};

	for (int i = 0; i < (how & 32 ? 2 : 1); i++) {
		const uint8_t prefix[5] = {how & 16 ? 1 : 0, 0, 0, (uint8_t)(len >> 8), (uint8_t)len};

		buf_put(&bytes, prefix, sizeof(prefix));
		memset(buf_reserve(&bytes, len), (int)stream, len);
		bytes.len += len;
	}
	if (how & 8) {
		bytes.len -= next(play) % (bytes.len + 1);
		mark_odd(play, stream);
	}
	/* In several frames, as they may come. */
	for (size_t at = 0; at < bytes.len || at == 0;) {
		size_t n = how & 4 ? 1 + next(play) % 9 : bytes.len;

		n = n < bytes.len - at ? n : bytes.len - at;
		put_frame(play, DATA, at + n == bytes.len && how & 1 ? END_STREAM : 0, stream,
			bytes.len ? bytes.data + at : "", n);
		at += n ? n : 1;
	}
	buf_release(&bytes);
}

static void put_anything(struct play *play, uint8_t kind)
{
	uint8_t payload[64];
	size_t n = next(play) % sizeof(payload);
	uint32_t stream = some_stream(play);
	uint8_t flags = next(play);

	for (size_t i = 0; i < n; i++)
		payload[i] = next(play);
	mark_odd(play, stream);
	put_frame(play, kind, flags, kind == SETTINGS || kind == PING || kind == GOAWAY ? 0 : stream, payload, n);
	if (flags & 64) {
		play->out.len -= n; /* what follows is taken for its rest */
		play->astray = true;
	}
}

static void step(struct play *play, uint8_t what)
{
	static const uint8_t cancel[4] = {0, 0, 0, 8};
	uint32_t stream;

	switch (what % 10) {
	case 0:
	case 1:
		put_call(play, what % 10);
		return;
	case 2:
	case 3:
	case 4:
		put_messages(play);
		return;
	case 5:
		stream = some_stream(play);
		put_frame(play, RST_STREAM, 0, stream, cancel, sizeof(cancel));
		return;
	case 6: {
		const uint8_t settings[6] = {0, next(play) % 8, 0, next(play), next(play), next(play)};

		put_frame(play, SETTINGS, 0, 0, settings, sizeof(settings));
		return;
	}
	case 7: {
		const uint8_t more[4] = {next(play) & 127, next(play), next(play), next(play)};

		stream = next(play) & 1 ? some_stream(play) : 0;
		put_frame(play, WINDOW_UPDATE, 0, stream, more, sizeof(more));
		return;
	}
	default:
		put_anything(play, what / 10);
	}
}

static int connect_once(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, sizeof(path));
	HOLDS(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Messages of the stream: five bytes, and as many as they say, each of which is the stream's number. */
static void check_data(const struct buf *data, uint32_t stream)
{
	struct cut cut = cut_of(data->data, data->len);

	while (cut.left >= 5) {
		const uint8_t *prefix = cut_bytes(&cut, 5);
		size_t len = (size_t)prefix[3] << 8 | prefix[4];
		const uint8_t *bytes = cut_bytes(&cut, len < cut.left ? len : cut.left);

		HOLDS(prefix[0] == 0 && prefix[1] == 0 && prefix[2] == 0 && len <= MESSAGE_MAX);
		for (size_t i = 0; bytes && i < len && bytes + i < cut.p; i++)
			HOLDS(bytes[i] == (uint8_t)stream);
	}
}

static void check(const struct play *play, const struct buf *in)
{
	static struct buf data[STREAMS_MAX];
	struct cut cut = cut_of(in->data, in->len);

	for (size_t i = 0; i < STREAMS_MAX; i++)
		buf_reset(&data[i]);
	while (cut.left >= 9) {
		const uint8_t *head = cut_bytes(&cut, 9);
		size_t n = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
		uint32_t stream = (uint32_t)head[7] << 8 | head[8];
		const uint8_t *payload;

		HOLDS(n <= FRAME_MAX && head[3] <= WINDOW_UPDATE && head[3] != PRIORITY && head[3] != 5);
		if (n > cut.left)
			break; /* the connection ended in the middle of it */
		payload = cut_bytes(&cut, n);
		if (head[3] == DATA && !play->astray && stream / 2 < STREAMS_MAX && !play->odd[stream / 2])
			buf_put(&data[stream / 2], payload, n);
	}
	for (uint32_t i = 0; i < STREAMS_MAX; i++)
		check_data(&data[i], 2 * i + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static bool ready;
	struct play play = {.data = bytes, .left = size};
	struct buf in = {0};
	ssize_t n;
	int fd;

	if (!ready)
		set_up();
	ready = true;
	buf_put_str(&play.out, preface);
	put_frame(&play, SETTINGS, 0, 0, "", 0);
	for (int i = 0; i < STEPS_MAX && play.left; i++)
		step(&play, next(&play));
	fd = connect_once();
	for (size_t at = 0; at < play.out.len; at += (size_t)n) {
		n = send(fd, play.out.data + at, play.out.len - at, MSG_NOSIGNAL);
		if (n <= 0)
			break; /* it has closed already */
	}
	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, buf_reserve(&in, 1 << 16), 1 << 16, 0)) > 0)
		in.len += (size_t)n;
	HOLDS(n == 0 || errno != EAGAIN);
	check(&play, &in);
	close(fd);
	buf_release(&play.out);
	buf_release(&in);
	return 0;
}
