/* Converts struct err to a gRPC status and its details. */
#include "rpc/status.h"

#include <string.h>

#include <grpc/status.h>

#include "base/utf8.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

/* The table uses gRPC's own numbers and names. */
#define ERR_CODE(OURS, NAME, number) _Static_assert(GRPC_STATUS_##NAME == (number), "base/err_codes.def: " #NAME);
#define ERR_FOREIGN(NAME, number) _Static_assert(GRPC_STATUS_##NAME == (number), "base/err_codes.def: " #NAME);
#include "base/err_codes.def"

int status_code(enum err_code code)
{
	return (int)code;
}

/* Error texts may quote a caller's bytes, and protobuf rejects strings that are not UTF-8. */
static char *clean(struct arena *arena, const char *text)
{
	char *copy = arena_strndup(arena, text, strlen(text));

	if (utf8_valid(copy, strlen(copy)))
		return copy;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return copy;
}

static void pack_any(struct arena *arena, Google__Protobuf__Any *any, const char *type, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	google__protobuf__any__init(any);
	any->type_url = arena_printf(arena, "type.googleapis.com/%s", type);
	any->value.data = arena_alloc(arena, len + 1);
	any->value.len = protobuf_c_message_pack(message, any->value.data);
}

static void pack_bad_request(struct arena *arena, Google__Protobuf__Any *any, const struct err *err)
{
	Google__Rpc__BadRequest__FieldViolation violation = GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
	Google__Rpc__BadRequest__FieldViolation *violations[] = {&violation};
	Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;
	size_t skip = strlen(err->field);

	/* Splits "user: is empty" again, because a violation has a separate member for the field. */
	if (strncmp(err->text, err->field, skip) != 0 || strncmp(err->text + skip, ": ", 2) != 0)
		skip = 0;
	else
		skip += 2;
	violation.field = clean(arena, err->field);
	violation.description = clean(arena, err->text + skip);
	request.n_field_violations = 1;
	request.field_violations = violations;
	pack_any(arena, any, "google.rpc.BadRequest", &request.base);
}

static void pack_retry(struct arena *arena, Google__Protobuf__Any *any, int64_t delay_us)
{
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;

	delay.seconds = delay_us / 1000000;
	delay.nanos = (int32_t)(delay_us % 1000000) * 1000;
	retry.retry_delay = &delay;
	pack_any(arena, any, "google.rpc.RetryInfo", &retry.base);
}

static void pack_reason(struct arena *arena, Google__Protobuf__Any *any, const struct err *err)
{
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry name = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry *metadata[] = {&name};
	char domain[] = "bursar", key[] = "name";

	info.reason = clean(arena, err->reason);
	info.domain = domain;
	if (err->name[0]) {
		name.key = key;
		name.value = clean(arena, err->name);
		info.metadata = metadata;
		info.n_metadata = 1;
	}
	pack_any(arena, any, "google.rpc.ErrorInfo", &info.base);
}

const uint8_t *status_details(struct arena *arena, const struct err *err, size_t *len)
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	Google__Protobuf__Any any[3];
	Google__Protobuf__Any *details[] = {&any[0], &any[1], &any[2]};
	uint8_t *bytes;

	if (err->field[0])
		pack_bad_request(arena, &any[status.n_details++], err);
	if (err->retry_after_us > 0)
		pack_retry(arena, &any[status.n_details++], err->retry_after_us);
	if (err->reason[0])
		pack_reason(arena, &any[status.n_details++], err);
	status.code = status_code(err->code);
	status.message = clean(arena, err->text);
	status.details = details;
	bytes = arena_alloc(arena, google__rpc__status__get_packed_size(&status) + 1);
	*len = google__rpc__status__pack(&status, bytes);
	return bytes;
}
