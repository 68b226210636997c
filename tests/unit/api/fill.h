/* Messages filled at random, by their descriptors. */
#ifndef TESTS_UNIT_API_FILL_H
#define TESTS_UNIT_API_FILL_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"

/* A new message in which every field is set, of each oneof one member, and lists have one to three items. */
ProtobufCMessage *message_filled(const ProtobufCMessageDescriptor *type, uint64_t seed, struct arena *arena);

/* Calls `visit` once for each type of message in the requests and answers of the API, including their parts. */
void each_type(void (*visit)(const ProtobufCMessageDescriptor *type, void *ctx), void *ctx);

#endif
