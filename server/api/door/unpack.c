/* Messages from their bytes. */
#include "api/door/private.h"
#include "rpc/message.h"

ProtobufCMessage *door_unpack(
	struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n)
{
	ProtobufCAllocator allocator = message_allocator(arena);

	return protobuf_c_message_unpack(type, &allocator, n, bytes);
}
