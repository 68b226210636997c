/* Rows and messages for the tests of server/api/rest. */
#ifndef BURSAR_TESTS_API_REST_ROWS_H
#define BURSAR_TESTS_API_REST_ROWS_H

#include "api/rest/rest.h"

/* An initialised message in the arena. */
static inline ProtobufCMessage *message_new(const ProtobufCMessageDescriptor *type, struct arena *arena)
{
	ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);

	protobuf_c_message_init(type, message);
	return message;
}

#endif
