/* Serialized protobuf, read without its descriptors: enough of it to walk through descriptors themselves. */
#ifndef BURSAR_API_HEALTH_PIECE_H
#define BURSAR_API_HEALTH_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes with static storage: a FileDescriptorProto, or a part of one such as a name. */
struct piece {
	const uint8_t *data;
	size_t len;
};

/* A varint at *at, which moves behind it. */
uint64_t piece_varint(const uint8_t **at, const uint8_t *end);

/* Finds the next length-delimited field and advances `rest` past it; false at the end. */
bool piece_next(struct piece *rest, unsigned *number, struct piece *value);

/* The first field with that number; empty when there is none. */
struct piece piece_first(struct piece of, unsigned number);

#endif
