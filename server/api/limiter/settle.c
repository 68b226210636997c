/* Record, Cancel, Renew. */
#include <string.h>

#include "api/message/convert.h"
#include "api/auth/auth.h"
#include "api/limiter/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "base/unconst.h"
#include "rpc/message.h"

struct record_call {
	struct record_run run;
	struct call *call;
};
struct cancel_call {
	struct settle settle;
	struct call *call;
};
struct renew_call {
	struct renew renew;
	struct call *call;
};

bool handle_of_ref(const Bursar__V1__ReservationRef *ref, bool needs_start, struct arena *arena, struct handle *out,
	struct err *err)
{
	if (ref->handle[0]) {
		if (ref->tenant[0] || ref->user[0] || ref->request_id[0] || ref->started_at_us)
			return err_invalid(err, "reservation.handle", "stands alone: leave the other fields empty");
		return handle_parse(ref->handle, strlen(ref->handle), "reservation.handle", arena, out, err);
	}
	if (!ref->user[0])
		return err_invalid(err, "reservation.user", "must be given where there is no handle");
	if (!ref->request_id[0])
		return err_invalid(err, "reservation.request_id", "must be given where there is no handle");
	if (needs_start && !ref->started_at_us)
		return err_invalid(err, "reservation.started_at_us",
			"must be given where there is no handle: a repeat is found by its day");
	*out = (struct handle){
		.tenant = tenant_or_default(ref->tenant),
		.user = ref->user,
		.request_id = ref->request_id,
		.started_at_us = ref->started_at_us,
	};
	return true;
}

/* Who forgets the usage would settle at 0 for good. */
static bool usage_given(const Bursar__V1__RecordRequest *request, struct err *err)
{
	return request->usage || err_invalid(err, "usage",
					 "must be given: the tokens that were used. An empty usage records 0; Cancel "
					 "is for a request that did not run");
}

bool question_of_record(
	const Bursar__V1__RecordRequest *request, struct arena *arena, struct settle_question *out, struct err *err)
{
	struct settle_question question = {
		.served = request->model,
		.interface = request->interface[0] ? request->interface : "api",
		.mode = request->mode,
		.attempt = request->attempt,
		.keep_open = request->keep_open,
	};

	if (!usage_given(request, err) ||
		(request->reservation && !handle_of_ref(request->reservation, true, arena, &question.handle, err)) ||
		!tokens_from_message(request->usage, &question.tokens, err))
		return false;
	*out = question;
	return true;
}

static void recorded_to_message(const struct settle *settle, Bursar__V1__RecordResponse *out)
{
	const struct settle_answer *answer = &settle->answer;
	char *mode = answer->differs & RECORD_FIELD_MODE ? "mode" : NULL;
	char *model = answer->differs & RECORD_FIELD_MODEL ? "model" : NULL;
	Bursar__V1__RecordedUsage *recorded;

	if (!answer->recorded)
		return;
	recorded = message_new(settle->arena, RecordedUsage, recorded_usage);
	recorded->usage = tokens_to_message(settle->arena, &answer->recorded->tokens);
	recorded->model = unconst(answer->recorded->model);
	recorded->mode = unconst(answer->recorded->mode);
	recorded->cost_nano_usd = answer->charged.cost;
	out->recorded = recorded;
	out->differs = message_list(settle->arena, TOKEN_CLASS_COUNT + 2);
	for (int i = 0; i < TOKEN_CLASS_COUNT; i++)
		if (answer->differs & 1U << i)
			out->differs[out->n_differs++] = unconst(
				arena_printf(settle->arena, "usage.%s_tokens", token_class_name((enum token_class)i)));
	if (model)
		out->differs[out->n_differs++] = model;
	if (mode)
		out->differs[out->n_differs++] = mode;
}

Bursar__V1__RecordResponse *record_to_message(const struct record_run *run, bool names)
{
	const struct settle *settle = &run->settle;
	const struct settle_answer *answer = &settle->answer;
	Bursar__V1__RecordResponse *message = message_new(settle->arena, RecordResponse, record_response);

	if (!names)
		rows_hide_names(answer->rows);
	message->cost = cost_to_message(settle->arena, &answer->priced, &answer->tokens);
	message->repeat = answer->repeat;
	message->late = answer->late;
	message->state = (Bursar__V1__ReservationState)answer->state;
	message->tokens = answer->charged.input + answer->charged.output;
	message->released_tokens = answer->released.input + answer->released.output;
	message->released_cost_nano_usd = answer->released.cost;
	message->n_limits = rows_to_messages(settle->arena, answer->rows, ROWS_NOTABLE, &message->limits);
	message->quality = (Bursar__V1__Quality)answer->quality;
	message->request_id = unconst(settle->question.handle.request_id);
	message->released = run->released;
	recorded_to_message(settle, message);
	return message;
}

