/* Record, Cancel and Renew (api/limiter/limiter.h). */
#include "api/auth/auth.h"
#include "api/limiter/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "rpc/message.h"

struct record_call {
	struct record_run run;
	struct call *call;
};
struct cancel_call {
	struct settle settle;
	struct call *call;
};
struct renew_call {
	struct renew renew;
	struct call *call;
};

static void record_done(struct record_run *run)
{
	struct record_call *self = container_of(run, struct record_call, run);

	if (!run->settle.flow.ok) {
		settle_release(&run->settle);
		call_fail(self->call, &run->settle.flow.err);
		return;
	}
	call_fill_message(self->call, &record_to_message(run, caller_sees_names(self->call))->base);
	settle_release(&run->settle);
	call_reply_filled(self->call);
}

void limiter_record(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__RecordRequest *request = request_read(call, &bursar__v1__record_request__descriptor, &err);
	struct record_call *self = arena_alloc(call_arena(call), sizeof(*self));

	self->call = call;
	if (!request || !record_prepare(request, ctx, call_arena(call), &self->run, &err)) {
		call_fail(call, &err);
		return;
	}
	record_start(&self->run, ctx, call_deadline_us(call), record_done);
}

/* Renew and Cancel take either a reservation or a lease. */
static bool one_given(const Bursar__V1__ReservationRef *ref, const char *lease, struct err *err)
{
	if (ref && lease[0])
		return err_invalid(err, "lease", "must be given alone: omit the reservation");
	if (!ref && !lease[0])
		return err_invalid(err, "reservation", "must be given when there is no lease");
	return true;
}

static void cancel_done(struct flow *flow)
{
	struct cancel_call *self = container_of(container_of(flow, struct settle, flow), struct cancel_call, settle);
	Bursar__V1__CancelResponse response = BURSAR__V1__CANCEL_RESPONSE__INIT;

	cancel_to_message(&self->settle, &response);
	settle_release(&self->settle);
	if (flow->ok)
		call_reply_message(self->call, &response.base);
	else
		call_fail(self->call, &flow->err);
}

void limiter_cancel(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__CancelRequest *request = request_read(call, &bursar__v1__cancel_request__descriptor, &err);
	struct cancel_call *self = arena_alloc(call_arena(call), sizeof(*self));

	if (!request || !one_given(request->reservation, request->lease, &err)) {
		call_fail(call, &err);
		return;
	}
	if (request->lease[0]) {
		limiter_cancel_lease(call, ctx, request);
		return;
	}
	self->call = call;
	self->settle.question = (struct settle_question){.cancel = true, .served = "", .interface = "api", .mode = ""};
	if (!handle_of_ref(request->reservation, false, call_arena(call), &self->settle.question.handle, &err)) {
		call_fail(call, &err);
		return;
	}
	self->settle.question.deadline_us = call_deadline_us(call);
	settle_start(&self->settle, ctx, call_arena(call), cancel_done);
}

static void renew_done(struct flow *flow)
{
	struct renew_call *self = container_of(container_of(flow, struct renew, flow), struct renew_call, renew);
	Bursar__V1__RenewResponse response = BURSAR__V1__RENEW_RESPONSE__INIT;

	if (!flow->ok) {
		call_fail(self->call, &flow->err);
		return;
	}
	response.expires_at_us = self->renew.expires_at_us;
	call_reply_message(self->call, &response.base);
}

void limiter_renew(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__RenewRequest *request = request_read(call, &bursar__v1__renew_request__descriptor, &err);
	struct renew_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct handle handle = {0};

	self->call = call;
	if (!request || !one_given(request->reservation, request->lease, &err)) {
		call_fail(call, &err);
		return;
	}
	if (request->lease[0]) {
		limiter_renew_lease(call, ctx, request);
		return;
	}
	if (!handle_of_ref(request->reservation, false, call_arena(call), &handle, &err)) {
		call_fail(call, &err);
		return;
	}
	self->renew.tenant = handle.tenant;
	self->renew.user = handle.user;
	self->renew.request_id = handle.request_id;
	self->renew.ttl_us = request->reservation_ttl_us;
	renew_start(&self->renew, ctx, call_arena(call), renew_done);
}
