/*
 * The decision, as a pure function of state and request: what LOCAL mode runs on when the store is away, and what turns
 * states into answers (used, remaining, retry after). With tests/reference, which settles, charges and converts, it is
 * the model that the Lua scripts are held against.
 *
 * The rules (docs/store.md says the same for Lua, and tests/property compares the two step by step):
 *   bucket    taking n moves full_at by exactly n*num/den microseconds; passes when full_at - now <= the burst's time
 *   calendar  passes when settled + held + n <= effective amount; a window whose start is older is emptied first
 *   level     passes when open + 1 <= amount
 */
#ifndef BURSAR_DOMAIN_LIMIT_DECISION_H
#define BURSAR_DOMAIN_LIMIT_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/limit/account.h"

/* What a request asks or used, by dimension. tokens = input + output. */
struct amounts {
	int64_t requests, input, output, cost;
};

int64_t amounts_of(const struct amounts *amounts, enum dimension dimension);

struct request {
	struct amounts estimate;
	bool probe_cost; /* the cost is unknown: nothing is held, but a spent budget denies (tested with 1 nano-USD) */
	uint64_t interface_hash, model_hash;
};

/* What one limit held for a reservation. */
struct holding {
	uint32_t limit_id;
	enum dimension dimension;
	enum limit_kind kind;
	enum window_unit unit;
	int64_t full_at_us; /* KIND_BUCKET: what the bucket's full_at was right after the check */
};

enum reservation_state {
	RESERVATION_NONE = 0,
	RESERVATION_OPEN = 1,
	RESERVATION_RECORDED = 2,
	RESERVATION_CANCELLED = 3,
	RESERVATION_EXPIRED = 4
};

struct reservation {
	enum reservation_state state;
	int64_t started_at_us, expires_at_us;
	struct amounts held; /* still held: what was estimated minus what attempts took from it */
	struct amounts used; /* recorded so far */
	uint32_t attempts; /* bit a: attempt a was recorded */
	uint64_t interface_hash, model_hash;
	int accounts;
	struct {
		int64_t window_start[WINDOW_COUNT]; /* the windows in which it was checked */
		int count;
		struct holding holdings[LIMITS_MAX];
	} account[ACCOUNTS_MAX];
};

/* What the check says of one account. */
struct verdict {
	uint32_t failed; /* bit i: limit i denies */
	uint32_t would; /* bit i: would deny, but is shadow or the account is bypassed */
	uint32_t notify; /* bit i: warned now for the first time in its window */
};

/* Moves the account's clock to now. When it was far ahead (true), buckets keep what they lack, not the time at which they would be full. */
bool state_follow(struct account_state *state, int64_t now_us);

/*
 * Moves the account's clock to now and each unit to the window that holds it, which is empty. A window that lies ahead (the store's clock
 * was wrong when it began) gives way to the one that runs now. The use in a window that had begun before only the ledger knows: its
 * limits are `unseeded`; what is held stays held. True as state_follow: then the state has to be kept, whatever becomes of the request.
 */
bool state_roll(struct account_state *state, const struct windows *windows, int64_t now_us);

/* Would it pass? Fills a verdict per account; changes nothing. True when nothing failed and none is suspended/deleted
 * (suspended wins over bypass). States must have been rolled. */
bool decision_test(const struct account_state *const states[], int count, const struct request *request, int64_t now_us,
	struct verdict verdicts[]);

/* Takes what a passing request asks, on all accounts, and makes its reservation. Sets `notify` in the verdicts. */
void decision_take(struct account_state *const states[], int count, const struct request *request, int64_t now_us,
	int64_t ttl_us, struct reservation *reservation, struct verdict verdicts[]);

/* Which counter has less than an adjustment (limits_adjust) would take from it. */
struct lacking {
	int account; /* its index */
	uint32_t limit_id;
	int64_t settled;
};

/* One limit's figures, for answers. */
struct figures {
	int64_t used, held, effective, remaining, resets_at_us, requested;
	int64_t retry_after_us; /* failed only: until `requested` would fit if nothing else is used; 0 when permanent */
	int64_t first_end_us; /* only_held: when the first open reservation expires; 0 = not known */
	bool only_held; /* failed, but it would pass if what runs now used nothing: waiting for the window to end is not needed */
	bool permanent, warning;
	int used_percent;
};

/*
 * How long to wait for what open reservations hold. Nobody knows when one of them ends: mostly by its record, long before it expires.
 * So a caller is asked to come again soon.
 */
#define HELD_RETRY_US INT64_C(4000000)

/*
 * Figures of limit `index` after the decision. `requested` is what the request asks of it; `failed` from the verdict. A request itself
 * is used up once it runs, so a calendar limit of requests is never `only_held`.
 */
void figures_of(const struct account_state *state, int index, const struct windows *windows, int64_t requested,
	bool failed, int64_t now_us, struct figures *out);

/* Of a limit that is only held: nobody has to wait for longer than until the first open reservation expires. 0 = not known. */
void figures_first_end(struct figures *figures, int64_t first_end_us, int64_t now_us);

/* The order of reasons: smaller is reported first. 0 = allowed. Values equal bursar.v1.Reason. */
enum reason {
	REASON_NONE = 0,
	REASON_SUSPENDED = 1,
	REASON_QUOTA = 2,
	REASON_BUDGET = 3,
	REASON_REQUEST_RATE = 4,
	REASON_TOKEN_RATE = 5,
	REASON_COST_RATE = 6,
	REASON_CONCURRENCY = 7,
	REASON_DELETED = 8,
	REASON_UNKNOWN_USER = 9,
	REASON_REQUEST_CLOSED = 10,
	REASON_COUNT
};
enum reason reason_of(const struct limit *limit);
const char *reason_name(enum reason reason);

#endif