static void record_done(struct record_run *run)
{
	struct record_call *self = container_of(run, struct record_call, run);

	if (!run->settle.flow.ok) {
		settle_release(&run->settle);
		call_fail(self->call, &run->settle.flow.err);
		return;
	}
	call_fill_message(self->call, &record_to_message(run, caller_sees_names(self->call))->base);
	settle_release(&run->settle);
	call_reply_filled(self->call);
}

void limiter_record(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__RecordRequest *request = request_read(call, &bursar__v1__record_request__descriptor, &err);
	struct record_call *self = arena_alloc(call_arena(call), sizeof(*self));

	self->call = call;
	if (!request || !record_prepare(request, ctx, call_arena(call), &self->run, &err)) {
		call_fail(call, &err);
		return;
	}
	record_start(&self->run, ctx, call_deadline_us(call), record_done);
}

/* Renew and Cancel are of a reservation or of a lease. */
static bool one_given(const Bursar__V1__ReservationRef *ref, const char *lease, struct err *err)
{
	if (ref && lease[0])
		return err_invalid(err, "lease", "stands alone: leave the reservation out");
	if (!ref && !lease[0])
		return err_invalid(err, "reservation", "must be given where there is no lease");
	return true;
}

void cancel_to_message(const struct settle *settle, Bursar__V1__CancelResponse *out)
{
	const struct settle_answer *answer = &settle->answer;

	out->state = (Bursar__V1__ReservationState)answer->state;
	out->repeat = answer->repeat;
	out->released_tokens = answer->released.input + answer->released.output;
	out->released_cost_nano_usd = answer->released.cost;
}

static void cancel_done(struct flow *flow)
{
	struct cancel_call *self = container_of(container_of(flow, struct settle, flow), struct cancel_call, settle);
	Bursar__V1__CancelResponse response = BURSAR__V1__CANCEL_RESPONSE__INIT;

	cancel_to_message(&self->settle, &response);
	settle_release(&self->settle);
	if (flow->ok)
		call_reply_message(self->call, &response.base);
	else
		call_fail(self->call, &flow->err);
}

void limiter_cancel(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__CancelRequest *request = request_read(call, &bursar__v1__cancel_request__descriptor, &err);
	struct cancel_call *self = arena_alloc(call_arena(call), sizeof(*self));

	if (!request || !one_given(request->reservation, request->lease, &err)) {
		call_fail(call, &err);
		return;
	}
	if (request->lease[0]) {
		limiter_cancel_lease(call, ctx, request);
		return;
	}
	self->call = call;
	self->settle.question = (struct settle_question){.cancel = true, .served = "", .interface = "api", .mode = ""};
	if (!handle_of_ref(request->reservation, false, call_arena(call), &self->settle.question.handle, &err)) {
		call_fail(call, &err);
		return;
	}
	self->settle.question.deadline_us = call_deadline_us(call);
	settle_start(&self->settle, ctx, call_arena(call), cancel_done);
}

static void renew_done(struct flow *flow)
{
	struct renew_call *self = container_of(container_of(flow, struct renew, flow), struct renew_call, renew);
	Bursar__V1__RenewResponse response = BURSAR__V1__RENEW_RESPONSE__INIT;

	if (!flow->ok) {
		call_fail(self->call, &flow->err);
		return;
	}
	response.expires_at_us = self->renew.expires_at_us;
	call_reply_message(self->call, &response.base);
}

void limiter_renew(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__RenewRequest *request = request_read(call, &bursar__v1__renew_request__descriptor, &err);
	struct renew_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct handle handle = {0};

	self->call = call;
	if (!request || !one_given(request->reservation, request->lease, &err)) {
		call_fail(call, &err);
		return;
	}
	if (request->lease[0]) {
		limiter_renew_lease(call, ctx, request);
		return;
	}
	if (!handle_of_ref(request->reservation, false, call_arena(call), &handle, &err)) {
		call_fail(call, &err);
		return;
	}
	self->renew.tenant = handle.tenant;
	self->renew.user = handle.user;
	self->renew.request_id = handle.request_id;
	self->renew.ttl_us = request->reservation_ttl_us;
	renew_start(&self->renew, ctx, call_arena(call), renew_done);
}
