/* A call's life, from its first header to its last byte. */
#include <stdlib.h>

#include "rpc/h2/internal.h"

/* The length of the free list, and the largest buffer that a call keeps in it. */
enum { FREE_MAX = 512, KEEP_BYTES = 2048 };

bool h2_call_is_gone(const struct h2_call *h2)
{
	return h2->abandoned || !h2->stream;
}

void h2_call_count(struct h2_call *h2)
{
	/* Calls that have begun are bounded by max_calls. */
	size_t now = h2->in.cap + h2->request.cap + (h2->begun || h2->flaw ? 0 : H2_CALL_BYTES);

	h2->connection->arriving_bytes += now - h2->counted;
	h2->connection->worker->arriving_bytes += now - h2->counted;
	h2->counted = now;
}

/* Empty, and without memory if it has much. */
static struct buf keep(struct buf buf)
{
	if (buf.cap > KEEP_BYTES)
		buf_release(&buf);
	else
		buf_reset(&buf);
	return buf;
}

struct h2_call *h2_call_take(struct h2_connection *connection, int32_t stream, const struct carrier *carrier)
{
	struct h2_worker *worker = connection->worker;
	const struct rpc_server *server = worker->worker.server;
	struct h2_call *h2 = worker->unused;
	struct call call = {.carrier = carrier,
		.worker = &worker->worker,
		.method = &server->methods[server->method_count - 1],
		.arena = {.spare = worker_spare(&worker->worker)}};
	struct buf in = {0}, room = {0};

	if (h2) {
		worker->unused = h2->next_free;
		worker->unused_count--;
		call.arena = h2->call.arena;
		in = h2->in;
		room = h2->room;
	} else {
		h2 = mem_zalloc(1, sizeof(*h2));
	}
	*h2 = (struct h2_call){.call = call,
		.connection = connection,
		.stream = stream,
		.deadline_us = INT64_MAX,
		.in = in,
		.room = room};
	list_init(&h2->call.link);
	list_init(&h2->call.unsent);
	list_init(&h2->call.stripped);
	list_init(&h2->due);
	list_init(&h2->timed);
	list_push_back(&connection->calls, &h2->link);
	return h2;
}

static void call_free(struct h2_call *h2)
{
	arena_release(&h2->call.arena);
	buf_release(&h2->in);
	buf_release(&h2->room);
	free(h2);
}

static void give(struct h2_worker *worker, struct h2_call *h2)
{
	if (worker->unused_count >= FREE_MAX) {
		call_free(h2);
		return;
	}
	h2->next_free = worker->unused;
	worker->unused = h2;
	worker->unused_count++;
}

static void release(struct h2_call *h2)
{
	struct h2_connection *connection = h2->connection;
	struct h2_worker *worker = connection->worker;

	unsent_done(&h2->call);
	if (h2->begun)
		call_finish(&h2->call);
	if (h2->orphan)
		connection->orphans--;
	list_remove(&h2->call.stripped);
	list_remove(&h2->link);
	list_remove(&h2->due);
	list_remove(&h2->timed);
	/* A request is usually one small message: its buffer serves the next one. */
	if (!h2->in.cap) {
		h2->in = h2->request;
		h2->request = (struct buf){0};
	}
	buf_release(&h2->request);
	buf_release(&h2->message);
	buf_release(&h2->details);
	h2->in = keep(h2->in);
	h2->room = keep(h2->room);
	connection->arriving_bytes -= h2->counted;
	worker->arriving_bytes -= h2->counted;
	arena_reset(&h2->call.arena);
	give(worker, h2);
	h2_connection_try_free(connection);
	worker_try_shut(&worker->worker);
}

void h2_call_try_finish(struct h2_call *h2)
{
	if (h2->running || h2->stream || !h2->call.answered || h2->call.writing)
		return;
	release(h2);
}

void h2_call_sent(struct h2_call *h2)
{
	release(h2);
}

void h2_call_stream_closed(struct h2_call *h2)
{
	struct h2_connection *connection = h2->connection;

	h2->stream = 0;
	if (!h2->begun) {
		release(h2);
	} else if (h2->call.answered && h2->ended && !h2->call.cancelled && connection->session) {
		/* What was packed is the connection's now. */
		unsent_done(&h2->call);
		h2->room = keep(h2->room);
		list_remove(&h2->due);
		list_push_back(&connection->leaving, &h2->due);
		h2_connection_soil(connection);
	} else {
		h2->call.cancelled = 1;
		if (!h2->call.answered) {
			h2->orphan = true;
			connection->orphans++;
		}
		h2_due(h2, H2_LEFT);
	}
}

void h2_call_abandon(struct h2_call *h2, enum err_code code, const char *text)
{
	if (h2_call_is_gone(h2) || h2->call.answered)
		return;
	h2->abandoned = true;
	h2->call.cancelled = 1;
	if (h2->room_at < h2->room.len) {
		h2_answer_reset(h2, NGHTTP2_CANCEL);
	} else {
		h2_answer_status(h2, code, text);
		h2_answer_send(h2);
	}
	h2_due(h2, H2_LEFT);
}

void h2_call_free_unused(struct h2_worker *worker)
{
	while (worker->unused) {
		struct h2_call *h2 = worker->unused;

		worker->unused = h2->next_free;
		call_free(h2);
	}
}
