/* Corrects a record, or credits or charges a user: an entry of its own that goes through the store and its outbox. */
#ifndef BURSAR_SERVICE_ADMIN_ADJUST_H
#define BURSAR_SERVICE_ADMIN_ADJUST_H

#include "service/worker/flow.h"
#include "service/request/pricing.h"
#include "service/repair/repair.h"
#include "store/admin.h"

/* Embedded in the caller and alive until flow.done has run. */
struct ledger_adjust {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	/* in */
	const char *tenant, *user, *adjustment_id;
	const char *request_id; /* "" = none: applies now, to the user's current accounts, with the next two fields */
	const char *model, *interface;
	int64_t started_at_us; /* of the request: any time of its day (UTC) */
	int attempt;
	struct meters meters; /* may be negative */
	int64_t requests, cost;
	bool price_tokens; /* adds the price of the tokens to `cost` */
	bool ledger_only;
	const char *actor, *reason;
	/* A re-rating: `facts`, `usage` and what is to be added are given, and the ledger is not asked. NULL: it is not one. */
	const struct entry_rerate *rerate;
	/* out */
	struct amounts amounts; /* what was added */
	bool repeat;
	/* internal */
	struct snapshot *snapshot;
	struct accounts accounts;
	struct model_name counted; /* the model whose limits count it */
	struct entry_usage usage;
	struct adjust_facts facts;
	struct repair repair;
	int rounds;
	int64_t deadline_us;
	struct limits_adjust op;
};

void ledger_adjust_start(
	struct ledger_adjust *adjust, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
