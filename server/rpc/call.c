/*
 * The life of a call (rpc/call.h, rpc/internal.h): it arrives in a slot, is handled, ends with one batch, and returns
 * to the free list.
 */
#include "rpc/internal.h"

#include <assert.h>
#include <grpc/support/alloc.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/metrics.h"
#include "rpc/status.h"

/* By then, a caller refused by a stopping server has another connection or can open one. */
enum { STOPPED_RETRY_US = 20000 };

void call_release(struct call *call)
{
	struct rpc_worker *worker = call->worker;

	if (!call->answered || call->waiting > 0)
		return;
	if (call->cancelled)
		metric_inc(METRIC_grpc_answers_unread_total, call->method->metric, (unsigned)call->status);
	if (call->on_ended)
		call->on_ended(call->cancelled, call->ended_ctx);
	list_remove(&call->link);
	list_remove(&call->stripped);
	worker->active_count--;
	if (call->awaited)
		atomic_fetch_sub(&worker->running, 1);
	if (call->method->row->kind == RPC_SERVER_STREAM)
		worker_stream_ended(worker);
	grpc_slice_unref(call->request);
	grpc_slice_unref(call->room);
	grpc_slice_unref(call->status_text);
	if (call->with_trailer)
		grpc_slice_unref(call->trailer.value);
	if (call->sending)
		grpc_byte_buffer_destroy(call->sending);
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
	if (!call->method->registered)
		grpc_call_details_destroy(&call->details);
	grpc_call_unref(call->grpc);
	arena_reset(&call->arena);
	worker_give_call(worker, call);
	worker_try_shut(worker);
}

void call_start_batch(struct call *call, const grpc_op *ops, size_t count, struct tag *tag)
{
	grpc_call_error error;

	tag_lend(tag);
	error = grpc_call_start_batch(call->grpc, ops, count, tag, NULL);
	/* Anything else means that this file misuses gRPC. */
	if (error != GRPC_CALL_OK)
		abort();
	call->waiting++;
}

/* Notifies only once: an expelled caller may also leave. */
static void notify_cancelled(struct call *call)
{
	void (*cancelled)(struct call * call, void *ctx) = call->on_cancel;

	call->on_cancel = NULL;
	if (cancelled)
		cancelled(call, call->cancel_ctx);
}

void call_expel(struct call *call, const struct err *why)
{
	struct err *copy;

	if (call->answered || call->expelled)
		return;
	copy = arena_alloc(&call->arena, sizeof(*copy));
	*copy = *why;
	call->expelled = copy;
	notify_cancelled(call);
}

static void on_closed(struct tag *tag, bool ok)
{
	struct call *call = container_of(tag, struct call, closed);

	(void)ok;
	call->waiting--;
	/* Before the call's end this only means that the caller is gone or their deadline has passed. */
	if (!call->answered)
		notify_cancelled(call);
	else
		call_release(call);
}

static void on_ended(struct tag *tag, bool ok)
{
	struct call *call = container_of(tag, struct call, ended);

	(void)ok;
	call->waiting--;
	unsent_done(call);
	call_release(call);
}

static void send_end(struct call *call)
{
	grpc_op ops[4] = {{0}};
	size_t n = 0;

	if (!call->headers_sent)
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (call->with_message) {
		call->sending = grpc_raw_byte_buffer_create(&call->room, 1);
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = call->sending;
	}
	ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[n].data.send_status_from_server.status = (grpc_status_code)call->status;
	if (call->status)
		ops[n].data.send_status_from_server.status_details = &call->status_text;
	if (call->with_trailer) {
		ops[n].data.send_status_from_server.trailing_metadata_count = 1;
		ops[n].data.send_status_from_server.trailing_metadata = &call->trailer;
	}
	n++;
	if (!call->watched) {
		call->watched = true;
		ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
		ops[n++].data.recv_close_on_server.cancelled = &call->cancelled;
	}
	unsent_begin(call, call->ended_bytes + (call->with_message ? GRPC_SLICE_LENGTH(call->room) : 0));
	call_start_batch(call, ops, n, &call->ended);
}

