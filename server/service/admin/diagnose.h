/* Is all well? Redis is asked, then its outboxes, then PostgreSQL: who does not answer is a finding, and no failure. */
#ifndef BURSAR_SERVICE_ADMIN_DIAGNOSE_H
#define BURSAR_SERVICE_ADMIN_DIAGNOSE_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded by the caller, alive until flow.done has run; everything lies in `arena`. */
struct diagnose_flow {
	struct flow flow; /* always ok */
	struct worker *worker;
	struct arena *arena;
	const char *tenant; /* in */
	struct server_facts server; /* in */
	struct diagnoses result;
	/* its own */
	struct limits_facts store;
	struct limits_birth birth;
	struct facts_query durable;
};

/* `tenant` and `server` are filled; `done` comes once, later. */
void diagnose_start(
	struct diagnose_flow *diagnose, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
