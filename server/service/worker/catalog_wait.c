/* Polls the newest snapshot every few milliseconds. */
#include "service/worker/catalog_wait.h"

#include "base/clock.h"
#include "base/list.h"

enum { LOOK_US = 5000, LOOK_MAX_US = 2000000 };

void catalog_wait_begin(struct catalog_wait *wait, struct flow *flow, struct worker *worker, int64_t generation)
{
	*wait = (struct catalog_wait){
		.flow = flow,
		.worker = worker,
		.generation = generation,
		.give_up_us = clock_mono_us() + LOOK_MAX_US,
	};
	if (generation)
		catalog_source_poke(worker->parts.catalog);
}

static void wait_due(struct wait *wait)
{
	flow_run(container_of(wait, struct catalog_wait, wait)->flow);
}

bool catalog_wait_over(struct catalog_wait *wait)
{
	struct catalog *catalog = catalog_acquire(wait->worker->parts.catalog);
	bool seen = catalog_stored(catalog) >= wait->generation;

	if (catalog)
		catalog_release(catalog);
	if (seen || clock_mono_us() >= wait->give_up_us)
		return true;
	wait->wait = (struct wait){.due = wait_due};
	wait->worker->parts.timers->start(wait->worker->parts.timers, &wait->wait, LOOK_US);
	return false;
}
