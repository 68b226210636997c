/* Watch (api/admin/private.h): what was decided since the last message, at intervals; what a request asks for. */
#include "api/message/validate.h"
#include "api/reports/watch.h"

enum { USUAL_INTERVAL_US = 1000000, USUAL_EVENTS = 100 };

/* Resolves the requested model to the name that events carry. */
static bool model_of(struct call *call, struct worker *worker, const Bursar__V1__WatchRequest *request,
	struct watch_filter *filter, struct err *err)
{
	struct snapshot *snapshot = snapshot_take(worker, err);

	if (!snapshot)
		return false;
	filter->model = admin_model_wanted(snapshot->catalog, filter->tenant, request->model, false, call_arena(call));
	snapshot_give(worker, snapshot);
	return true;
}

static bool filter_of(struct call *call, struct worker *worker, const Bursar__V1__WatchRequest *request,
	struct watch_filter *filter, struct err *err)
{
	if (!admin_all_tenants(call, request->all_tenants, err))
		return false;
	if (request->all_tenants && request->user[0])
		return err_invalid(err, "all_tenants", "cannot be combined with user: a user belongs to one tenant");
	if (call_draining(call))
		return err_set(err, ERR_UNAVAILABLE, "the server is stopping: reconnect");
	*filter = (struct watch_filter){
		.tenant = request->all_tenants ? "" : tenant_or_default(request->tenant),
		.user = request->user,
		.interface = request->interface,
		.denials = request->denied,
		.reason = (enum reason)request->reason,
	};
	for (size_t i = 0; i < request->n_kinds; i++)
		filter->kinds |= 1u << request->kinds[i];
	return model_of(call, worker, request, filter, err);
}

void admin_watch(struct call *call, void *ctx)
{
	struct watch_reader *reader = arena_zalloc(call_arena(call), 1, sizeof(*reader));
	struct err err;
	const Bursar__V1__WatchRequest *request = request_read(call, &bursar__v1__watch_request__descriptor, &err);

	if (!request || !filter_of(call, ctx, request, &reader->own.filter, &err)) {
		call_fail(call, &err);
		return;
	}
	reader->call = call;
	reader->own.interval_us = request->interval_us ? request->interval_us : USUAL_INTERVAL_US;
	reader->own.most = request->max_events_given_case == BURSAR__V1__WATCH_REQUEST__MAX_EVENTS_GIVEN_MAX_EVENTS
				   ? request->max_events
				   : USUAL_EVENTS;
	if (!watch_channel_enter(reader, ctx, &err))
		call_fail(call, &err);
}
