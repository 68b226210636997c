/* Who calls: address, metadata, and what the doors found out about him. */
#include "rpc/internal.h"

#include <grpc/support/alloc.h>
#include <string.h>

const char *call_peer(struct call *call)
{
	char *peer = grpc_call_get_peer(call->grpc);
	char *copy = arena_strndup(&call->arena, peer, strlen(peer));

	gpr_free(peer);
	return copy;
}

bool call_metadata(const struct call *call, const char *name, const char **value, size_t *len)
{
	for (size_t i = 0; i < call->metadata.count; i++) {
		const grpc_metadata *entry = &call->metadata.metadata[i];

		if (grpc_slice_str_cmp(entry->key, name) == 0) {
			*value = (const char *)GRPC_SLICE_START_PTR(entry->value);
			*len = GRPC_SLICE_LENGTH(entry->value);
			return true;
		}
	}
	return false;
}

unsigned call_access(const struct call *call)
{
	return call->method->row->access;
}

void call_set_caller(struct call *call, const struct caller *caller)
{
	call->caller = caller;
}

const struct caller *call_caller(const struct call *call)
{
	return call->caller;
}
