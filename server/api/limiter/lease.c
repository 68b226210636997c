/* Release, and Record, Renew and Cancel by lease (api/limiter/limiter.h, api/limiter/private.h). */
#include <string.h>

#include "api/limiter/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "rpc/message.h"

/* Release, Renew or Cancel of one lease: the lease first, then its reservation. */
struct lease_run {
	struct lease_call lease;
	struct settle settle;
	struct renew renew;
	struct call *call;
	struct worker *worker;
	int64_t ttl_us;
};

static struct lease_run *run_of(struct flow *flow)
{
	return container_of(container_of(flow, struct lease_call, flow), struct lease_run, lease);
}

static bool has_pools(const struct worker *worker, struct err *err)
{
	return worker->manager ? true : err_set(err, ERR_UNIMPLEMENTED, "this server has no pools");
}

/* NULL with `err` set when the text is not a lease. */
static struct lease_run *run_new(struct call *call, struct worker *worker, const char *lease, struct err *err)
{
	struct lease_run *run = arena_zalloc(call_arena(call), 1, sizeof(*run));

	run->call = call;
	run->worker = worker;
	run->lease.manager = worker->manager;
	run->lease.arena = call_arena(call);
	if (!has_pools(worker, err) || !lease_parse(lease, "lease", call_arena(call), &run->lease.lease, err))
		return NULL;
	return run;
}

static void release_done(struct flow *flow)
{
	struct lease_run *run = run_of(flow);
	Bursar__V1__ReleaseResponse response = BURSAR__V1__RELEASE_RESPONSE__INIT;

	if (!flow->ok) {
		call_fail(run->call, &flow->err);
		return;
	}
	response.repeat = run->lease.repeat;
	response.held_us = run->lease.held_us;
	call_reply_message(run->call, &response.base);
}

void limiter_release(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__ReleaseRequest *request = request_read(call, &bursar__v1__release_request__descriptor, &err);
	struct lease_run *run = request ? run_new(call, ctx, request->lease, &err) : NULL;

	if (!run)
		call_fail(call, &err);
	else
		lease_release(&run->lease, release_done);
}

/* A failed extension of the reservation does not fail the call: the lease is alive, and the record is merely late. */
static void renew_done(struct flow *flow)
{
	struct lease_run *run = container_of(container_of(flow, struct renew, flow), struct lease_run, renew);
	Bursar__V1__RenewResponse response = BURSAR__V1__RENEW_RESPONSE__INIT;

	response.expires_at_us = flow->ok ? run->renew.expires_at_us : 0;
	response.lease_expires_at_us = run->lease.expires_at_us;
	response.finish_by_us = run->lease.drain_by_us;
	call_reply_message(run->call, &response.base);
}

static void prolonged(struct flow *flow)
{
	struct lease_run *run = run_of(flow);

	if (!flow->ok) {
		call_fail(run->call, &flow->err);
		return;
	}
	run->renew.tenant = run->lease.lease.tenant;
	run->renew.user = run->lease.lease.user;
	run->renew.request_id = run->lease.lease.request_id;
	run->renew.ttl_us = run->ttl_us;
	renew_start(&run->renew, run->worker, call_arena(run->call), renew_done);
}

void limiter_renew_lease(struct call *call, struct worker *worker, const Bursar__V1__RenewRequest *request)
{
	struct err err;
	struct lease_run *run = run_new(call, worker, request->lease, &err);

	if (!run) {
		call_fail(call, &err);
		return;
	}
	run->ttl_us = request->reservation_ttl_us;
	lease_renew(&run->lease, prolonged);
}

static void cancel_done(struct flow *flow)
{
	struct lease_run *run = container_of(container_of(flow, struct settle, flow), struct lease_run, settle);
	Bursar__V1__CancelResponse response = BURSAR__V1__CANCEL_RESPONSE__INIT;

	cancel_to_message(&run->settle, &response);
	settle_release(&run->settle);
	if (flow->ok)
		call_reply_message(run->call, &response.base);
	else
		call_fail(run->call, &flow->err);
}

/* A lease that is not found has ended, but its reservation may still be open. */
static void released_for_cancel(struct flow *flow)
{
	struct lease_run *run = run_of(flow);
	const struct lease_handle *lease = &run->lease.lease;

	if (!flow->ok && flow->err.code != ERR_NOT_FOUND) {
		call_fail(run->call, &flow->err);
		return;
	}
	run->settle.question = (struct settle_question){
		.cancel = true,
		.handle = {.tenant = lease->tenant, .user = lease->user, .request_id = lease->request_id},
		.served = "",
		.interface = "api",
		.mode = "",
		.deadline_us = call_deadline_us(run->call),
	};
	settle_start(&run->settle, run->worker, call_arena(run->call), cancel_done);
}

void limiter_cancel_lease(struct call *call, struct worker *worker, const Bursar__V1__CancelRequest *request)
{
	struct err err;
	struct lease_run *run = run_new(call, worker, request->lease, &err);

	if (!run)
		call_fail(call, &err);
	else
		lease_release(&run->lease, released_for_cancel);
}

static bool same_request(const struct lease_handle *lease, const struct handle *handle)
{
	return strcmp(lease->tenant, handle->tenant) == 0 && strcmp(lease->user, handle->user) == 0 &&
	       strcmp(lease->request_id, handle->request_id) == 0;
}

bool record_prepare(const Bursar__V1__RecordRequest *request, struct worker *worker, struct arena *arena,
	struct record_run *run, struct err *err)
{
	struct handle *handle = &run->settle.question.handle;

	*run = (struct record_run){.lease = {.manager = worker->manager, .arena = arena}};
	if (!request->reservation && !request->lease[0])
		return err_invalid(err, "reservation", "must be given when there is no lease");
	if (!question_of_record(request, arena, &run->settle.question, err))
		return false;
	if (!request->lease[0])
		return true;
	if (!has_pools(worker, err) || !lease_parse(request->lease, "lease", arena, &run->lease.lease, err))
		return false;
	if (request->reservation && !same_request(&run->lease.lease, handle))
		return err_invalid(err, "lease", "belongs to a different request than the reservation");
	run->release = !request->keep_open;
	if (!request->reservation)
		*handle = (struct handle){
			.tenant = run->lease.lease.tenant,
			.user = run->lease.lease.user,
			.request_id = run->lease.lease.request_id,
			.started_at_us =
				run->lease.lease.started_at_us ? run->lease.lease.started_at_us : worker_now_us(worker),
		};
	return true;
}

/* An unknown lease, or one with a successor, has ended too. After other failures its stream or expiry ends it. */
static void record_released(struct flow *flow)
{
	struct record_run *run = container_of(container_of(flow, struct lease_call, flow), struct record_run, lease);

	run->released = flow->ok || flow->err.code == ERR_NOT_FOUND || flow->err.code == ERR_PRECONDITION;
	run->done(run);
}

static void record_settled(struct flow *flow)
{
	struct record_run *run = container_of(container_of(flow, struct settle, flow), struct record_run, settle);

	if (flow->ok && run->release)
		lease_release(&run->lease, record_released);
	else
		run->done(run);
}

void record_start(
	struct record_run *run, struct worker *worker, int64_t deadline_us, void (*done)(struct record_run *run))
{
	run->done = done;
	run->settle.question.deadline_us = deadline_us;
	settle_start(&run->settle, worker, run->lease.arena, record_settled);
}
