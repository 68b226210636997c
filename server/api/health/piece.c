/* Reads serialized protobuf field by field. */
#include "api/health/piece.h"

enum wire { WIRE_VARINT = 0, WIRE_I64 = 1, WIRE_LEN = 2, WIRE_I32 = 5 };

uint64_t piece_varint(const uint8_t **at, const uint8_t *end)
{
	uint64_t value = 0;

	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

bool piece_next(struct piece *rest, unsigned *number, struct piece *value)
{
	const uint8_t *at = rest->data, *end = at + rest->len;

	while (at < end) {
		uint64_t tag = piece_varint(&at, end);
		enum wire wire = (enum wire)(tag & 7);
		uint64_t len = wire == WIRE_I64 ? 8 : wire == WIRE_I32 ? 4 : piece_varint(&at, end);

		if (wire == WIRE_VARINT)
			continue;
		if (len > (uint64_t)(end - at))
			break;
		*number = (unsigned)(tag >> 3);
		*value = (struct piece){.data = at, .len = (size_t)len};
		at += len;
		if (wire != WIRE_LEN)
			continue;
		*rest = (struct piece){.data = at, .len = (size_t)(end - at)};
		return true;
	}
	return false;
}

struct piece piece_first(struct piece of, unsigned number)
{
	struct piece value;
	unsigned found;

	while (piece_next(&of, &found, &value))
		if (found == number)
			return value;
	return (struct piece){.data = (const uint8_t *)"", .len = 0};
}
