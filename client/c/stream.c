/*
 * Streams from the server. Three batches of gRPC operations run at the same time; the stream ends when all are done.
 * Declared in bursar.h.
 */
#include "c/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include <grpc/byte_buffer.h>

struct bursar_stream {
	struct bursar_stream *next, *prev;
	struct bursar *bursar;
	enum bursar_stream_method method;
	bursar_message *message;
	bursar_ended *ended;
	void *ctx;
	struct bursar__server *server;
	grpc_call *call;
	/* One for each batch; stream_of finds the stream by its address. */
	struct bursar__event opened, received, closed;
	int pending;
	grpc_byte_buffer *request, *bytes;
	grpc_metadata_array initial, trailing;
	grpc_status_code status;
	grpc_slice status_text;
};

#define stream_of(event_, member_) ((struct bursar_stream *)((char *)(event_)-offsetof(struct bursar_stream, member_)))

static void batch(struct bursar_stream *stream, const grpc_op *ops, size_t count, struct bursar__event *event)
{
	grpc_call_error failure = grpc_call_start_batch(stream->call, ops, count, event, NULL);

	if (failure != GRPC_CALL_OK) {
		fprintf(stderr, "bursar: grpc refused a batch: %s\n", grpc_call_error_to_string(failure));
		abort(); /* gRPC refuses only batches that are built wrongly */
	}
	stream->pending++;
}

static void receive(struct bursar_stream *stream)
{
	grpc_op ops[] = {
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->bytes},
	};

	stream->bytes = NULL;
	batch(stream, ops, 1, &stream->received);
}

static void unlink_stream(struct bursar_stream *stream)
{
	if (stream->prev)
		stream->prev->next = stream->next;
	else
		stream->bursar->streams = stream->next;
	if (stream->next)
		stream->next->prev = stream->prev;
}

/* A batch is done. The stream ends with the last one. */
static size_t batch_done(struct bursar_stream *stream)
{
	struct bursar_error error = {0};

	if (--stream->pending > 0)
		return 0;
	if (stream->status != GRPC_STATUS_OK)
		bursar__error_from_status(&error, stream->status, stream->status_text, &stream->trailing);
	if (error.code == BURSAR_UNAVAILABLE && !error.from_server)
		bursar__server_down(stream->server);
	unlink_stream(stream);
	stream->ended(stream->ctx, &error);
	grpc_metadata_array_destroy(&stream->initial);
	grpc_metadata_array_destroy(&stream->trailing);
	grpc_slice_unref(stream->status_text);
	grpc_byte_buffer_destroy(stream->request);
	grpc_call_unref(stream->call);
	free(stream);
	return 1;
}

static size_t on_opened(struct bursar__event *event, bool ok)
{
	(void)ok; /* the status says why not */
	return batch_done(stream_of(event, opened));
}

static size_t on_closed(struct bursar__event *event, bool ok)
{
	(void)ok;
	return batch_done(stream_of(event, closed));
}

/* A message counts as an event, so that bursar_poll returns when one has arrived. */
static size_t on_received(struct bursar__event *event, bool ok)
{
	struct bursar_stream *stream = stream_of(event, received);
	struct bursar_error error;
	void *message;

	if (!ok || !stream->bytes)
		return batch_done(stream);
	message = bursar__message_read(stream->bytes, bursar__stream_methods[stream->method].answer, &error);
	grpc_byte_buffer_destroy(stream->bytes);
	receive(stream);
	if (message)
		stream->message(stream->ctx, message);
	else
		grpc_call_cancel_with_status(stream->call, GRPC_STATUS_INTERNAL, error.message, NULL);
	return batch_done(stream) + 1;
}

static void start(struct bursar_stream *stream)
{
	grpc_op open[] = {
		bursar__op_open(stream->bursar),
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->request},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
			.data.recv_initial_metadata.recv_initial_metadata = &stream->initial},
	};
	grpc_op close = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		.data.recv_status_on_client = {.trailing_metadata = &stream->trailing,
			.status = &stream->status,
			.status_details = &stream->status_text}};

	batch(stream, open, sizeof(open) / sizeof(*open), &stream->opened);
	batch(stream, &close, 1, &stream->closed);
	receive(stream);
}

struct bursar_stream *bursar_stream_open(struct bursar *bursar, enum bursar_stream_method method, const void *request,
	bursar_message *message, bursar_ended *ended, void *ctx)
{
	struct bursar_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		abort();
	stream->bursar = bursar;
	stream->method = method;
	stream->message = message;
	stream->ended = ended;
	stream->ctx = ctx;
	stream->opened.done = on_opened;
	stream->received.done = on_received;
	stream->closed.done = on_closed;
	stream->request = bursar__message_bytes(request);
	stream->status_text = grpc_empty_slice();
	grpc_metadata_array_init(&stream->initial);
	grpc_metadata_array_init(&stream->trailing);
	stream->next = bursar->streams;
	if (stream->next)
		stream->next->prev = stream;
	bursar->streams = stream;
	stream->server = bursar__server_next(bursar);
	stream->call = grpc_channel_create_registered_call(stream->server->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
		bursar->queue, stream->server->registered_streams[method], gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	start(stream);
	return stream;
}

void bursar_stream_cancel(struct bursar_stream *stream)
{
	grpc_call_cancel(stream->call, NULL);
}
