/*
 * Diagnoses the installation: asks Redis, its outboxes and PostgreSQL. One that does not answer is a finding, not a
 * failure.
 */
#ifndef BURSAR_SERVICE_REPORTS_DIAGNOSE_H
#define BURSAR_SERVICE_REPORTS_DIAGNOSE_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded in the caller and alive until flow.done has run. Everything is in `arena`. */
struct diagnose_flow {
	struct flow flow; /* always ok */
	struct worker *worker;
	struct arena *arena;
	const char *tenant; /* in */
	struct server_facts server; /* in */
	struct diagnoses result;
	/* internal */
	struct limits_facts store;
	struct limits_birth birth;
	struct facts_query durable;
};

/* The caller has filled in `tenant` and `server`. `done` runs exactly once, later. */
void diagnose_start(
	struct diagnose_flow *diagnose, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
