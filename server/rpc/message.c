/* Runs protobuf-c on the call's arena. */
#include "rpc/message.h"

static void *arena_take(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void arena_keep(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

ProtobufCAllocator message_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){.alloc = arena_take, .free = arena_keep, .allocator_data = arena};
}

void *call_message(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
{
	ProtobufCAllocator allocator = message_allocator(call_arena(call));
	size_t len;
	const uint8_t *bytes = call_request(call, &len);
	ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, len, bytes);

	if (!message)
		err_set(err, ERR_INVALID, "the request is not a well-formed %s", descriptor->name);
	return message;
}

void call_fill_message(struct call *call, const ProtobufCMessage *message)
{
	protobuf_c_message_pack(message, call_room(call, protobuf_c_message_get_packed_size(message)));
}

void call_reply_message(struct call *call, const ProtobufCMessage *message)
{
	call_fill_message(call, message);
	call_reply_filled(call);
}

void call_write_message(struct call *call, const ProtobufCMessage *message,
	void (*written)(struct call *call, bool ok, void *ctx), void *ctx)
{
	call_fill_message(call, message);
	call_write_filled(call, written, ctx);
}
