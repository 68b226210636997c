/* Makes the store and a worker agree about accounts. */
#include "service/repair/repair.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "domain/limit/profile.h"
#include "service/repair/private.h"
#include "service/worker/seed.h"

enum { POLL_US = 20000, DRAIN_US = 2000000, LOOKUP_US = 2000000, AWAY_US = 1000000 };

static flow_step step_birth, step_born, step_lookup, step_looked, step_seed, step_seeded;

struct repair *repair_of(struct flow *flow)
{
	return container_of(flow, struct repair, flow);
}

static struct worker *worker_of(const struct repair *repair)
{
	return repair->accounts->worker;
}

enum flow_result repair_store_failed(struct repair *repair, const struct limits_op *op)
{
	repair->store_away = true;
	return flow_fail_with(&repair->flow, &op->err);
}

bool repair_next_account(struct repair *repair, int from)
{
	for (int i = from; i < repair->accounts->count; i++)
		if (repair->mask & UINT32_C(1) << i) {
			repair->index = i;
			return true;
		}
	return false;
}

/* ABSENT, part 1: get the partition's generation, and wait until the ledger has drained what is in the outbox. */

FLOW_RESUME(birth_done, limits_op, repair, birth.op)

static enum flow_result step_birth(struct flow *flow)
{
	struct repair *repair = repair_of(flow);
	const struct request_account *account = &repair->accounts->account[repair->index];
	struct limits_store *limits = worker_of(repair)->parts.limits;

	repair->birth = (struct limits_birth){
		.op = {.arena = repair->accounts->arena, .done = birth_done},
		.kind = account->kind,
		.tenant = repair->accounts->tenant,
		.id = account->id,
		.everywhere = account->kind != ACCOUNT_USER,
	};
	return flow_wait(flow, step_born, limits->ops->birth(limits, &repair->birth));
}

FLOW_RESUME(wait_due, wait, repair, wait)

static enum flow_result step_born(struct flow *flow)
{
	struct repair *repair = repair_of(flow);
	struct worker *worker = worker_of(repair);
	int64_t now_us = clock_mono_us();
	int i = repair->index;

	if (repair->birth.op.status != LIMITS_OK)
		return repair_store_failed(repair, &repair->birth.op);
	memcpy(repair->born[i].generation, repair->birth.generation, sizeof(repair->born[i].generation));
	repair->born[i].now_us = repair->birth.op.now_us;
	/* While PostgreSQL is away nothing drains: the default tier decides at once instead of after a futile wait. */
	if (!outbox_drained(&repair->bound, &repair->birth) && now_us >= worker->durable_away_until_us) {
		if (now_us < repair->give_up_us && !(repair->unseeded && now_us < worker->ledger_behind_until_us)) {
			repair->wait = (struct wait){.due = wait_due};
			return flow_wait(flow, step_birth,
				worker->parts.timers->start(worker->parts.timers, &repair->wait, POLL_US));
		}
		repair->behind = true;
		worker->ledger_behind_until_us = now_us + AWAY_US;
	}
	repair->bound.set = false;
	if (!repair_next_account(repair, i + 1))
		return flow_more(flow, step_lookup);
	return flow_more(flow, step_birth);
}

/* ABSENT, part 2: read what PostgreSQL knows of the accounts, in one snapshot. */

static void lookup_done(struct account_lookup *op)
{
	struct repair *repair = container_of(op, struct repair, lookup);

	worker_durable_said(worker_of(repair), op->ok ? ERR_NONE : op->err.code, repair->asked_us);
	flow_run(&repair->flow);
}

enum flow_result repair_look_up(struct repair *repair)
{
	const struct accounts *accounts = repair->accounts;
	struct accounts_store *store = accounts->worker->parts.accounts;
	int64_t now_us = clock_mono_us(), left_us = repair->deadline_us - now_us;

	repair->asked_us = now_us;
	repair->lookup = (struct account_lookup){
		.arena = &repair->looked,
		/* A quarter of the caller's remaining time is left for the decision that follows. */
		.deadline_us = now_us + (left_us / 4 * 3 < LOOKUP_US ? left_us / 4 * 3 : LOOKUP_US),
		.done = lookup_done,
	};
	for (int i = 0; i < accounts->count; i++) {
		int n;

		if (!(repair->mask & UINT32_C(1) << i))
			continue;
		n = repair->lookup.count++;
		repair->lookup.account[n].kind = accounts->account[i].kind;
		repair->lookup.account[n].tenant = accounts->tenant;
		repair->lookup.account[n].id = accounts->account[i].id;
	}
	store->ops->lookup(store, &repair->lookup);
	return FLOW_WAIT;
}

static enum flow_result step_lookup(struct flow *flow)
{
	struct repair *repair = repair_of(flow);
	struct worker *worker = worker_of(repair);

