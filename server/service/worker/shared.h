/*
 * How many users share an account: what a worker remembers of it, for answers to people. Never waited for by what is allowed:
 * a denial that finds nothing asks PostgreSQL, and looks again for a moment.
 */
#ifndef BURSAR_SERVICE_WORKER_SHARED_H
#define BURSAR_SERVICE_WORKER_SHARED_H

#include "domain/limit/account.h"

struct worker;
struct shared;

struct shared *shared_new(struct worker *worker);
void shared_free(struct shared *shared);
/* No more questions; false while one is with PostgreSQL. */
bool shared_stop(struct shared *shared);

/*
 * *users: how many share the account, SHARED_MAX where it is that many or more; 0 = not known. An old figure is asked for anew,
 * and given meanwhile. False: there is none yet, and PostgreSQL was asked, so that looking again soon is worth it.
 */
bool shared_users_of(struct shared *shared, enum account_kind kind, const char *tenant, const char *id, int64_t *users);

#endif
