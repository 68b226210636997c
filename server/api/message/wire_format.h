/* Reads the wire format of protobuf field by field, for what has to be known before a message is unpacked. */
#ifndef BURSAR_API_MESSAGE_WIRE_FORMAT_H
#define BURSAR_API_MESSAGE_WIRE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left of a message. It points into bytes that must stay. */
struct wire {
	const uint8_t *at, *end;
};

struct wire_field {
	uint64_t number;
	bool counted; /* with a length: text, bytes, a message. Only these have bytes here */
	const uint8_t *bytes;
	size_t len;
};

/* False at the end, and where the rest is malformed: `at` has not reached `end` then. */
bool wire_next(struct wire *wire, struct wire_field *out);

#endif