	metric_inc(METRIC_redis_policy_misses_total, 0, 0);
	if (!repair->lookup_only && worker_durable_away(worker)) {
		if (repair->unseeded)
			return repair_stand_in(repair);
		repair->provisional = true;
		repair_next_account(repair, 0);
		return flow_more(flow, step_seed);
	}
	flow_to(flow, step_looked);
	return repair_look_up(repair);
}

/* For a user without a row in PostgreSQL. One who has never used anything counts as a new user and may be refused. */
static bool user_may_come(struct repair *repair, struct err *err)
{
	const struct tenant *settings = repair->accounts->settings;

	repair->user_unknown = true;
	if (repair->lookup_only || settings->unknown_users == UNKNOWN_REFUSE)
		return true;
	if (repair->lookup.account[0].windows || repair->lookup.account[0].buckets)
		return true;
	return worker_newcomer(worker_of(repair), repair->accounts->tenant, err);
}

static enum flow_result step_looked(struct flow *flow)
{
	struct repair *repair = repair_of(flow);
	struct account_lookup *lookup = &repair->lookup;

	repair_next_account(repair, 0);
	flow_to(flow, step_seed);
	if (!lookup->ok) {
		if (repair->lookup_only)
			return flow_fail_with(flow, &lookup->err);
		if (repair->unseeded)
			return repair_stand_in(repair);
		log_warn("accounts get provisional records on the default tier", F("cause", lookup->err.text));
		repair->provisional = true;
		return FLOW_MORE;
	}
	repair_learn_looked(repair);
	if (repair->unseeded)
		return repair_step_adopt(flow);
	if (lookup->account[0].kind == ACCOUNT_USER && !lookup->account[0].known && !user_may_come(repair, &flow->err))
		return flow_fail(flow);
	if (repair->lookup_only) {
		repair_learn_local(repair);
		return flow_succeed(flow);
	}
	if (repair->behind) {
		err_set(&flow->err, ERR_UNAVAILABLE, "the ledger has not caught up with this account; try again");
		flow->err.retry_after_us = DRAIN_US;
		return flow_fail(flow);
	}
	return FLOW_MORE;
}

/* ABSENT, part 3: write the record if it is still absent and the generation is the same. */

FLOW_RESUME(seed_done, limits_op, repair, seed.op)

/* Resolves the account again, so that the profile, tier and windows just learned apply. */
static bool seed_expected(struct repair *repair, struct accounts *now, struct err *err)
{
	const struct request_account *account = &repair->accounts->account[repair->index];
	struct entry_account only = {.kind = account->kind, .id = account->id};

	*now = *repair->accounts;
	return accounts_of_reservation(now, &only, 1, err);
}

/* The account's tier is newer than this catalog: repeats the step, or makes the caller ask again with a newer one. */
static bool lags(struct repair *repair, const struct accounts *now, enum flow_result *result)
{
	struct timers *timers = worker_of(repair)->parts.timers;
	enum catalog_lag lag = CATALOG_HAS_NONE;

	if (now->tier_missing)
		lag = worker_catalog_lag(now->worker, now->catalog, &repair->catalog_until_us);
	*result = lag == CATALOG_NEWER ? flow_succeed(&repair->flow) : FLOW_WAIT;
	repair->wait = (struct wait){.due = wait_due};
	if (lag == CATALOG_AWAITED)
		timers->start(timers, &repair->wait, CATALOG_LOOK_US);
	return lag != CATALOG_HAS_NONE;
}

static enum flow_result step_seed(struct flow *flow)
{
	enum flow_result result;
	struct repair *repair = repair_of(flow);
	struct accounts *now = arena_alloc(repair->accounts->arena, sizeof(*now));
	int i = repair->index,
	    n = lookup_index(&repair->lookup, repair->accounts->account[i].kind, repair->accounts->account[i].id);

	worker_clock_is(worker_of(repair), repair->born[i].now_us);
	if (!seed_expected(repair, now, &flow->err))
		return flow_fail(flow);
	if (!repair->provisional && lags(repair, now, &result))
		return result;
	repair->seed = (struct limits_seed){
		.op = {.arena = repair->accounts->arena, .done = seed_done},
		.expected = account_expect(now, 0),
		.profile = now->account[0].profile,
		.provisional = repair->provisional,
		.now_us = repair->born[i].now_us,
	};
	memcpy(repair->seed.generation, repair->born[i].generation, sizeof(repair->seed.generation));
	/* If the zone is unknown, windows start now: that is within the running windows of any zone. */
	for (int u = 0; repair->provisional && u < WINDOW_COUNT; u++)
		repair->seed.window_start[u] = repair->seed.now_us;
	if (!repair->provisional && n >= 0) {
		seed_starts(&now->account[0].windows, &repair->lookup.account[n], repair->seed.now_us,
			repair->seed.window_start);
		repair->seed.ahead_us = usage_ahead(
			repair->lookup.account[n].window, repair->lookup.account[n].windows, repair->seed.now_us);
		seed_states(now->account[0].policy, &repair->lookup.account[n], repair->seed.window_start,
			repair->seed.now_us, repair->seed.limits);
	}
	return flow_wait(flow, step_seeded,
		worker_of(repair)->parts.limits->ops->seed(worker_of(repair)->parts.limits, &repair->seed));
}

