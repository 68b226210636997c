/*
 * The ledger role: moves the outboxes to PostgreSQL, takes double charges back, ends what has expired, repeats changes of
 * accounts until Redis has them, compares Redis with the ledger, keeps the partitions. It holds nothing that a restart
 * would lose, and any number of them may run.
 */
#ifndef BURSAR_SERVICE_LEDGER_ROLE_H
#define BURSAR_SERVICE_LEDGER_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "store/accounts.h"
#include "store/admin.h"
#include "store/catalog.h"
#include "store/ledger.h"
#include "store/limits.h"

struct outbox_store; /* store/outbox.h */

struct ledger_role_options {
	uv_loop_t *loop; /* the role's own; everything below belongs to it */
	struct outbox_store *outbox;
	struct limits_store *limits;
	struct ledger_store *ledger;
	struct accounts_store *accounts;
	struct admin_store *admin;
	struct catalog_source *catalog;
	int batch;          /* most entries of a transaction */
	int poll_ms;        /* how often empty outboxes are looked into */
	int retention_days;
	int64_t idempotency_window_us;
	bool expired_charge_estimate;
};

struct ledger_role;

/* Starts its timers; the caller runs the loop. Nothing is borrowed from `options` but the stores. */
struct ledger_role *ledger_role_start(const struct ledger_role_options *options);

/* On the loop's thread. Begins nothing new; `stopped` comes when the batches that are under way have ended and the
 * handles are closed, with the role freed: the stores may go then. */
void ledger_role_stop(struct ledger_role *role, void (*stopped)(void *arg), void *arg);

#endif
