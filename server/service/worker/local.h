/*
 * Deciding without the store: a bounded table of the levels that this worker saw last, and the same decision on them.
 * Each of N workers counts every request N times, so that together they stay within the limits.
 */
#ifndef BURSAR_SERVICE_WORKER_LOCAL_H
#define BURSAR_SERVICE_WORKER_LOCAL_H

#include "service/worker/accounts.h"
#include "store/accounts.h"
#include "store/limits.h"

struct local_table;

/* Room for `entries` accounts; the one used longest ago of a small group goes first. */
struct local_table *local_new(size_t entries);
void local_free(struct local_table *table);

/* Remembers where the accounts stood in an answer of the store. */
void local_note(
	struct local_table *table, const struct accounts *accounts, const struct standing *const standing[], int count);

/* Where the only account of `accounts` begins: with what PostgreSQL knows of its use, unless an answer of the store was remembered. */
void local_begin(
	struct local_table *table, const struct accounts *accounts, const struct account_found *found, int64_t now_us);

/*
 * Decides for one of `workers`, and takes when it passes. Standings (in the arena) as the store would answer them: an
 * account that was never seen, and of which PostgreSQL has said nothing, begins unused. Open reservations are not
 * counted: nothing settles them here.
 */
bool local_decide(struct local_table *table, const struct accounts *accounts, const struct request *request,
	int workers, int64_t now_us, struct standing *standing[ACCOUNTS_MAX]);

#endif
