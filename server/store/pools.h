/*
 * What the use cases need from the store that keeps the pools (Redis in production, a fake in tests). As in
 * store/limits.h: one operation struct per call, embedded by the caller and alive until `done` has run, which it does
 * exactly once, never before the call has returned, on the loop thread that made the call. docs/pool-store.md explains
 * every field. Times and durations are in microseconds here; the store uses milliseconds (durations are rounded up).
 */
#ifndef BURSAR_STORE_POOLS_H
#define BURSAR_STORE_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/pool.h"

#define POOL_WORKER_ID 16 /* hex digits */
#define POOL_BATCH_MAX 256 /* requests in one renew or sync */

enum pool_status { /* the numbers of docs/pool-store.md */
	POOL_OK = 0,
	POOL_SHED = 1,
	POOL_REPEAT = 2,
	POOL_CONFLICT = 3,
	POOL_ABSENT = 4,
	POOL_BEHIND = 6,
	POOL_UNKNOWN = 8,
	POOL_NOTHING = 11,
	POOL_GRANTED = 20,
	POOL_QUEUED = 21,
	POOL_DONE = 23,
	POOL_FENCED = 25,
	POOL_LEARNING = 26,
	POOL_MOVED = 27,
	POOL_INVALID = 28,
	POOL_FAILED = 100, /* the store did not answer: see err (ERR_UNAVAILABLE, ERR_DEADLINE) */
};

/* Does the pool want an epoch? WANTED: it grants under its current one meanwhile. NEEDED: it grants nothing until it
 * gets one. */
enum pool_want { EPOCH_KEPT = 0, EPOCH_WANTED, EPOCH_NEEDED };

enum pool_why { WHY_OWN_CAP = 1, WHY_LEVEL_SHARE, WHY_LEARNING, WHY_RESIZE, WHY_PAUSED, WHY_PARKED };
enum pool_shed { SHED_POOL_QUEUE = 1, SHED_LEVEL_QUEUE, SHED_USER_QUEUE, SHED_PREDICTED, SHED_LEVELS };
enum pool_outcome {
	OUTCOME_RELEASED = 1,
	OUTCOME_EXPIRED,
	OUTCOME_CANCELLED,
	OUTCOME_TIMED_OUT,
	OUTCOME_GONE,
	OUTCOME_UNDELIVERED,
};

/* Identifies a request. The strings are the caller's, or are in the operation's arena. */
struct pool_request {
	const char *user, *id;
};

struct pool_fence {
	uint32_t epoch, fence; /* compared in this order, strictly increasing over all grants of the pool */
};

struct pool_grant {
	struct pool_request request;
	struct pool_fence fence;
};

struct pool_level_state {
	int priority;
	uint32_t waiting, running; /* requests; seats */
};

struct pool_op {
	/* in */
	const char *tenant, *pool;
	struct arena *arena; /* answers are allocated here; the caller's */
	int64_t deadline_us; /* clock_mono_us; 0 = the store's default */
	void (*done)(struct pool_op *op);
	/* out */
	enum pool_status status;
	struct err err;
	int64_t now_us; /* the store's clock */
	int grants; /* the tail: grants to this worker, to be acknowledged by a renewal */
	struct pool_grant *grant;
	int levels;
	struct pool_level_state level[POOL_LEVELS_MAX];
	/* the store's own */
	void *impl[4];
};

struct pool_configure {
	struct pool_op op;
	const struct pool_settings *settings;
	uint32_t gen; /* out */
	bool created; /* the state was created: it is learning, and needs an epoch */
};

/* Asks whether an epoch is wanted, or delivers one, which is accepted if the state still has the claim that asked for
 * it. */
struct pool_epoch {
	struct pool_op op;
	const char *claim; /* "": only asks */
	uint32_t epoch; /* in: the one to deliver. out: the greatest that the store knows */
	bool first; /* nothing was ever granted under another claim: the store need not learn */
	enum pool_want want; /* out */
	const char *claim_now; /* out: the claim for which to get the epoch */
};

struct pool_acquire {
	struct pool_op op;
	struct pool_request request;
	uint32_t gen;
	int priority, cap, seats;
	int64_t wait_us; /* 0 = the pool's wait_max */
	/* out */
	struct pool_fence fence; /* GRANTED, DONE */
	int64_t expires_at_us, enqueued_at_us, drain_by_us;
	uint32_t position;
	int64_t eta_us, wait_until_us; /* QUEUED */
	enum pool_why why;
	enum pool_shed shed;
	int64_t retry_after_us;
	enum pool_outcome outcome;
	int invalid; /* 1 more seats than slots, 2 more than the cap */
};

