/* Tenants and tiers (api/admin/private.h): written through service/catalog, read from the newest snapshot. */
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "service/request/pricing.h"

Bursar__V1__Tenant *admin_tenant_message(struct arena *arena, const struct tenant *tenant, const char *id)
{
	Bursar__V1__Tenant *message = message_new(arena, Tenant, tenant);

	message->id = unconst(id);
	message->default_tier = unconst(tenant->default_tier);
	message->unknown_users = (Bursar__V1__UnknownUsers)tenant->unknown_users;
	message->unknown_model = (Bursar__V1__UnknownModel)tenant->unknown_model;
	message->fallback_model = unconst(tenant->fallback_model);
	message->language = unconst(tenant->language);
	message->cost_source = (Bursar__V1__CostSource)tenant->cost_source;
	message->epoch = tenant->epoch;
	message->known = strcmp(tenant->id, id) == 0;
	return message;
}

static void tenant_put_answer(struct call *call, const struct catalog_edit *edit)
{
	const struct tenant *tenant = &edit->op.tenant.tenant;

	call_reply_message(call, &admin_tenant_message(call_arena(call), tenant, tenant->id)->base);
}

ADMIN_EDIT_ANSWER(tenant_put_done, tenant_put_answer)

static void copy(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
}

/* Fields that the request omits keep their values. */
static void tenant_read(const Bursar__V1__Tenant *message, const struct catalog *catalog, struct tenant *tenant)
{
	const struct tenant *old = catalog_tenant(catalog, message->id);

	if (old)
		*tenant = *old;
	tenant->model_accounts = 0;
	tenant->model_account = NULL;
	copy(tenant->id, message->id);
	if (message->default_tier[0])
		copy(tenant->default_tier, message->default_tier);
	if (message->unknown_users)
		tenant->unknown_users = (enum unknown_users)message->unknown_users;
	if (message->unknown_model)
		tenant->unknown_model = (enum unknown_model)message->unknown_model;
	if (message->fallback_model[0])
		copy(tenant->fallback_model, message->fallback_model);
	if (message->language[0])
		copy(tenant->language, message->language);
	if (message->cost_source)
		tenant->cost_source = (enum cost_source)message->cost_source;
}

bool admin_fallback_fits(
	const struct tenant *tenant, const struct catalog *catalog, const char *field, int64_t now_us, struct err *err)
{
	const struct pricing pricing = {.catalog = catalog, .tenant = tenant->id, .user = ""};
	const struct tenant *old = catalog_tenant(catalog, tenant->id);

	if (!tenant->fallback_model[0] || (old && strcmp(old->fallback_model, tenant->fallback_model) == 0))
		return true;
	return price_known(&pricing, tenant->fallback_model, field, now_us, err);
}

static bool tenant_fits(const struct tenant *tenant, const struct catalog *catalog, int64_t now_us, struct err *err)
{
	if (!catalog_tier(catalog, tenant->id, tenant->default_tier))
		return err_invalid(err, "tenant.default_tier", "there is no tier %s: create it first",
			       tenant->default_tier) ||
		       err_reason_of(err, "TIER_NOT_FOUND", "%s", tenant->default_tier);
	if (tenant->unknown_model == MODEL_FALLBACK && !tenant->fallback_model[0])
		return err_invalid(
			err, "tenant.fallback_model", "is required when unknown models are priced as a fallback");
	return admin_fallback_fits(tenant, catalog, "tenant.fallback_model", now_us, err);
}

void admin_put_tenant(struct call *call, void *ctx)
{
	struct admin_edit *put = admin_edit_new(call, EDIT_TENANT);
	struct err err;
	struct snapshot *snapshot;
	const Bursar__V1__PutTenantRequest *request =
		request_read(call, &bursar__v1__put_tenant_request__descriptor, &err);
	bool fits;

	if (!request || !(snapshot = snapshot_take(ctx, &err))) {
		call_fail(call, &err);
		return;
	}
	tenant_read(request->tenant, snapshot->catalog, &put->edit.op.tenant.tenant);
	fits = tenant_fits(&put->edit.op.tenant.tenant, snapshot->catalog, worker_now_us(ctx), &err);
	snapshot_give(ctx, snapshot);
	if (!fits) {
		call_fail(call, &err);
		return;
	}
	admin_edit_start(put, ctx, request->reason, tenant_put_done);
}

