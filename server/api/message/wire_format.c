/* Varints, lengths, and how long each type is (https://protobuf.dev/programming-guides/encoding). */
#include "api/message/wire_format.h"

enum { VARINT = 0, FIXED64 = 1, COUNTED = 2, FIXED32 = 5 };

static bool varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;

		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool skip(const uint8_t **at, const uint8_t *end, uint64_t len)
{
	if (len > (uint64_t)(end - *at))
		return false;
	*at += len;
	return true;
}

bool wire_next(struct wire *wire, struct wire_field *out)
{
	const uint8_t *at = wire->at;
	uint64_t tag, value;
	bool whole = false;

	if (!varint(&at, wire->end, &tag))
		return false;
	*out = (struct wire_field){.number = tag >> 3, .counted = (tag & 7) == COUNTED};
	switch (tag & 7) {
	case VARINT:
		whole = varint(&at, wire->end, &value);
		break;
	case FIXED64:
		whole = skip(&at, wire->end, 8);
		break;
	case FIXED32:
		whole = skip(&at, wire->end, 4);
		break;
	case COUNTED:
		whole = varint(&at, wire->end, &value);
		out->bytes = at;
		out->len = (size_t)value;
		whole = whole && skip(&at, wire->end, value);
		break;
	default:
		break;
	}
	if (whole)
		wire->at = at;
	return whole;
}
