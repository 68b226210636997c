/*
 * Acquire (api/limiter/limiter.h): turns the events of an acquisition into messages on its stream. One write is in
 * flight at a time; events that arrive meanwhile are kept as bits and sent, with the acquisition's latest figures, when
 * the write is done. A slow reader can therefore miss a queue position, which the next one replaces, but never a grant.
 */
#include "api/message/answer.h"
#include "api/auth/auth.h"
#include "api/limiter/private.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/unconst.h"
#include "rpc/message.h"
#include "service/pool/pool.h"

enum { TELL_DENIED = 1, TELL_QUEUED = 2, TELL_GRANTED = 4, TELL_DRAINING = 8 };
enum { WAIT_MIN_US = 1000 };

/* One stream, in its call's arena. Its messages are built on the stack, so a long stream's arena does not grow. */
struct acquire_call {
	struct acquisition acquisition;
	struct call *call;
	struct answer_form form;
	bool begun; /* the first message, which carries the check, has been sent */
	bool writing;
	bool gone; /* the caller has left: nothing more is sent */
	bool ended;
	unsigned tell; /* TELL_ bits of events not sent yet */
};

struct parts {
	Bursar__V1__Denied denied;
	Bursar__V1__Queued queued;
	Bursar__V1__Granted granted;
	Bursar__V1__Draining draining;
	Bursar__V1__LevelQueue level[POOL_LEVELS_MAX];
	Bursar__V1__LevelQueue *levels[POOL_LEVELS_MAX];
};

static struct acquire_call *self_of(struct acquisition *acquisition)
{
	return container_of(acquisition, struct acquire_call, acquisition);
}

static int64_t waited_us(const struct acquisition *acquisition)
{
	int64_t waited = acquisition->now_us - acquisition->enqueued_at_us;

	return acquisition->enqueued_at_us && waited > 0 ? waited : 0;
}

static void queued_fill(const struct acquisition *acquisition, struct parts *parts)
{
	Bursar__V1__Queued *queued = &parts->queued;

	bursar__v1__queued__init(queued);
	queued->position = (int32_t)acquisition->position;
	queued->eta_us = acquisition->eta_us;
	queued->waited_us = waited_us(acquisition);
	queued->wait_until_us = acquisition->wait_until_us;
	queued->reason = (Bursar__V1__WaitReason)acquisition->why;
	queued->n_ahead = (size_t)acquisition->levels;
	queued->ahead = parts->levels;
	for (int i = 0; i < acquisition->levels; i++) {
		bursar__v1__level_queue__init(&parts->level[i]);
		parts->level[i].priority = acquisition->level[i].priority;
		parts->level[i].waiting = (int32_t)acquisition->level[i].waiting;
		parts->level[i].running = (int32_t)acquisition->level[i].running;
		parts->levels[i] = &parts->level[i];
	}
}

static void granted_fill(const struct acquisition *acquisition, struct parts *parts)
{
	Bursar__V1__Granted *granted = &parts->granted;

	bursar__v1__granted__init(granted);
	granted->lease = unconst(acquisition->lease);
	granted->fence = (uint64_t)acquisition->fence.epoch << 32 | acquisition->fence.fence;
	granted->expires_at_us = acquisition->expires_at_us;
	granted->lease_us = acquisition->lease_us;
	granted->waited_us = waited_us(acquisition);
	granted->repeat = acquisition->repeated;
}

/* Puts the most urgent pending event into the message. */
static void event_fill(struct acquire_call *self, struct parts *parts, Bursar__V1__AcquireResponse *message)
{
	unsigned first = self->tell & -self->tell;

	self->tell &= ~first;
	if (first == TELL_DENIED) {
		bursar__v1__denied__init(&parts->denied);
		message->event_case = BURSAR__V1__ACQUIRE_RESPONSE__EVENT_DENIED;
		message->denied = &parts->denied;
	} else if (first == TELL_QUEUED) {
		queued_fill(&self->acquisition, parts);
		message->event_case = BURSAR__V1__ACQUIRE_RESPONSE__EVENT_QUEUED;
		message->queued = &parts->queued;
	} else if (first == TELL_GRANTED) {
		granted_fill(&self->acquisition, parts);
		message->event_case = BURSAR__V1__ACQUIRE_RESPONSE__EVENT_GRANTED;
		message->granted = &parts->granted;
	} else {
		bursar__v1__draining__init(&parts->draining);
		parts->draining.finish_by_us = self->acquisition.drain_by_us;
		message->event_case = BURSAR__V1__ACQUIRE_RESPONSE__EVENT_DRAINING;
		message->draining = &parts->draining;
	}
}

static void on_written(struct call *call, bool ok, void *ctx);

