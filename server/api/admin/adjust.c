/* AdjustLedger: corrects what was recorded, or credits or charges a user (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/limiter/private.h"
#include "api/message/validate.h"
#include "service/admin/adjust.h"

static void adjust_answer(struct call *call, const struct ledger_adjust *adjust)
{
	Bursar__V1__AdjustLedgerResponse answer = BURSAR__V1__ADJUST_LEDGER_RESPONSE__INIT;

	answer.adjustment_id = unconst(adjust->adjustment_id);
	answer.repeat = adjust->repeat;
#define ROW(NAME, name, api, ...) answer.api = adjust->amounts.name;
	AMOUNTS(ROW)
#undef ROW
	answer.user = unconst(adjust->user);
	answer.request_id = unconst(adjust->request_id);
	call_reply_message(call, &answer.base);
}

ADMIN_FLOW_CALL(adjust_call, ledger_adjust, AdjustLedgerRequest, adjust_ledger_request, adjust_done, adjust_answer)

static bool meters_read(const Bursar__V1__TokenChange *message, struct meters *out, struct err *err)
{
#define ROW(NAME, name, field, ...) out->count[METER_##NAME] = message->field;
	if (message) {
		METERS(ROW)
	}
#undef ROW
	return meters_check_signed(out, "usage", err);
}

static bool has_tokens(const struct meters *tokens)
{
	for (int i = 0; i < METER_COUNT; i++)
		if (tokens->count[i])
			return true;
	return false;
}

/* Adjusts a recorded request. */
static bool request_adjust(
	const Bursar__V1__AdjustLedgerRequest *request, struct arena *arena, struct ledger_adjust *out, struct err *err)
{
	struct handle handle = {0};

	if (request->tenant[0] || request->user[0])
		return err_invalid(err, "user", "must be omitted with a reservation, like tenant: it names both");
	if (request->model[0] || request->interface[0])
		return err_invalid(err, request->model[0] ? "model" : "interface",
			"must be omitted with a reservation: the request's own is used");
	if (!handle_of_ref(request->reservation, true, arena, &handle, err))
		return false;
	out->tenant = handle.tenant;
	out->user = handle.user;
	out->request_id = handle.request_id;
	out->started_at_us = handle.started_at_us;
	return true;
}

/* Adjusts a user as of now. */
static bool user_adjust(const Bursar__V1__AdjustLedgerRequest *request, struct ledger_adjust *out, struct err *err)
{
	if (!request->user[0])
		return err_invalid(err, "user", "must be given when there is no reservation");
	if (request->attempt)
		return err_invalid(err, "attempt", "is allowed only with a reservation");
	if (request->price_tokens && !request->model[0])
		return err_invalid(err, "model", "must be given to price tokens");
	out->tenant = tenant_or_default(request->tenant);
	out->user = request->user;
	out->request_id = "";
	return true;
}

static bool adjust_read(
	const Bursar__V1__AdjustLedgerRequest *request, struct arena *arena, struct ledger_adjust *out, struct err *err)
{
	out->attempt = request->attempt;
	out->requests = request->requests;
	out->cost = request->cost_nano_usd;
	out->price_tokens = request->price_tokens;
	out->ledger_only = request->ledger_only;
	out->reason = request->reason;
	out->model = request->model;
	out->interface = request->interface[0] ? request->interface : "api";
	if (!(request->reservation ? request_adjust(request, arena, out, err) : user_adjust(request, out, err)) ||
		!meters_read(request->usage, &out->meters, err))
		return false;
	return out->requests || out->cost || has_tokens(&out->meters) ||
	       err_invalid(err, "usage", "is empty, as are requests and cost_nano_usd: there is nothing to add");
}

void admin_adjust_ledger(struct call *call, void *ctx)
{
	struct adjust_call *self = adjust_call_new(call);
	struct err err;

	if (!self)
		return;
	if (!adjust_read(self->request, call_arena(call), &self->op, &err)) {
		call_fail(call, &err);
		return;
	}
	self->op.adjustment_id = admin_change_id(call, self->request->adjustment_id);
	self->op.actor = admin_actor(call);
	ledger_adjust_start(&self->op, ctx, call_arena(call), adjust_done);
}