static void end(struct call *call, int status)
{
	assert(!call->answered);
	call->answered = true;
	call->status = status;
	metric_inc(METRIC_grpc_calls_total, call->method->metric, (unsigned)status);
	metric_observe(METRIC_grpc_call_seconds, call->method->metric, 0, clock_mono_us() - call->arrived_us);
	metric_add(METRIC_grpc_calls_open, 0, 0, -1);
	unsent_strip_later(call);
	/* gRPC must finish sending a message before it takes the status; in that case on_wrote continues. */
	if (!call->writing)
		send_end(call);
}

static void on_wrote(struct tag *tag, bool ok)
{
	struct call *call = container_of(tag, struct call, wrote);

	call->waiting--;
	call->writing = false;
	unsent_done(call);
	grpc_byte_buffer_destroy(call->sending);
	call->sending = NULL;
	if (call->answered)
		send_end(call);
	else
		call->written(call, ok, call->written_ctx);
}

static void refuse_unknown(struct call *call)
{
	struct err err;
	char *path = grpc_slice_to_c_string(call->details.method);

	err_set(&err, ERR_UNIMPLEMENTED, "unknown method %s", path);
	gpr_free(path);
	call_fail(call, &err);
}

static void refuse_stopping(struct call *call)
{
	struct err err;

	err_set(&err, ERR_UNAVAILABLE, "the server is stopping: call another one");
	err_reason(&err, "DRAINING");
	err.retry_after_us = STOPPED_RETRY_US;
	call_fail(call, &err);
}

/* False when `admit` has refused and thereby failed the call. */
static bool admitted(struct call *call)
{
	const struct rpc_options *options = &call->worker->server->options;

	return !options->admit || options->admit(call, call->worker->ctx);
}

static void dispatch(struct call *call)
{
	struct err err;

	if (call->worker->refusing) {
		refuse_stopping(call);
	} else if (!call->method->registered) {
		refuse_unknown(call);
	} else if (!call->payload) {
		err_set(&err, ERR_INVALID, "the request message is missing or cut short");
		call_fail(call, &err);
	} else if (call->worker->active_count > call->worker->server->options.max_calls) {
		err_set(&err, ERR_EXHAUSTED, "the server is busy: %zu calls are waiting for an answer",
			call->worker->active_count - 1);
		err_reason(&err, "SERVER_BUSY");
		err.retry_after_us = 100000;
		call_fail(call, &err);
	} else if (admitted(call)) {
		call_join_request(call);
		call->method->row->handle(call, call->worker->ctx);
	}
}

static void on_arrived(struct tag *tag, bool ok)
{
	struct call *call = container_of(tag, struct call, arrived);
	struct rpc_worker *worker = call->worker;

	worker->posted--;
	/* Not ok means that the server is shutting down and returns the slot unused. */
	if (!ok) {
		if (!call->method->registered)
			grpc_call_details_destroy(&call->details);
		worker_give_call(worker, call);
		worker_try_shut(worker);
		return;
	}
	/* Posts the next slot first: streams occupy theirs for long, and calls without a slot would wait unseen. */
	worker_post_again(worker, call->method);
	list_push_back(&worker->active, &call->link);
	worker->active_count++;
	call->arrived_us = clock_mono_us();
	metric_add(METRIC_grpc_calls_open, 0, 0, 1);
	if (call->method->row->kind == RPC_SERVER_STREAM)
		worker_stream_opened(worker);
	dispatch(call);
}

void call_prepare(struct call *call, struct rpc_worker *worker, const struct method *method)
{
	grpc_metadata_array metadata = call->metadata;
	struct arena arena = call->arena;

	/* The free list exists to reuse the metadata array and the arena's first chunk. */
	metadata.count = 0;
	*call = (struct call){
		.worker = worker,
		.method = method,
		.metadata = metadata,
		.arena = arena,
		.arrived = {.done = on_arrived},
		.closed = {.done = on_closed},
		.wrote = {.done = on_wrote},
		.ended = {.done = on_ended},
		.request = grpc_empty_slice(),
		.room = grpc_empty_slice(),
		.status_text = grpc_empty_slice(),
	};
	list_init(&call->link);
	list_init(&call->unsent);
	list_init(&call->stripped);
}

