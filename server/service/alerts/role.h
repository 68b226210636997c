/*
 * The alerts role: finds what is worth telling somebody (evaluate, look), numbers it for readers (number), and tells it (dispatch).
 * It holds no state that a restart would lose, and any number of processes may have it.
 */
#ifndef BURSAR_SERVICE_ALERTS_ROLE_H
#define BURSAR_SERVICE_ALERTS_ROLE_H

#include "service/worker/worker.h"
#include "store/alerts.h"
#include "store/deliver.h"
#include "store/ledger.h"
#include "store/outbox.h"

/* Everything must outlive the role and belong to its loop. */
struct alerts_role_options {
	struct worker *worker; /* its catalog, timers and conf are used */
	struct outbox_store *outbox; /* how old the oldest entry is */
	struct ledger_store *ledger; /* the leases of chores that one process at a time runs */
	struct alerts_store *alerts;
	struct deliverer *deliverer;
};

struct alerts_role;

/* Starts the role; the caller runs the loop. */
struct alerts_role *alerts_role_start(const struct alerts_role_options *options);

/* As ledger_role_stop. What is being sent is finished or aborted first: alert_timeout_ms at most. */
void alerts_role_stop(struct alerts_role *role, void (*stopped)(void *arg), void *arg);

#endif
