/*
 * What a worker remembers of accounts that are over their limits, so that it can deny again without the store: their
 * states as the store answered them, for as long as it reports every change (store/changes.h). Decided by the same model
 * as everything else, so it never allows and never denies a request that would fit. The reasons are in
 * docs/decisions/0013-denials-from-memory.md.
 */
#ifndef BURSAR_SERVICE_WORKER_DENIALS_H
#define BURSAR_SERVICE_WORKER_DENIALS_H

#include "service/worker/accounts.h"
#include "store/changes.h"
#include "store/limits.h"

struct denials;

/*
 * Room for `entries` accounts; a new one replaces the least recently used of a small group. Changes of the last
 * `memory_us` may be overlooked. NULL if `changes` is NULL or `memory_us` 0: nothing is remembered.
 */
struct denials *denials_new(struct changes_store *changes, int64_t memory_us, size_t entries);
void denials_free(struct denials *denials); /* NULL is fine */

/* One check, before it is sent to the store. */
struct denials_ask {
	const char *request_id;
	bool id_is_new; /* nobody has used the request id before */
	uint64_t session, in_effect; /* filled in by denials_answer: what the store had confirmed when it was asked */
};
struct denials_answer {
	int64_t now_us; /* the store's clock */
	int64_t first_end_us; /* as in limits_check */
	struct standing *standing[ACCOUNTS_MAX]; /* in the arena; NULL: of this account nothing is known */
};
/* True if the request is certainly denied, and its id certainly has no reservation. */
bool denials_answer(struct denials *denials, const struct accounts *accounts, const struct request *request,
	struct denials_ask *ask, struct denials_answer *out);

/* The store denied the check. Call it only when all its accounts were decided on their true states. */
void denials_learn(struct denials *denials, const struct accounts *accounts, const struct limits_check *op,
	const struct denials_ask *ask);

/* The denial of this user with this key is told until then: by the caller, or by another that the store knows of. */
void denials_tell(struct denials *denials, const struct accounts *accounts, uint64_t key, int64_t until_us);
/* True if that is certain. Of each user, the last few are remembered. */
bool denials_told(struct denials *denials, const struct accounts *accounts, uint64_t key, int64_t now_us);

#endif
