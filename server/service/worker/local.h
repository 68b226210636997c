/*
 * Decides without the store: a bounded table of the levels that this worker last saw, and the same decision made on
 * them. Each of N workers counts every request N times, so that together they stay within the limits.
 */
#ifndef BURSAR_SERVICE_WORKER_LOCAL_H
#define BURSAR_SERVICE_WORKER_LOCAL_H

#include "service/worker/accounts.h"
#include "store/accounts.h"
#include "store/limits.h"

struct local_table;

/* Room for `entries` accounts. A new account replaces the least recently used one of a small group. */
struct local_table *local_new(size_t entries);
void local_free(struct local_table *table);

/* Remembers the levels of the accounts from an answer of the store. */
void local_note(
	struct local_table *table, const struct accounts *accounts, const struct standing *const standing[], int count);

/* Sets the level of the only account in `accounts` from its use in PostgreSQL, unless a level is already known. */
void local_begin(
	struct local_table *table, const struct accounts *accounts, const struct account_found *found, int64_t now_us);

/*
 * Decides as one of `workers`, and takes the amounts if the request is allowed. Returns standings (in the arena) in the
 * form the store would answer them. An account without a known level starts unused. Open reservations are not counted,
 * because nothing settles them here.
 */
bool local_decide(struct local_table *table, const struct accounts *accounts, const struct request *request,
	int workers, int64_t now_us, struct standing *standing[ACCOUNTS_MAX]);

#endif
