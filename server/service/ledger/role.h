/*
 * The ledger role: moves the outboxes to PostgreSQL, takes double charges back, ends what has expired, repeats changes of
 * accounts until Redis has them, compares Redis with the ledger, keeps the partitions. It holds nothing that a restart
 * would lose, and any number of them may run.
 */
#ifndef BURSAR_SERVICE_LEDGER_ROLE_H
#define BURSAR_SERVICE_LEDGER_ROLE_H

#include "service/worker/worker.h"
#include "store/ledger.h"
#include "store/outbox.h"

/* Everything outlives the role and belongs to its loop. */
struct ledger_role_options {
	struct worker *worker; /* the role's own: its limits, accounts, admin, catalog, timers and conf are used */
	struct outbox_store *outbox;
	struct ledger_store *ledger;
};

struct ledger_role;

/* Starts; the caller runs the loop. From conf: ledger_batch, ledger_poll_ms, retention_days. */
struct ledger_role *ledger_role_start(const struct ledger_role_options *options);

/*
 * On the loop's thread. Begins nothing new; `stopped` comes, later and once, when what is under way has ended: the role is
 * gone then, and its stores may go. What a batch has committed is acknowledged first. At most about 15 s, while PostgreSQL
 * does not answer.
 */
void ledger_role_stop(struct ledger_role *role, void (*stopped)(void *arg), void *arg);

#endif
