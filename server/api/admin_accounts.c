/* Accounts: one change each, described by a pure function that the store runs inside its transaction. */
#include <string.h>

#include "api/admin_private.h"
#include "api/validate.h"
#include "base/list.h"
#include "service/admin_account.h"

/* A change that is under way; in its call's arena. */
struct edit_call {
	struct account_edit edit;
	struct call *call;
	const ProtobufCMessage *request;
	int64_t now_us;
	int limits; /* OverrideLimits: prepared */
	struct limit *limit;
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

/* Reads the request; NULL when the call has been failed. */
static struct edit_call *edit_new(struct call *call, void *ctx, const ProtobufCMessageDescriptor *descriptor)
{
	struct edit_call *edit = arena_zalloc(call_arena(call), 1, sizeof(*edit));
	struct err err;

	edit->call = call;
	edit->request = request_read(call, descriptor, &err);
	edit->now_us = worker_now_us(ctx);
	if (edit->request)
		return edit;
	call_fail(call, &err);
	return NULL;
}

static void edit_start(
	struct edit_call *edit, void *ctx, const Bursar__V1__AccountRef *ref, const char *reason, change_fn *change)
{
	if (!admin_key(edit->call, ref, &edit->edit.op.key))
		return;
	edit->edit.op.change = change;
	edit->edit.op.job.actor = admin_actor(edit->call);
	edit->edit.op.job.reason = reason;
	account_edit_start(&edit->edit, ctx, call_arena(edit->call), edit_done);
}

static struct edit_call *edit_of(struct account_change *op)
{
	return container_of(container_of(op, struct account_edit, op), struct edit_call, edit);
}

/* An account is on a tier that exists; "" is the tenant's default tier. */
static bool tier_check(struct call *call, void *ctx, const char *tenant, const char *tier)
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
		err_invalid(&err, "tier", "tenant %s has no tier %s: see ListTiers", tenant_or_default(tenant), tier);
	}
	call_fail(call, &err);
	return false;
}

/* The old zone's windows run to their ends: windows_at knows from when on the new one counts. */
static void zone_change(struct account_profile *profile, const char *name, int64_t now_us)
{
	struct zone *zone = &profile->zone;

	if (strcmp(name, "UTC") == 0)
		name = "";
	if (strcmp(zone->name, name) == 0)
		return;
	memcpy(zone->previous, zone->name[0] ? zone->name : "UTC", strlen(zone->name[0] ? zone->name : "UTC") + 1);
	memcpy(zone->name, name, strlen(name) + 1);
	zone->changed_at_us = now_us;
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
	if (request->time_zone[0] && row->known)
		zone_change(profile, request->time_zone, edit_of(op)->now_us);
	else if (request->time_zone[0] && strcmp(request->time_zone, "UTC") != 0)
		memcpy(profile->zone.name, request->time_zone, strlen(request->time_zone) + 1);
	profile->deleted = false;
	return true;
}

/* Which parents an account of this kind may have, and whether the request's parts fit together. */
static bool put_check(const Bursar__V1__PutAccountRequest *request, struct err *err)
{
	enum account_kind kind = request->ref->kind ? (enum account_kind)request->ref->kind : ACCOUNT_USER;

	if (request->team[0] && kind != ACCOUNT_USER)
		return err_invalid(err, "team", "is for users only; a %s has none", account_kind_name(kind));
	if (request->org[0] && kind != ACCOUNT_USER && kind != ACCOUNT_TEAM)
		return err_invalid(err, "org", "is for users and teams only; a %s has none", account_kind_name(kind));
	if (request->team[0] && request->clear_team)
		return err_invalid(err, "clear_team", "contradicts team: give one of them");
	if (request->org[0] && request->clear_org)
		return err_invalid(err, "clear_org", "contradicts org: give one of them");
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
	if (tier_check(call, ctx, request->ref->tenant, request->tier))
		edit_start(edit, ctx, request->ref, request->reason, put_change);
}

static bool tier_change(struct account_change *op, struct account_row *row, struct err *err)
{
	const Bursar__V1__SetTierRequest *request = (const Bursar__V1__SetTierRequest *)edit_of(op)->request;

	(void)err;
	memcpy(row->profile.tier, request->tier, strlen(request->tier) + 1);
	return true;
}

void admin_set_tier(struct call *call, void *ctx)
{
	struct edit_call *edit = edit_new(call, ctx, &bursar__v1__set_tier_request__descriptor);
	const Bursar__V1__SetTierRequest *request;

	if (!edit)
		return;
	request = (const Bursar__V1__SetTierRequest *)edit->request;
	if (tier_check(call, ctx, request->ref->tenant, request->tier))
		edit_start(edit, ctx, request->ref, request->reason, tier_change);
}

