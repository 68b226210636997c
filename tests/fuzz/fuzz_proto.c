/*
 * Packed bytes that arrive from outside or from Redis. The first byte says how the rest is read: as the request of one
 * of the API's methods (protobuf; its texts are tried as reservation handles), or as one of our own packed formats.
 */
#include <string.h>

#include "api/message/convert.h"
#include "api/message/validate.h"
#include "api/message/wire_format.h"
#include "base/arena.h"
#include "base/crypto/hash.h"
#include "base/utf8.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "domain/record/entry.h"
#include "domain/limit/policy_pack.h"
#include "domain/limit/profile.h"
#include "fuzz/fuzz.h"

enum form { FORM_HANDLE, FORM_ENTRY, FORM_INFO, FORM_USAGE, FORM_PROFILE, FORM_POLICY, FORM_COUNT };

static bool same(const struct buf *a, const void *p, size_t n)
{
	return a->len == n && (n == 0 || memcmp(a->data, p, n) == 0);
}

static void read_handle(const char *text, size_t len, struct arena *arena)
{
	struct handle handle;
	struct err err = {0};
	const char *again;

	if (!handle_parse(text, len, "reservation.handle", arena, &handle, &err)) {
		HOLDS(err.code == ERR_INVALID && strcmp(err.field, "reservation.handle") == 0);
		return;
	}
	HOLDS(handle.accounts >= 0 && handle.accounts <= ACCOUNTS_MAX && handle.started_at_us >= 0);
	HOLDS(id_check(handle.tenant, strlen(handle.tenant), "tenant", &err));
	HOLDS(id_check(handle.user, strlen(handle.user), "user", &err));
	HOLDS(id_check(handle.request_id, strlen(handle.request_id), "request_id", &err));
	/* What was read can be written as a handle that reads back the same. */
	text = handle_format(&handle, arena);
	HOLDS(handle_parse(text, strlen(text), "reservation.handle", arena, &handle, &err));
	again = handle_format(&handle, arena);
	HOLDS(strcmp(text, again) == 0);
}

/* The bytes of a handle without its checksum and its base64, which no fuzzer would guess. */
static void read_handle_bytes(const uint8_t *data, size_t size, struct arena *arena)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct buf bytes = {0}, text = {0};
	uint32_t word = 0;
	int held = 0;

	buf_put(&bytes, data, size);
	buf_put_u32(&bytes, (uint32_t)hash64(data, size));
	for (size_t i = 0; i < bytes.len; i++) {
		word = word << 8 | (uint8_t)bytes.data[i];
		for (held += 8; held >= 6; held -= 6)
			buf_put_u8(&text, (uint8_t)digits[word >> (held - 6) & 63]);
	}
	if (held)
		buf_put_u8(&text, (uint8_t)digits[word << (6 - held) & 63]);
	read_handle(buf_str(&text), text.len, arena);
	buf_release(&bytes);
	buf_release(&text);
}

static void read_entry(const uint8_t *data, size_t size, struct arena *arena)
{
	struct buf first = {0}, second = {0};
	struct entry entry;

	if (!entry_unpack(data, size, arena, &entry))
		return;
	HOLDS(entry.info.accounts >= 0 && entry.info.accounts <= ACCOUNTS_MAX && entry.attempt <= 31);
	entry_pack(&entry, &first);
#ifdef PLANTED_BUG
	/* The mistake: taking the first account's first bucket for granted. */
	if (entry.info.accounts > 0 && entry.part[0].present)
		HOLDS(entry.part[0].bucket[0].den > 0);
#endif
	HOLDS(entry_unpack((const uint8_t *)first.data, first.len, arena, &entry));
	entry_pack(&entry, &second);
	HOLDS(same(&first, second.data, second.len));
	buf_release(&first);
	buf_release(&second);
}

static void read_info(const uint8_t *data, size_t size, struct arena *arena)
{
	struct buf again = {0};
	struct entry_info info;

	if (!entry_info_unpack(data, size, arena, &info))
		return;
	entry_info_pack(&info, &again);
	HOLDS(same(&again, data, size));
	buf_release(&again);
}

static void read_usage(const uint8_t *data, size_t size, struct arena *arena)
{
	struct buf again = {0};
	struct entry_usage usage;

	if (!entry_usage_unpack(data, size, arena, &usage))
		return;
	HOLDS(tokens_input(&usage.meters) >= 0 && tokens_output(&usage.meters) >= 0);
	entry_usage_pack(&usage, &again);
	HOLDS(same(&again, data, size));
	buf_release(&again);
}

static void read_profile(const uint8_t *data, size_t size, struct arena *arena)
{
	struct buf first = {0}, second = {0};
	struct account_profile profile;

	if (!profile_unpack(data, size, arena, &profile))
		return;
	HOLDS(profile.override_count >= 0 && profile.override_count <= LIMITS_MAX);
	profile_pack(&profile, &first);
	HOLDS(profile_unpack((const uint8_t *)first.data, first.len, arena, &profile));
	profile_pack(&profile, &second);
	HOLDS(same(&first, second.data, second.len));
	buf_release(&first);
	buf_release(&second);
}

