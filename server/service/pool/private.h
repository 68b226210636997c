/* Between the files of the manager. */
#ifndef BURSAR_SERVICE_POOL_PRIVATE_H
#define BURSAR_SERVICE_POOL_PRIVATE_H

#include "base/list.h"
#include "service/pool/pool.h"
#include "service/pool/epoch.h"

#define TURN_US 100000 /* how often timers are checked */
#define LEASE_MARGIN_US 2000000 /* at most this long before the store ends a lease, its holder gives it up */
#define POLL_KEEP_US 25000000 /* how long a polling caller keeps a place between two calls */

enum acquire_phase {
	PHASE_CHECKING, /* the limits are being checked */
	PHASE_ASKING, /* the pool is being asked, or created, or will be asked again soon */
	PHASE_WAITING,
	PHASE_GRANTED, /* by the store; not acknowledged yet */
	PHASE_HOLDING,
	PHASE_ENDING, /* the place or slot is being given back; the caller has had its last event */
	PHASE_GONE, /* freed when the last operation under way has been answered */
};

/* What came from the caller's side while an operation was under way: done when that has been answered. */
enum acquire_wish {
	WISH_NONE,
	WISH_DRAIN, /* the server is stopping */
	WISH_CLOSE, /* the caller is gone */
};

/* Operations of a state that have not been answered: it must not be freed before. */
enum acquire_operation {
	OPERATION_POOL = 1, /* or the check, before there is a pool */
	OPERATION_RENEW = 2, /* of the reservation */
	OPERATION_CANCEL = 4, /* likewise */
};

/* A pool in which this worker has callers. Kept until the manager goes. */
struct kept_pool {
	struct list link; /* manager->pools */
	struct pool_manager *manager;
	char tenant[ID_MAX + 1];
	struct pool_settings settings;
	struct list states;
	int64_t sync_at_us, tick_at_us; /* clock_mono_us; tick 0 = none */
	struct arena sync_arena, renew_arena, tick_arena;
	bool syncing, renewing, ticking, configuring;
	int64_t renew_sent_us;
	struct pool_sync sync;
	struct pool_place place[POOL_BATCH_MAX];
	struct acquire_state *placed[POOL_BATCH_MAX]; /* NULL: it has ended in the meantime */
	struct pool_renew renew;
	struct pool_renewal item[POOL_BATCH_MAX];
	struct acquire_state *renewed[POOL_BATCH_MAX];
	struct pool_tick tick;
	struct pool_configure configure;
	struct arena configure_arena;
	bool fetching;
	int64_t fetch_at_us; /* clock_mono_us: not before */
	struct epoch_fetch fetch;
	struct arena fetch_arena;
};

/* One Acquire, from the check to the end of its slot. It outlives the call: what it holds is given back after the caller is gone. */
struct acquire_state {
	struct list link; /* pool->states; empty while checking */
	struct pool_manager *manager;
	struct kept_pool *pool; /* NULL while checking */
	struct acquisition *caller; /* NULL: the caller gets no more events */
	enum acquire_phase phase; /* written by state_move() alone */
	enum acquire_wish wish;
	unsigned under_way; /* of enum acquire_operation */
	/* Facts about the request. */
	bool found; /* the check had been made before this stream: its reservation may belong to another one */
	bool replaced; /* another stream has taken the request over: its reservation is no longer this one's to give back */
	bool explicit_lease, polled;
	struct arena arena; /* of its names */
	struct arena op_arena, reservation_arena; /* of what is under way; reused */
	const char *tenant, *user, *id;
	int seats, priority, cap, rounds;
	enum pool_outcome outcome; /* of a place that is being given back */
	struct pool_fence fence;
	int64_t started_at_us; /* of the check */
	uint64_t nonce; /* of the check: names what the store is owed when the reservation cannot be given back */
	int64_t wait_until_us, keep_until_us, lease_until_us, renew_at_us, told_us,
		asked_us, /* when the last question went out */
		again_at_us, /* the store did not answer: asking, or giving back, is retried then; 0 = no */
		give_up_us; /* when to stop retrying */
	int64_t drain_by_us;
	int64_t ttl_us, reservation_until_us; /* clock_mono_us */
	struct pool_acquire acquire;
	struct pool_end end;
	struct pool_configure configure;
	struct epoch_fetch fetch;
	struct settle cancel;
	struct renew renew;
	struct pool_settings settings;
};

struct pool_manager {
	struct worker *worker;
	struct pools_store *store;
	struct list pools;
	struct wait turn;
	bool turning, stopping;
};

/* state.c */
/* Moves on to `phase`, and sets what that phase begins with. Which moves are possible is a table there (asserted). */
void state_move(struct acquire_state *state, enum acquire_phase phase);
/* The operation has been answered. False when the state is gone: it is freed with its last operation. */
bool state_answered(struct acquire_state *state, enum acquire_operation operation);
/* PHASE_GONE; memory goes with the last operation under way. */
void state_free(struct acquire_state *state);
/* The caller's last event; err NULL: all is well. */
void state_caller_end(struct acquire_state *state, const struct err *err);
/* Both. */
void state_end(struct acquire_state *state, const struct err *err);
/* For Watch: granted after `waited_us`, or refused for `cause`. */
void state_publish(const struct acquire_state *state, int64_t waited_us, const char *cause);

/* ask.c */
void state_ask(struct acquire_state *state);
/* Ends the call with `err` and gives the reservation back. */
void state_refuse(struct acquire_state *state, const struct err *err);

/* acquire.c */
/* `now_us` is the store's clock as it answered a question that was sent at `sent_us` (clock_mono_us). */
void state_holds(struct acquire_state *state, int64_t expires_at_us, int64_t now_us, int64_t sent_us, bool repeated);
void state_place(
	struct acquire_state *state, const struct pool_op *op, uint32_t position, int64_t eta_us, enum pool_why why);
void state_turn(struct acquire_state *state, int64_t now_us);

/* back.c: these free the state when everything has been given back */
void state_give_back(struct acquire_state *state, enum pool_outcome outcome);
void state_give_back_again(struct acquire_state *state); /* the store had not answered */
void state_reservation_give_back(struct acquire_state *state, bool unless_repeated);

/* manager.c */
struct kept_pool *manager_pool(struct pool_manager *manager, const char *tenant, const struct pool_settings *settings);
struct acquire_state *pool_find(struct kept_pool *pool, const char *user, const char *id);
/* What an answer's tail says. */
void pool_take_grants(struct kept_pool *pool, const struct pool_op *op);
/* Acknowledges and renews what is due. */
void pool_renew_due(struct kept_pool *pool);
/* Gets the pool an epoch if it wants one: it asks, at most once a second. */
void pool_fetch_epoch(struct kept_pool *pool);

#endif