void admin_get_tenant(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__GetTenantRequest *request = request_take(call, &bursar__v1__get_tenant_request__descriptor);
	struct snapshot *snapshot = request ? admin_snapshot(call, ctx) : NULL;
	const char *id;
	const struct tenant *tenant;

	if (!snapshot)
		return;
	id = tenant_or_default(request->id);
	tenant = catalog_tenant(snapshot->catalog, id);
	if (tenant) {
		call_reply_message(call, &admin_tenant_message(call_arena(call), tenant, id)->base);
	} else {
		err_set(&err, ERR_NOT_FOUND, "id: there is no tenant %s", id);
		err_reason_of(&err, "TENANT_NOT_FOUND", "%s", id);
		call_fail(call, &err);
	}
	snapshot_give(ctx, snapshot);
}

static void tenants_answer(struct call *call, const struct tenant_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListTenantsResponse *answer = message_new(arena, ListTenantsResponse, list_tenants_response);

	answer->tenants = message_list(arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++) {
		Bursar__V1__Tenant *tenant = admin_tenant_message(arena, &op->rows[i], op->rows[i].id);

		tenant->known = op->known[i];
		answer->tenants[answer->n_tenants++] = tenant;
	}
	if (op->more && op->count > 0)
		answer->next_page_token = op->rows[op->count - 1].id;
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(tenants_call, tenant_list, ListTenantsRequest, list_tenants_request, tenants_done, tenants_answer)

void admin_list_tenants(struct call *call, void *ctx)
{
	struct tenants_call *list = tenants_call_new(call);

	if (!list)
		return;
	list->op = (struct tenant_list){
		.job = admin_question(call, tenants_done),
		.after = list->request->page_token,
		.limit = admin_page(list->request->page_size, 100, 1000),
	};
	admin_ask(ctx, tenant_list, &list->op);
}

Bursar__V1__Tier *admin_tier_message(struct arena *arena, const char *tenant, const struct tier *tier)
{
	Bursar__V1__Tier *message = message_new(arena, Tier, tier);

	message->tenant = unconst(tenant);
	message->name = unconst(tier->name);
	message->limits = message_list(arena, LIMITS_MAX);
	for (int i = 0; i < tier->policy.count; i++)
		message->limits[message->n_limits++] = limit_to_message(arena, &tier->policy.limits[i]);
	message->pool_priority = tier->pool_priority;
	message->pool_concurrent = tier->pool_concurrent;
	message->default_output_tokens = tier->default_output_tokens;
	message->fail_policy = (Bursar__V1__FailPolicy)tier->fail_policy;
	message->shipped = tier->shipped;
	message->upgrade_to = unconst(tier->upgrade_to);
	message->etag = unconst(tier->etag);
	return message;
}

bool admin_tier_read(const Bursar__V1__Tier *message, int warn_percent, struct tier *tier, struct err *err)
{
	copy(tier->name, message->name);
	for (size_t i = 0; i < message->n_limits; i++) {
		struct limit *limit = &tier->policy.limits[tier->policy.count++];
		bool right =
			limit_from_message(message->limits[i], warn_percent, limit, err) &&
			(!limit->until_us || err_invalid(err, "until_us",
						     "is for account overrides only; a tier's limits have no end"));
		if (!right)
			return err_prefix(err, "limits[%zu].", i);
	}
	if (!policy_prepare(&tier->policy, err))
		return false;
	tier->pool_priority = message->pool_priority ? message->pool_priority : 1;
	tier->pool_concurrent = message->pool_concurrent ? message->pool_concurrent : 1;
	tier->default_output_tokens = message->default_output_tokens ? message->default_output_tokens : 1000;
	tier->fail_policy = message->fail_policy ? (enum fail_policy)message->fail_policy : FAIL_LOCAL;
	copy(tier->upgrade_to, message->upgrade_to);
	return true;
}

static void tier_put_answer(struct call *call, const struct catalog_edit *edit)
{
	const struct tier_put *op = &edit->op.tier;
	Bursar__V1__Tier *message = admin_tier_message(call_arena(call), op->tenant, &op->tier);

	message->etag = unconst(op->job.etag);
	call_reply_message(call, &message->base);
}

ADMIN_EDIT_ANSWER(tier_put_done, tier_put_answer)

void admin_put_tier(struct call *call, void *ctx)
{
	struct admin_edit *put = admin_edit_new(call, EDIT_TIER);
	struct worker *worker = ctx;
	struct err err;
	const Bursar__V1__PutTierRequest *request = request_take(call, &bursar__v1__put_tier_request__descriptor);

	if (!request)
		return;
	if (!admin_tier_read(request->tier, (int)worker->parts.conf->warn_percent, &put->edit.op.tier.tier, &err)) {
		err_prefix(&err, "tier.");
		call_fail(call, &err);
		return;
	}
	put->edit.op.tier.tenant = tenant_or_default(request->tier->tenant);
	admin_edit_start(put, ctx, request->reason, tier_put_done);
}

static void tier_delete_answer(struct call *call, const struct catalog_edit *edit)
{
	struct arena *arena = call_arena(call);
	const struct tier_delete *op = &edit->op.tier_delete;
	struct snapshot *snapshot = admin_snapshot(call, edit->worker);
	Bursar__V1__DeleteTierResponse *answer = message_new(arena, DeleteTierResponse, delete_tier_response);
	const struct tier *shipped;

	if (!snapshot)
		return;
	shipped = catalog_tier(snapshot->catalog, op->tenant, op->name);
	if (shipped)
		answer->tier = admin_tier_message(arena, op->tenant, shipped);
	call_reply_message(call, &answer->base);
	snapshot_give(edit->worker, snapshot);
}

ADMIN_EDIT_ANSWER(tier_delete_done, tier_delete_answer)

void admin_delete_tier(struct call *call, void *ctx)
{
	struct admin_edit *put = admin_edit_new(call, EDIT_TIER_DELETE);
	struct tier_delete *op = &put->edit.op.tier_delete;
	const Bursar__V1__DeleteTierRequest *request = request_take(call, &bursar__v1__delete_tier_request__descriptor);

	if (!request)
		return;
	op->tenant = tenant_or_default(request->tenant);
	op->name = request->name;
	admin_edit_start(put, ctx, request->reason, tier_delete_done);
}

void admin_get_tier(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__GetTierRequest *request = request_take(call, &bursar__v1__get_tier_request__descriptor);
	struct snapshot *snapshot = request ? admin_snapshot(call, ctx) : NULL;
	const char *tenant;
	const struct tier *tier;

	if (!snapshot)
		return;
	tenant = tenant_or_default(request->tenant);
	tier = catalog_tier(snapshot->catalog, tenant, request->name);
	if (tier) {
		call_reply_message(call, &admin_tier_message(call_arena(call), tenant, tier)->base);
	} else {
		err_set(&err, ERR_NOT_FOUND, "name: tenant %s has no tier %s", tenant, request->name);
		err_reason_of(&err, "TIER_NOT_FOUND", "%s", request->name);
		call_fail(call, &err);
	}
	snapshot_give(ctx, snapshot);
}

void admin_list_tiers(struct call *call, void *ctx)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListTiersResponse *answer = message_new(arena, ListTiersResponse, list_tiers_response);
	const Bursar__V1__ListTiersRequest *request = request_take(call, &bursar__v1__list_tiers_request__descriptor);
	struct snapshot *snapshot = request ? admin_snapshot(call, ctx) : NULL;
	size_t count = 0;
	const char *tenant;

	if (!snapshot)
		return;
	tenant = tenant_or_default(request->tenant);
	for (const char *after = ""; after; count++) {
		const struct tier *tier = catalog_tier_next(snapshot->catalog, tenant, after);
		after = tier ? tier->name : NULL;
	}
	answer->tiers = message_list(arena, count);
	for (const char *after = ""; after;) {
		const struct tier *tier = catalog_tier_next(snapshot->catalog, tenant, after);
		if (tier)
			answer->tiers[answer->n_tiers++] = admin_tier_message(arena, tenant, tier);
		after = tier ? tier->name : NULL;
	}
	call_reply_message(call, &answer->base);
	snapshot_give(ctx, snapshot);
}
