/* Starts a role's chores when they are due, and stops it when the last one has ended. */
#include "service/role/role.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"

#define TICK_MAX_US INT64_C(100000) /* a stop waits for the tick */
#define TICK_MIN_US INT64_C(1000)

/* When the next chore is due. One that runs will be due again after its interval, unless it starts over by itself. */
static void tick_start(struct role_chores *role)
{
	const struct worker_parts *parts = &role->worker->parts;
	int64_t now_us = clock_mono_us(), delay_us = TICK_MAX_US;

	for (int i = 0; i < role->chores; i++) {
		const struct chore *chore = role->chore[i];
		int64_t left_us = chore->busy ? chore->interval_us : chore->next_us - now_us;

		if (!chore->asked_only && left_us < delay_us)
			delay_us = left_us;
	}
	parts->timers->start(parts->timers, &role->tick, delay_us > TICK_MIN_US ? delay_us : TICK_MIN_US);
}

static void tick_due(struct wait *wait)
{
	struct role_chores *role = container_of(wait, struct role_chores, tick);
	int64_t now_us = clock_mono_us();

	if (role->stopping) {
		role_one_less(role);
		return;
	}
	for (int i = 0; i < role->chores; i++)
		if (!role->chore[i]->asked_only && now_us >= role->chore[i]->next_us)
			chore_start(role->chore[i]);
	tick_start(role);
}

void role_init(struct role_chores *role)
{
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	snprintf(role->holder, sizeof(role->holder), "%s/%d", host, (int)getpid());
	role->tick.due = tick_due;
	role->running = 1;
}

void role_add(struct role_chores *role, struct chore *chore)
{
	chore->role = role;
	role->chore[role->chores++] = chore;
}

void role_start(struct role_chores *role)
{
	tick_start(role);
}

void role_stop(struct role_chores *role, void (*stopped)(void *arg), void *arg)
{
	role->stopped = stopped;
	role->stopped_arg = arg;
	role->stopping = true;
}
