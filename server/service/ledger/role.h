/*
 * The ledger role: moves the outboxes to PostgreSQL, takes double charges back, ends what has expired, decides what free
 * allowances cover, repeats changes of accounts until Redis has them, compares Redis with the ledger and maintains the
 * partitions. It holds no state that a restart would lose, and any number of processes may have it.
 */
#ifndef BURSAR_SERVICE_LEDGER_ROLE_H
#define BURSAR_SERVICE_LEDGER_ROLE_H

#include "service/worker/worker.h"
#include "store/ledger.h"
#include "store/outbox.h"

/* Everything must outlive the role and belong to its loop. */
struct ledger_role_options {
	struct worker *worker; /* the role's own; its limits, accounts, admin, catalog, timers and conf are used */
	struct outbox_store *outbox;
	struct ledger_store *ledger;
};

struct ledger_role;

/* Starts the role; the caller runs the loop. Uses the options ledger_batch, ledger_poll_ms and retention_days. */
struct ledger_role *ledger_role_start(const struct ledger_role_options *options);

/*
 * Call it on the loop's thread. Starts nothing new. `stopped` runs once, later, when everything in flight has ended:
 * the role is freed then, and its stores may be freed. A committed batch is acknowledged first. Takes about 15 s at
 * most, if PostgreSQL does not answer.
 */
void ledger_role_stop(struct ledger_role *role, void (*stopped)(void *arg), void *arg);

#endif
