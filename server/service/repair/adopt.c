/*
 * UNSEEDED: calendar limits that count something new for the account, or whose record was made while PostgreSQL was
 * away. The ledger has been read; its amounts are added, unless something has been settled since: then the caller asks
 * again (service/repair/private.h).
 */
#include "base/list.h"
#include "base/observe/log.h"
#include "service/repair/private.h"
#include "service/worker/seed.h"

/*
 * How many times something may be settled between reading and writing. After that the amounts are added anyway: never
 * less than the truth, and corrected once the reconciler finds the counters at rest.
 */
enum { ADOPTIONS_MAX = 3 };

static flow_step step_write, step_written;

enum flow_result repair_stand_in(struct repair *repair)
{
	log_warn("limits decide without the use that is in the ledger", F("tenant", repair->accounts->tenant));
	repair->provisional = true;
	return flow_succeed(&repair->flow);
}

/* The profile has changed since the record was written; that must be repaired first. */
static bool outdated(const struct repair *repair)
{
	const struct accounts *accounts = repair->accounts;

	for (int i = 0; i < repair->lookup.count; i++)
		for (int k = 0; k < accounts->count; k++)
			if (accounts->account[k].kind == repair->lookup.account[i].kind &&
				accounts->account[k].profile->version != repair->lookup.account[i].profile.version)
				return true;
	return false;
}

enum flow_result repair_step_adopt(struct flow *flow)
{
	struct repair *repair = repair_of(flow);

	if (outdated(repair))
		return flow_succeed(flow);
	if (repair->behind)
		return repair_stand_in(repair);
	repair->accounts->adoptions++;
	repair->index = 0;
	return flow_more(flow, step_write);
}

FLOW_RESUME(adopt_done, limits_op, repair, adopt.op)

static void adopt_fill(struct repair *repair, const struct unseeded *unseeded, const struct account_found *found)
{
	struct limits_adopt *adopt = &repair->adopt;
	int64_t now_us = repair->born[unseeded->index].now_us;

	seed_starts(&adopt->expected.windows, found, now_us, adopt->window_start);
	for (int i = 0; i < unseeded->count; i++) {
		adopt->limit[i].id = unseeded->limit[i].id;
		adopt->limit[i].seen = unseeded->limit[i].settled;
		adopt->limit[i].known = usage_of(found->window, found->windows, unseeded->limit[i].unit,
			unseeded->limit[i].dimension, unseeded->limit[i].interface_hash, unseeded->limit[i].model_hash,
			adopt->window_start[unseeded->limit[i].unit], now_us);
	}
	adopt->count = unseeded->count;
}

static enum flow_result step_write(struct flow *flow)
{
	struct repair *repair = repair_of(flow);
	struct accounts *accounts = repair->accounts;
	struct limits_store *limits = accounts->worker->parts.limits;
	const struct unseeded *unseeded = &repair->unseeded[repair->index];
	const struct request_account *account = &accounts->account[unseeded->index];
	int n = lookup_index(&repair->lookup, account->kind, account->id);

	repair->adopt = (struct limits_adopt){
		.op = {.arena = accounts->arena, .done = adopt_done},
		.expected = account_expect(accounts, unseeded->index),
		.even_if_moved = accounts->adoptions >= ADOPTIONS_MAX,
	};
	if (n < 0) {
		err_set(&flow->err, ERR_INTERNAL, "account %s was not looked up", account->id);
		return flow_fail(flow);
	}
	adopt_fill(repair, unseeded, &repair->lookup.account[n]);
	return flow_wait(flow, step_written, limits->ops->adopt(limits, &repair->adopt));
}

static enum flow_result step_written(struct flow *flow)
{
	struct repair *repair = repair_of(flow);

	if (repair->adopt.op.status == LIMITS_FAILED)
		return repair_store_failed(repair, &repair->adopt.op);
	flow_to(flow, step_write);
	return ++repair->index < repair->unseeded_count ? FLOW_MORE : flow_succeed(flow);
}
