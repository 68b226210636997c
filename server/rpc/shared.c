/* Messages that several streams send (rpc/shared.h). */
#include "rpc/shared.h"

#include <stdlib.h>

#include "base/arena.h"
#include "rpc/carrier.h"

static struct shared_message *make(size_t len)
{
	struct shared_message *shared = mem_zalloc(1, sizeof(*shared) + len);

	atomic_init(&shared->references, 1);
	pthread_mutex_init(&shared->lock, NULL);
	shared->len = len;
	return shared;
}

struct shared_message *shared_message_new(const void *bytes, size_t len)
{
	struct shared_message *shared = make(len);

	if (len)
		memcpy(shared->bytes, bytes, len);
	return shared;
}

struct shared_message *shared_message_pack(const ProtobufCMessage *message)
{
	struct shared_message *shared = make(protobuf_c_message_get_packed_size(message));

	protobuf_c_message_pack(message, shared->bytes);
	return shared;
}

struct shared_message *shared_message_hold(struct shared_message *shared)
{
	atomic_fetch_add(&shared->references, 1);
	return shared;
}

void shared_message_drop(struct shared_message *shared)
{
	if (!shared || atomic_fetch_sub(&shared->references, 1) > 1)
		return;
	for (int i = 0; i < SHARED_FORMS; i++)
		buf_release(&shared->form[i]);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

void call_write_shared(struct call *call, struct shared_message *shared,
	void (*written)(struct call *call, bool ok, void *ctx), void *ctx)
{
	if (call->carrier->share)
		call->carrier->share(call, shared);
	else if (shared->len)
		memcpy(call_room(call, shared->len), shared->bytes, shared->len);
	else
		call_room(call, 0);
	call_write_filled(call, written, ctx);
}
