/* The ledger role: starts its chores when they are due, and stops when the last one has ended. */
#include "service/ledger/role.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "service/ledger/chores.h"

#define TICK_MAX_US INT64_C(100000) /* a stop waits for the tick */
#define TICK_MIN_US INT64_C(1000)

/* The first pump starts the others when there is work for them. */
static struct chore *timed_chore(struct ledger_role *role, int i)
{
	return i == 0 || i >= PUMPS ? chore_at(role, i) : NULL;
}

/* When the next chore is due. One that runs will be due again after its interval, unless it starts over by itself. */
static void tick_start(struct ledger_role *role)
{
	const struct worker_parts *parts = &role->worker->parts;
	int64_t now_us = clock_mono_us(), delay_us = TICK_MAX_US;

	for (int i = 0; chore_at(role, i); i++) {
		const struct chore *chore = timed_chore(role, i);
		int64_t left_us = chore ? chore->next_us - now_us : delay_us;

		if (chore && chore->busy)
			left_us = chore->interval_us;
		if (left_us < delay_us)
			delay_us = left_us;
	}
	parts->timers->start(parts->timers, &role->tick, delay_us > TICK_MIN_US ? delay_us : TICK_MIN_US);
}

static void tick_due(struct wait *wait)
{
	struct ledger_role *role = container_of(wait, struct ledger_role, tick);
	int64_t now_us = clock_mono_us();

	if (role->stopping) {
		role_one_less(role);
		return;
	}
	for (int i = 0; chore_at(role, i); i++) {
		struct chore *chore = timed_chore(role, i);

		if (chore && now_us >= chore->next_us)
			chore_start(chore);
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
	allowances_init(&role->allowances, role);
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
