/* The health protocol of load balancers and orchestrators. */
#include "api/health/health.h"
#include "api/auth/auth.h"

#include "base/list.h"
#include "grpc/health/v1/health.pb-c.h"
#include "rpc/message.h"
#include "service/worker/worker.h"

typedef Grpc__Health__V1__HealthCheckRequest Request;
typedef Grpc__Health__V1__HealthCheckResponse Response;
#define STATUS(name) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##name

/*
 * Watch needs no key, and each stream occupies one of the calls that a worker can hold. Without a limit, strangers
 * could occupy them all and lock out callers with keys. This many streams per worker are enough for load balancing.
 */
enum { WATCHES_MAX = 1000 };
static __thread int watches;
static __thread struct list open_watches; /* zeroed until the first stream opens */

/* One stream of Watch, in the arena of its call. */
struct watch {
	struct list link;
	struct call *call;
	bool known;
	bool serving; /* the status last sent */
	bool writing;
	bool ending; /* NOT_SERVING will be sent, or has been */
};

/* The status of /readyz. A server without workers (in a test) has no stores to wait for. */
static bool is_ready(const struct worker *worker)
{
	return !worker || !worker->parts.ready || worker->parts.ready(worker->parts.ready_arg);
}

static const Request *read_request(struct call *call)
{
	struct err err;
	const Request *request = call_message(call, &grpc__health__v1__health_check_request__descriptor, &err);

	if (!request)
		call_fail(call, &err);
	return request;
}

static bool is_known(const struct call *call, const char *service)
{
	return !service[0] || call_serves(call, service);
}

static void check(struct call *call, void *ctx)
{
	const Request *request = read_request(call);
	Response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	struct err err;

	if (!request)
		return;
	if (!is_known(call, request->service)) {
		err_set(&err, ERR_NOT_FOUND, "service: this server does not serve it");
		call_fail(call, &err);
		return;
	}
	response.status = call_draining(call) || !is_ready(ctx) ? STATUS(NOT_SERVING) : STATUS(SERVING);
	call_reply_message(call, &response.base);
}

static void watch_leave(struct watch *watch)
{
	list_remove(&watch->link);
	watches--;
}

static void watch_end(struct call *call, struct watch *watch)
{
	struct err err;

	watch_leave(watch);
	err_set(&err, ERR_UNAVAILABLE, "the server is stopping: reconnect");
	call_fail(call, &err);
}

static void watch_next(struct call *call, bool ok, void *ctx);

static void watch_send(struct call *call, struct watch *watch, bool serving)
{
	Response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	response.status = !watch->known ? STATUS(SERVICE_UNKNOWN) : serving ? STATUS(SERVING) : STATUS(NOT_SERVING);
	watch->serving = serving;
	watch->writing = true;
	call_write_message(call, &response.base, watch_next, watch);
}

/* A write is done. After a failed one, watch_cancelled follows and ends the call. */
static void watch_next(struct call *call, bool ok, void *ctx)
{
	struct watch *watch = ctx;

	watch->writing = false;
	if (!ok)
		return;
	if (watch->ending)
		watch_end(call, watch);
	else if (call_draining(call)) {
		watch->ending = true;
		watch_send(call, watch, false);
	}
	/* The next health_look() finds any change since the write began. */
}

static void watch_draining(struct call *call, void *ctx)
{
	struct watch *watch = ctx;

	if (watch->writing || watch->ending)
		return;
	watch->ending = true;
	watch_send(call, watch, false);
}

static void watch_cancelled(struct call *call, void *ctx)
{
	struct err err;

	watch_leave(ctx);
	err_set(&err, ERR_CANCELLED, "the caller is gone");
	call_fail(call, &err);
}

static void watch(struct call *call, void *ctx)
{
	const Request *request = read_request(call);
	struct watch *watch;
	struct err err;

	if (!request)
		return;
	if (watches == WATCHES_MAX) {
		err_set(&err, ERR_EXHAUSTED, "%d Watch streams are already open: use Check instead", watches);
		err_reason(&err, "TOO_MANY_WATCH");
		call_fail(call, &err);
		return;
	}
	watches++;
	watch = arena_zalloc(call_arena(call), 1, sizeof(*watch));
	watch->known = is_known(call, request->service);
	watch->call = call;
	watch->ending = call_draining(call);
	if (!open_watches.next)
		list_init(&open_watches);
	list_init(&watch->link);
	list_push_back(&open_watches, &watch->link);
	call_on_cancel(call, watch_cancelled, watch);
	call_on_drain(call, watch_draining, watch);
	watch_send(call, watch, !watch->ending && is_ready(ctx));
}

void health_look(const struct worker *worker)
{
	bool ready = is_ready(worker);

	if (!open_watches.next)
		return;
	list_each (&open_watches, at, after) {
		struct watch *watch = container_of(at, struct watch, link);

		if (watch->known && watch->serving != ready && !watch->writing && !watch->ending)
			watch_send(watch->call, watch, ready);
	}
}

const struct rpc_method health_methods[] = {
	{"/grpc.health.v1.Health/Check", check, RPC_UNARY, MAY_ANYBODY},
	{"/grpc.health.v1.Health/Watch", watch, RPC_SERVER_STREAM, MAY_ANYBODY},
	{0},
};
