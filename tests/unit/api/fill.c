/* fill.h */
#include "fill.h"

#include <assert.h>
#include <string.h>

#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"

enum { DEPTH = 3, TYPES_MAX = 400 };

struct fill {
	uint64_t state;
	struct arena *arena;
	int depth;
};

static uint64_t draw(struct fill *fill)
{
	uint64_t z = fill->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static ProtobufCMessage *filled(struct fill *fill, const ProtobufCMessageDescriptor *type);

/* Small ones, the largest, and everything between. */
static uint64_t number(struct fill *fill)
{
	static const uint64_t special[] = {0, 1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, INT32_MAX,
		UINT64_C(1) << 53, (UINT64_C(1) << 53) + 1, UINT32_MAX};
	uint64_t pick = draw(fill);

	return pick % 3 ? special[pick / 3 % 9] : draw(fill) >> pick / 3 % 64;
}

static char *text(struct fill *fill)
{
	static const char *const parts[] = {"a", "\"", "\\", "\n", "\x01", "\x7f", "\xc3\xa4", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "/", "null", "12345678", "plain text", "\xed\x9f\xbf", "\xef\xbf\xbf"};
	size_t count = draw(fill) % 8;
	char *out = arena_zalloc(fill->arena, 1, 100);

	for (size_t i = 0; i < count; i++)
		strcat(out, parts[draw(fill) % 15]);
	return out;
}

static double fraction(struct fill *fill)
{
	static const double special[] = {0.5, -0.1, 1.0 / 3, 1e300, 5e-324, 3, 0};

	return special[draw(fill) % 7];
}

static ProtobufCBinaryData bytes(struct fill *fill)
{
	ProtobufCBinaryData out = {.len = draw(fill) % 9, .data = arena_zalloc(fill->arena, 1, 9)};

	for (size_t i = 0; i < out.len; i++)
		out.data[i] = (uint8_t)draw(fill);
	return out;
}

/* Sets one value; returns its size. */
static size_t fill_value(struct fill *fill, const ProtobufCFieldDescriptor *field, void *out)
{
	const ProtobufCEnumDescriptor *names = field->descriptor;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)out = text(fill);
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)out = bytes(fill);
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)out = filled(fill, field->descriptor);
		return sizeof(void *);
	case PROTOBUF_C_TYPE_ENUM:
		*(int *)out = names->values[draw(fill) % names->n_values].value;
		return sizeof(int);
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)out = draw(fill) % 2;
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)out = fraction(fill);
		return sizeof(double);
	case PROTOBUF_C_TYPE_FLOAT:
		*(float *)out = (float[]){0.1F, -2.5F, 1e30F, 1.0F / 3, 16777216}[draw(fill) % 5];
		return sizeof(float);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		*(uint32_t *)out = (uint32_t)number(fill);
		return sizeof(uint32_t);
	default:
		*(uint64_t *)out = number(fill);
		return sizeof(uint64_t);
	}
}

static void fill_list(struct fill *fill, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	size_t *count = (void *)((char *)message + field->quantifier_offset), size = 0;
	char **items = (void *)((char *)message + field->offset);

	*count = draw(fill) % 3 + 1;
	*items = arena_zalloc(fill->arena, *count, sizeof(ProtobufCBinaryData));
	for (size_t i = 0; i < *count; i++)
		size = fill_value(fill, field, *items + i * size);
}

/* Of a oneof, the member that is drawn last stays. */
static void fill_field(struct fill *fill, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	uint32_t *chosen = (void *)((char *)message + field->quantifier_offset);

	if (field->type == PROTOBUF_C_TYPE_MESSAGE && fill->depth >= DEPTH)
		return;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		fill_list(fill, field, message);
		return;
	}
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		if (*chosen && draw(fill) % 2)
			return;
		*chosen = field->id;
	}
	fill_value(fill, field, (char *)message + field->offset);
}

static ProtobufCMessage *filled(struct fill *fill, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = arena_zalloc(fill->arena, 1, type->sizeof_message);

	protobuf_c_message_init(type, message);
	fill->depth++;
	for (unsigned i = 0; i < type->n_fields; i++)
		fill_field(fill, &type->fields[i], message);
	fill->depth--;
	return message;
}

ProtobufCMessage *message_filled(const ProtobufCMessageDescriptor *type, uint64_t seed, struct arena *arena)
{
	return filled(&(struct fill){.state = seed, .arena = arena}, type);
}

struct types {
	const ProtobufCMessageDescriptor *type[TYPES_MAX];
	int count;
};

static void collect(struct types *types, const ProtobufCMessageDescriptor *type)
{
	for (int i = 0; i < types->count; i++)
		if (types->type[i] == type)
			return;
	assert(types->count < TYPES_MAX);
	types->type[types->count++] = type;
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			collect(types, type->fields[i].descriptor);
}

void each_type(void (*visit)(const ProtobufCMessageDescriptor *type, void *ctx), void *ctx)
{
	const ProtobufCServiceDescriptor *services[] = {
		&bursar__v1__limiter__descriptor, &bursar__v1__admin__descriptor};
	struct types types = {.count = 0};

	for (size_t i = 0; i < 2; i++)
		for (unsigned k = 0; k < services[i]->n_methods; k++) {
			collect(&types, services[i]->methods[k].input);
			collect(&types, services[i]->methods[k].output);
		}
	for (int i = 0; i < types.count; i++)
		visit(types.type[i], ctx);
}
