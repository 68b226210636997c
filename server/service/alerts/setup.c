/* Reads rules and channels when the catalog's generation has risen (service/alerts/chores.h). */
#include "service/alerts/chores.h"

static uint64_t generation_now(const struct chore *chore)
{
	return catalog_source_generation(chore->role->worker->parts.catalog);
}

bool setup_is_current(const struct setup *setup, const struct chore *chore)
{
	return setup->generation && setup->generation == generation_now(chore);
}

void setup_read(struct setup *setup, struct chore *chore, void (*done)(struct alerts_op *op))
{
	struct alerts_store *alerts = alerts_role_of(chore)->alerts;

	arena_reset(&setup->arena);
	setup->generation = generation_now(chore);
	setup->read = (struct alerts_setup){.op = {.arena = &setup->arena, .done = done}};
	alerts->ops->setup(alerts, &setup->read);
}

enum flow_result setup_taken(struct setup *setup, struct flow *flow, flow_step *next)
{
	if (setup->read.op.ok)
		return flow_more(flow, next);
	setup->generation = 0;
	return flow_fail_with(flow, &setup->read.op.err);
}
