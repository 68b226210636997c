/* Between the files of the manager. */
#ifndef BURSAR_SERVICE_POOL_PRIVATE_H
#define BURSAR_SERVICE_POOL_PRIVATE_H

#include "base/list.h"
#include "service/pool/pool.h"
#include "service/pool/epoch.h"

#define KEEPER_TURN_US 100000 /* how often timers are looked at */
#define LEASE_MARGIN_US 2000000 /* so much before the store, at most, the holder stops believing in a lease */
#define POLL_KEEP_US 25000000 /* a place of a caller who polls */

enum acquire_phase {
	PHASE_CHECKING, /* the limits are asked */
	PHASE_ASKING, /* the pool is asked, or made, or will be asked again soon */
	PHASE_WAITING,
	PHASE_GRANTED, /* and to be acknowledged */
	PHASE_HOLDING,
	PHASE_ENDING, /* place or slot is given back; nobody is told any more */
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
	struct acquire_state *placed[POOL_BATCH_MAX]; /* NULL: it has ended meanwhile */
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

struct acquire_state {
	struct list link; /* pool->states; of itself while checking */
	struct pool_manager *manager;
	struct kept_pool *pool;
	struct acquisition *caller; /* NULL: nobody listens any more */
	enum acquire_phase phase;
	bool busy; /* an operation of its own is under way: it must not be freed */
	bool gone; /* to be freed when that has been answered */
	bool closed; /* its caller has gone: to be given back when that has been answered */
	bool draining; /* the server stops: to be told so when the check has been answered */
	bool replaced; /* another stream has the request: its reservation is no longer this one's to give back */
	bool found; /* the check had been made before this stream: its reservation may be another one's */
	bool explicit_lease, polled;
	bool absent; /* the store had no state of the pool */
	struct arena arena; /* of its names */
	struct arena op_arena, reservation_arena; /* of what is under way; reused */
	const char *tenant, *user, *id;
	int seats, priority, cap, rounds;
	enum pool_outcome outcome; /* of a place that is given back */
	struct pool_fence fence;
	int64_t started_at_us; /* of the check */
	uint64_t nonce; /* likewise: what is owed to the store when the reservation cannot be given back */
	int64_t wait_until_us, keep_until_us, lease_until_us, renew_at_us, told_us,
		asked_us, /* when the last question went out */
		again_at_us, /* the store did not answer: the question, or the giving back, is repeated then; 0 = no */
		give_up_us; /* and no longer than until then */
	int64_t drain_by_us;
	int64_t ttl_us, reservation_until_us; /* clock_mono_us */
	bool reservation_renewing, reservation_cancelling;
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

/* ask.c */
void state_refuse(
	struct acquire_state *state, const struct err *err); /* tells the caller, gives his reservation back */

/* For those who watch: granted after so long, or refused for `cause`. */
void state_publish(const struct acquire_state *state, int64_t waited_us, const char *cause);

/* acquire.c */
bool state_lives(struct acquire_state *state); /* after an answer: false when the state was only waiting for that */
void state_caller_end(struct acquire_state *state, const struct err *err);
void state_end(struct acquire_state *state, const struct err *err); /* tells the caller and forgets; err NULL: well */
void state_ask(struct acquire_state *state);
void state_granted(struct acquire_state *state, struct pool_fence fence); /* by the store; acknowledge it */
/* `now_us` is the store's clock as it answered a question that was sent at `sent_us` (clock_mono_us). */
void state_holds(struct acquire_state *state, int64_t expires_at_us, int64_t now_us, int64_t sent_us, bool repeated);
void state_place(
	struct acquire_state *state, const struct pool_op *op, uint32_t position, int64_t eta_us, enum pool_why why);
void state_turn(struct acquire_state *state, int64_t now_us);
void state_free(struct acquire_state *state);

/* back.c: these free the state when what they gave back is given back */
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
void pool_forget(struct acquire_state *state); /* takes it out of batches under way */

#endif
