/* Releases or renews a lease by its handle: by whoever has it, on any worker (service/pool/pool.h). */
#include <string.h>

#include "base/list.h"
#include "service/pool/private.h"

static struct lease_call *call_of_end(struct pool_op *op)
{
	return container_of(container_of(op, struct pool_end, op), struct lease_call, end);
}

static enum flow_result finish(struct lease_call *call, enum pool_status status, const struct err *err)
{
	struct flow *flow = &call->flow;

	if (status == POOL_OK || status == POOL_REPEAT)
		return flow_succeed(flow);
	if (status == POOL_UNKNOWN) {
		err_set(&flow->err, ERR_NOT_FOUND, "lease: is unknown; it ended some time ago");
		err_reason(&flow->err, "LEASE_NOT_FOUND");
	} else if (status == POOL_FAILED) {
		flow->err = *err;
		flow->err.code = ERR_UNAVAILABLE;
	} else {
		err_set(&flow->err, ERR_PRECONDITION, "lease: has ended, or request %s already holds a newer one",
			call->lease.request_id);
		err_reason(&flow->err, "LEASE_LOST");
	}
	return flow_fail(flow);
}

static enum flow_result step_released(struct flow *flow)
{
	struct lease_call *call = container_of(flow, struct lease_call, flow);
	struct pool_end *end = &call->end;

	call->repeat = end->op.status == POOL_REPEAT;
	call->held_us = end->op.status == POOL_OK ? end->held_us : 0;
	return finish(call, end->op.status, &end->op.err);
}

/* The freed slot may have been granted to a caller of this worker. */
static void released(struct pool_op *op)
{
	struct lease_call *call = call_of_end(op);
	struct pool_manager *manager = call->manager;

	list_each (&manager->pools, at, after) {
		struct kept_pool *pool = container_of(at, struct kept_pool, link);

		if (op->status != POOL_FAILED && strcmp(pool->tenant, op->tenant) == 0 &&
			strcmp(pool->settings.name, op->pool) == 0)
			pool_take_grants(pool, op);
	}
	flow_run(&call->flow);
}

void lease_release(struct lease_call *call, void (*done)(struct flow *flow))
{
	struct pools_store *store = call->manager->store;

	call->flow = (struct flow){.done = done};
	flow_to(&call->flow, step_released);
	call->end = (struct pool_end){
		.op = {.tenant = call->lease.tenant, .pool = call->lease.pool, .arena = call->arena, .done = released},
		.request = {call->lease.user, call->lease.request_id},
		.fence = call->lease.fence,
	};
	store->ops->release(store, &call->end);
}

static enum flow_result step_renewed(struct flow *flow)
{
	struct lease_call *call = container_of(flow, struct lease_call, flow);

	call->expires_at_us = call->item.expires_at_us;
	call->drain_by_us = call->item.drain_by_us;
	return finish(call, call->renew.op.status == POOL_OK ? call->item.status : call->renew.op.status,
		&call->renew.op.err);
}

static void renewed(struct pool_op *op)
{
	struct lease_call *call = container_of(container_of(op, struct pool_renew, op), struct lease_call, renew);

	flow_run(&call->flow);
}

void lease_renew(struct lease_call *call, void (*done)(struct flow *flow))
{
	struct pools_store *store = call->manager->store;

	call->flow = (struct flow){.done = done};
	flow_to(&call->flow, step_renewed);
	call->item = (struct pool_renewal){
		.grant = {{call->lease.user, call->lease.request_id}, call->lease.fence},
	};
	call->renew = (struct pool_renew){
		.op = {.tenant = call->lease.tenant, .pool = call->lease.pool, .arena = call->arena, .done = renewed},
		.count = 1,
		.item = &call->item,
	};
	store->ops->renew(store, &call->renew);
}
