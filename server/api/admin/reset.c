/* Reset: empties an account's counters (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "service/admin/reset.h"

static void reset_answer(struct call *call, const struct account_reset *reset)
{
	Bursar__V1__ResetResponse answer = BURSAR__V1__RESET_RESPONSE__INIT;

	answer.requests = reset->lost.requests;
	answer.tokens = reset->lost.input;
	answer.cost_nano_usd = reset->lost.cost;
	answer.repeat = reset->repeat;
	call_reply_message(call, &answer.base);
}

ADMIN_FLOW_CALL(reset_call, account_reset, ResetRequest, reset_request, reset_done, reset_answer)

void admin_reset(struct call *call, void *ctx)
{
	struct reset_call *reset = reset_call_new(call);

	if (!reset)
		return;
	if (!admin_key(call, ctx, reset->request->ref, &reset->op.key))
		return;
	reset->op.request_id = admin_change_id(call, reset->request->request_id);
	reset->op.actor = admin_actor(call);
	reset->op.reason = reset->request->reason;
	account_reset_start(&reset->op, ctx, call_arena(call), reset_done);
}
