/* Turns requests into questions, and answers into messages (api/limiter/private.h). */
#include <string.h>

#include "api/auth/auth.h"
#include "api/limiter/private.h"
#include "api/limiter/provider_usage.h"
#include "api/message/answer.h"
#include "api/message/convert.h"
#include "base/crypto/random.h"
#include "base/unconst.h"
#include "rpc/message.h"

/* A caller that sends no request id gets a unique one. */
static const char *request_id_made(struct arena *arena)
{
	char id[33];

	random_id(id);
	return arena_strndup(arena, id, 32);
}

/* libbursar counts its attempts in one header, and gRPC those of its own retry policies in the other. */
static bool sent_before(const struct call *call)
{
	const char *value;
	size_t len;

	return call_metadata(call, "bursar-attempt", &value, &len) ||
	       call_metadata(call, "grpc-previous-rpc-attempts", &value, &len);
}

/* What the request expects to use by the piece. */
static void expected_of_check(const Bursar__V1__CheckRequest *request, struct arena *arena, struct check_question *out)
{
	int64_t *counted = arena_zalloc(arena, COUNTED_COUNT, sizeof(*counted));

	out->counted = counted;
	for (size_t i = 0; i < request->n_expected; i++) {
		const Bursar__V1__ExpectedUse *use = request->expected[i];
		int at = counted_find((enum dimension)(use->dimension - 1));

		if (at < 0 || out->told >> at & 1) {
			out->expected_wrong = (int)i + 1;
			return;
		}
		out->told |= UINT32_C(1) << at;
		counted[at] = use->amount;
	}
}

void question_of_check(const Bursar__V1__CheckRequest *request, const struct call *call, struct arena *arena,
	struct check_question *out)
{
	*out = (struct check_question){
		.mode = CHECK_REAL,
		.tenant = tenant_or_default(request->tenant),
		.user = request->user,
		.request_id = request->request_id[0] ? request->request_id : request_id_made(arena),
		.id_is_new = !request->request_id[0] || (request->request_id_is_new && !sent_before(call)),
		.interface = request->interface[0] ? request->interface : "api",
		.model = request->model,
		.price_mode = price_mode(request->mode),
		.input_tokens = request->input_tokens,
		.cached_input_tokens = request->cached_input_tokens,
		.max_output_tokens = request->max_output_tokens,
		.ttl_us = request->reservation_ttl_us,
		.tell_place = request->tell_place[0] ? request->tell_place : NULL,
		.tell_again_us = request->tell_again_us,
	};
	if (request->n_expected)
		expected_of_check(request, arena, out);
	question_settles(request, out);
}

void check_to_item(struct check *check, const Bursar__V1__CheckRequest *request, const struct call *call,
	Bursar__V1__CheckResponse **response, Bursar__V1__ItemError **error)
{
	struct answer_form form = answer_form_of(request);

	if (!check->flow.ok) {
		*error = error_to_message(check->arena, &check->flow.err);
		return;
	}
	if (!caller_sees_names(call))
		rows_hide_names(check->answer.rows);
	*response = answer_to_message(check, &form);
}

bool handle_of_ref(const Bursar__V1__ReservationRef *ref, bool needs_start, struct arena *arena, struct handle *out,
	struct err *err)
{
	if (ref->handle[0]) {
		if (ref->tenant[0] || ref->user[0] || ref->request_id[0] || ref->started_at_us)
			return err_invalid(err, "reservation.handle", "must be the only field: leave the others empty");
		return handle_parse(ref->handle, strlen(ref->handle), "reservation.handle", arena, out, err);
	}
	if (!ref->user[0])
		return err_invalid(err, "reservation.user", "must be given when there is no handle");
	if (!ref->request_id[0])
		return err_invalid(err, "reservation.request_id", "must be given when there is no handle");
	if (needs_start && !ref->started_at_us)
		return err_invalid(err, "reservation.started_at_us",
			"must be given when there is no handle, because repeats are looked up by its day");
	*out = (struct handle){
		.tenant = tenant_or_default(ref->tenant),
		.user = ref->user,
		.request_id = ref->request_id,
		.started_at_us = ref->started_at_us,
	};
	return true;
}

/* A missing usage is refused, because it would settle the request at 0 for good. */
static bool usage_given(const Bursar__V1__RecordRequest *request, struct err *err)
{
	if (request->usage && request->provider_usage)
		return err_invalid(err, "provider_usage", "must be given alone: omit the usage");
	return request->usage || request->provider_usage ||
	       err_invalid(err, "usage",
		       "must be given: the tokens that were used, or what the provider sent about them as "
		       "provider_usage. An empty usage records 0; use Cancel for a request that did not run");
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
		(request->usage && !meters_from_message(request->usage, &question.meters, err)))
		return false;
	if (request->provider_usage)
		provider_usage_fill(request->provider_usage, arena, &question);
	if (request->provider_cost) {
		question.provider_cost_known = true;
		question.provider_cost_nano = request->provider_cost->nano_usd;
	}
	*out = question;
	return true;
}

static void recorded_to_message(const struct settle *settle, Bursar__V1__RecordResponse *out)
{
	const struct settle_answer *answer = &settle->answer;
	char *mode = answer->differs & RECORD_FIELD_MODE ? "mode" : NULL;
	char *model = answer->differs & RECORD_FIELD_MODEL ? "model" : NULL;
	char *cost = answer->differs & RECORD_FIELD_PROVIDER_COST ? "provider_cost" : NULL;
	Bursar__V1__RecordedUsage *recorded;

	if (!answer->recorded)
		return;
	recorded = message_new(settle->arena, RecordedUsage, recorded_usage);
	recorded->usage = meters_to_message(settle->arena, &answer->recorded->meters);
	recorded->model = unconst(answer->recorded->model);
	recorded->mode = unconst(answer->recorded->mode);
	recorded->cost_nano_usd = answer->charged.cost;
	out->recorded = recorded;
	out->differs = message_list(settle->arena, METER_COUNT + 3);
	for (int i = 0; i < METER_COUNT; i++)
		if (answer->differs & 1U << i)
			out->differs[out->n_differs++] =
				unconst(arena_printf(settle->arena, "usage.%s", meter_rows[i].field));
	if (model)
		out->differs[out->n_differs++] = model;
	if (mode)
		out->differs[out->n_differs++] = mode;
	if (cost)
		out->differs[out->n_differs++] = cost;
}

Bursar__V1__RecordResponse *record_to_message(const struct record_run *run, bool names)
{
	const struct settle *settle = &run->settle;
	const struct settle_answer *answer = &settle->answer;
	Bursar__V1__RecordResponse *message = message_new(settle->arena, RecordResponse, record_response);

	if (!names)
		rows_hide_names(answer->rows);
	message->cost = cost_to_message(settle->arena, &answer->priced, &answer->meters);
	message->cost->list_cost_nano_usd = answer->list_nano;
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
	if (settle->question.usage_problem)
		message->usage_problem = unconst(settle->question.usage_problem);
	message->estimated = answer->priced.cost.flags & FLAG_ESTIMATED;
	recorded_to_message(settle, message);
	return message;
}

void cancel_to_message(const struct settle *settle, Bursar__V1__CancelResponse *out)
{
	const struct settle_answer *answer = &settle->answer;

	out->state = (Bursar__V1__ReservationState)answer->state;
	out->repeat = answer->repeat;
	out->released_tokens = answer->released.input + answer->released.output;
	out->released_cost_nano_usd = answer->released.cost;
}
