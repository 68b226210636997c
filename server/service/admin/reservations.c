/* A tenant's reservations are spread over all partitions. Each call to the store looks at a bounded number of them. */
#include "service/admin/reservations.h"

#include <string.h>

#include "base/list.h"
#include "store/outbox.h"

enum { CALLS_MAX = PARTITIONS, PAGE = 100 };

static flow_step step_heard, step_found, step_cancelled, step_noted;

FLOW_OWNER(list_of, reservation_list)

FLOW_RESUME(list_heard, limits_op, reservation_list, op.op)

static enum flow_result step_ask(struct flow *flow)
{
	struct reservation_list *list = list_of(flow);
	struct limits_store *limits = list->worker->parts.limits;
	int left = list->limit - list->count;

	list->op = (struct limits_reservations){
		.op = {.arena = list->arena, .done = list_heard},
		.partition = list->user[0] ? partition_of(ACCOUNT_USER, list->tenant, list->user) : list->partition,
		.tenant = list->tenant,
		.user = list->user,
		.limit = left < PAGE ? left : PAGE,
		.after_us = list->after_us,
		.after = list->after,
	};
	return flow_wait(flow, step_heard, limits->ops->reservations(limits, &list->op));
}

static enum flow_result step_heard(struct flow *flow)
{
	struct reservation_list *list = list_of(flow);
	const struct limits_reservations *op = &list->op;
	bool last = list->user[0] || list->partition == PARTITIONS - 1;

	if (op->op.status != LIMITS_OK)
		return flow_fail_with(flow, &op->op.err);
	list->now_us = op->op.now_us;
	for (int i = 0; i < op->count; i++)
		list->row[list->count++] = op->row[i];
	list->after_us = op->more ? op->after_us : 0;
	list->after = op->more ? op->after : "";
	if (!op->more && last)
		return flow_succeed(flow);
	if (!op->more)
		list->partition++;
	list->more = list->count == list->limit || ++list->calls == CALLS_MAX;
	if (list->more)
		return flow_succeed(flow);
	return flow_more(flow, step_ask);
}

void reservation_list_start(
	struct reservation_list *list, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	list->row = arena_alloc(arena, (size_t)list->limit * sizeof(*list->row));
	list->count = list->calls = 0;
	list->more = false;
	flow_start(list, worker, arena, done, step_ask);
}

FLOW_RESUME(get_heard, limits_op, reservation_get, op.op)

static enum flow_result step_get(struct flow *flow)
{
	struct reservation_get *get = container_of(flow, struct reservation_get, flow);
	struct limits_store *limits = get->worker->parts.limits;

	get->op = (struct limits_reservation){
		.op = {.arena = get->arena, .done = get_heard},
		.tenant = get->tenant,
		.user = get->user,
		.request_id = get->request_id,
	};
	return flow_wait(flow, step_found, limits->ops->reservation(limits, &get->op));
}

static enum flow_result step_found(struct flow *flow)
{
	struct reservation_get *get = container_of(flow, struct reservation_get, flow);

	if (get->op.op.status == LIMITS_UNKNOWN) {
		err_set(&flow->err, ERR_NOT_FOUND, "request %s has no known reservation", get->request_id);
		err_reason(&flow->err, "RESERVATION_NOT_FOUND");
		return flow_fail(flow);
	}
	if (get->op.op.status != LIMITS_OK)
		return flow_fail_with(flow, &get->op.op.err);
	get->row = get->op.row;
	return flow_succeed(flow);
}

void reservation_get_start(
	struct reservation_get *get, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(get, worker, arena, done, step_get);
}

FLOW_RESUME(settle_done, flow, reservation_cancel, settle.flow)

static enum flow_result step_cancel(struct flow *flow)
{
	struct reservation_cancel *cancel = container_of(flow, struct reservation_cancel, flow);

	cancel->settle.question = (struct settle_question){.cancel = true,
		.handle = cancel->handle,
		.served = "",
		.interface = "api",
		.mode = "",
		.deadline_us = INT64_MAX};
	return flow_wait(
		flow, step_cancelled, settle_start(&cancel->settle, cancel->worker, cancel->arena, settle_done));
}

FLOW_RESUME(note_done, admin_job, reservation_cancel, note.job)

static enum flow_result step_cancelled(struct flow *flow)
{
	struct reservation_cancel *cancel = container_of(flow, struct reservation_cancel, flow);
	struct admin_store *admin = cancel->worker->parts.admin;

	if (!cancel->settle.flow.ok)
		return flow_fail_with(flow, &cancel->settle.flow.err);
	cancel->note = (struct cancel_note){
		.job = {.arena = cancel->arena, .done = note_done, .actor = cancel->actor, .reason = cancel->reason},
		.tenant = cancel->handle.tenant,
		.user = cancel->handle.user,
		.request_id = cancel->handle.request_id,
		.released = cancel->settle.answer.released,
		.repeat = cancel->settle.answer.repeat,
	};
	return flow_wait(flow, step_noted, admin->ops->cancel_note(admin, &cancel->note));
}

static enum flow_result step_noted(struct flow *flow)
{
	struct reservation_cancel *cancel = container_of(flow, struct reservation_cancel, flow);

	if (cancel->note.job.ok)
		return flow_succeed(flow);
	flow->err = cancel->note.job.err;
	err_prefix(&flow->err, "the reservation is cancelled, but not in the audit log yet; repeat the call: ");
	return flow_fail(flow);
}

void reservation_cancel_start(
	struct reservation_cancel *cancel, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(cancel, worker, arena, done, step_cancel);
}
