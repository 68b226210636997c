/*
 * What is owed to Redis: a check whose caller was told that nobody knows its outcome may hold something all the same, and that goes
 * back (`giveup`). A debt is paid whatever the breaker says, over as many connections as it takes, until Redis has answered at a time
 * at which the check itself can no longer be decided (its `latest`), or until its reservation has expired anyway.
 */
#ifndef BURSAR_REDIS_LIMITS_DEBTS_H
#define BURSAR_REDIS_LIMITS_DEBTS_H

#include "base/list.h"
#include "redis/codec/store_private.h"

struct debt;
struct debts {
	struct redis_store *redis; /* not the debts' own */
	struct list open; /* asked, or to be asked when `due` says so */
	int count;
	bool closing;
	uv_timer_t *timer;
};

void debts_init(struct debts *debts, struct redis_store *redis, uv_loop_t *loop);
/* Before the link is freed; what is still owed then is left to expire. */
void debts_close(struct debts *debts);

/* Of the check that is to be given up. */
struct debt_terms {
	struct redis_args keys; /* the marker, its partition's keys and the accounts; copied */
	uint64_t nonce;
	uint8_t accounts_digest[8];
	int64_t latest_us; /* the store's clock; 0 = the check was answered */
	int64_t until_us; /* clock_mono_us: its reservation has expired by then */
};
void debts_add(struct debts *debts, const struct debt_terms *terms);

/* A debt that may come to be owed: one of the two that follow says whether. */
struct limits_debt *debt_new(struct debts *debts, const struct debt_terms *terms);
void debt_owe(struct limits_debt *handle);
void debt_forgive(struct limits_debt *handle);

#endif
