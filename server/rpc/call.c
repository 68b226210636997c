/*
 * The life of a call, whatever carries it (rpc/call.h, rpc/carrier.h): it begins, is handed to its handler or refused,
 * and finishes.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/metrics.h"
#include "base/observe/spans.h"
#include "rpc/internal.h"
#include "rpc/status.h"

/* By then, a caller refused by a stopping server has another connection or can open one. */
enum { STOPPED_RETRY_US = 20000, BUSY_RETRY_US = 100000 };

static bool over_http(const struct call *call)
{
	return call->carrier->route;
}

static void count_open(const struct call *call, int more)
{
	if (over_http(call))
		metric_add(METRIC_http_calls_open, 0, 0, more);
	else
		metric_add(METRIC_grpc_calls_open, 0, 0, more);
}

static void count_answered(const struct call *call)
{
	int64_t took_us = clock_mono_us() - call->arrived_us;

	if (over_http(call)) {
		metric_inc(METRIC_http_calls_total, call->method->metric, (unsigned)call->status);
		metric_observe(METRIC_http_call_seconds, call->method->metric, 0, took_us);
	} else {
		metric_inc(METRIC_grpc_calls_total, call->method->metric, (unsigned)call->status);
		metric_observe(METRIC_grpc_call_seconds, call->method->metric, 0, took_us);
	}
}

static void count_unread(const struct call *call)
{
	if (over_http(call))
		metric_inc(METRIC_http_answers_unread_total, call->method->metric, (unsigned)call->status);
	else
		metric_inc(METRIC_grpc_answers_unread_total, call->method->metric, (unsigned)call->status);
}

void call_begin(struct call *call)
{
	struct rpc_worker *worker = call->worker;

	list_push_back(&worker->active, &call->link);
	worker->active_count++;
	call->arrived_us = clock_mono_us();
	count_open(call, 1);
	if (call->method->row->kind != RPC_UNARY)
		worker_stream_opened(worker);
}

void call_finish(struct call *call)
{
	struct rpc_worker *worker = call->worker;

	if (call->cancelled)
		count_unread(call);
	if (call->on_ended)
		call->on_ended(call->cancelled, call->ended_ctx);
	trace_drop(call->trace);
	list_remove(&call->link);
	worker->active_count--;
	if (call->awaited)
		atomic_fetch_sub(&worker->running, 1);
	if (call->method->row->kind != RPC_UNARY)
		worker_stream_ended(worker);
}

/* Only once: an expelled caller may also leave. */
void call_left(struct call *call)
{
	void (*cancelled)(struct call * call, void *ctx) = call->on_cancel;
	struct trace *outer = trace_enter(call->trace);

	call->on_cancel = NULL;
	if (cancelled)
		cancelled(call, call->cancel_ctx);
	trace_leave(outer);
}

void call_wrote(struct call *call, bool ok)
{
	struct trace *outer = trace_enter(call->trace);

	call->writing = false;
	if (call->answered)
		call->carrier->end(call);
	else
		call->written(call, ok, call->written_ctx);
	trace_leave(outer);
}

void call_got(struct call *call, const uint8_t *bytes, size_t n)
{
	void (*got)(struct call * call, const uint8_t *bytes, size_t n, void *ctx) = call->got;
	struct trace *outer = trace_enter(call->trace);

	call->got = NULL;
	got(call, bytes, n, call->got_ctx);
	trace_leave(outer);
}

static void refuse_stopping(struct call *call)
{
	struct err err;

	err_set(&err, ERR_UNAVAILABLE, "the server is stopping: call another one");
	err_reason(&err, "DRAINING");
	err.retry_after_us = STOPPED_RETRY_US;
	call_fail(call, &err);
}

static void refuse_busy(struct call *call)
{
	struct err err;

	err_set(&err, ERR_EXHAUSTED, "the server is busy: %zu calls are waiting for an answer",
		call->worker->active_count - 1);
	err_reason(&err, "SERVER_BUSY");
	err.retry_after_us = BUSY_RETRY_US;
	call_fail(call, &err);
}

static void refuse_partial(struct call *call)
{
	struct err err;

	err_set(&err, ERR_INVALID, "the request message is missing or cut short");
	call_fail(call, &err);
}

/* False when `admit` has refused and thereby failed the call. */
static bool admitted(struct call *call)
{
	const struct rpc_options *options = &call->worker->server->options;

	return !options->admit || options->admit(call, call->worker->ctx);
}

static void dispatch(struct call *call, bool whole)
{
	if (call->worker->refusing) {
		refuse_stopping(call);
	} else if (!whole) {
		refuse_partial(call);
	} else if (call->worker->active_count > call->worker->server->options.max_calls) {
		refuse_busy(call);
	} else if (admitted(call)) {
		if (call->carrier->admitted)
			call->carrier->admitted(call);
		call->method->row->handle(call, call->worker->ctx);
	}
}

void call_dispatch(struct call *call, bool whole)
{
	const char *parent = NULL;
	size_t len = 0;
	struct trace *outer;

	call_metadata(call, "traceparent", &parent, &len);
	call->trace = trace_begin(parent, len);
	outer = trace_enter(call->trace);
	dispatch(call, whole);
	trace_leave(outer);
}

static void end(struct call *call, int status)
{
	assert(!call->answered);
	call->answered = true;
	call->status = status;
	count_answered(call);
	count_open(call, -1);
	span_served(call->trace, call->method->row->path,
		call->trace && over_http(call) ? call->carrier->route(call) : NULL, call->arrived_us, status);
	/* A message must have been sent before the end; in that case call_wrote continues. */
	if (!call->writing)
		call->carrier->end(call);
}

void call_end(struct call *call)
{
	if (call->expelled)
		call_fail(call, call->expelled);
	else
		end(call, 0);
}

void call_fail(struct call *call, const struct err *err)
{
	int code;

	if (call->expelled)
		err = call->expelled;
	code = status_code(err->code);
	/* An error without a code is a bug in the handler; it must not be reported as success. */
	call->carrier->explain(call, err);
	end(call, code ? code : status_code(ERR_INTERNAL));
}

void call_expel(struct call *call, const struct err *why)
{
	struct err *copy;

	if (call->answered || call->expelled)
		return;
	copy = arena_alloc(&call->arena, sizeof(*copy));
	*copy = *why;
	call->expelled = copy;
	call_left(call);
}

void call_reply_filled(struct call *call)
{
	call->with_message = true;
	end(call, 0);
}

void call_reply(struct call *call, const void *bytes, size_t n)
{
	uint8_t *room = call_room(call, n);

	if (n)
		memcpy(room, bytes, n);
	call_reply_filled(call);
}

void call_write_filled(struct call *call, void (*written)(struct call *call, bool ok, void *ctx), void *ctx)
{
	assert(!call->writing && !call->answered);
	call->writing = true;
	call->written = written;
	call->written_ctx = ctx;
	call->carrier->write(call);
}

void call_write(struct call *call, const void *bytes, size_t n, void (*written)(struct call *call, bool ok, void *ctx),
	void *ctx)
{
	uint8_t *room = call_room(call, n);

	if (n)
		memcpy(room, bytes, n);
	call_write_filled(call, written, ctx);
}

void call_on_cancel(struct call *call, void (*cancelled)(struct call *call, void *ctx), void *ctx)
{
	call->on_cancel = cancelled;
	call->cancel_ctx = ctx;
	if (call->watched)
		return;
	call->watched = true;
	call->carrier->watch(call);
}
