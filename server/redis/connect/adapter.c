/* hiredis on libuv. */
#include "redis/connect/adapter.h"

#include <stdlib.h>

#include "base/arena.h"

enum { HOLD_MS = 1 };

/* One context's socket. Freed when its handle has closed; the context is gone by then. */
struct adapter {
	uv_poll_t poll;
	redisAsyncContext *context; /* NULL once it has ended */
	struct redis_flusher *flusher;
	struct list dirty;
	int events; /* what the poll handle waits for */
	bool awaiting; /* data was written, and nothing has been read since */
};

static void on_events(uv_poll_t *poll, int status, int events);

static bool connected(const struct adapter *adapter)
{
	return adapter->context->c.flags & REDIS_CONNECTED;
}

static void watch(struct adapter *adapter, int events)
{
	if (events == adapter->events)
		return;
	adapter->events = events;
	if (events)
		uv_poll_start(&adapter->poll, events, on_events);
	else
		uv_poll_stop(&adapter->poll);
}

/*
 * A socket error comes as a status, and libuv has stopped the handle by then. hiredis finds the error itself when it is
 * told that it may write (while connecting) or read.
 */
static void on_events(uv_poll_t *poll, int status, int events)
{
	struct adapter *adapter = container_of(poll, struct adapter, poll);

	if (status < 0)
		adapter->events = 0;
	adapter->awaiting = false;
	if ((status < 0 && !connected(adapter)) || events & UV_WRITABLE) {
		redisAsyncHandleWrite(adapter->context);
		if (!adapter->context)
			return;
	}
	if ((status < 0 && connected(adapter)) || events & UV_READABLE)
		redisAsyncHandleRead(adapter->context);
}

static void add_read(void *data)
{
	struct adapter *adapter = data;

	watch(adapter, adapter->events | UV_READABLE);
}

static void del_read(void *data)
{
	struct adapter *adapter = data;

	watch(adapter, adapter->events & ~UV_READABLE);
}

static void add_write(void *data)
{
	struct adapter *adapter = data;

	if (!connected(adapter)) {
		watch(adapter, adapter->events | UV_WRITABLE);
		return;
	}
	if (list_empty(&adapter->dirty))
		list_push_back(&adapter->flusher->dirty, &adapter->dirty);
}

static void del_write(void *data)
{
	struct adapter *adapter = data;

	watch(adapter, adapter->events & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *handle)
{
	free(container_of((uv_poll_t *)handle, struct adapter, poll));
}

static void cleanup(void *data)
{
	struct adapter *adapter = data;

	adapter->context = NULL;
	list_remove(&adapter->dirty);
	uv_close((uv_handle_t *)&adapter->poll, on_closed);
}

/* HandleWrite asks for more by add_write, which would mark the context dirty forever while the socket is full: instead,
 * leave it to the poll handle. */
static void flush(struct adapter *adapter)
{
	adapter->awaiting = true;
	redisAsyncHandleWrite(adapter->context);
	if (!adapter->context || list_empty(&adapter->dirty))
		return;
	list_remove(&adapter->dirty);
	watch(adapter, adapter->events | UV_WRITABLE);
}

static void on_overdue(uv_timer_t *timer)
{
	container_of(timer, struct redis_flusher, hold)->overdue = true;
}

static void hold(struct adapter *adapter)
{
	struct redis_flusher *flusher = adapter->flusher;

	list_push_back(&flusher->dirty, &adapter->dirty);
	if (!uv_is_active((uv_handle_t *)&flusher->hold))
		uv_timer_start(&flusher->hold, on_overdue, HOLD_MS, 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct redis_flusher *flusher = container_of(prepare, struct redis_flusher, prepare);
	struct list now;

	list_init(&now);
	while (!list_empty(&flusher->dirty))
		list_push_back(&now, list_pop_front(&flusher->dirty));
	while (!list_empty(&now)) {
		struct adapter *adapter = container_of(list_pop_front(&now), struct adapter, dirty);

		if (adapter->awaiting && !flusher->overdue)
			hold(adapter);
		else
			flush(adapter);
	}
	flusher->overdue = false;
}

void redis_flusher_init(struct redis_flusher *flusher, uv_loop_t *loop)
{
	list_init(&flusher->dirty);
	uv_timer_init(loop, &flusher->hold);
	uv_prepare_init(loop, &flusher->prepare);
	uv_prepare_start(&flusher->prepare, on_prepare);
}

bool redis_attach(redisAsyncContext *context, struct redis_flusher *flusher)
{
	struct adapter *adapter = mem_zalloc(1, sizeof(*adapter));

	if (uv_poll_init(flusher->prepare.loop, &adapter->poll, context->c.fd) != 0) {
		free(adapter);
		return false;
	}
	adapter->context = context;
	adapter->flusher = flusher;
	list_init(&adapter->dirty);
	context->ev.data = adapter;
	context->ev.addRead = add_read;
	context->ev.delRead = del_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = del_write;
	context->ev.cleanup = cleanup;
	/* Commands queued before the connection is established leave with it. */
	add_write(adapter);
	return true;
}
