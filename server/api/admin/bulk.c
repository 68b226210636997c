/*
 * ChangeAccounts (api/admin/private.h): one change to many accounts, chunk by chunk; each chunk starts when the
 * previous one's message has been sent.
 */
#include <stdlib.h>
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "base/utf8.h"
#include "service/admin/bulk.h"

#define FAILURES_TOLD 20

/* A call in progress, in its call's arena. A chunk's data lives in `arena`, which is emptied before the next chunk. */
struct bulk_call {
	struct account_bulk bulk;
	struct call *call;
	struct worker *worker;
	const Bursar__V1__ChangeAccountsRequest *request;
	struct arena arena;
	struct account_filter filter;
	const char **id; /* sorted; NULL when the filter selects */
	int ids, at;
	char last[ID_MAX + 1];
	int64_t matched, changed, already, failed, unknown, pending;
	int examples, failures; /* how many may still be reported */
	struct admin_stream stream;
};

static void bulk_end(struct bulk_call *self, const struct err *why)
{
	struct arena arena = self->arena; /* copied, because `self` ends with the call */

	if (why)
		call_fail(self->call, why);
	else
		call_end(self->call);
	arena_release(&arena);
}

static bool parameter_check(
	bool given, const Bursar__V1__AccountChange *change, int action, const char *field, struct err *err)
{
	if (!given || (int)change->action == action)
		return true;
	err_invalid(err, field, "belongs to a different action");
	return err_prefix(err, "change.");
}

static bool change_check(const Bursar__V1__AccountChange *change, struct err *err)
{
	if (change->action == BURSAR__V1__ACCOUNT_ACTION__ACCOUNT_ACTION_SET_TIER && !change->tier[0])
		return err_invalid(err, "change.tier", "must be given");
	return parameter_check(change->tier[0], change, ACTION_SET_TIER, "tier", err) &&
	       parameter_check(change->grace_until_us, change, ACTION_SET_GRACE, "grace_until_us", err) &&
	       parameter_check(change->grace_percent, change, ACTION_SET_GRACE, "grace_percent", err) &&
	       parameter_check(change->bypass, change, ACTION_SET_BYPASS, "bypass", err) &&
	       parameter_check(change->n_limits, change, ACTION_OVERRIDE_LIMITS, "limits", err) &&
	       parameter_check(change->merge, change, ACTION_OVERRIDE_LIMITS, "merge", err) &&
	       parameter_check(change->n_remove, change, ACTION_OVERRIDE_LIMITS, "remove", err);
}

