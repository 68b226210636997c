/* EraseAccount: for a user who asks to be forgotten (api/admin/private.h). */
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "service/admin/erase.h"

/* Generous, because a long-time user has many rows. */
#define ERASE_MAX_US INT64_C(600000000)

static void erase_answer(struct call *call, struct account_erasing *erasing)
{
	Bursar__V1__EraseAccountResponse answer = BURSAR__V1__ERASE_ACCOUNT_RESPONSE__INIT;

	answer.pseudonym = erasing->op.pseudonym;
	call_reply_message(call, &answer.base);
}

ADMIN_FLOW_CALL(erase_call, account_erasing, EraseAccountRequest, erase_account_request, erase_done, erase_answer)

static bool erase_check(const struct account_key *key, const char *reason, struct err *err)
{
	if (key->kind != ACCOUNT_USER)
		return err_invalid(err, "ref.kind", "must be USER: only users are people");
	return !strstr(reason, key->id) ||
	       err_invalid(err, "reason", "must not name the user: it stays in the audit log");
}

void admin_erase_account(struct call *call, void *ctx)
{
	struct erase_call *self = erase_call_new(call);
	int64_t most_us = clock_mono_us() + ERASE_MAX_US, deadline_us = call_deadline_us(call);
	struct err err;

	if (!self)
		return;
	if (!admin_key(call, ctx, self->request->ref, &self->op.op.key))
		return;
	if (!erase_check(&self->op.op.key, self->request->reason, &err)) {
		call_fail(call, &err);
		return;
	}
	self->op.op.job.actor = admin_actor(call);
	self->op.op.job.reason = self->request->reason;
	self->op.op.job.deadline_us = deadline_us < most_us ? deadline_us : most_us;
	account_erase_start(&self->op, ctx, call_arena(call), erase_done);
}
