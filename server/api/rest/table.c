/* The table of paths. */
#include <stdlib.h>
#include <string.h>

#include "api/rest/rest.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"

#define NONE NULL
#define ROW(service_, rpc_, method_, path_, body_, lift_, stream_) \
	{.rpc = "/bursar.v1." #service_ "/" #rpc_, \
		.method = #method_, \
		.path = path_, \
		.body = body_, \
		.lift = lift_, \
		.stream = stream_},
#define PATH(service, rpc, method, path, body, lift) ROW(service, rpc, method, path, body, lift, false)
#define STREAM(service, rpc, method, path, body, lift) ROW(service, rpc, method, path, body, lift, true)
const struct rest_row rest_rows[] = {
#include "api/rest/paths.def"
};
const size_t rest_rows_count = sizeof(rest_rows) / sizeof(rest_rows[0]);

#define OTHER(operation_, method_, path_, kind_, service_, rpc_) \
	{.row = {.rpc = "/bursar.v1." #service_ "/" #rpc_, .method = #method_, .path = path_}, \
		.operation = #operation_, \
		.kind = REST_##kind_},
const struct rest_other rest_others[REST_OTHERS] = {
#include "api/rest/others.def"
};

enum rest_other_kind rest_other_kind(const char *path)
{
	for (size_t i = 0; i < REST_OTHERS; i++)
		if (strcmp(rest_others[i].row.path, path) == 0)
			return rest_others[i].kind;
	return REST_NO_OTHER;
}

const ProtobufCMethodDescriptor *rest_rpc(const struct rest_row *row)
{
	static const ProtobufCServiceDescriptor *const services[] = {
		&bursar__v1__limiter__descriptor, &bursar__v1__admin__descriptor};

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		size_t len = strlen(services[i]->name);

		if (strncmp(row->rpc + 1, services[i]->name, len) == 0 && row->rpc[1 + len] == '/') {
			const ProtobufCMethodDescriptor *rpc =
				protobuf_c_service_descriptor_get_method_by_name(services[i], row->rpc + len + 2);

			if (rpc)
				return rpc;
		}
	}
	abort(); /* a row of an RPC that does not exist; a test looks for such rows */
}

const char *rest_shown(const struct rest_row *row, char out[REST_SHOWN_MAX])
{
	const char *at = row->path;
	size_t n = 0;

	while (*at && n < REST_SHOWN_MAX - 1) {
		const char *dot = *at == '{' ? memchr(at, '.', strcspn(at, "}")) : NULL;

		out[n++] = *at;
		at = dot ? dot + 1 : at + 1;
	}
	out[n] = '\0';
	return out;
}

const char *rest_rpc_name(const struct rest_row *row)
{
	return strrchr(row->rpc, '/') + 1;
}