static bool patch_read(struct bulk_call *self, struct err *err)
{
	const Bursar__V1__AccountChange *change = self->request->change;
	struct account_patch *patch = &self->bulk.patch;

	*patch = (struct account_patch){
		.action = (enum account_action)change->action,
		.tier = change->tier,
		.reason = self->request->reason,
		.grace_until_us = change->grace_until_us,
		.grace_percent = change->grace_percent,
		.bypass = change->bypass,
		.merge = change->merge,
		.now_us = worker_now_us(self->worker),
		.removes = change->n_remove,
		.remove = change->remove,
	};
	return change_check(change, err) &&
	       (admin_limits_read(call_arena(self->call), change->limits, change->n_limits, patch, err) ||
		       err_prefix(err, "change."));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Resolves the models' names to the ids of their accounts. */
static bool models_read(struct bulk_call *self, struct err *err)
{
	struct snapshot *snapshot = snapshot_take(self->worker, err);
	bool ok = snapshot != NULL;

	for (size_t i = 0; ok && i < self->request->n_ids; i++)
		if (!admin_model_id(
			    snapshot->catalog, self->bulk.op.tenant, &self->id[i], "id", call_arena(self->call), err)) {
			err_prefix(err, "ids[%zu]: ", i);
			ok = false;
		}
	snapshot_give(self->worker, snapshot);
	return ok;
}

/* The ids after `after`, without duplicates, in the store's order. */
static bool ids_read(struct bulk_call *self, struct err *err)
{
	const Bursar__V1__ChangeAccountsRequest *request = self->request;

	self->id = arena_zalloc(call_arena(self->call), request->n_ids, sizeof(*self->id));
	for (size_t i = 0; i < request->n_ids; i++) {
		if (!id_check(request->ids[i], strlen(request->ids[i]), "id", err)) {
			err_prefix(err, "ids[%zu]: ", i);
			return false;
		}
		self->id[i] = request->ids[i];
	}
	if (self->bulk.op.kind == ACCOUNT_MODEL && !models_read(self, err))
		return false;
	qsort(self->id, request->n_ids, sizeof(*self->id), by_text);
	for (size_t i = 0; i < request->n_ids; i++)
		if (strcmp(self->id[i], request->after) > 0 &&
			(self->ids == 0 || strcmp(self->id[i], self->id[self->ids - 1]) != 0))
			self->id[self->ids++] = self->id[i];
	return true;
}

static bool selection_read(struct bulk_call *self, struct err *err)
{
	const Bursar__V1__ChangeAccountsRequest *request = self->request;

	if (request->kind == BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT)
		return err_invalid(err, "kind", "a tenant has only one account: use the call for a single account");
	if (!request->filter == !request->n_ids)
		return err_invalid(err, "filter",
			request->filter ? "conflicts with ids: give only one of them"
					: "or ids must be given; an empty filter selects all");
	self->filter = admin_filter(request->filter, worker_now_us(self->worker));
	self->bulk.op.tenant = tenant_or_default(request->tenant);
	self->bulk.op.kind = request->kind ? (enum account_kind)request->kind : ACCOUNT_USER;
	self->bulk.op.dry_run = request->dry_run;
	self->bulk.op.known_only = request->known_only;
	self->bulk.op.job.actor = admin_actor(self->call);
	self->bulk.op.job.reason = request->reason;
	memcpy(self->last, request->after, strlen(request->after) + 1);
	return request->filter || ids_read(self, err);
}

static void chunk_examples(struct bulk_call *self, Bursar__V1__ChangeAccountsResponse *message)
{
	const struct accounts_change *op = &self->bulk.op;

	message->examples = message_list(&self->arena, (size_t)op->count);
	message->failures = message_list(&self->arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++) {
		const struct changed_account *account = &op->account[i];

		if (account->differs && self->examples > 0) {
			Bursar__V1__AccountDifference *example =
				message_new(&self->arena, AccountDifference, account_difference);
			example->before = admin_account_message(&self->arena, &account->before);
			example->after = admin_account_message(&self->arena, &account->row);
			message->examples[message->n_examples++] = example;
			self->examples--;
		}
		if (account->failed && self->failures > 0) {
			Bursar__V1__AccountFailure *failure =
				message_new(&self->arena, AccountFailure, account_failure);
			failure->id = unconst(account->row.key.id);
			failure->message = unconst(account->err.text);
			failure->field = unconst(account->err.field);
			message->failures[message->n_failures++] = failure;
			self->failures--;
		}
	}
}

static Bursar__V1__ChangeAccountsResponse *chunk_message(struct bulk_call *self, bool done)
{
	Bursar__V1__ChangeAccountsResponse *message =
		message_new(&self->arena, ChangeAccountsResponse, change_accounts_response);

	message->matched = self->matched;
	message->changed = self->changed;
	message->already = self->already;
	message->failed = self->failed;
	message->unknown = self->unknown;
	message->pending = self->pending;
	message->last_id = self->last;
	message->done = done;
	chunk_examples(self, message);
	return message;
}

static void chunk_count(struct bulk_call *self)
{
	const struct accounts_change *op = &self->bulk.op;
	int64_t failed = 0;

	for (int i = 0; i < op->count; i++) {
		failed += op->account[i].failed;
		self->unknown += op->account[i].unknown;
	}
	self->matched += op->count;
	self->changed += op->changed;
	self->failed += failed;
	self->already += op->count - op->changed - failed;
	self->pending += self->bulk.pending;
	if (op->last[0])
		memcpy(self->last, op->last, strlen(op->last) + 1);
}

static void chunk_done(struct flow *flow);

static void chunk_start(struct bulk_call *self)
{
	struct accounts_change *op = &self->bulk.op;

	arena_reset(&self->arena);
	op->filter = self->id ? NULL : &self->filter;
	op->after = self->last;
	if (self->id) {
		op->id = self->id + self->at;
		op->ids = self->ids - self->at < BULK_CHUNK ? self->ids - self->at : BULK_CHUNK;
		self->at += op->ids;
	}
	account_bulk_start(&self->bulk, self->worker, &self->arena, chunk_done);
}

static void chunk_told(struct call *call, bool ok, void *arg)
{
	struct bulk_call *self = arg;
	struct err err;

	(void)call;
	if (!ok || self->stream.gone) {
		bulk_end(self, NULL);
	} else if (self->stream.draining) {
		err_set(&err, ERR_UNAVAILABLE, "the server is stopping: repeat the call");
		bulk_end(self, &err);
	} else {
		chunk_start(self);
	}
}

static void all_told(struct call *call, bool ok, void *arg)
{
	(void)call;
	(void)ok;
	bulk_end(arg, NULL);
}

static void chunk_done(struct flow *flow)
{
	struct bulk_call *self = container_of(container_of(flow, struct account_bulk, flow), struct bulk_call, bulk);
	bool more;

	if (!flow->ok) {
		bulk_end(self, &flow->err);
		return;
	}
	chunk_count(self);
	more = self->id ? self->at < self->ids : self->bulk.op.more;
	call_write_message(self->call, &chunk_message(self, !more)->base, more ? chunk_told : all_told, self);
	/* With a slow caller only the packed message stays in memory, not the chunk it was made from. */
	arena_release(&self->arena);
}

void admin_change_accounts(struct call *call, void *ctx)
{
	struct bulk_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;

	self->call = call;
	self->worker = ctx;
	self->request = request_read(call, &bursar__v1__change_accounts_request__descriptor, &err);
	if (!self->request || !patch_read(self, &err) || !selection_read(self, &err)) {
		call_fail(call, &err);
		return;
	}
	if (!admin_tier_check(call, ctx, self->request->tenant, self->request->change->tier))
		return;
	self->examples = self->request->examples;
	self->failures = FAILURES_TOLD;
	admin_stream_watch(&self->stream, call);
	chunk_start(self);
}
