/* A carrier that does nothing by itself. */
#include "fake_stream.h"

#include "base/list.h"

static struct fake_stream *of(const struct call *call)
{
	return container_of((struct call *)(uintptr_t)call, struct fake_stream, call);
}

static int64_t deadline_us(const struct call *call)
{
	(void)call;
	return INT64_MAX;
}

static bool metadata(const struct call *call, const char *name, const char **value, size_t *len)
{
	(void)call;
	(void)name;
	(void)value;
	(void)len;
	return false;
}

static void forget_request(struct call *call)
{
	buf_release(&of(call)->message);
}

static void nothing(struct call *call)
{
	(void)call;
}

static uint8_t *room(struct call *call, size_t n)
{
	struct buf *room = &of(call)->room;

	buf_reset(room);
	buf_reserve(room, n);
	room->len = n;
	return (uint8_t *)room->data;
}

static void explain(struct call *call, const struct err *err)
{
	of(call)->err = *err;
}

/* The end follows the write that is in flight, as call_wrote() has it. */
static void end(struct call *call)
{
	struct fake_stream *stream = of(call);

	assert_false(stream->ended);
	stream->ended = true;
	if (call->on_ended)
		call->on_ended(call->cancelled, call->ended_ctx);
}

void fake_stream_open(struct fake_stream *stream, void (*handle)(struct call *call, void *ctx), struct fake *fake)
{
	static const struct carrier carrier = {.forget_request = forget_request,
		.metadata = metadata,
		.deadline_us = deadline_us,
		.watch = nothing,
		.room = room,
		.write = nothing,
		.explain = explain,
		.end = end,
		.read = forget_request};

	*stream = (struct fake_stream){.row = {.path = "/t.T/Stream", .kind = RPC_STREAMS}};
	stream->method.row = &stream->row;
	stream->call = (struct call){.carrier = &carrier, .worker = &stream->worker, .method = &stream->method};
	handle(&stream->call, fake->worker);
}

void fake_stream_release(struct fake_stream *stream)
{
	for (int i = 0; i < stream->writes; i++)
		buf_release(&stream->written[i]);
	buf_release(&stream->room);
	buf_release(&stream->message);
	arena_release(&stream->call.arena);
}

bool fake_stream_reads(const struct fake_stream *stream)
{
	return stream->call.got && !stream->call.answered;
}

void fake_stream_give(struct fake_stream *stream, const void *bytes, size_t n)
{
	assert_true(fake_stream_reads(stream));
	buf_reset(&stream->message);
	buf_put(&stream->message, bytes, n);
	call_got(&stream->call, bytes ? (const uint8_t *)buf_str(&stream->message) : NULL, n);
}

bool fake_stream_writes(const struct fake_stream *stream)
{
	return stream->call.writing;
}

void fake_stream_wrote(struct fake_stream *stream, bool ok)
{
	assert_true(fake_stream_writes(stream));
	if (ok) {
		assert_true(stream->writes < FAKE_WRITES_MAX);
		buf_put(&stream->written[stream->writes++], stream->room.data, stream->room.len);
	}
	call_wrote(&stream->call, ok);
}

void fake_stream_leave(struct fake_stream *stream)
{
	stream->call.cancelled = 1;
	if (!stream->call.answered)
		call_left(&stream->call);
	if (fake_stream_writes(stream))
		fake_stream_wrote(stream, false);
	if (fake_stream_reads(stream))
		fake_stream_give(stream, NULL, 0);
}

void fake_stream_drain(struct fake_stream *stream)
{
	stream->worker.draining = true;
	if (stream->call.on_drain && !stream->call.answered)
		stream->call.on_drain(&stream->call, stream->call.drain_ctx);
}
