/* Runs one chore, from its start until its next run is due (service/ledger/chores.h). */
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "service/ledger/chores.h"

#define PAUSE_AFTER_FAILURE_US INT64_C(500000)

struct chore *chore_of(struct flow *flow)
{
	return container_of(flow, struct chore, flow);
}

bool chore_stopping(const struct chore *chore)
{
	return chore->role->stopping;
}

void chore_lease(struct chore *chore, struct ledger_lease *lease, const char *name, int64_t ttl_us,
	void (*done)(struct ledger_op *op))
{
	struct ledger_role *role = chore->role;

	*lease = (struct ledger_lease){
		.op = {.arena = &chore->arena, .done = done},
		.name = name,
		.holder = role->holder,
		.ttl_us = ttl_us,
	};
	role->ledger->ops->lease(role->ledger, lease);
}

struct chore *chore_at(struct ledger_role *role, int i)
{
	struct chore *const others[] = {&role->sweep.chore, &role->changes.chore, &role->ends.chore,
		&role->allowances.chore, &role->upkeep.chore, &role->reconcile.chore, NULL};

	return i < PUMPS ? &role->pump[i].chore : others[i - PUMPS];
}

static void role_free(struct ledger_role *role)
{
	void (*stopped)(void *arg) = role->stopped;
	void *arg = role->stopped_arg;

	for (int i = 0; chore_at(role, i); i++)
		arena_release(&chore_at(role, i)->arena);
	free(role);
	stopped(arg);
}

void role_one_less(struct ledger_role *role)
{
	if (--role->running == 0 && role->stopping)
		role_free(role);
}

static void chore_done(struct flow *flow)
{
	struct chore *chore = chore_of(flow);
	struct ledger_role *role = chore->role;
	int64_t pause_us = chore->interval_us;

	chore->busy = false;
	if (!flow->ok) {
		if (!chore->failing)
			log_warn("a chore of the ledger role failed and will be retried", F("chore", chore->name),
				F("step", flow->name), F("why", flow->err.text));
		if (pause_us < PAUSE_AFTER_FAILURE_US || pause_us > 10 * PAUSE_AFTER_FAILURE_US)
			pause_us = PAUSE_AFTER_FAILURE_US;
	}
	if (flow->ok && chore->failing)
		log_info("a chore of the ledger role works again", F("chore", chore->name));
	chore->failing = !flow->ok;
	chore->next_us = clock_mono_us() + pause_us;
	if (flow->ok && chore->again)
		chore_start(chore);
	role_one_less(role);
}

void chore_start(struct chore *chore)
{
	if (chore->busy || chore->role->stopping)
		return;
	chore->busy = true;
	chore->again = false;
	chore->role->running++;
	arena_reset(&chore->arena);
	chore->flow = (struct flow){.step = chore->first, .name = "first", .done = chore_done};
	flow_run(&chore->flow);
}
