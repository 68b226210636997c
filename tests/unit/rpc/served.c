/* A server with handlers that do what the tests need. */
#include "served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/h2/h2.h"

struct served served;

static void echo(struct call *call, void *ctx)
{
	size_t len;
	const uint8_t *bytes = call_request(call, &len);

	assert_non_null(ctx);
	call_reply(call, bytes, len);
}

static void tell(struct call *call, void *ctx)
{
	const char *value = "";
	size_t len = 0;
	char *text;

	(void)ctx;
	call_metadata(call, "authorization", &value, &len);
	text = arena_printf(call_arena(call), "%s %.*s %.14s %s %d%d", call_path(call), (int)len, value,
		call_peer(call),
		call_deadline_us(call) - clock_mono_us() > 1000000 &&
				call_deadline_us(call) - clock_mono_us() <= 20000000
			? "deadline"
			: "?",
		call_serves(call, "t.T"), call_serves(call, "t"));
	call_reply(call, text, strlen(text));
}

static void refuse(struct call *call, void *ctx)
{
	struct err err;

	(void)ctx;
	err_invalid(&err, "user", "is empty");
	err_prefix(&err, "items[3].");
	err.retry_after_us = 1500000;
	call_fail(call, &err);
}

static void hold_cancelled(struct call *call, void *ctx)
{
	struct err err;

	(void)ctx;
	err_set(&err, ERR_CANCELLED, "nobody waits any more");
	call_fail(call, &err);
	sem_post(&served.cancelled);
}

static void hold(struct call *call, void *ctx)
{
	(void)ctx;
	call_on_cancel(call, hold_cancelled, NULL);
	sem_post(&served.held);
}

static void finish_draining(struct call *call, void *ctx)
{
	(void)ctx;
	assert_true(call_draining(call));
	call_reply(call, "drained", 7);
	sem_post(&served.draining);
}

static void until_drain(struct call *call, void *ctx)
{
	(void)ctx;
	call_on_drain(call, finish_draining, NULL);
	sem_post(&served.held);
}

/* Ends with OK whatever happens; writes one message, or keeps on writing "on". */
static void linger_cancelled(struct call *call, void *ctx)
{
	(void)ctx;
	call_end(call);
	sem_post(&served.cancelled);
}

static void linger_written(struct call *call, bool ok, void *on)
{
	if (ok && on)
		call_write(call, "x", 1, linger_written, on);
}

static void linger(struct call *call, void *ctx)
{
	size_t len;

	call_request(call, &len);
	call_on_cancel(call, linger_cancelled, NULL);
	call_write(call, "x", 1, linger_written, len ? ctx : NULL);
	sem_post(&served.held);
}

/* Sends the message that others send too, and stays. */
static void share_written(struct call *call, bool ok, void *ctx)
{
	(void)call;
	(void)ok;
	(void)ctx;
}

static void share(struct call *call, void *ctx)
{
	(void)ctx;
	call_on_cancel(call, linger_cancelled, NULL);
	call_write_shared(call, served.shared, share_written, NULL);
}

/* Sends a megabyte again and again. */
static void pour_written(struct call *call, bool ok, void *ctx)
{
	if (ok) {
		memset(call_room(call, POURED), 'x', POURED);
		call_write_filled(call, pour_written, ctx);
	}
}

static void pour(struct call *call, void *ctx)
{
	call_on_cancel(call, linger_cancelled, NULL);
	pour_written(call, true, ctx);
}

static bool still_admitted(struct call *call, void *ctx, struct err *err)
{
	(void)ctx;
	if (!atomic_load(&served.expels))
		return true;
	err_set(err, ERR_UNAUTHENTICATED, "%s: no more", call_path(call));
	return err_reason(err, "NO_KEY");
}

struct counting {
	int next;
	int most;
};

static void count_next(struct call *call, bool ok, void *ctx)
{
	struct counting *counting = ctx;
	char text[16];

	if (!ok || counting->next == counting->most) {
		call_end(call);
		return;
	}
	snprintf(text, sizeof(text), "%d", counting->next++);
	call_write(call, text, strlen(text), count_next, counting);
	/* The stream may be ended while a write is in flight: the end comes after it. */
	if (counting->most < 0 && counting->next == -counting->most)
		call_end(call);
}

static void count_up(struct call *call, void *ctx)
{
	struct counting *counting = arena_zalloc(call_arena(call), 1, sizeof(*counting));
	size_t len;
	const char *text = (const char *)call_request(call, &len);

	(void)ctx;
	counting->most = atoi(arena_strndup(call_arena(call), text, len));
	count_next(call, true, counting);
}