static void read_policy(const uint8_t *data, size_t size)
{
	static struct policy policy;
	struct buf first = {0}, second = {0};

	if (!policy_unpack(data, size, &policy))
		return;
	HOLDS(policy.count >= 0 && policy.count <= LIMITS_MAX);
	/* Bytes that we did not write may not be in our normal form; once we have packed them, they stay the same. */
	policy_pack(&policy, &first);
	HOLDS(policy_unpack((const uint8_t *)first.data, first.len, &policy));
	policy_pack(&policy, &second);
	HOLDS(same(&first, second.data, second.len));
	buf_release(&first);
	buf_release(&second);
}

static void read_form(enum form form, const uint8_t *data, size_t size, struct arena *arena)
{
	switch (form) {
	case FORM_HANDLE:
		read_handle_bytes(data, size, arena);
		break;
	case FORM_ENTRY:
		read_entry(data, size, arena);
		break;
	case FORM_INFO:
		read_info(data, size, arena);
		break;
	case FORM_USAGE:
		read_usage(data, size, arena);
		break;
	case FORM_PROFILE:
		read_profile(data, size, arena);
		break;
	case FORM_POLICY:
		read_policy(data, size);
		break;
	case FORM_COUNT:
		break;
	}
}

/* Tries all texts of the message itself as handles, because one of them is the field for handles. */
static void try_texts(const ProtobufCMessage *message, struct arena *arena)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const char *const *text = (const void *)((const char *)message + field->offset);

		if (field->type == PROTOBUF_C_TYPE_STRING && field->label != PROTOBUF_C_LABEL_REPEATED && *text)
			read_handle(*text, strlen(*text), arena);
	}
}

/* A limit that the API accepts is one that the decision can handle. */
static void read_limit(const Bursar__V1__Limit *message)
{
	struct limit limit;
	struct err err = {0};

	if (!limit_from_message(message, 80, &limit, &err)) {
		HOLDS(err.code == ERR_INVALID && err.text[0]);
		return;
	}
	HOLDS(limit.name[0] && limit.amount >= 0 && limit.amount <= COUNT_MAX);
	HOLDS(limit.warn_percent >= 1 && limit.warn_percent <= 100);
	if (limit.kind == KIND_BUCKET)
		HOLDS(limit.num > 0 && limit.den > 0 && limit.burst_us >= 0 && limit.burst_us <= SPAN_MAX_US);
}

/* Checks what the table of fields accepted: texts are UTF-8 and lists are bounded, in every part. */
static void check_taken(const ProtobufCMessage *message)
{
	if (message->descriptor == &bursar__v1__limit__descriptor)
		read_limit((const Bursar__V1__Limit *)message);
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const char *at = (const char *)message + field->offset;
		bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
		size_t count =
			list ? *(const size_t *)(const void *)((const char *)message + field->quantifier_offset) : 1;

		HOLDS(count <= 1000);
		if (list)
			at = *(const char *const *)(const void *)at;
		for (size_t k = 0; k < count; k++) {
			const void *value = at + k * sizeof(void *);

			if (field->type == PROTOBUF_C_TYPE_STRING)
				HOLDS(utf8_valid(*(const char *const *)value, strlen(*(const char *const *)value)));
			else if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(const ProtobufCMessage *const *)value)
				check_taken(*(const ProtobufCMessage *const *)value);
		}
	}
}

/* Does not unpack again, because protobuf-c keeps unknown fields with overlong tags and writes them shorter. */
static void pack_again(const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);

	HOLDS(bytes && protobuf_c_message_pack(message, bytes) == len);
	free(bytes);
}

/* What protobuf-c takes for a message is read to its end, field by field, and the items of a stream are found in it. */
static void read_wire(const ProtobufCMessage *message, const uint8_t *data, size_t size)
{
	struct wire wire = {.at = data, .end = data + size};
	struct wire_field field;
	size_t items = 0;

	while (wire_next(&wire, &field))
		items += field.number == 1 && field.counted;
	if (!message)
		return;
	HOLDS(wire.at == wire.end);
	if (message->descriptor == &bursar__v1__check_stream_request__descriptor)
		HOLDS(items == ((const Bursar__V1__CheckStreamRequest *)message)->n_items);
}

/* A request as the API reads it. */
static void read_message(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size, struct arena *arena)
{
	ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, size, data);
	struct err err = {0};

	read_wire(message, data, size);
	if (!message)
		return;
	try_texts(message, arena);
	if (wire_check(type, data, size, &err) && message_check(message, &err))
		check_taken(message);
	else
		HOLDS(err.code == ERR_INVALID && err.field[0] && utf8_valid(err.text, strlen(err.text)));
	pack_again(message);
	protobuf_c_message_free_unpacked(message, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ProtobufCServiceDescriptor *limiter = &bursar__v1__limiter__descriptor;
	const ProtobufCServiceDescriptor *admin = &bursar__v1__admin__descriptor;
	struct arena arena = {0};
	unsigned pick;

	if (size == 0)
		return 0;
	pick = data[0];
	if (pick < FORM_COUNT)
		read_form((enum form)pick, data + 1, size - 1, &arena);
	else if (pick - FORM_COUNT < limiter->n_methods)
		read_message(limiter->methods[pick - FORM_COUNT].input, data + 1, size - 1, &arena);
	else if (pick - FORM_COUNT - limiter->n_methods < admin->n_methods)
		read_message(admin->methods[pick - FORM_COUNT - limiter->n_methods].input, data + 1, size - 1, &arena);
	arena_release(&arena);
	return 0;
}
