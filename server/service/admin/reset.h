/* Resets an account's counters in the store, with a ledger entry of its own that takes back what was settled. */
#ifndef BURSAR_SERVICE_ADMIN_RESET_H
#define BURSAR_SERVICE_ADMIN_RESET_H

#include "service/worker/flow.h"
#include "service/repair/repair.h"
#include "store/admin.h"

/* Embedded in the caller and alive until flow.done has run. */
struct account_reset {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	struct account_key key;
	const char *request_id, *actor, *reason;
	/* out: what the shortest running window of each dimension had settled */
	struct amounts lost; /* input: all tokens */
	bool repeat;
	/* internal */
	struct snapshot *snapshot;
	struct accounts accounts;
	struct repair repair;
	int rounds;
	int64_t deadline_us;
	struct limits_reset op;
};

void account_reset_start(
	struct account_reset *reset, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