/* Says "ready", then sends back what comes: while one message is being written, the next one is read. */
struct mirror {
	char held[2000];
	size_t len;
	bool holds, writing, closed;
};

static void mirror_go_on(struct call *call, struct mirror *mirror);

static void mirror_got(struct call *call, const uint8_t *bytes, size_t n, void *ctx)
{
	struct mirror *mirror = ctx;

	if (bytes) {
		memcpy(mirror->held, bytes, n);
		mirror->len = n;
		mirror->holds = true;
	} else {
		mirror->closed = true;
	}
	mirror_go_on(call, mirror);
}

static void mirror_written(struct call *call, bool ok, void *ctx)
{
	struct mirror *mirror = ctx;

	(void)ok;
	mirror->writing = false;
	mirror_go_on(call, mirror);
}

static void mirror_write(struct call *call, struct mirror *mirror)
{
	mirror->holds = false;
	mirror->writing = true;
	call_write(call, mirror->held, mirror->len, mirror_written, mirror);
	call_read(call, mirror_got, mirror);
}

static void mirror_go_on(struct call *call, struct mirror *mirror)
{
	if (mirror->writing)
		return;
	if (mirror->holds)
		mirror_write(call, mirror);
	else if (mirror->closed)
		call_end(call);
}

static void mirror(struct call *call, void *ctx)
{
	struct mirror *mirror = arena_zalloc(call_arena(call), 1, sizeof(*mirror));
	size_t len;

	(void)ctx;
	call_request(call, &len);
	assert_int_equal(len, 0);
	mirror->len = (size_t)snprintf(mirror->held, sizeof(mirror->held), "ready");
	mirror_write(call, mirror);
}

const struct rpc_method served_methods[] = {
	{.path = "/t.T/Echo", .handle = echo, .kind = RPC_UNARY},
	{.path = "/t.T/Tell", .handle = tell, .kind = RPC_UNARY},
	{.path = "/t.T/Fail", .handle = refuse, .kind = RPC_UNARY},
	{.path = "/t.T/Hold", .handle = hold, .kind = RPC_UNARY},
	{.path = "/t.T/UntilDrain", .handle = until_drain, .kind = RPC_UNARY},
	{.path = "/t.T/Count", .handle = count_up, .kind = RPC_SERVER_STREAM},
	{.path = "/t.T/Share", .handle = share, .kind = RPC_SERVER_STREAM},
	{.path = "/t.T/Pour", .handle = pour, .kind = RPC_SERVER_STREAM},
	{.path = "/t.T/Linger", .handle = linger, .kind = RPC_SERVER_STREAM},
	{.path = "/t.T/Mirror", .handle = mirror, .kind = RPC_STREAMS},
	{0},
};

static void *worker_open(uv_loop_t *loop, unsigned index, void *ctx)
{
	(void)loop;
	(void)index;
	atomic_fetch_add(&served.opened, 1);
	return ctx;
}

static void worker_close(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&served.closed, 1);
}

bool served_by_nghttp2(void)
{
	const char *carrier = getenv("BURSAR_CARRIER");

	return carrier && strcmp(carrier, "nghttp2") == 0;
}

struct rpc_server *served_start(unsigned workers, const char *listen, struct err *err)
{
	static const struct rpc_method *const tables[] = {served_methods, NULL};
	struct rpc_options options = {
		.transport = served_by_nghttp2() ? &h2_transport : NULL,
		.listen = listen,
		.workers = workers,
		.max_message_bytes = 2000,
		.max_calls = 20,
		.tables = tables,
		.worker_open = worker_open,
		.worker_close = worker_close,
		.still_admitted = still_admitted,
		.ctx = &served,
	};

	return rpc_server_start(&options, err);
}

int served_open(void **state)
{
	struct err err;

	(void)state;
	sem_init(&served.held, 0, 0);
	sem_init(&served.cancelled, 0, 0);
	sem_init(&served.draining, 0, 0);
	served.opened = served.closed = 0;
	served.expels = false;
	served.server = served_start(2, "127.0.0.1:0", &err);
	assert_non_null(served.server);
	client_init(&served.client, rpc_server_port(served.server));
	return 0;
}

int served_close(void **state)
{
	(void)state;
	client_release(&served.client);
	rpc_server_stop(served.server, &(struct rpc_stop){.drain_us = 5000000});
	assert_int_equal(served.opened, 2);
	assert_int_equal(served.closed, 2);
	return 0;
}
