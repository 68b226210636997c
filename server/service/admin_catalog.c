/* Commits, hurries the catalog's loader, and waits until the snapshot shows what was committed. */
#include "service/admin_catalog.h"

#include <string.h>

#include "base/clock.h"
#include "base/list.h"

enum { LOOK_US = 5000, LOOK_MOST_US = 2000000 };

static enum flow_result step_committed(struct flow *flow);
static enum flow_result step_look(struct flow *flow);

static struct catalog_edit *edit_of(struct flow *flow)
{
	return container_of(flow, struct catalog_edit, flow);
}

static void tenant_done(struct admin_job *job)
{
	struct tenant_put *op = container_of(job, struct tenant_put, job);

	flow_run(&container_of(op, struct catalog_edit, op.tenant)->flow);
}

static void tier_done(struct admin_job *job)
{
	struct tier_put *op = container_of(job, struct tier_put, job);

	flow_run(&container_of(op, struct catalog_edit, op.tier)->flow);
}

static void price_done(struct admin_job *job)
{
	struct price_put *op = container_of(job, struct price_put, job);

	flow_run(&container_of(op, struct catalog_edit, op.price)->flow);
}

static struct admin_job *job_of(struct catalog_edit *edit)
{
	if (edit->kind == EDIT_TENANT)
		return &edit->op.tenant.job;
	return edit->kind == EDIT_TIER ? &edit->op.tier.job : &edit->op.price.job;
}

static enum flow_result step_put(struct flow *flow)
{
	struct catalog_edit *edit = edit_of(flow);
	struct admin_store *admin = edit->worker->parts.admin;

	job_of(edit)->arena = edit->arena;
	flow_to(flow, step_committed);
	if (edit->kind == EDIT_TENANT) {
		edit->op.tenant.job.done = tenant_done;
		admin->ops->tenant_put(admin, &edit->op.tenant);
	} else if (edit->kind == EDIT_TIER) {
		edit->op.tier.job.done = tier_done;
		admin->ops->tier_put(admin, &edit->op.tier);
	} else {
		edit->op.price.job.done = price_done;
		admin->ops->price_put(admin, &edit->op.price);
	}
	return FLOW_WAIT;
}

/* Does the snapshot show what was committed? */
static bool is_seen(const struct catalog_edit *edit, const struct catalog *catalog)
{
	if (edit->kind == EDIT_TENANT) {
		const struct tenant *put = &edit->op.tenant.tenant;
		const struct tenant *seen = catalog_tenant(catalog, put->id);

		return seen && strcmp(seen->id, put->id) == 0 && seen->epoch >= put->epoch;
	}
	if (edit->kind == EDIT_TIER) {
		const struct tier *put = &edit->op.tier.tier;
		const struct tier *seen = catalog_tier(catalog, edit->op.tier.tenant, put->name);

		return seen && memcmp(seen->policy.pid, put->policy.pid, sizeof(put->policy.pid)) == 0 &&
		       seen->pool_priority == put->pool_priority && seen->fail_policy == put->fail_policy &&
		       seen->default_output_tokens == put->default_output_tokens &&
		       strcmp(seen->upgrade_to, put->upgrade_to) == 0;
	}
	const struct price *put = &edit->op.price.price;
	char model[2 * ID_MAX + 2];

	strcpy(model, put->provider);
	strcat(model, "/");
	strcat(model, put->model);
	const struct price *seen = price_find(catalog_prices(catalog), put->tenant, put->account, model, put->from_us);
	return seen && seen->from_us == put->from_us && memcmp(&seen->base, &put->base, sizeof(put->base)) == 0 &&
	       strcmp(seen->tenant, put->tenant) == 0 && strcmp(seen->account, put->account) == 0;
}

static enum flow_result step_committed(struct flow *flow)
{
	struct catalog_edit *edit = edit_of(flow);

	if (!job_of(edit)->ok)
		return flow_fail_with(flow, &job_of(edit)->err);
	edit->give_up_us = clock_mono_us() + LOOK_MOST_US;
	catalog_source_poke(edit->worker->parts.catalog);
	flow_to(flow, step_look);
	return FLOW_MORE;
}

static void wait_due(struct wait *wait)
{
	flow_run(&container_of(wait, struct catalog_edit, wait)->flow);
}

/* A committed change is a success also when the loader is slow: then the answer comes before it is in force here. */
static enum flow_result step_look(struct flow *flow)
{
	struct catalog_edit *edit = edit_of(flow);
	struct catalog *catalog = catalog_acquire(edit->worker->parts.catalog);
	bool seen = catalog && is_seen(edit, catalog);

	if (catalog)
		catalog_release(catalog);
	if (seen || clock_mono_us() >= edit->give_up_us)
		return flow_succeed(flow);
	edit->wait = (struct wait){.due = wait_due};
	edit->worker->parts.timers->start(edit->worker->parts.timers, &edit->wait, LOOK_US);
	return FLOW_WAIT;
}

void catalog_edit_start(
	struct catalog_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	edit->flow = (struct flow){.done = done};
	edit->worker = worker;
	edit->arena = arena;
	flow_to(&edit->flow, step_put);
	flow_run(&edit->flow);
}
