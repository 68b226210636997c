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
#include "domain/limit/amounts.h"

/* What a request asks for or used, by dimension. tokens = input + output. */
int64_t amounts_of(const struct amounts *amounts, enum dimension dimension);

struct request {
	struct amounts estimate;
	bool probe_cost; /* the cost is unknown: nothing is held, but a spent budget denies (tested with 1 nano-USD) */
	/*
	 * Bit i: the caller said how many estimate.counted[i] there will be at most. Without it nothing is held, but a limit
	 * that is used up denies (tested with 1).
	 */
	uint32_t told;
	uint64_t interface_hash, model_hash;
};
#define TOLD_ALL ((UINT32_C(1) << COUNTED_COUNT) - 1)

/* What limits of the dimension are tested with: what is asked, or 1 where that is unknown. */
int64_t request_tests(const struct request *request, enum dimension dimension);

/* What one limit held for a reservation. */
struct holding {
	uint32_t limit_id;
	enum dimension dimension;
	enum limit_kind kind;
	enum window_unit unit;
	int64_t full_at_us; /* KIND_BUCKET: the bucket's full_at right after the check */
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
	struct amounts held; /* still held: the estimate minus what attempts took from it */
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

/* What the check decides for one account. */
struct verdict {
	uint32_t failed; /* bit i: limit i denies */
	uint32_t would; /* bit i: would deny, but is a shadow limit or the account is bypassed */
	uint32_t notify; /* bit i: warns for the first time in its window */
};

/* Sets the account's clock to now. True when it was far ahead: buckets then keep what they lack, not their time of
 * being full. */
bool state_follow(struct account_state *state, int64_t now_us);

/*
 * Sets the account's clock to now and moves each unit to its current window, which starts empty. A window in the future
 * (begun while the store's clock was wrong) is replaced by the current one. When that one had begun before, only the
 * ledger knows its use: its limits become `unseeded`; holds stay. Returns what state_follow does: on true, store the
 * state even if the request is denied.
 */
bool state_roll(struct account_state *state, const struct windows *windows, int64_t now_us);

/* Would the request pass? Fills a verdict per account; changes nothing. True when no limit failed and no account is
 * suspended or deleted (suspension outranks bypass). States must have been rolled. */
bool decision_test(const struct account_state *const states[], int count, const struct request *request, int64_t now_us,
	struct verdict verdicts[]);

/* Takes the amounts of a passing request on all accounts, and fills its reservation. Sets `notify` in the verdicts. */
void decision_take(struct account_state *const states[], int count, const struct request *request, int64_t now_us,
	int64_t ttl_us, struct reservation *reservation, struct verdict verdicts[]);

/* A counter that has less than an adjustment would take from it. */
struct lacking {
	int account; /* its index */
	uint32_t limit_id;
	int64_t settled;
};

/* One limit's figures, for answers. */
struct figures {
	int64_t used, held, effective, remaining, resets_at_us, requested;
	int64_t retry_after_us; /* failed only: until `requested` fits if nothing else is used; 0 when permanent */
	int64_t first_end_us; /* only_held: when the first open reservation expires; 0 = unknown */
	bool only_held; /* failed, but would pass if open requests used nothing: no need to wait for the window's end */
	bool permanent, warning;
	int used_percent;
};

/*
 * How long to wait for what open reservations hold. Nobody knows when one ends: usually with its record, long before it
 * expires. So callers are asked to retry soon.
 */
#define HELD_RETRY_US INT64_C(4000000)

/*
 * Figures of limit `index` after the decision. `requested` is what the request asks of it; `failed` comes from the
 * verdict. A running request uses up one request for certain, so a calendar limit on requests is never `only_held`.
 */
void figures_of(const struct account_state *state, int index, const struct windows *windows, int64_t requested,
	bool failed, int64_t now_us, struct figures *out);

/* For a limit that is only held: nobody has to wait longer than until the first open reservation expires. 0 = unknown. */
void figures_first_end(struct figures *figures, int64_t first_end_us, int64_t now_us);

/* In order of precedence: the smallest is reported first. 0 = allowed. Values equal bursar.v1.Reason. */
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
