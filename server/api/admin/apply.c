/* Export and Apply: a tenant as one document (api/admin/private.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/admin/document.h"
#include "api/auth/auth.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "service/catalog/apply.h"

struct apply_call {
	struct document_edit edit;
	struct document wanted;
	struct call *call;
};

static Bursar__V1__DocumentChange *change_message(
	struct arena *arena, const char *tenant, const struct document_change *change)
{
	static const Bursar__V1__ChangeKind kinds[] = {
		[CHANGE_ADDED] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_ADDED,
		[CHANGE_CHANGED] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_CHANGED,
		[CHANGE_REMOVED] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_REMOVED,
	};
	Bursar__V1__DocumentChange *message = message_new(arena, DocumentChange, document_change);

	message->kind = kinds[change->kind];
	if (change->kind != CHANGE_ADDED)
		message->before = document_side_message(arena, tenant, change, false);
	if (change->kind != CHANGE_REMOVED)
		message->after = document_side_message(arena, tenant, change, true);
	return message;
}

static void apply_done(struct flow *flow)
{
	struct document_edit *edit = container_of(flow, struct document_edit, flow);
	struct call *call = container_of(edit, struct apply_call, edit)->call;
	struct arena *arena = call_arena(call);
	Bursar__V1__ApplyResponse *answer = message_new(arena, ApplyResponse, apply_response);
	const struct document_apply *op = &edit->op;

	if (!flow->ok) {
		call_fail(call, &flow->err);
		return;
	}
	answer->changes = message_list(arena, (size_t)op->changes);
	for (int i = 0; i < op->changes; i++)
		answer->changes[answer->n_changes++] = change_message(arena, op->wanted->tenant, &op->change[i]);
	answer->fingerprint = arena_printf(arena, "%016" PRIx64, op->fingerprint);
	answer->applied = op->job.generation != 0;
	answer->pending = edit->pending;
	call_reply_message(call, &answer->base);
}

static bool wanted_read(struct call *call, struct worker *worker, const Bursar__V1__ApplyRequest *request,
	struct document *wanted, struct err *err)
{
	struct snapshot *snapshot = snapshot_take(worker, err);
	int64_t now_us = worker_now_us(worker);
	bool ok;

	if (!snapshot)
		return false;
	ok = document_from_message(request->document, snapshot->catalog, tenant_or_default(request->tenant), now_us,
		     call_arena(call), wanted, err) ||
	     err_prefix(err, "document.");
	if (ok && wanted->settings)
		ok = admin_fallback_fits(
			wanted->settings, snapshot->catalog, "document.tenant.fallback_model", now_us, err);
	snapshot_give(worker, snapshot);
	return ok;
}

void admin_apply(struct call *call, void *ctx)
{
	struct apply_call *apply = arena_zalloc(call_arena(call), 1, sizeof(*apply));
	struct document_apply *op = &apply->edit.op;
	struct err err;
	const Bursar__V1__ApplyRequest *request = request_read(call, &bursar__v1__apply_request__descriptor, &err);

	if (!request || !wanted_read(call, ctx, request, &apply->wanted, &err)) {
		call_fail(call, &err);
		return;
	}
	apply->call = call;
	op->wanted = &apply->wanted;
	op->dry_run = request->dry_run;
	op->prune = request->prune;
	op->system_too = !caller_tenant(call)[0];
	op->alert_allow = ((const struct worker *)ctx)->parts.conf->alert_allow;
	op->expected = request->expected;
	op->job.actor = admin_actor(call);
	op->job.reason = request->reason;
	document_edit_start(&apply->edit, ctx, call_arena(call), apply_done);
}

static void export_answer(struct call *call, const struct document_read *op)
{
	call_reply_message(call, &document_message(call_arena(call), &op->document)->base);
}

ADMIN_CALL(export_call, document_read, ExportRequest, export_request, export_done, export_answer)

void admin_export(struct call *call, void *ctx)
{
	struct export_call *export = export_call_new(call);

	if (!export)
		return;
	export->op = (struct document_read){
		.job = admin_question(call, export_done),
		.tenant = tenant_or_default(export->request->tenant),
	};
	admin_ask(ctx, document_read, &export->op);
}
