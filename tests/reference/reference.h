/*
 * What Redis does to an account after the check, as pure functions: settling, charging, adjusting, resetting, and taking over another
 * policy. bursard never runs them: tests/contract and tests/property hold the Lua against them, and the services' tests run on a store
 * made of them. What bursard itself needs of the model is domain/limit/decision.h.
 */
#ifndef TESTS_REFERENCE_REFERENCE_H
#define TESTS_REFERENCE_REFERENCE_H

#include "domain/limit/decision.h"

/*
 * Converts the state to another policy. Buckets and levels are kept by limit id; a bucket keeps its used amount (rounded up) at the
 * new rate. A calendar limit takes over the counter that counts the same (dimension, unit, selectors), whatever its name; one that
 * counts something new is `unseeded`. */
void state_convert(struct account_state *state, const struct policy *to, int64_t now_us);

/* A copy that lives as long as the program: reservations that the model keeps hold nothing of a caller's. */
const int64_t *counted_keep(const int64_t *counted);

/* Gives `n` back, moving full_at by at most `most_us` and never behind now. */
void bucket_give(const struct limit *limit, union limit_state *state, int64_t n, int64_t now_us, int64_t most_us);

/* How a reservation is settled. */
struct settlement {
	struct amounts used; /* requests is ignored: a request counts once, whatever its attempts */
	bool final; /* gives back what is still held */
	enum reservation_state becomes; /* RECORDED, CANCELLED (nothing used) or EXPIRED (1 request) when final */
};

/* What a settlement did. */
struct settled {
	struct amounts charged; /* what went into the books, requests included */
	struct amounts released; /* given back */
	bool late; /* the reservation was expired or cancelled */
};

/*
 * Settles on all accounts of the reservation (NULL entries of states are absent and skipped). The limits that the check held give back
 * what they held; every calendar limit that the request matches counts what was used, if the window of the check still runs.
 */
void decision_settle(struct account_state *const states[], struct reservation *reservation,
	const struct settlement *settlement, int64_t now_us, struct settled *out, struct verdict verdicts[]);

/*
 * Charges a request that was never checked: counts it and all it used in the running windows. The reservation becomes
 * RECORDED; when the attempt was not the last one the caller makes it EXPIRED, so that the next counts no request.
 */
void decision_charge(struct account_state *const states[], int count, const struct request *request,
	const struct amounts *used, int64_t now_us, struct reservation *reservation, struct settled *out,
	struct verdict verdicts[]);

/*
 * Adds amounts of any sign to what the request has used: in the counters of the windows that hold `counted_at_us`, and in buckets that
 * have not filled since. States have been rolled. False, with nothing changed, when a counter would fall below 0.
 */
bool decision_adjust(struct account_state *const states[], int count, const struct request *request,
	const struct amounts *amounts, int64_t counted_at_us, struct lacking *lacking);

/*
 * Begins new windows with empty counters, and fills buckets. What was checked before settles in the windows of its check. `lost[i]`:
 * what calendar limit i had settled.
 */
void decision_reset(struct account_state *state, int64_t now_us, int64_t lost[LIMITS_MAX]);

#endif
