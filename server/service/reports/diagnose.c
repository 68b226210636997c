/* Collects the facts from one store after the other, then judges them. */
#include "service/reports/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "domain/price/price_family.h"

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

/* Does the model, at its provider, have a price now? */
static bool is_priced(
	const struct diagnose_flow *self, const struct price_book *book, const char *provider, const char *model)
{
	const char *name = arena_printf(self->arena, "%s/%s", provider, model);
	bool several;

	return price_find_id(book, self->tenant, name, self->server.now_us, &several) != NULL;
}

static bool is_seen(const struct diagnose_flow *self, const char *tenant)
{
	return !tenant[0] || strcmp(tenant, self->tenant) == 0;
}

static void count_names(struct diagnose_flow *self, const struct price_book *book)
{
	struct names_facts *names = &self->server.names;
	int aliases, families;
	const struct price_alias *alias = price_aliases(book, &aliases);
	const struct price_family *family = price_families(book, &families);

	for (int i = 0; i < aliases; i++)
		if (is_seen(self, alias[i].tenant)) {
			names->aliases++;
			names->lost += !is_priced(self, book, alias[i].provider, alias[i].model);
		}
	for (int i = 0; i < families; i++)
		if (is_seen(self, family[i].tenant)) {
			names->families++;
			names->lost += !is_priced(self, book, family[i].provider, family[i].model);
		}
}

/* The names of models, as this worker knows them. */
static void look_at_names(struct diagnose_flow *self)
{
	static const char *const unknown[] = {[MODEL_REFUSE] = "refused",
		[MODEL_FALLBACK] = "charged like the fallback",
		[MODEL_FREE] = "free",
		[MODEL_FAMILY] = "charged like their family"};
	struct err err;
	struct snapshot *snapshot = snapshot_take(self->worker, &err);
	const struct tenant *settings = snapshot ? catalog_tenant(snapshot->catalog, self->tenant) : NULL;
	const struct price_book *book = snapshot ? catalog_prices(snapshot->catalog) : NULL;
	struct names_facts *names = &self->server.names;

	if (settings && book) {
		bool stands_in = settings->unknown_model == MODEL_FALLBACK || settings->unknown_model == MODEL_FAMILY;

		count_names(self, book);
		names->unknown = unknown[settings->unknown_model];
		if (stands_in && settings->fallback_model[0])
			names->fallback =
				arena_strndup(self->arena, settings->fallback_model, strlen(settings->fallback_model));
		names->fallback_lost =
			names->fallback && !price_find(book, self->tenant, "", names->fallback, self->server.now_us);
		if (names->fallback_lost)
			names->unknown =
				settings->unknown_model == MODEL_FAMILY ? "refused unless they have a family" : "free";
	}
	snapshot_give(self->worker, snapshot);
}

static enum flow_result step_judge(struct flow *flow)
{
	struct diagnose_flow *self = diagnose_of(flow);
	struct durable_facts *durable = &self->durable.facts;

	durable->answered = self->durable.job.ok;
	if (!durable->answered)
		snprintf(durable->why, sizeof(durable->why), "%s", self->durable.job.err.text);
	look_at_names(self);
	diagnose(&self->store.facts, durable, &self->server, &self->result);
	return flow_succeed(flow);
}

void diagnose_start(
	struct diagnose_flow *diagnose, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	diagnose->birth.op.status = LIMITS_FAILED;
	flow_start(diagnose, worker, arena, done, step_store);
}
