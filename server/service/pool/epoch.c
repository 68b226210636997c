/* Fetches an epoch: asks the store whether the pool needs one, gets it from PostgreSQL, hands it to the store. */
#include "service/pool/epoch.h"

#include "base/list.h"
#include "base/observe/log.h"

static flow_step step_told, step_allotted, step_given;

FLOW_OWNER(fetch_of, epoch_fetch)

FLOW_RESUME(on_store, pool_op, epoch_fetch, ask.op)

static void call_store(struct epoch_fetch *fetch, const char *claim, uint32_t epoch, bool first)
{
	struct pools_store *pools = fetch->worker->parts.pools;

	fetch->ask = (struct pool_epoch){
		.op = {.tenant = fetch->tenant, .pool = fetch->pool, .arena = fetch->arena, .done = on_store},
		.claim = claim,
		.epoch = epoch,
		.first = first,
	};
	pools->ops->epoch(pools, &fetch->ask);
}

static enum flow_result step_ask(struct flow *flow)
{
	return flow_wait(flow, step_told, call_store(fetch_of(flow), "", 0, false));
}

static void on_open(struct admin_job *job)
{
	struct epoch_fetch *fetch = container_of(container_of(job, struct pool_open, job), struct epoch_fetch, open);

	fetch->worker->epochs_asked--;
	flow_run(&fetch->flow);
}

static enum flow_result not_answered(struct epoch_fetch *fetch)
{
	const struct pool_op *op = &fetch->ask.op;

	if (op->status == POOL_FAILED)
		return flow_fail_with(&fetch->flow, &op->err);
	err_set(&fetch->flow.err, ERR_UNAVAILABLE, "Redis does not have the pool");
	return flow_fail(&fetch->flow);
}

static enum flow_result step_told(struct flow *flow)
{
	struct epoch_fetch *fetch = fetch_of(flow);
	struct admin_store *admin = fetch->worker->parts.admin;

	if (fetch->ask.op.status != POOL_OK)
		return not_answered(fetch);
	if (fetch->ask.want == EPOCH_KEPT)
		return flow_succeed(flow);
	fetch->open = (struct pool_open){
		.job = {.arena = fetch->arena, .done = on_open, .actor = "bursard", .reason = ""},
		.tenant = fetch->tenant,
		.name = fetch->pool,
		.claim = fetch->ask.claim_now,
		.known = fetch->ask.epoch,
	};
	flow_to(flow, step_allotted);
	fetch->worker->epochs_asked++;
	admin->ops->pool_open(admin, &fetch->open);
	return FLOW_WAIT;
}

static enum flow_result step_allotted(struct flow *flow)
{
	struct epoch_fetch *fetch = fetch_of(flow);
	const struct pool_open *open = &fetch->open;

	if (!open->job.ok) {
		log_warn("a pool waits for an epoch from PostgreSQL", F("tenant", fetch->tenant),
			F("pool", fetch->pool), F("why", open->job.err.text));
		return flow_fail_with(flow, &open->job.err);
	}
	return flow_wait(flow, step_given, call_store(fetch, open->claim, open->epoch, open->first));
}

/* Another worker's epoch may have come first, or the state may have been replaced, in which case it still needs one. */
static enum flow_result step_given(struct flow *flow)
{
	struct epoch_fetch *fetch = fetch_of(flow);

	if (fetch->ask.op.status != POOL_OK)
		return not_answered(fetch);
	if (fetch->ask.want == EPOCH_NEEDED) {
		err_set(&flow->err, ERR_UNAVAILABLE, "the pool's state in Redis was replaced in the meantime");
		return flow_fail(flow);
	}
	return flow_succeed(flow);
}

void epoch_fetch_start(struct epoch_fetch *fetch, void (*done)(struct flow *flow))
{
	fetch->flow = (struct flow){.done = done};
	flow_to(&fetch->flow, step_ask);
	flow_run(&fetch->flow);
}