void call_free(struct call *call)
{
	grpc_metadata_array_destroy(&call->metadata);
	arena_release(&call->arena);
	free(call);
}

const uint8_t *call_request(const struct call *call, size_t *len)
{
	*len = GRPC_SLICE_LENGTH(call->request);
	return GRPC_SLICE_START_PTR(call->request);
}

struct arena *call_arena(struct call *call)
{
	return &call->arena;
}

void call_on_cancel(struct call *call, void (*cancelled)(struct call *call, void *ctx), void *ctx)
{
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	call->on_cancel = cancelled;
	call->cancel_ctx = ctx;
	if (call->watched)
		return;
	call->watched = true;
	op.data.recv_close_on_server.cancelled = &call->cancelled;
	call_start_batch(call, &op, 1, &call->closed);
}

void call_on_ended(struct call *call, void (*ended)(bool unread, void *ctx), void *ctx, size_t bytes)
{
	call->on_ended = ended;
	call->ended_ctx = ctx;
	call->ended_bytes = bytes;
}

void call_on_drain(struct call *call, void (*draining)(struct call *call, void *ctx), void *ctx)
{
	call->on_drain = draining;
	call->drain_ctx = ctx;
}

bool call_draining(const struct call *call)
{
	return call->worker->draining;
}

uint8_t *call_room(struct call *call, size_t n)
{
	grpc_slice_unref(call->room);
	call->room = grpc_slice_malloc(n);
	return GRPC_SLICE_START_PTR(call->room);
}

void call_reply_filled(struct call *call)
{
	call->with_message = true;
	end(call, GRPC_STATUS_OK);
}

void call_reply(struct call *call, const void *bytes, size_t n)
{
	uint8_t *room = call_room(call, n);

	if (n)
		memcpy(room, bytes, n);
	call_reply_filled(call);
}

void call_end(struct call *call)
{
	if (call->expelled)
		call_fail(call, call->expelled);
	else
		end(call, GRPC_STATUS_OK);
}

void call_fail(struct call *call, const struct err *err)
{
	size_t len;
	const uint8_t *details;
	int code;

	if (call->expelled)
		err = call->expelled;
	details = status_details(&call->arena, err, &len);
	code = status_code(err->code);

	/* An error without a code is a bug in the handler; it must not be reported as success. */
	if (code == GRPC_STATUS_OK)
		code = GRPC_STATUS_INTERNAL;
	call->status_text = grpc_slice_from_copied_string(err->text);
	call->trailer.key = grpc_slice_from_static_string("grpc-status-details-bin");
	call->trailer.value = grpc_slice_from_copied_buffer((const char *)details, len);
	call->with_trailer = true;
	end(call, code);
}

void call_write_filled(struct call *call, void (*written)(struct call *call, bool ok, void *ctx), void *ctx)
{
	grpc_op ops[2] = {{0}};
	size_t n = 0;

	assert(!call->writing && !call->answered);
	call->writing = true;
	call->written = written;
	call->written_ctx = ctx;
	if (!call->headers_sent) {
		call->headers_sent = true;
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	}
	call->sending = grpc_raw_byte_buffer_create(&call->room, 1);
	ops[n].op = GRPC_OP_SEND_MESSAGE;
	ops[n++].data.send_message.send_message = call->sending;
	unsent_begin(call, GRPC_SLICE_LENGTH(call->room));
	call_start_batch(call, ops, n, &call->wrote);
}

void call_write(struct call *call, const void *bytes, size_t n, void (*written)(struct call *call, bool ok, void *ctx),
	void *ctx)
{
	uint8_t *room = call_room(call, n);

	if (n)
		memcpy(room, bytes, n);
	call_write_filled(call, written, ctx);
}
