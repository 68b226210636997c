/*
 * The priority pool in one worker: the manager, which stands between the streams of callers and the store, and the use cases
 * on it. Everything is on the worker's loop thread.
 *
 * The manager has, for each pool that this worker has callers in, a table of its waiters and its leases. It renews what
 * streams hold (one batch a pool), asks the store every two seconds for what a lost hint would hide (sync), tells waiters where they
 * stand, answers those whose time is over, and tells holders who lost their lease or are to end.
 */
#ifndef BURSAR_SERVICE_POOL_POOL_H
#define BURSAR_SERVICE_POOL_POOL_H

#include "service/request/check.h"
#include "service/worker/flow.h"
#include "service/request/settle.h"
#include "service/worker/worker.h"
#include "store/pools.h"

struct pool_manager;

/* It listens at once. */
struct pool_manager *manager_new(struct worker *worker, struct pools_store *pools);
/*
 * Says good-bye to all pools: waiters are parked, for other workers to fetch. No acquisition may be open any more. What is under way ends
 * with the stores, which are freed next; then the memory may go.
 */
void manager_stop(struct pool_manager *manager);
void manager_free(struct pool_manager *manager);

enum acquire_event { ACQUIRE_QUEUED, ACQUIRE_GRANTED, ACQUIRE_DRAINING };
enum lease_mode { LEASE_STREAM = 1, LEASE_EXPLICIT = 2 }; /* = bursar.v1.LeaseMode */

/*
 * One caller on his way to a slot, and while he has it. Embedded by the caller of acquire_start; alive until `ended` has run, which
 * happens once and is the last that happens. Before that `event` may come any number of times: QUEUED at most once a second,
 * DRAINING perhaps together with GRANTED.
 */
struct acquisition {
	/* in */
	struct check check; /* check.question is filled; its ttl is extended while queueing and holding */
	const char *pool; /* checked name; "" = POOL_DEFAULT */
	int seats; /* 1.. */
	int64_t max_wait_us; /* 0 = the pool's */
	enum lease_mode mode;
	bool poll; /* ends after the first event: the caller asks again with the same request id */
	void (*event)(struct acquisition *acquisition, enum acquire_event event);
	/*
	 * flow.ok: the stream ends with OK: the check was denied (denied), the caller polled, has an explicit lease, or his own
	 * release or record was seen. Else flow.err: ERR_EXHAUSTED with retry_after_us and a reason, ERR_ABORTED when another
	 * stream took the request over or the lease was lost, ERR_UNAVAILABLE ("connect again").
	 */
	void (*ended)(struct acquisition *acquisition);
	/* out */
	struct flow flow;
	bool denied; /* check.answer says why */
	bool repeated; /* the lease was there already */
	const char *lease; /* handle, from GRANTED on */
	struct pool_fence fence;
	int64_t now_us, enqueued_at_us, expires_at_us, lease_us, drain_by_us, eta_us, wait_until_us;
	uint32_t position;
	enum pool_why why;
	int levels; /* waiting and running by level, when QUEUED */
	struct pool_level_state level[POOL_LEVELS_MAX];
	/* the manager's own */
	struct acquire_state *state;
};

/* `acquisition` is zeroed but for its inputs. */
void acquire_start(struct acquisition *acquisition, struct pool_manager *manager, struct arena *arena);
/* The caller is gone: what he holds is released, what he waits for is cancelled and his reservation given back. `ended` comes. */
void acquire_close(struct acquisition *acquisition);
/* The server drains: the caller is told to connect again; his place and his lease stay. `ended` comes. */
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

/* A lease ended or prolonged by its handle: explicit leases, and records that release. */
struct lease_call {
	struct flow flow;
	struct pool_manager *manager;
	struct arena *arena;
	struct lease_handle lease;
	int64_t expires_at_us, drain_by_us, held_us; /* out */
	bool repeat; /* out: it had ended already */
	struct pool_end end;
	struct pool_renew renew;
	struct pool_renewal item;
};
/* ERR_NOT_FOUND: unknown; ERR_PRECONDITION: the lease has ended, or a later one of the same request is live. */
void lease_release(struct lease_call *call, void (*done)(struct flow *flow));
void lease_renew(struct lease_call *call, void (*done)(struct flow *flow));

#endif
