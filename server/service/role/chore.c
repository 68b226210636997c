/* Runs one chore, from its start until its next run is due, and sets the clock to that (service/role/role.h). */
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "service/role/role.h"

#define PAUSE_AFTER_FAILURE_US INT64_C(500000)
#define TICK_MIN_US INT64_C(1000)

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
	struct role_chores *role = chore->role;

	*lease = (struct ledger_lease){
		.op = {.arena = &chore->arena, .done = done},
		.name = name,
		.holder = role->holder,
		.ttl_us = ttl_us,
	};
	role->ledger->ops->lease(role->ledger, lease);
}

void role_tick(struct role_chores *role)
{
	struct timers *timers = role->worker->parts.timers;
	int64_t due_us = INT64_MAX, delay_us;

	timers->cancel(timers, &role->tick);
	for (int i = 0; i < role->chores; i++) {
		const struct chore *chore = role->chore[i];

		if (!chore->asked_only && !chore->busy && chore->next_us < due_us)
			due_us = chore->next_us;
	}
	if (due_us == INT64_MAX || role->stopping)
		return;
	delay_us = due_us - clock_mono_us();
	timers->start(timers, &role->tick, delay_us > TICK_MIN_US ? delay_us : TICK_MIN_US);
}

static void role_free(struct role_chores *role)
{
	void (*stopped)(void *arg) = role->stopped;
	void *arg = role->stopped_arg;

	for (int i = 0; i < role->chores; i++)
		arena_release(&role->chore[i]->arena);
	role->free(role);
	stopped(arg);
}

void role_one_less(struct role_chores *role)
{
	if (--role->running == 0 && role->stopping)
		role_free(role);
}

static void log_change(const struct chore *chore, const struct flow *flow)
{
	if (!flow->ok && !chore->failing)
		log_warn("a chore failed and will be retried", F("role", chore->role->name), F("chore", chore->name),
			F("step", flow->name), F("why", flow->err.text));
	if (flow->ok && chore->failing)
		log_info("a chore works again", F("role", chore->role->name), F("chore", chore->name));
}

static void chore_done(struct flow *flow)
{
	struct chore *chore = chore_of(flow);
	struct role_chores *role = chore->role;
	int64_t pause_us = chore->interval_us;

	chore->busy = false;
	log_change(chore, flow);
	if (!flow->ok && (pause_us < PAUSE_AFTER_FAILURE_US || pause_us > 10 * PAUSE_AFTER_FAILURE_US))
		pause_us = PAUSE_AFTER_FAILURE_US;
	chore->failing = !flow->ok;
	chore->next_us = clock_mono_us() + pause_us;
	if (flow->ok && chore->again)
		chore_start(chore);
	else
		role_tick(role);
	role_one_less(role);
}

void chore_interval(struct chore *chore, int64_t interval_us)
{
	chore->next_us += interval_us - chore->interval_us;
	chore->interval_us = interval_us;
	role_tick(chore->role);
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
