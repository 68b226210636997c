/*
 * A message that several streams send. It is packed once, and what a carrier makes of it (HTTP: a text) is made once too.
 */
#ifndef BURSAR_RPC_SHARED_H
#define BURSAR_RPC_SHARED_H

#include <pthread.h>
#include <stdatomic.h>

#include <protobuf-c/protobuf-c.h>

#include "base/buf.h"
#include "rpc/call.h"

enum { SHARED_FORMS = 2 };

/* Owned by all who hold a reference, on any thread. */
struct shared_message {
	atomic_uint references;
	pthread_mutex_t lock; /* protects `form` */
	struct buf form[SHARED_FORMS]; /* what the carrier sends, once it has been made */
	unsigned senders; /* how many send a form of it, which has `counted` bytes; the carrier's (http/unsent.c) */
	size_t counted;
	size_t len;
	uint8_t bytes[];
};

/* A copy of the bytes of a message, or the message packed; with one reference. */
struct shared_message *shared_message_new(const void *bytes, size_t len) __attribute__((returns_nonnull));
struct shared_message *shared_message_pack(const ProtobufCMessage *message) __attribute__((returns_nonnull));
struct shared_message *shared_message_hold(struct shared_message *shared) __attribute__((returns_nonnull));
void shared_message_drop(struct shared_message *shared); /* NULL is fine */

/* Sends the message on a stream; see call_write. The caller's reference stays theirs. */
void call_write_shared(struct call *call, struct shared_message *shared,
	void (*written)(struct call *call, bool ok, void *ctx), void *ctx);

#endif
