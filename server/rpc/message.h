/* Unpacks a call's request and packs its answers. */
#ifndef BURSAR_RPC_MESSAGE_H
#define BURSAR_RPC_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "rpc/call.h"

/*
 * The call's request as a message of `descriptor`, in the call's arena: cast it, never free it. NULL with ERR_INVALID
 * when the bytes are not such a message.
 */
void *call_message(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
	__attribute__((warn_unused_result));

/*
 * Packs `message` directly into the send buffer. Follow it with call_reply_filled or call_write_filled, once everything that
 * the message points to has been released.
 */
void call_fill_message(struct call *call, const ProtobufCMessage *message);

/* Ends a unary call with OK and `message`, packed directly into the send buffer. */
void call_reply_message(struct call *call, const ProtobufCMessage *message);

/* Sends `message` on a stream; see call_write. */
void call_write_message(struct call *call, const ProtobufCMessage *message,
	void (*written)(struct call *call, bool ok, void *ctx), void *ctx);

/* An allocator for protobuf-c that allocates from `arena` and never frees; valid as long as the arena. */
ProtobufCAllocator message_allocator(struct arena *arena);

#endif
