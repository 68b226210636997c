/* Fills struct bursar_error, also from a call's status and its details. Declared in internal.h and bursar.h. */
#include "c/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/support/alloc.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

static void copy_text(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size) {
		/* Do not cut a character in two. */
		for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

void bursar__error_set(struct bursar_error *error, int code, const char *fmt, ...)
{
	va_list args;

	if (!error)
		return;
	*error = (struct bursar_error){.code = code};
	va_start(args, fmt);
	vsnprintf(error->message, sizeof(error->message), fmt, args);
	va_end(args);
}

bool bursar__error_field(struct bursar_error *error, const char *field, const char *fmt, ...)
{
	va_list args;

	if (!error)
		return false;
	*error = (struct bursar_error){.code = BURSAR_INVALID_ARGUMENT};
	copy_text(error->field, sizeof(error->field), field);
	va_start(args, fmt);
	vsnprintf(error->message, sizeof(error->message), fmt, args);
	va_end(args);
	return false;
}

/* The message of this type inside an Any; NULL when it has another type or is broken. */
static void *open_any(const Google__Protobuf__Any *any, const ProtobufCMessageDescriptor *descriptor)
{
	const char *slash = strrchr(any->type_url, '/');

	if (strcmp(slash ? slash + 1 : any->type_url, descriptor->name) != 0)
		return NULL;
	return protobuf_c_message_unpack(descriptor, NULL, any->value.len, any->value.data);
}

static void read_detail(struct bursar_error *error, const Google__Protobuf__Any *any)
{
	Google__Rpc__BadRequest *bad = open_any(any, &google__rpc__bad_request__descriptor);
	Google__Rpc__RetryInfo *retry = open_any(any, &google__rpc__retry_info__descriptor);
	Google__Rpc__ErrorInfo *info = open_any(any, &google__rpc__error_info__descriptor);

	if (bad && bad->n_field_violations > 0) {
		copy_text(error->field, sizeof(error->field), bad->field_violations[0]->field);
		if (bad->field_violations[0]->description[0])
			copy_text(error->message, sizeof(error->message), bad->field_violations[0]->description);
	}
	if (retry && retry->retry_delay && retry->retry_delay->seconds >= 0 && retry->retry_delay->seconds < 1000000000)
		error->retry_after_us = retry->retry_delay->seconds * 1000000 + retry->retry_delay->nanos / 1000;
	if (info)
		copy_text(error->reason, sizeof(error->reason), info->reason);
	google__rpc__bad_request__free_unpacked(bad, NULL);
	google__rpc__retry_info__free_unpacked(retry, NULL);
	google__rpc__error_info__free_unpacked(info, NULL);
}

/* `details` is NULL when there were none. */
static void read_status(struct bursar_error *error, int code, const char *message, const uint8_t *details, size_t len)
{
	Google__Rpc__Status *status = details ? google__rpc__status__unpack(NULL, len, details) : NULL;

	*error = (struct bursar_error){.code = code};
	copy_text(error->message, sizeof(error->message), message);
	/* gRPC itself says UNAVAILABLE and DEADLINE_EXCEEDED, without details; Bursar's own have some. */
	error->from_server = status || (code != BURSAR_UNAVAILABLE && code != BURSAR_DEADLINE_EXCEEDED);
	if (!status)
		return;
	for (size_t i = 0; i < status->n_details; i++)
		read_detail(error, status->details[i]);
	google__rpc__status__free_unpacked(status, NULL);
}

void bursar__error_from_status(
	struct bursar_error *error, grpc_status_code status, grpc_slice message, const grpc_metadata_array *trailing)
{
	char *text = grpc_slice_to_c_string(message);
	const uint8_t *details = NULL;
	size_t len = 0;

	for (size_t i = 0; i < trailing->count; i++) {
		grpc_metadata *item = &trailing->metadata[i];

		if (grpc_slice_str_cmp(item->key, "grpc-status-details-bin") == 0) {
			details = GRPC_SLICE_START_PTR(item->value);
			len = GRPC_SLICE_LENGTH(item->value);
		}
	}
	read_status(error, (int)status, text, details, len);
	gpr_free(text);
}

/* bursar.h spells the codes out for its readers: each has the table's number, and the switch below misses none. */
#define ERR_CODE(OURS, NAME, number) _Static_assert(BURSAR_##NAME == (number), "bursar.h: BURSAR_" #NAME);
#define ERR_FOREIGN(NAME, number) _Static_assert(BURSAR_##NAME == (number), "bursar.h: BURSAR_" #NAME);
#include "base/err_codes.def"

const char *bursar_code_name(int code)
{
	switch ((enum bursar_code)code) {
#define ERR_CODE(OURS, NAME, number) \
	case BURSAR_##NAME: \
		return #NAME;
#define ERR_FOREIGN(NAME, number) ERR_CODE(, NAME, number)
#include "base/err_codes.def"
	}
	return "UNKNOWN";
}
