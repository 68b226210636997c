/*
 * Looks for what nobody notes (service/alerts/chores.h). The lease outlives two looks; while it is fresh, or has not been so for less
 * than a day, the ledger's writer and others note what they know (alerts_live in the migrations).
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/metrics.h"
#include "base/units.h"
#include "domain/alert/judge.h"
#include "service/alerts/chores.h"

#define LOOK_INTERVAL_US (30 * SECOND_US)
#define LEASE_US (90 * SECOND_US)
#define PRICES_INTERVAL_US HOUR_US

static flow_step step_waiting, step_held, step_read, step_facts, step_judge, step_stored;

CHORE_OWNER(look_of, look)

/* How long before its end the first rule tells of a key. */
static int64_t keys_ahead_us(const struct alert_setup *setup)
{
	int64_t ahead_us = 0;

	for (int i = 0; i < setup->rules; i++)
		if (setup->rule[i].enabled && setup->rule[i].kind == ALERT_KEY_ENDS &&
			setup->rule[i].after_us > ahead_us)
			ahead_us = setup->rule[i].after_us;
	return ahead_us;
}

static void judge_age(struct alert_judge *judge, enum alert_kind kind, int64_t age_us, int64_t count)
{
	struct alert_event event = alert_event_of(kind, "");

	event.at_us = judge->now_us;
	event.age_us = age_us;
	event.count = count;
	if (age_us > 0)
		alert_judge_note(judge, &event, NULL, "");
}

static void judge_keys(struct alert_judge *judge, const struct alerts_facts *facts)
{
	for (int i = 0; i < facts->keys; i++) {
		struct alert_event event = alert_event_of(ALERT_KEY_ENDS, facts->key[i].tenant);

		event.at_us = judge->now_us;
		event.subject = facts->key[i].label;
		event.age_us = facts->key[i].expires_at_us - judge->now_us;
		alert_judge_note(judge, &event, NULL, arena_printf(judge->arena, "%lld", (long long)facts->key[i].id));
	}
}

static enum flow_result step_stored(struct flow *flow)
{
	struct look *look = look_of(flow);

	if (!look->firings.op.ok)
		return flow_fail_with(flow, &look->firings.op.err);
	if (look->facts.prices)
		look->prices_at_us = clock_mono_us() + PRICES_INTERVAL_US;
	if (look->firings.stored)
		alerts_role_stored(alerts_role_of(&look->chore));
	return flow_succeed(flow);
}

CHORE_RESUME(firings_done, alerts_op, look, firings.op)

static enum flow_result step_judge(struct flow *flow)
{
	struct look *look = look_of(flow);
	struct alerts_store *alerts = alerts_role_of(&look->chore)->alerts;
	struct alert_judge judge = {
		.setup = &look->setup.read.setup, .arena = &look->chore.arena, .now_us = look->facts.now_us};

	if (!look->facts.op.ok)
		return flow_fail_with(flow, &look->facts.op.err);
	metric_set(METRIC_alerts_due, 0, 0, look->facts.due);
	metric_set(METRIC_alerts_waiting, 0, 0, look->facts.waiting);
	judge_age(&judge, ALERT_LEDGER_LAG, look->waiting.age_us, (int64_t)look->waiting.entries);
	if (look->facts.newest_price_us)
		judge_age(&judge, ALERT_PRICES_OLD, judge.now_us - look->facts.newest_price_us, 0);
	judge_keys(&judge, &look->facts);
	look->firings = (struct alerts_store_firings){
		.op = {.arena = &look->chore.arena, .done = firings_done},
		.firings = judge.firings,
		.firing = judge.firing,
	};
	return flow_wait(flow, step_stored, alerts->ops->store_firings(alerts, &look->firings));
}

CHORE_RESUME(facts_done, alerts_op, look, facts.op)

static enum flow_result step_facts(struct flow *flow)
{
	struct look *look = look_of(flow);
	struct alerts_role *role = alerts_role_of(&look->chore);
	int64_t now_us = worker_now_us(role->role.worker);

	look->facts = (struct alerts_facts){
		.op = {.arena = &look->chore.arena, .done = facts_done},
		.now_us = now_us,
		.keys_until_us = now_us + keys_ahead_us(&look->setup.read.setup),
		.prices = clock_mono_us() >= look->prices_at_us,
	};
	return flow_wait(flow, step_judge, role->alerts->ops->facts(role->alerts, &look->facts));
}

static enum flow_result step_read(struct flow *flow)
{
	return setup_taken(&look_of(flow)->setup, flow, step_facts);
}

CHORE_RESUME(setup_done, alerts_op, look, setup.read.op)

static enum flow_result step_held(struct flow *flow)
{
	struct look *look = look_of(flow);

	if (!look->lease.op.ok)
		return flow_fail_with(flow, &look->lease.op.err);
	if (!look->lease.held || chore_stopping(&look->chore))
		return flow_succeed(flow);
	if (setup_is_current(&look->setup, &look->chore))
		return flow_more(flow, step_facts);
	return flow_wait(flow, step_read, setup_read(&look->setup, &look->chore, setup_done));
}

CHORE_RESUME(lease_done, ledger_op, look, lease.op)

/* Without Redis, nothing is known of the ledger's lag; that is not a reason to keep still about the rest. */
static enum flow_result step_waiting(struct flow *flow)
{
	struct look *look = look_of(flow);

	if (look->waiting.op.ok)
		worker_clock_is(look->chore.role->worker, look->waiting.op.now_us);
	else
		look->waiting.age_us = 0;
	return flow_wait(flow, step_held, chore_lease(&look->chore, &look->lease, "alerts", LEASE_US, lease_done));
}

CHORE_RESUME(waiting_done, outbox_op, look, waiting.op)

/* Every process asks, because it learns the store's clock, by which all is judged. */
static enum flow_result step_begin(struct flow *flow)
{
	struct look *look = look_of(flow);
	struct outbox_store *outbox = alerts_role_of(&look->chore)->outbox;

	look->waiting = (struct outbox_waiting){.op = {.arena = &look->chore.arena, .done = waiting_done}};
	return flow_wait(flow, step_waiting, outbox->ops->waiting(outbox, &look->waiting));
}

void look_init(struct look *look)
{
	look->chore = (struct chore){.first = step_begin, .name = "look", .interval_us = LOOK_INTERVAL_US};
}
