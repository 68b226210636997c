/* Reset: empties an account's counters (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "base/crypto/random.h"
#include "service/admin/reset.h"

struct reset_call {
	struct account_reset reset;
	struct call *call;
};

static void reset_done(struct flow *flow)
{
	struct account_reset *reset = container_of(flow, struct account_reset, flow);
	struct call *call = container_of(reset, struct reset_call, reset)->call;
	Bursar__V1__ResetResponse answer = BURSAR__V1__RESET_RESPONSE__INIT;

	if (!flow->ok) {
		call_fail(call, &flow->err);
		return;
	}
	answer.requests = reset->lost.requests;
	answer.tokens = reset->lost.input;
	answer.cost_nano_usd = reset->lost.cost;
	answer.repeat = reset->repeat;
	call_reply_message(call, &answer.base);
}

static const char *reset_id(struct arena *arena)
{
	char id[33];

	random_id(id);
	return arena_strndup(arena, id, 32);
}

void admin_reset(struct call *call, void *ctx)
{
	struct reset_call *reset = arena_zalloc(call_arena(call), 1, sizeof(*reset));
	const Bursar__V1__ResetRequest *request = request_take(call, &bursar__v1__reset_request__descriptor);

	if (!request)
		return;
	reset->call = call;
	if (!admin_key(call, ctx, request->ref, &reset->reset.key))
		return;
	reset->reset.request_id = request->request_id[0] ? request->request_id : reset_id(call_arena(call));
	reset->reset.actor = admin_actor(call);
	reset->reset.reason = request->reason;
	account_reset_start(&reset->reset, ctx, call_arena(call), reset_done);
}