static void tell(struct acquire_call *self)
{
	Bursar__V1__AcquireResponse message = BURSAR__V1__ACQUIRE_RESPONSE__INIT;
	struct parts parts;
	uint8_t *room;

	event_fill(self, &parts, &message);
	if (!self->begun && !caller_sees_names(self->call))
		rows_hide_names(self->acquisition.check.answer.rows);
	if (!self->begun)
		message.check = answer_to_message(&self->acquisition.check, &self->form);
	room = call_room(self->call, bursar__v1__acquire_response__get_packed_size(&message));
	bursar__v1__acquire_response__pack(&message, room);
	/* Releases the snapshot with the first message: a stream may outlive many catalogs. */
	if (!self->begun)
		check_release(&self->acquisition.check);
	self->begun = true;
	self->writing = true;
	call_write_filled(self->call, on_written, self);
}

/* Sends what is pending, then ends the call if the acquisition has ended; `self` is gone after that. */
static void go_on(struct acquire_call *self)
{
	struct flow *flow = &self->acquisition.flow;

	if (self->gone)
		self->tell = 0;
	if (self->tell && !self->writing)
		tell(self);
	if (!self->ended || self->tell)
		return;
	if (!self->begun)
		check_release(&self->acquisition.check);
	if (flow->ok)
		call_end(self->call);
	else
		call_fail(self->call, &flow->err);
}

static void on_written(struct call *call, bool ok, void *ctx)
{
	struct acquire_call *self = ctx;

	(void)call;
	self->writing = false;
	self->gone = self->gone || !ok;
	go_on(self);
}

static void on_event(struct acquisition *acquisition, enum acquire_event event)
{
	struct acquire_call *self = self_of(acquisition);

	if (event == ACQUIRE_QUEUED)
		self->tell |= TELL_QUEUED;
	else if (event == ACQUIRE_GRANTED)
		self->tell = (self->tell & ~(unsigned)TELL_QUEUED) | TELL_GRANTED;
	else
		self->tell |= TELL_DRAINING;
	go_on(self);
}

static void on_ended(struct acquisition *acquisition)
{
	struct acquire_call *self = self_of(acquisition);

	self->ended = true;
	if (acquisition->flow.ok && acquisition->denied)
		self->tell = TELL_DENIED;
	go_on(self);
}

/* If the acquisition has already ended, the call ends here and drops the write in flight. */
static void on_cancel(struct call *call, void *ctx)
{
	struct acquire_call *self = ctx;

	(void)call;
	self->gone = true;
	if (self->ended)
		go_on(self);
	else
		acquire_close(&self->acquisition);
}

static void on_drain(struct call *call, void *ctx)
{
	struct acquire_call *self = ctx;

	(void)call;
	if (!self->ended)
		acquire_drain(&self->acquisition);
}

/* A caller that waits on the stream waits no longer than its own deadline; one that polls comes back. */
static int64_t wait_of(const Bursar__V1__AcquireRequest *request, int64_t deadline_us)
{
	int64_t left_us;

	if (request->poll || deadline_us == INT64_MAX)
		return request->max_wait_us;
	left_us = deadline_us - clock_mono_us();
	if (left_us < WAIT_MIN_US)
		left_us = WAIT_MIN_US;
	return request->max_wait_us && request->max_wait_us < left_us ? request->max_wait_us : left_us;
}

static bool may_start(struct call *call, const struct worker *worker, struct err *err)
{
	if (call_draining(call))
		return err_set(err, ERR_UNAVAILABLE, "the server is stopping: reconnect");
	if (!worker->manager)
		return err_set(err, ERR_UNIMPLEMENTED, "this server has no pools");
	return true;
}

void limiter_acquire(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	struct err err;
	const Bursar__V1__AcquireRequest *request = request_read(call, &bursar__v1__acquire_request__descriptor, &err);
	struct acquire_call *self;

	if (!request || !settles_in_check_only(request->check, &err) ||
		(request->pool[0] && !pool_name_check(request->pool, "pool", &err)) || !may_start(call, worker, &err)) {
		call_fail(call, &err);
		return;
	}
	self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	self->call = call;
	self->form = answer_form_of(request->check);
	self->acquisition.pool = request->pool;
	self->acquisition.seats = request->seats ? request->seats : 1;
	self->acquisition.mode = request->mode ? (enum lease_mode)request->mode : LEASE_STREAM;
	self->acquisition.poll = request->poll;
	self->acquisition.event = on_event;
	self->acquisition.ended = on_ended;
	question_of_check(request->check, call, call_arena(call), &self->acquisition.check.question);
	self->acquisition.check.question.deadline_us = call_deadline_us(call);
	self->acquisition.max_wait_us = wait_of(request, self->acquisition.check.question.deadline_us);
	call_on_cancel(call, on_cancel, self);
	call_on_drain(call, on_drain, self);
	acquire_start(&self->acquisition, worker->manager, call_arena(call));
}
