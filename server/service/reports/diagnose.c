/* Collects the facts from one store after the other, then judges them. */
#include "service/reports/diagnose.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"

/* A store that is away is a finding, so waiting for it as long as for a normal answer makes no sense. */
#define PATIENCE_US 2000000

static flow_step step_outbox, step_durable, step_judge;

FLOW_OWNER(diagnose_of, diagnose_flow)

FLOW_RESUME(facts_done, limits_op, diagnose_flow, store.op)

static enum flow_result step_store(struct flow *flow)
{
	struct diagnose_flow *self = diagnose_of(flow);
	struct limits_store *limits = self->worker->parts.limits;

	self->store = (struct limits_facts){.op = {.arena = self->arena, .done = facts_done}};
	return flow_wait(flow, step_outbox, limits->ops->facts(limits, &self->store));
}

FLOW_RESUME(birth_done, limits_op, diagnose_flow, birth.op)

static enum flow_result step_outbox(struct flow *flow)
{
	struct diagnose_flow *self = diagnose_of(flow);
	struct limits_store *limits = self->worker->parts.limits;

	flow_to(flow, step_durable);
	if (self->store.op.status != LIMITS_OK) {
		snprintf(self->store.facts.why, sizeof(self->store.facts.why), "%s", self->store.op.err.text);
		return FLOW_MORE;
	}
	self->birth = (struct limits_birth){
		.op = {.arena = self->arena, .done = birth_done},
		.kind = ACCOUNT_TENANT,
		.tenant = self->tenant,
		.id = self->tenant,
		.everywhere = true,
	};
	limits->ops->birth(limits, &self->birth);
	return FLOW_WAIT;
}

FLOW_RESUME(query_done, admin_job, diagnose_flow, durable.job)

static enum flow_result step_durable(struct flow *flow)
{
	struct diagnose_flow *self = diagnose_of(flow);
	struct admin_store *admin = self->worker->parts.admin;

	self->store.facts.waiting = -1;
	if (self->birth.op.status == LIMITS_OK) {
		self->store.facts.waiting = (int64_t)self->birth.undrained;
		/* An entry's id begins with its creation time in milliseconds. */
		self->store.facts.oldest_us = strtoll(self->birth.first_entry, NULL, 10) * 1000;
	}
	self->durable = (struct facts_query){
		.job = {.arena = self->arena,
			.done = query_done,
			.actor = "",
			.reason = "",
			.deadline_us = clock_mono_us() + PATIENCE_US},
		.tenant = self->tenant,
	};
	return flow_wait(flow, step_judge, admin->ops->facts(admin, &self->durable));
}

static enum flow_result step_judge(struct flow *flow)
{
	struct diagnose_flow *self = diagnose_of(flow);
	struct durable_facts *durable = &self->durable.facts;

	durable->answered = self->durable.job.ok;
	if (!durable->answered)
		snprintf(durable->why, sizeof(durable->why), "%s", self->durable.job.err.text);
	diagnose(&self->store.facts, durable, &self->server, &self->result);
	return flow_succeed(flow);
}

void diagnose_start(
	struct diagnose_flow *diagnose, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	diagnose->birth.op.status = LIMITS_FAILED;
	flow_start(diagnose, worker, arena, done, step_store);
}
