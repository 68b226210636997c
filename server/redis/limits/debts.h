/*
 * What is owed to Redis: a check whose caller was told that its outcome is unknown may still hold something, which must
 * be returned (`giveup`). A debt is paid regardless of the breaker, over as many connections as it takes, until Redis
 * has answered at a time at which the check itself can no longer be decided (its `latest`), or until its reservation
 * has expired anyway.
 */
#ifndef BURSAR_REDIS_LIMITS_DEBTS_H
#define BURSAR_REDIS_LIMITS_DEBTS_H

#include "base/list.h"
#include "redis/codec/store_private.h"

struct debt;

/* Room for keys comes in steps of DEBT_ROOM bytes; what needs more than DEBT_ROOMS of them is not kept for reuse. */
enum { DEBT_ROOM = 128, DEBT_ROOMS = 8 };

struct debts {
	struct redis_store *redis; /* borrowed */
	struct list open; /* in flight, or to be sent when `due` says so */
	int count;
	struct list spare
		[DEBT_ROOMS]; /* free ones, by the room for their keys: nearly every check needs one for a moment */
	int spares;
	bool closing;
	uv_timer_t *timer;
};

void debts_init(struct debts *debts, struct redis_store *redis, uv_loop_t *loop);
/* Call it before the link is freed; debts still open then are left to expire. */
void debts_close(struct debts *debts);

/* About the check to give up. */
struct debt_terms {
	struct redis_args keys; /* the marker, its partition's keys and the accounts; copied */
	uint64_t nonce;
	uint8_t accounts_digest[8];
	int64_t latest_us; /* by the store's clock; 0 = the check was answered */
	int64_t until_us; /* clock_mono_us: its reservation has expired by then */
};
void debts_add(struct debts *debts, const struct debt_terms *terms);

/* A debt that may become owed: call one of the two functions below to decide. */
struct limits_debt *debt_new(struct debts *debts, const struct debt_terms *terms);
void debt_owe(struct limits_debt *handle);
void debt_forgive(struct limits_debt *handle);

#endif
