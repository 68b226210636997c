/* Protobuf messages in and out of a call. */
#ifndef BURSAR_RPC_MESSAGE_H
#define BURSAR_RPC_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "rpc/call.h"

/*
 * The call's request as a message of `descriptor`, in the call's arena: cast it, never free it. NULL when the bytes are
 * no such message; `err` is ERR_INVALID then.
 */
void *call_message(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
	__attribute__((warn_unused_result));

/* Packs `message` straight into what is sent; call_reply_filled or call_write_filled follows, when all is given back that the
 * message was made of. */
void call_fill_message(struct call *call, const ProtobufCMessage *message);

/* Ends a unary call with OK and `message`, packed straight into what is sent. */
void call_reply_message(struct call *call, const ProtobufCMessage *message);

/* Sends `message` on a stream; see call_write. */
void call_write_message(struct call *call, const ProtobufCMessage *message,
	void (*written)(struct call *call, bool ok, void *ctx), void *ctx);

/* An allocator for protobuf-c that takes from `arena` and never frees; lives as long as the arena does. */
ProtobufCAllocator message_allocator(struct arena *arena);

#endif
