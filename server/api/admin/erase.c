/* EraseAccount: for a user who asks to be forgotten (api/admin/private.h). */
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "base/list.h"
#include "service/admin/erase.h"

/* Generous, because a long-time user has many rows. */
#define ERASE_MAX_US INT64_C(600000000)

struct erase_call {
	struct account_erasing erasing;
	struct call *call;
};

static void erase_done(struct flow *flow)
{
	struct account_erasing *erasing = container_of(flow, struct account_erasing, flow);
	struct call *call = container_of(erasing, struct erase_call, erasing)->call;
	Bursar__V1__EraseAccountResponse answer = BURSAR__V1__ERASE_ACCOUNT_RESPONSE__INIT;

	if (!flow->ok) {
		call_fail(call, &flow->err);
		return;
	}
	answer.pseudonym = erasing->op.pseudonym;
	call_reply_message(call, &answer.base);
}

static bool erase_check(const struct account_key *key, const char *reason, struct err *err)
{
	if (key->kind != ACCOUNT_USER)
		return err_invalid(err, "ref.kind", "must be USER: only users are people");
	return !strstr(reason, key->id) ||
	       err_invalid(err, "reason", "must not name the user: it stays in the audit log");
}

void admin_erase_account(struct call *call, void *ctx)
{
	struct erase_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	int64_t most_us = clock_mono_us() + ERASE_MAX_US, deadline_us = call_deadline_us(call);
	struct err err;
	const Bursar__V1__EraseAccountRequest *request =
		request_take(call, &bursar__v1__erase_account_request__descriptor);

	if (!request)
		return;
	self->call = call;
	if (!admin_key(call, ctx, request->ref, &self->erasing.op.key))
		return;
	if (!erase_check(&self->erasing.op.key, request->reason, &err)) {
		call_fail(call, &err);
		return;
	}
	self->erasing.op.job.actor = admin_actor(call);
	self->erasing.op.job.reason = request->reason;
	self->erasing.op.job.deadline_us = deadline_us < most_us ? deadline_us : most_us;
	account_erase_start(&self->erasing, ctx, call_arena(call), erase_done);
}
