/*
 * The priority pool in one worker: the manager, between the callers' streams and the store, and the use cases on it.
 * Everything runs on the worker's loop thread.
 *
 * For each pool in which this worker has callers, the manager keeps a table of waiters and leases. It renews the leases
 * that streams hold (one batch for each pool), syncs with the store every two seconds to find what a lost message hid,
 * tells waiters their position, answers those whose time is up, and tells holders if they have lost their lease or must
 * finish.
 */
#ifndef BURSAR_SERVICE_POOL_POOL_H
#define BURSAR_SERVICE_POOL_POOL_H

#include "service/request/check.h"
#include "service/worker/flow.h"
#include "service/request/settle.h"
#include "service/worker/worker.h"
#include "store/pools.h"

struct pool_manager;

/* Starts listening at once. */
struct pool_manager *manager_new(struct worker *worker, struct pools_store *pools);
/*
 * Says goodbye to all pools: waiters are parked for other workers to fetch. No acquisition may be open. Operations in
 * flight end when the stores are freed, which must happen next; after that, call manager_free.
 */
void manager_stop(struct pool_manager *manager);
void manager_free(struct pool_manager *manager);

enum acquire_event { ACQUIRE_QUEUED, ACQUIRE_GRANTED, ACQUIRE_DRAINING };
enum lease_mode { LEASE_STREAM = 1, LEASE_EXPLICIT = 2 }; /* = bursar.v1.LeaseMode */

/*
 * One Acquire, from the check until the slot is given back. Embedded in the caller of acquire_start and alive until
 * `ended` has run, exactly once and last. Before that, `event` may run any number of times: QUEUED at most once a
 * second, DRAINING possibly together with GRANTED.
 */
struct acquisition {
	/* in */
	struct check check; /* check.question is filled in; its ttl is extended while queueing and holding */
	const char *pool; /* validated name; "" = POOL_DEFAULT */
	int seats; /* 1 or more */
	int64_t max_wait_us; /* 0 = the pool's maximum */
	enum lease_mode mode;
	bool poll; /* end after the first event; the caller asks again with the same request id */
	void (*event)(struct acquisition *acquisition, enum acquire_event event);
	/*
	 * flow.ok: the stream ends with OK, because the check was denied (`denied`), the caller polled or has an
	 * explicit lease, or their own release or record was seen. Otherwise flow.err: ERR_EXHAUSTED with
	 * retry_after_us and a reason, ERR_ABORTED if another stream took over the request or the lease was lost,
	 * ERR_UNAVAILABLE ("connect again").
	 */
	void (*ended)(struct acquisition *acquisition);
	/* out */
	struct flow flow;
	bool denied; /* check.answer says why */
	bool repeated; /* the request already had the lease */
	const char *lease; /* the handle, from GRANTED on */
	struct pool_fence fence;
	int64_t now_us, enqueued_at_us, expires_at_us, lease_us, drain_by_us, eta_us, wait_until_us;
	uint32_t position;
	enum pool_why why;
	int levels; /* waiting and running by level, when QUEUED */
	struct pool_level_state level[POOL_LEVELS_MAX];
	/* internal to the manager */
	struct acquire_state *state;
};

/* The caller has set the inputs of `acquisition` and zeroed the rest. */
void acquire_start(struct acquisition *acquisition, struct pool_manager *manager, struct arena *arena);
/* The caller is gone: their slot is released, or their place and reservation are given back. `ended` runs. */
void acquire_close(struct acquisition *acquisition);
/* The server is draining: the caller is told to connect again and keeps their place or lease. `ended` runs. */
void acquire_drain(struct acquisition *acquisition);

/*
 * A lease handle of the API: tenant, pool, user, request id, fence, as base64url text. And when the check
 * was made (check.answer.started_at_us): a record by the lease alone needs it, its repeat is found by its day.
 */
struct lease_handle {
	const char *tenant, *pool, *user, *request_id;
	int64_t started_at_us;
	struct pool_fence fence;
};
const char *lease_format(const struct lease_handle *lease, struct arena *arena);
bool lease_parse(const char *text, const char *field, struct arena *arena, struct lease_handle *out, struct err *err);

/* A lease released or renewed by its handle: for explicit leases, and for records that release. */
struct lease_call {
	struct flow flow;
	struct pool_manager *manager;
	struct arena *arena;
	struct lease_handle lease;
	int64_t expires_at_us, drain_by_us, held_us; /* out */
	bool repeat; /* out: it had already ended */
	struct pool_end end;
	struct pool_renew renew;
	struct pool_renewal item;
};
/* ERR_NOT_FOUND: unknown; ERR_PRECONDITION: the lease has ended, or the same request holds a newer one. */
void lease_release(struct lease_call *call, void (*done)(struct flow *flow));
void lease_renew(struct lease_call *call, void (*done)(struct flow *flow));

#endif
