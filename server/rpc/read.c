/* call_read() of rpc/call.h: further messages of a client stream. */
#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <stdlib.h>

#include "rpc/internal.h"

static void give(struct call *call, grpc_byte_buffer *message)
{
	grpc_byte_buffer_reader reader;
	grpc_slice bytes;

	if (!message || !grpc_byte_buffer_reader_init(&reader, message)) {
		call->got(call, NULL, 0, call->got_ctx);
		return;
	}
	bytes = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	call->got(call, GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes), call->got_ctx);
	grpc_slice_unref(bytes);
}

static void on_read(struct tag *tag, bool ok)
{
	struct call *call = container_of(tag, struct call, read);
	grpc_byte_buffer *message = call->received;

	call->waiting--;
	call->reading = false;
	call->received = NULL;
	if (call->answered)
		call_release(call);
	else
		give(call, ok ? message : NULL);
	if (message)
		grpc_byte_buffer_destroy(message);
}

void call_read(struct call *call, void (*got)(struct call *call, const uint8_t *bytes, size_t n, void *ctx), void *ctx)
{
	grpc_op op = {0};

	assert(!call->reading && !call->answered);
	call->reading = true;
	call->got = got;
	call->got_ctx = ctx;
	call->read.done = on_read;
	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &call->received;
	call_start_batch(call, &op, 1, &call->read);
}
