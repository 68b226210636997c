/* The API key, as metadata of every call. Declared in internal.h. */
#include "c/internal.h"

#include <stdio.h>
#include <stdlib.h>

void bursar__key_set(struct bursar *bursar, const char *key)
{
	if (!key || !key[0])
		return;
	if (asprintf(&bursar->bearer, "Bearer %s", key) < 0)
		abort();
	bursar->key.key = grpc_slice_from_static_string("authorization");
	bursar->key.value = grpc_slice_from_static_string(bursar->bearer);
}

grpc_op bursar__op_open_again(const struct bursar *bursar, grpc_metadata metadata[2])
{
	grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};

	metadata[0] = (grpc_metadata){.key = grpc_slice_from_static_string("bursar-attempt"),
		.value = grpc_slice_from_static_string("again")};
	metadata[1] = bursar->key;
	op.data.send_initial_metadata.count = bursar->bearer ? 2 : 1;
	op.data.send_initial_metadata.metadata = metadata;
	return op;
}

grpc_op bursar__op_open(const struct bursar *bursar)
{
	grpc_op op = {0};

	op.op = GRPC_OP_SEND_INITIAL_METADATA;
	if (bursar->bearer) {
		op.data.send_initial_metadata.count = 1;
		op.data.send_initial_metadata.metadata = (grpc_metadata *)&bursar->key;
	}
	return op;
}

bool bursar__key_valid(const char *key)
{
	for (const char *p = key ? key : ""; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return true;
}
