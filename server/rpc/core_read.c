/* Further messages of a client stream over gRPC core. */
#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <stdlib.h>

#include "rpc/internal.h"

static void give(struct call *call, grpc_byte_buffer *message)
{
	void (*got)(struct call * call, const uint8_t *bytes, size_t n, void *ctx) = call->got;
	grpc_byte_buffer_reader reader;
	grpc_slice bytes;

	call->got = NULL;
	if (!message || !grpc_byte_buffer_reader_init(&reader, message)) {
		got(call, NULL, 0, call->got_ctx);
		return;
	}
	bytes = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	got(call, GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes), call->got_ctx);
	grpc_slice_unref(bytes);
}

static void on_read(struct tag *tag, bool ok)
{
	struct core_call *core = container_of(tag, struct core_call, read);
	grpc_byte_buffer *message = core->received;

	core->waiting--;
	core->received = NULL;
	if (core->call.answered)
		core_release(core);
	else
		give(&core->call, ok ? message : NULL);
	if (message)
		grpc_byte_buffer_destroy(message);
}

void core_read(struct call *call)
{
	struct core_call *core = core_of(call);
	grpc_op op = {0};

	core->read.done = on_read;
	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &core->received;
	core_start_batch(core, &op, 1, &core->read);
}