static bool is_removed(const Bursar__V1__OverrideLimitsRequest *request, const char *name)
{
	for (size_t i = 0; i < request->n_remove; i++)
		if (strcmp(request->remove[i], name) == 0)
			return true;
	return false;
}

static bool override_change(struct account_change *op, struct account_row *row, struct err *err)
{
	struct edit_call *edit = edit_of(op);
	const Bursar__V1__OverrideLimitsRequest *request = (const Bursar__V1__OverrideLimitsRequest *)edit->request;
	struct limit *limits = arena_zalloc(op->job.arena, (size_t)2 * LIMITS_MAX, sizeof(*limits));
	int count = edit->limits;

	memcpy(limits, edit->limit, sizeof(*limits) * (size_t)count);
	for (int i = 0; request->merge && i < row->profile.override_count; i++) {
		const struct limit *old = &row->profile.overrides[i];
		bool again = is_removed(request, old->name) || limit_ended(old, edit->now_us);

		for (int k = 0; k < edit->limits && !again; k++)
			again = limits[k].id == old->id;
		if (!again)
			limits[count++] = *old;
	}
	if (count > LIMITS_MAX)
		return err_invalid(err, "limits", "would be %d with those there are; at most %d", count, LIMITS_MAX);
	row->profile.overrides = limits;
	row->profile.override_count = count;
	return true;
}

/* The limits of the request, prepared, no two of one name. */
static bool overrides_read(struct edit_call *edit, struct err *err)
{
	const Bursar__V1__OverrideLimitsRequest *request = (const Bursar__V1__OverrideLimitsRequest *)edit->request;
	struct policy *policy = arena_zalloc(call_arena(edit->call), 1, sizeof(*policy));

	for (size_t i = 0; i < request->n_limits; i++) {
		struct limit *limit = &policy->limits[policy->count++];
		bool right =
			limit_from_message(request->limits[i], 80, limit, err) &&
			(!limit_ended(limit, edit->now_us) ||
				err_invalid(err, "until_us", "lies in the past: give a time to come, or 0 for no end"));
		if (!right)
			return err_prefix(err, "limits[%zu].", i);
	}
	edit->limits = policy->count;
	edit->limit = policy->limits;
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
	if (overrides_read(edit, &err))
		edit_start(edit, ctx, request->ref, request->reason, override_change);
	else
		call_fail(call, &err);
}

static bool suspend_change(struct account_change *op, struct account_row *row, struct err *err)
{
	const Bursar__V1__SuspendRequest *request = (const Bursar__V1__SuspendRequest *)edit_of(op)->request;

	(void)err;
	row->profile.suspended = true;
	row->suspended_reason = request->reason;
	return true;
}

static bool unsuspend_change(struct account_change *op, struct account_row *row, struct err *err)
{
	(void)op;
	(void)err;
	row->profile.suspended = false;
	row->suspended_reason = "";
	return true;
}

/* What it used stays in the ledger; PutAccount takes the mark away again. */
static bool delete_change(struct account_change *op, struct account_row *row, struct err *err)
{
	const struct account_key *key = &op->key;

	if (!row->known)
		return err_set(err, ERR_NOT_FOUND, "ref.id: there is no %s %s", account_kind_name(key->kind), key->id);
	row->profile.deleted = true;
	return true;
}

static bool grace_change(struct account_change *op, struct account_row *row, struct err *err)
{
	const Bursar__V1__SetGraceRequest *request = (const Bursar__V1__SetGraceRequest *)edit_of(op)->request;

	(void)err;
	row->profile.grace_until_us = request->until_us;
	row->profile.grace_percent = request->until_us == 0 ? 0 : request->percent ? request->percent : 100;
	return true;
}

static bool bypass_change(struct account_change *op, struct account_row *row, struct err *err)
{
	(void)err;
	row->profile.bypass = ((const Bursar__V1__SetBypassRequest *)edit_of(op)->request)->bypass;
	return true;
}

#define CHANGE(name_, Type_) \
	void admin_##name_(struct call *call, void *ctx) \
	{ \
		struct edit_call *edit = edit_new(call, ctx, &bursar__v1__##name_##_request__descriptor); \
		if (edit) { \
			const Bursar__V1__##Type_##Request *request = \
				(const Bursar__V1__##Type_##Request *)edit->request; \
			edit_start(edit, ctx, request->ref, request->reason, name_##_change); \
		} \
	}
#define set_grace_change grace_change
#define set_bypass_change bypass_change
#define delete_account_change delete_change
CHANGE(delete_account, DeleteAccount)
CHANGE(suspend, Suspend)
CHANGE(unsuspend, Unsuspend)
CHANGE(set_grace, SetGrace)
CHANGE(set_bypass, SetBypass)
