/* The alerts role: its chores, and what they share (service/alerts/role.h). */
#include "service/alerts/role.h"

#include <stdlib.h>

#include "service/alerts/chores.h"

static void alerts_role_free(struct role_chores *chores)
{
	struct alerts_role *role = container_of(chores, struct alerts_role, role);

	arena_release(&role->evaluate.setup.arena);
	arena_release(&role->look.setup.arena);
	free(role);
}

struct alerts_role *alerts_role_start(const struct alerts_role_options *options)
{
	struct alerts_role *role = mem_zalloc(1, sizeof(*role));

	role->role = (struct role_chores){
		.worker = options->worker, .ledger = options->ledger, .name = "alerts", .free = alerts_role_free};
	role->outbox = options->outbox;
	role->alerts = options->alerts;
	role->deliverer = options->deliverer;
	role_init(&role->role);
	evaluate_init(&role->evaluate);
	look_init(&role->look);
	number_init(&role->number);
	dispatch_init(&role->dispatch);
	tidy_init(&role->tidy);
	role_add(&role->role, &role->look.chore);
	role_add(&role->role, &role->evaluate.chore);
	role_add(&role->role, &role->number.chore);
	role_add(&role->role, &role->dispatch.chore);
	role_add(&role->role, &role->tidy.chore);
	role_start(&role->role);
	return role;
}

void alerts_role_stop(struct alerts_role *role, void (*stopped)(void *arg), void *arg)
{
	role_stop(&role->role, stopped, arg);
}
