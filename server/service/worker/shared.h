/*
 * A worker's cache of how many users share an account, for messages to users. An allowed request never waits for it; a
 * denial that finds no count asks PostgreSQL and briefly looks again.
 */
#ifndef BURSAR_SERVICE_WORKER_SHARED_H
#define BURSAR_SERVICE_WORKER_SHARED_H

#include "domain/limit/account.h"

struct worker;
struct shared;

struct shared *shared_new(struct worker *worker);
void shared_free(struct shared *shared);
/* Stops asking. False while a query is in flight. */
bool shared_stop(struct shared *shared);

/*
 * *users is how many users share the account, at most SHARED_MAX; 0 if unknown. An old count is returned while a new
 * one is queried. False if there is no count yet but a query is under way, so that it is worth looking again soon.
 */
bool shared_users_of(struct shared *shared, enum account_kind kind, const char *tenant, const char *id, int64_t *users);

#endif
