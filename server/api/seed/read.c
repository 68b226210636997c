/* Requests under /api/quotas, and which RPC they are. */
#include <string.h>

#include "api/json/json_message.h"
#include "api/rest/query.h"
#include "api/seed/private.h"

static const char path_stats[] = "/api/quotas/stats";

/* Query parameters are fields of the RPC's request by their names; a user may also be given as userId. */
static bool read_query(const struct seed_request *request, ProtobufCMessage *into, struct err *err)
{
	const char *at = request->query;
	struct rest_text raw_name, raw_value, name, value;

	while (rest_pair_next(&at, &raw_name, &raw_value)) {
		if (!rest_decode(raw_name.text, raw_name.len, true, "query", request->arena, &name, err) ||
			!rest_decode(raw_value.text, raw_value.len, true, name.text, request->arena, &value, err) ||
			!json_set_field(into, strcmp(name.text, "userId") == 0 ? "user" : name.text, value.text,
				value.len, request->arena, err))
			return false;
	}
	return true;
}

static bool read_status(const struct seed_request *request, struct seed_call *call, struct err *err)
{
	Bursar__V1__GetStatusRequest *message = arena_alloc(request->arena, sizeof(*message));

	bursar__v1__get_status_request__init(message);
	message->costs = true;
	call->rpc = SEED_STATUS;
	call->message = &message->base;
	return read_query(request, &message->base, err);
}

static bool read_stats(const struct seed_request *request, struct seed_call *call, struct err *err)
{
	Bursar__V1__GetStatsRequest *message = arena_alloc(request->arena, sizeof(*message));

	bursar__v1__get_stats_request__init(message);
	call->rpc = SEED_STATS;
	call->message = &message->base;
	return read_query(request, &message->base, err);
}

static bool other_method(struct seed_call *call, const char *allow, struct err *err)
{
	call->allow = allow;
	err_set(err, ERR_UNIMPLEMENTED, "this path does not have the method; it has %s", allow);
	return err_reason(err, "METHOD_NOT_ALLOWED");
}

bool seed_read(const struct seed_request *request, struct seed_call *call, struct err *err)
{
	bool stats = strcmp(request->path, path_stats) == 0;

	*call = (struct seed_call){.user = "", .action = ""};
	if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) {
		if (request->body_len)
			return err_invalid(err, "body", "GET takes none");
		return stats ? read_stats(request, call, err) : read_status(request, call, err);
	}
	if (stats || strcmp(request->method, "POST") != 0)
		return other_method(call, stats ? "GET, HEAD" : "GET, HEAD, POST", err);
	return seed_action(request, call, err);
}
