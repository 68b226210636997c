/* Starts a role's chores when they are due, and stops it when the last one has ended. */
#include "service/role/role.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"

static void tick_due(struct wait *wait)
{
	struct role_chores *role = container_of(wait, struct role_chores, tick);
	int64_t now_us = clock_mono_us();

	for (int i = 0; i < role->chores; i++)
		if (!role->chore[i]->asked_only && now_us >= role->chore[i]->next_us)
			chore_start(role->chore[i]);
	role_tick(role);
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
	role_tick(role);
}

void role_stop(struct role_chores *role, void (*stopped)(void *arg), void *arg)
{
	role->stopped = stopped;
	role->stopped_arg = arg;
	role->stopping = true;
	role_tick(role);
	role_one_less(role);
}
