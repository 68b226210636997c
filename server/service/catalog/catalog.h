/* Changes what every worker has in memory: tenants, tiers, prices. Answers once the change is in force here. */
#ifndef BURSAR_SERVICE_CATALOG_CATALOG_H
#define BURSAR_SERVICE_CATALOG_CATALOG_H

#include "service/worker/catalog_wait.h"
#include "store/admin.h"

enum catalog_edit_kind { EDIT_TENANT, EDIT_TIER, EDIT_TIER_DELETE, EDIT_PRICE, EDIT_PRICES, EDIT_PRICE_END };

/* Embedded in the caller and alive until flow.done has run. */
struct catalog_edit {
	struct flow flow; /* ok: committed and in force here, and within a second everywhere */
	struct worker *worker;
	struct arena *arena;
	enum catalog_edit_kind kind;
	union {
		struct admin_job job; /* each begins with it */
		struct tenant_put tenant;
		struct tier_put tier;
		struct tier_delete tier_delete;
		struct price_put price;
		struct prices_put prices;
		struct price_end price_end;
	} op; /* in: its fields, job.actor, job.reason */
	struct catalog_wait wait; /* internal */
};

void catalog_edit_start(
	struct catalog_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
