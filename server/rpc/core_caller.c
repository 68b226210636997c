/* What gRPC core knows of a call: request, address, metadata, certificate and deadline. */
#include "rpc/core.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>
#include <grpc/support/alloc.h>
#include <string.h>

#include "base/clock.h"

/* Most payloads arrive in one slice and are read in place; others are joined by one copy. */
void core_join_request(struct call *call)
{
	struct core_call *core = core_of(call);
	grpc_byte_buffer_reader reader;
	grpc_slice *first;

	grpc_slice_unref(core->request);
	core->request = grpc_empty_slice();
	if (!core->payload || !grpc_byte_buffer_reader_init(&reader, core->payload))
		return;
	if (grpc_byte_buffer_reader_peek(&reader, &first)) {
		if (GRPC_SLICE_LENGTH(*first) == grpc_byte_buffer_length(core->payload)) {
			core->request = grpc_slice_ref(*first);
		} else {
			grpc_byte_buffer_reader_destroy(&reader);
			if (!grpc_byte_buffer_reader_init(&reader, core->payload))
				return;
			core->request = grpc_byte_buffer_reader_readall(&reader);
		}
	}
	grpc_byte_buffer_reader_destroy(&reader);
}

const uint8_t *core_request(const struct call *call, size_t *len)
{
	const struct core_call *core = core_of(call);

	*len = GRPC_SLICE_LENGTH(core->request);
	return GRPC_SLICE_START_PTR(core->request);
}

void core_forget_request(struct call *call)
{
	struct core_call *core = core_of(call);

	grpc_slice_unref(core->request);
	core->request = grpc_empty_slice();
	if (core->payload)
		grpc_byte_buffer_destroy(core->payload);
	core->payload = NULL;
}

const char *core_peer(struct call *call)
{
	struct core_call *core = core_of(call);
	char *peer = grpc_call_get_peer(core->grpc);
	char *copy = arena_strndup(&call->arena, peer, strlen(peer));

	gpr_free(peer);
	return copy;
}

bool core_metadata(const struct call *call, const char *name, const char **value, size_t *len)
{
	const struct core_call *core = core_of(call);
	for (size_t i = 0; i < core->metadata.count; i++) {
		const grpc_metadata *entry = &core->metadata.metadata[i];

		if (grpc_slice_str_cmp(entry->key, name) == 0) {
			*value = (const char *)GRPC_SLICE_START_PTR(entry->value);
			*len = GRPC_SLICE_LENGTH(entry->value);
			return true;
		}
	}
	return false;
}

int64_t core_deadline_us(const struct call *call)
{
	struct core_call *core = core_of(call);
	gpr_timespec left;

	if (gpr_time_cmp(core->deadline, gpr_inf_future(core->deadline.clock_type)) == 0)
		return INT64_MAX;
	/* gRPC's monotonic clock has a different zero, so convert by the time left. */
	left = gpr_time_sub(core->deadline, gpr_now(core->deadline.clock_type));
	if (left.tv_sec > INT64_C(1) << 40)
		return INT64_MAX;
	return clock_mono_us() + left.tv_sec * 1000000 + left.tv_nsec / 1000;
}

bool core_certificate_names(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg)
{
	static const char *const kinds[] = {GRPC_X509_CN_PROPERTY_NAME, GRPC_X509_SAN_PROPERTY_NAME};
	grpc_auth_context *context = grpc_call_auth_context(core_of(call)->grpc);
	const grpc_auth_property *property;
	bool found = false;

	for (size_t i = 0; context && grpc_auth_context_peer_is_authenticated(context) && i < 2; i++) {
		grpc_auth_property_iterator at = grpc_auth_context_find_properties_by_name(context, kinds[i]);
		while (!found && (property = grpc_auth_property_iterator_next(&at)))
			found = each(property->value, property->value_length, arg);
	}
	grpc_auth_context_release(context);
	return found;
}

const char *core_certificate(struct call *call)
{
	grpc_auth_context *context = grpc_call_auth_context(core_of(call)->grpc);
	const grpc_auth_property *pem = NULL;
	const char *copy = NULL;

	if (context && grpc_auth_context_peer_is_authenticated(context)) {
		grpc_auth_property_iterator at =
			grpc_auth_context_find_properties_by_name(context, GRPC_X509_PEM_CERT_PROPERTY_NAME);
		pem = grpc_auth_property_iterator_next(&at);
	}
	if (pem)
		copy = arena_strndup(&call->arena, pem->value, pem->value_length);
	grpc_auth_context_release(context);
	return copy;
}
