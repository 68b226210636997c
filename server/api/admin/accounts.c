/*
 * The calls that change one account (api/admin/private.h). Each describes its change as a pure function, which the
 * store runs inside its transaction.
 */
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "domain/time/zone_file.h"
#include "service/admin/account_patch.h"
#include "service/admin/account.h"

/* A change in progress, in its call's arena. */
struct edit_call {
	struct account_edit edit;
	struct call *call;
	const ProtobufCMessage *request;
	int64_t now_us;
	struct account_patch patch;
};

static void edit_done(struct flow *flow)
{
	struct account_edit *edit = container_of(flow, struct account_edit, flow);
	struct call *call = container_of(edit, struct edit_call, edit)->call;

	if (!flow->ok) {
		call_fail(call, &flow->err);
		return;
	}
	edit->op.row.known = true;
	call_reply_message(call, &admin_account_message(call_arena(call), &edit->op.row)->base);
}

typedef bool change_fn(struct account_change *op, struct account_row *row, struct err *err);

/* Reads the request; NULL when the call has already been failed. */
static struct edit_call *edit_new(struct call *call, void *ctx, const ProtobufCMessageDescriptor *descriptor)
{
	struct edit_call *edit = arena_zalloc(call_arena(call), 1, sizeof(*edit));

	edit->call = call;
	edit->request = request_take(call, descriptor);
	edit->now_us = worker_now_us(ctx);
	return edit->request ? edit : NULL;
}

static void edit_start(
	struct edit_call *edit, void *ctx, const Bursar__V1__AccountRef *ref, const char *reason, change_fn *change)
{
	if (!admin_key(edit->call, ctx, ref, &edit->edit.op.key))
		return;
	edit->edit.op.change = change;
	if (admin_job_begin(edit->call, &edit->edit.op.job, reason))
		account_edit_start(&edit->edit, ctx, call_arena(edit->call), edit_done);
}

static struct edit_call *edit_of(struct account_change *op)
{
	return container_of(container_of(op, struct account_edit, op), struct edit_call, edit);
}

bool admin_tier_check(struct call *call, void *ctx, const char *tenant, const char *tier)
{
	struct err err;
	struct snapshot *snapshot;
	bool found;

	if (!tier[0])
		return true;
	snapshot = snapshot_take(ctx, &err);
	if (snapshot) {
		found = catalog_tier(snapshot->catalog, tenant_or_default(tenant), tier) != NULL;
		snapshot_give(ctx, snapshot);
		if (found)
			return true;
		err_invalid(&err, "tier", "tenant %s has no tier %s", tenant_or_default(tenant), tier);
		err_reason_of(&err, "TIER_NOT_FOUND", "%s", tier);
	}
	call_fail(call, &err);
	return false;
}

static bool put_change(struct account_change *op, struct account_row *row, struct err *err)
{
	const Bursar__V1__PutAccountRequest *request = (const Bursar__V1__PutAccountRequest *)edit_of(op)->request;
	struct account_profile *profile = &row->profile;

	(void)err;
	if (request->tier[0])
		memcpy(profile->tier, request->tier, strlen(request->tier) + 1);
	if (request->team[0] || request->clear_team)
		memcpy(profile->team, request->team, strlen(request->team) + 1);
	if (request->org[0] || request->clear_org)
		memcpy(profile->org, request->org, strlen(request->org) + 1);
	if (request->time_zone[0])
		zone_put(&profile->zone, request->time_zone, row->known || !op->unused, op->now_us);
	profile->deleted = false;
	return true;
}

/* Checks that an account of this kind may have the given parents, and that the request does not contradict itself. */
static bool put_check(const Bursar__V1__PutAccountRequest *request, struct err *err)
{
	enum account_kind kind = request->ref->kind ? (enum account_kind)request->ref->kind : ACCOUNT_USER;

	if (request->team[0] && kind != ACCOUNT_USER)
		return err_invalid(err, "team", "is for users only; a %s has none", account_kind_name(kind));
	if (request->org[0] && kind != ACCOUNT_USER && kind != ACCOUNT_TEAM)
		return err_invalid(err, "org", "is for users and teams only; a %s has none", account_kind_name(kind));
	if (request->team[0] && request->clear_team)
		return err_invalid(err, "clear_team", "conflicts with team: give only one of them");
	if (request->org[0] && request->clear_org)
		return err_invalid(err, "clear_org", "conflicts with org: give only one of them");
	return !request->time_zone[0] || zone_check(request->time_zone, err);
}

