/* The transport (rpc/transport.h): a server and its workers, from start to end. */
#include <stdlib.h>

#include "rpc/h2/h2.h"
#include "rpc/h2/internal.h"

#define ARRIVING_MIN ((size_t)16 << 20)
#define MESSAGES_ARRIVING ((size_t)64)

static bool h2_start(struct rpc_server *server, struct err *err)
{
	struct h2_server *h2 = h2_server_of(server);
	size_t arriving = MESSAGES_ARRIVING * server->options.max_message_bytes;

	h2->arriving_max = arriving < ARRIVING_MIN ? ARRIVING_MIN : arriving;
	if (server->options.tls.cert && server->options.tls.cert[0]) {
		h2->tls = tls_server_new(&server->options.tls, err);
		if (!h2->tls)
			return false;
	}
	if (!h2_listen(h2, err))
		return false;
	h2_session_prepare(h2);
	atomic_store(&h2->listening, true);
	return true;
}

static void on_flush(uv_prepare_t *prepare)
{
	struct h2_worker *worker = container_of(prepare, struct h2_worker, flush);
	struct list now;

	worker->handshakes = 0;
	h2_due_run(worker);
	/* What becomes dirty meanwhile is for the next turn, so that no stream can hold up the others. */
	list_init(&now);
	list_each (&worker->dirty, at, after) {
		list_remove(at);
		list_push_back(&now, at);
	}
	while (!list_empty(&now))
		h2_connection_flush(container_of(list_pop_front(&now), struct h2_connection, dirty));
	h2_due_run(worker);
	if (list_empty(&worker->dirty) && list_empty(&worker->due))
		uv_idle_stop(&worker->again);
}

static void h2_worker_open(struct rpc_worker *worker)
{
	struct h2_worker *h2 = h2_worker_of(worker);
	uv_loop_t *loop = worker_loop(worker);

	list_init(&h2->connections);
	list_init(&h2->dirty);
	list_init(&h2->due);
	list_init(&h2->timed);
	h2->farewell.done = h2_on_farewell;
	h2->shut.done = h2_on_shut;
	h2->deadline_us = INT64_MAX;
	h2->received = mem_zalloc(1, H2_READ_BYTES);
	atomic_store(&h2->uninformed, SIZE_MAX);
	uv_prepare_init(loop, &h2->flush);
	uv_prepare_start(&h2->flush, on_flush);
	uv_idle_init(loop, &h2->again);
	uv_timer_init(loop, &h2->deadline);
	uv_timer_init(loop, &h2->tick);
	if (worker->index == 0)
		h2_accept_start(h2_server_of(worker->server), loop);
}

static bool h2_worker_idle(const struct rpc_worker *worker)
{
	return atomic_load(&h2_worker_of(worker)->connection_count) == 0;
}

static void h2_worker_close(struct rpc_worker *worker)
{
	struct h2_worker *h2 = h2_worker_of(worker);

	uv_close((uv_handle_t *)&h2->flush, NULL);
	uv_close((uv_handle_t *)&h2->again, NULL);
	uv_close((uv_handle_t *)&h2->deadline, NULL);
	uv_close((uv_handle_t *)&h2->tick, NULL);
	worker_closed(worker);
}

static void h2_worker_release(struct rpc_worker *worker)
{
	struct h2_worker *h2 = h2_worker_of(worker);

	h2_call_free_unused(h2);
	buf_release(&h2->frames);
	buf_release(&h2->plain);
	buf_release(&h2->encrypted);
	free(h2->received);
}

static void h2_release(struct rpc_server *server)
{
	struct h2_server *h2 = h2_server_of(server);

	h2_listen_release(h2);
	tls_server_free(h2->tls);
	nghttp2_session_callbacks_del(h2->callbacks);
	nghttp2_option_del(h2->option);
}

const struct rpc_transport h2_transport = {
	.server_size = sizeof(struct h2_server),
	.worker_size = sizeof(struct h2_worker),
	.start = h2_start,
	.worker_open = h2_worker_open,
	.stop_listening = h2_stop_listening,
	.farewell = h2_farewell,
	.shut = h2_shut,
	.worker_idle = h2_worker_idle,
	.worker_close = h2_worker_close,
	.worker_release = h2_worker_release,
	.release = h2_release,
};
