/* The ledger role: starts its chores when they are due, and stops when the last one has ended. */
#include "service/ledger/role.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "service/ledger/chores.h"

#define TICK_MAX_US INT64_C(100000)

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
		role_one_less(role);
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
	/* Processes start with different partitions, so that they seldom get in each other's way. */
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