void admin_put_account(struct call *call, void *ctx)
{
	struct edit_call *edit = edit_new(call, ctx, &bursar__v1__put_account_request__descriptor);
	const Bursar__V1__PutAccountRequest *request;
	struct err err;

	if (!edit)
		return;
	request = (const Bursar__V1__PutAccountRequest *)edit->request;
	if (!put_check(request, &err)) {
		call_fail(call, &err);
		return;
	}
	edit->edit.ask_use = request->time_zone[0] != '\0';
	if (admin_tier_check(call, ctx, request->ref->tenant, request->tier))
		edit_start(edit, ctx, request->ref, request->reason, put_change);
}

static bool patch_change(struct account_change *op, struct account_row *row, struct err *err)
{
	const struct account_patch *patch = &edit_of(op)->patch;
	const struct account_key *key = &op->key;
	bool differs;

	if (patch->action == ACTION_DELETE && !row->known)
		return err_set(err, ERR_NOT_FOUND, "ref.id: there is no %s %s", account_kind_name(key->kind),
			       key->id) ||
		       err_reason_of(err, "ACCOUNT_NOT_FOUND", "%s", key->kind == ACCOUNT_USER ? key->id : "");
	return account_patch_apply(patch, op->job.arena, row, &differs, err);
}

void admin_set_tier(struct call *call, void *ctx)
{
	struct edit_call *edit = edit_new(call, ctx, &bursar__v1__set_tier_request__descriptor);
	const Bursar__V1__SetTierRequest *request;

	if (!edit)
		return;
	request = (const Bursar__V1__SetTierRequest *)edit->request;
	edit->patch = (struct account_patch){.action = ACTION_SET_TIER, .tier = request->tier};
	if (admin_tier_check(call, ctx, request->ref->tenant, request->tier))
		edit_start(edit, ctx, request->ref, request->reason, patch_change);
}

bool admin_limits_read(struct arena *arena, Bursar__V1__Limit *const *limits, size_t count, struct account_patch *patch,
	struct err *err)
{
	struct policy *policy = arena_zalloc(arena, 1, sizeof(*policy));

	for (size_t i = 0; i < count; i++) {
		struct limit *limit = &policy->limits[policy->count++];
		bool right =
			limit_from_message(limits[i], WARN_PERCENT_DEFAULT, limit, err) &&
			(!limit_ended(limit, patch->now_us) ||
				err_invalid(err, "until_us", "is in the past: give a future time, or 0 for no end"));
		if (!right)
			return err_prefix(err, "limits[%zu].", i);
	}
	patch->limits = policy->count;
	patch->limit = policy->limits;
	return policy_prepare(policy, err);
}

void admin_override_limits(struct call *call, void *ctx)
{
	struct edit_call *edit = edit_new(call, ctx, &bursar__v1__override_limits_request__descriptor);
	const Bursar__V1__OverrideLimitsRequest *request;
	struct err err;

	if (!edit)
		return;
	request = (const Bursar__V1__OverrideLimitsRequest *)edit->request;
	edit->patch = (struct account_patch){.action = ACTION_OVERRIDE_LIMITS,
		.now_us = edit->now_us,
		.merge = request->merge,
		.removes = request->n_remove,
		.remove = request->remove};
	if (admin_limits_read(call_arena(call), request->limits, request->n_limits, &edit->patch, &err))
		edit_start(edit, ctx, request->ref, request->reason, patch_change);
	else
		call_fail(call, &err);
}

#define CHANGE(name_, Type_, ...) \
	void admin_##name_(struct call *call, void *ctx) \
	{ \
		struct edit_call *edit = edit_new(call, ctx, &bursar__v1__##name_##_request__descriptor); \
		if (edit) { \
			const Bursar__V1__##Type_##Request *request = \
				(const Bursar__V1__##Type_##Request *)edit->request; \
			edit->patch = (struct account_patch){.reason = request->reason, __VA_ARGS__}; \
			edit_start(edit, ctx, request->ref, request->reason, patch_change); \
		} \
	}
CHANGE(delete_account, DeleteAccount, .action = ACTION_DELETE)
CHANGE(suspend, Suspend, .action = ACTION_SUSPEND)
CHANGE(unsuspend, Unsuspend, .action = ACTION_UNSUSPEND)
CHANGE(set_grace, SetGrace, .action = ACTION_SET_GRACE, .grace_until_us = request->until_us,
	.grace_percent = request->percent)
CHANGE(set_bypass, SetBypass, .action = ACTION_SET_BYPASS, .bypass = request->bypass)