static enum flow_result step_seeded(struct flow *flow)
{
	struct repair *repair = repair_of(flow);

	switch (repair->seed.op.status) {
	case LIMITS_OK:
		metric_inc(METRIC_seeded_accounts_total, 0, 0);
		break;
	case LIMITS_NOTHING: /* another worker was first */
	case LIMITS_LOST: /* data was lost or the account has changed since; the next round starts over */
		break;
	default:
		return repair_store_failed(repair, &repair->seed.op);
	}
	flow_to(flow, step_seed);
	return repair_next_account(repair, repair->index + 1) ? FLOW_MORE : flow_succeed(flow);
}

/* STALE: the store has a newer profile and has sent it along. */
static bool learn_stale(struct repair *repair, const struct limits_op *op)
{
	for (int i = 0; i < op->stale_count; i++) {
		const struct stale *stale = &op->stale[i];
		const struct request_account *account = &repair->accounts->account[stale->index];
		struct account_profile *profile = arena_alloc(repair->accounts->arena, sizeof(*profile));

		if (!profile_unpack(stale->meta, stale->meta_len, repair->accounts->arena, profile))
			return err_set(&repair->flow.err, ERR_INTERNAL,
				"cannot read the profile in the record of account %s", account->id);
		profile->version = stale->version;
		accounts_learn(repair->accounts, account->kind, account->id, profile);
	}
	return true;
}

static enum flow_result step_begin(struct flow *flow)
{
	struct repair *repair = repair_of(flow);

	if (!repair_next_account(repair, 0)) {
		err_set(&flow->err, ERR_INTERNAL, "the store named no account to repair");
		return flow_fail(flow);
	}
	if (repair->lookup_only)
		return flow_more(flow, step_lookup);
	return flow_more(flow, step_birth);
}

static enum flow_result step_learned(struct flow *flow)
{
	return repair_of(flow)->flow.err.code ? flow_fail(flow) : flow_succeed(flow);
}

bool repair_can(enum limits_status status)
{
	return status == LIMITS_ABSENT || status == LIMITS_STALE || status == LIMITS_BEHIND || status == LIMITS_CLOCK ||
	       status == LIMITS_UNSEEDED;
}

static void repair_done(struct flow *flow)
{
	struct repair *repair = repair_of(flow);

	arena_release(&repair->looked);
	repair->told(flow);
}

static void repair_init(struct repair *repair, struct accounts *accounts, uint32_t mask, int64_t deadline_us,
	void (*done)(struct flow *flow))
{
	int64_t drain_by_us = clock_mono_us() + DRAIN_US;

	*repair = (struct repair){
		.flow = {.done = repair_done},
		.told = done,
		.accounts = accounts,
		.deadline_us = deadline_us,
		.mask = mask,
		.give_up_us = drain_by_us < deadline_us ? drain_by_us : deadline_us,
	};
}

void repair_start(struct repair *repair, struct accounts *accounts, const struct limits_op *op, int64_t deadline_us,
	void (*done)(struct flow *flow))
{
	repair_init(repair, accounts, op->mask, deadline_us, done);
	switch (op->status) {
	case LIMITS_UNSEEDED:
		repair->unseeded = op->unseeded;
		repair->unseeded_count = op->unseeded_count;
		flow_to(&repair->flow, step_begin);
		break;
	case LIMITS_ABSENT:
		flow_to(&repair->flow, step_begin);
		break;
	case LIMITS_BEHIND:
		flow_to(&repair->flow, repair_step_behind);
		break;
	case LIMITS_STALE:
		(void)learn_stale(repair, op);
		flow_to(&repair->flow, step_learned);
		break;
	default: /* CLOCK */
		metric_inc(METRIC_redis_clock_retries_total, 0, 0);
		worker_clock_is(accounts->worker, op->now_us);
		flow_to(&repair->flow, step_learned);
	}
	flow_run(&repair->flow);
}

void repair_lookup(struct repair *repair, struct accounts *accounts, uint32_t mask, int64_t deadline_us,
	void (*done)(struct flow *flow))
{
	repair_init(repair, accounts, mask, deadline_us, done);
	repair->lookup_only = true;
	flow_to(&repair->flow, step_begin);
	flow_run(&repair->flow);
}
