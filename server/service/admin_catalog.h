/* Changing what every worker has in memory: tenants, tiers, prices. Answered when this process works by the change. */
#ifndef BURSAR_SERVICE_ADMIN_CATALOG_H
#define BURSAR_SERVICE_ADMIN_CATALOG_H

#include "service/flow.h"
#include "service/worker.h"
#include "store/admin.h"

enum catalog_edit_kind { EDIT_TENANT, EDIT_TIER, EDIT_PRICE };

/* Embedded by the caller, alive until flow.done has run. */
struct catalog_edit {
	struct flow flow; /* ok: committed; in force here, and within a second everywhere */
	struct worker *worker;
	struct arena *arena;
	enum catalog_edit_kind kind;
	union {
		struct tenant_put tenant;
		struct tier_put tier;
		struct price_put price;
	} op; /* in: its fields, job.actor, job.reason */
	/* its own */
	int64_t give_up_us;
	struct wait wait;
};

void catalog_edit_start(
	struct catalog_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
