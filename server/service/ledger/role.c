/* The ledger role: its chores, and what they share (service/ledger/role.h). */
#include "service/ledger/role.h"

#include <stdlib.h>

#include "base/clock.h"
#include "service/ledger/chores.h"

static void ledger_role_free(struct role_chores *role)
{
	struct ledger_role *ledger = container_of(role, struct ledger_role, role);

	ledger->outbox->ops->when_any(ledger->outbox, NULL, NULL);
	free(ledger);
}

/* The first pump starts the others when there is work for them. */
static void pumps_add(struct ledger_role *role)
{
	for (int i = 0; i < PUMPS; i++) {
		pump_init(&role->pump[i], role->role.worker->parts.conf->ledger_poll_ms * 1000);
		role->pump[i].chore.asked_only = i > 0;
		role_add(&role->role, &role->pump[i].chore);
	}
}

struct ledger_role *ledger_role_start(const struct ledger_role_options *options)
{
	struct ledger_role *role = mem_zalloc(1, sizeof(*role));

	role->role = (struct role_chores){
		.worker = options->worker, .ledger = options->ledger, .name = "ledger", .free = ledger_role_free};
	role->outbox = options->outbox;
	/* Processes start with different partitions, so that they seldom get in each other's way. */
	role->turn = (int)(clock_mono_us() % PARTITIONS);
	role_init(&role->role);
	pumps_add(role);
	sweep_init(&role->sweep);
	changes_init(&role->changes);
	ends_init(&role->ends);
	allowances_init(&role->allowances);
	upkeep_init(&role->upkeep);
	reconcile_init(&role->reconcile);
	role_add(&role->role, &role->sweep.chore);
	role_add(&role->role, &role->changes.chore);
	role_add(&role->role, &role->ends.chore);
	role_add(&role->role, &role->allowances.chore);
	role_add(&role->role, &role->upkeep.chore);
	role_add(&role->role, &role->reconcile.chore);
	role_start(&role->role);
	return role;
}

void ledger_role_stop(struct ledger_role *role, void (*stopped)(void *arg), void *arg)
{
	role_stop(&role->role, stopped, arg);
}
