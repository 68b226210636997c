/* The ledger role: starts its chores when their time has come, and stops when the last one has ended. */
#include "service/ledger/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "service/ledger/chores.h"

#define PAUSE_AFTER_FAILURE_US INT64_C(500000)
#define TICK_MAX_US INT64_C(100000)

struct chore *chore_of(struct flow *flow)
{
	return container_of(flow, struct chore, flow);
}

bool chore_stopping(const struct chore *chore)
{
	return chore->role->stopping;
}

static struct chore *chore_at(struct ledger_role *role, int i)
{
	struct chore *const others[] = {&role->sweep.chore, &role->changes.chore, &role->ends.chore,
		&role->upkeep.chore, &role->reconcile.chore, NULL};

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

static void one_less(struct ledger_role *role)
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
			log_warn("a chore of the ledger role fails and is tried again", F("chore", chore->name),
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
	one_less(role);
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

static void tick_start(struct ledger_role *role)
{
	const struct worker_parts *parts = &role->worker->parts;
	int64_t poll_us = parts->conf->ledger_poll_ms * 1000;

	parts->timers->start(parts->timers, &role->tick, poll_us < TICK_MAX_US ? poll_us : TICK_MAX_US);
}

static void tick_due(struct wait *wait)
{
	struct ledger_role *role = container_of(wait, struct ledger_role, tick);
	int64_t now_us = clock_mono_us();

	if (role->stopping) {
		one_less(role);
		return;
	}
	/* The first pump starts the others when there is work for them. */
	for (int i = 0; chore_at(role, i); i++) {
		if (now_us >= chore_at(role, i)->next_us && (i == 0 || i >= PUMPS))
			chore_start(chore_at(role, i));
	}
	tick_start(role);
}

struct ledger_role *ledger_role_start(const struct ledger_role_options *options)
{
	struct ledger_role *role = mem_zalloc(1, sizeof(*role));
	char host[64] = "";

	role->worker = options->worker;
	role->outbox = options->outbox;
	role->ledger = options->ledger;
	gethostname(host, sizeof(host) - 1);
	snprintf(role->holder, sizeof(role->holder), "%s/%d", host, (int)getpid());
	/* Processes begin with different partitions, so that they are seldom in each other's way. */
	role->turn = (int)(clock_mono_us() % PARTITIONS);
	for (int i = 0; i < PUMPS; i++)
		pump_init(&role->pump[i], role, "drain");
	sweep_init(&role->sweep, role);
	changes_init(&role->changes, role);
	ends_init(&role->ends, role);
	upkeep_init(&role->upkeep, role);
	reconcile_init(&role->reconcile, role);
	role->tick.due = tick_due;
	role->running = 1;
	tick_start(role);
	return role;
}

void ledger_role_stop(struct ledger_role *role, void (*stopped)(void *arg), void *arg)
{
	role->stopped = stopped;
	role->stopped_arg = arg;
	role->stopping = true;
}
