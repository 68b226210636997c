/* Changes what every worker has in memory: tenants, tiers, prices, names of models. Answers once the change is in force here. */
#ifndef BURSAR_SERVICE_CATALOG_CATALOG_H
#define BURSAR_SERVICE_CATALOG_CATALOG_H

#include "service/worker/catalog_wait.h"
#include "store/admin.h"

/* A row a kind: EDIT_<KIND>, the member of the union below, the operation of the admin store with the struct of its name. */
#define CATALOG_EDITS(EDIT) \
	EDIT(TENANT, tenant, tenant_put) \
	EDIT(TIER, tier, tier_put) \
	EDIT(TIER_DELETE, tier_delete, tier_delete) \
	EDIT(TEXT, text, text_put) \
	EDIT(TEXT_DELETE, text_delete, text_delete) \
	EDIT(PRICE, price, price_put) \
	EDIT(PRICES, prices, prices_put) \
	EDIT(PRICE_END, price_end, price_end) \
	EDIT(ALIAS, alias, alias_put) \
	EDIT(ALIAS_DELETE, alias_delete, alias_delete) \
	EDIT(ALIASES, aliases, aliases_put) \
	EDIT(FAMILY, family, family_put) \
	EDIT(FAMILY_DELETE, family_delete, family_delete)

#define EDIT(KIND, member, operation) EDIT_##KIND,
enum catalog_edit_kind { CATALOG_EDITS(EDIT) };
#undef EDIT

/* Embedded in the caller and alive until flow.done has run. */
struct catalog_edit {
	struct flow flow; /* ok: committed and in force here, and within a second everywhere */
	struct worker *worker;
	struct arena *arena;
	enum catalog_edit_kind kind;
	union {
		struct admin_job job; /* each begins with it */
#define EDIT(KIND, member, operation) struct operation member;
		CATALOG_EDITS(EDIT)
#undef EDIT
	} op; /* in: its fields, job.actor, job.reason */
	struct catalog_wait wait; /* internal */
};

void catalog_edit_start(
	struct catalog_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