struct pool_renewal {
	struct pool_grant grant; /* in */
	enum pool_status status; /* OK, UNKNOWN, DONE, FENCED, LEARNING, MOVED */
	int64_t expires_at_us, drain_by_us;
};
struct pool_renew {
	struct pool_op op;
	bool by_worker; /* else by the callers themselves */
	int count; /* 1..POOL_BATCH_MAX */
	struct pool_renewal *item; /* the caller's */
};

struct pool_end { /* release, cancel */
	struct pool_op op;
	struct pool_request request;
	struct pool_fence fence; /* release */
	enum pool_outcome outcome; /* cancel */
	bool only_mine;
	int64_t held_us; /* out: release */
	int was; /* out: cancel: 1 waiting, 2 granted */
};

struct pool_place {
	struct pool_request request; /* in */
	enum pool_status status; /* QUEUED, GRANTED, DONE, UNKNOWN, MOVED */
	uint32_t position;
	int64_t eta_us;
	enum pool_why why;
};
struct pool_starving {
	struct pool_request request;
	int priority;
	int64_t waited_us;
	enum pool_why why;
};
struct pool_sync {
	struct pool_op op;
	uint32_t gen;
	bool goodbye;
	int count; /* 0..POOL_BATCH_MAX */
	struct pool_place *place; /* the caller's */
	/* out */
	int64_t next_us, learning_us; /* 0 = none */
	enum pool_want want;
	int starving_count;
	struct pool_starving *starving;
};

struct pool_tick { /* tick, resume */
	struct pool_op op;
	uint32_t gen;
	int64_t next_us; /* out */
};

struct pool_level_stats {
	int priority, weight;
	uint32_t waiting, running, ready;
	int64_t granted, seat_us, oldest_wait_us;
};
struct pool_waiter_row {
	struct pool_request request;
	int priority, seats;
	int64_t waited_us;
	enum pool_why why;
	uint32_t position;
	int64_t eta_us;
};
struct pool_lease_row {
	struct pool_request request;
	int priority, seats;
	int64_t held_us, expires_at_us, drain_by_us;
	struct pool_fence fence;
	bool acknowledged;
};
struct pool_stats {
	struct pool_op op;
	int rows; /* in: most rows of each list; 0 = no lists */
	const char *user; /* in: the lists are of this user's requests; NULL or "" = of everybody's */
	/* out; counters since the pool's state began */
	uint32_t epoch;
	int64_t learning_us;
	bool paused;
	enum pool_want want;
	uint32_t slots, running, leases, waiting, parked, unacknowledged, draining, starving, starving_eligible;
	int64_t oldest_wait_us, oldest_eligible_wait_us, mean_hold_us;
	int64_t granted_at_once, granted_waited, granted_aged, released, expired, cancelled, timed_out, gone;
	int64_t shed[5]; /* by enum pool_shed - 1 */
	int64_t sum_wait_us, sum_hold_us;
	int level_rows;
	struct pool_level_stats level_row[POOL_LEVELS_MAX];
	int waiter_rows, lease_rows;
	struct pool_waiter_row *waiter; /* the longest waits; a user's in the order in which they are granted */
	struct pool_lease_row *lease; /* those that end first; a user's among the 1,000 of those */
	uint32_t user_running, user_waiting, user_parked; /* with `user`: seats, requests, requests */
};

struct pools_store;
#define OP(name, operation) void (*name)(struct pools_store * store, struct operation * op)
struct pools_store_ops {
	OP(configure, pool_configure);
	OP(epoch, pool_epoch);
	OP(acquire, pool_acquire);
	OP(renew, pool_renew);
	OP(release, pool_end);
	OP(cancel, pool_end);
	OP(sync, pool_sync);
	OP(tick, pool_tick);
	OP(resume, pool_tick);
	OP(stats, pool_stats);
	/*
	 * From now on `hint` runs for every grant that another worker's call made to this one. Hints may be lost: only
	 * sync is reliable. Its strings are valid until it returns. `listening` runs each time the subscription is
	 * (re)established: use sync to get what was missed before.
	 */
	void (*listen)(struct pools_store *store,
		void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg),
		void (*listening)(void *arg), void *arg);
};
#undef OP
struct pools_store {
	const struct pools_store_ops *ops;
	char worker[POOL_WORKER_ID + 1]; /* this loop's name, made at startup */
};

#endif
