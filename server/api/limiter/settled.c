/* Checks with `settle` (api/limiter/private.h): recorded as soon as they are allowed, as what they asked for. */
#include <string.h>

#include "api/limiter/private.h"
#include "base/list.h"
#include "base/observe/log.h"

/* A reservation that could not be settled, because the store went away in between, ends by itself soon. */
enum { SETTLE_TTL_US = 10000000 };

bool settles_in_check_only(const Bursar__V1__CheckRequest *request, struct err *err)
{
	return !request->settle || err_invalid(err, "settle", "is only for Check: record or cancel the request");
}

void question_settles(const Bursar__V1__CheckRequest *request, struct check_question *out)
{
	if (!request->settle)
		return;
	out->exact_output = true;
	if (!out->ttl_us)
		out->ttl_us = SETTLE_TTL_US;
}

bool check_to_settle(const struct check *check)
{
	const struct check_answer *answer = &check->answer;

	return answer->allowed && answer->handle[0] && answer->state != RESERVATION_RECORDED;
}

static void settled(struct flow *flow)
{
	struct settled_check *self =
		container_of(container_of(flow, struct settle, flow), struct settled_check, settle);
	struct check_answer *answer = &self->check->answer;

	if (flow->ok) {
		answer->state = RESERVATION_RECORDED;
		answer->held = (struct amounts){0};
	} else {
		/* The check counts as it is: its reservation charges the request when it expires. */
		log_warn("a check was not settled", F("error", flow->err.text));
	}
	settle_release(&self->settle);
	self->done(self);
}

void check_settle(struct settled_check *self, struct worker *worker, struct arena *arena,
	void (*done)(struct settled_check *self))
{
	const struct check_question *asked = &self->check->question;
	struct err err;

	self->done = done;
	self->settle.question = (struct settle_question){
		.served = "",
		.interface = asked->interface,
		.mode = "",
		.meters = {.count = {[METER_INPUT] = asked->input_tokens - asked->cached_input_tokens,
				   [METER_CACHED_INPUT] = asked->cached_input_tokens,
				   [METER_OUTPUT] = asked->max_output_tokens}},
		.deadline_us = asked->deadline_us,
	};
	if (!handle_parse(self->check->answer.handle, strlen(self->check->answer.handle), "reservation", arena,
		    &self->settle.question.handle, &err)) {
		done(self); /* a handle that the check has just made is always read */
		return;
	}
	settle_start(&self->settle, worker, arena, settled);
}
