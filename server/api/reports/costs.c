/* CompareCosts: where what providers say differs from what prices say (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "domain/time/date.h"

enum { LINES_USUAL = 100, LINES_MAX = 1000 };

static Bursar__V1__ComparedCosts *line_message(struct arena *arena, const struct costs_line *line)
{
	Bursar__V1__ComparedCosts *message = message_new(arena, ComparedCosts, compared_costs);

	message->day = unconst(line->day);
	message->provider = unconst(line->provider);
	message->model = unconst(line->model);
	message->user = unconst(line->user);
	message->requests = line->compared;
	message->list_cost_nano_usd = line->list_nano;
	message->provider_cost_nano_usd = line->provider_nano;
	return message;
}

static void costs_answer(struct call *call, const struct costs_query *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__CostComparison *answer = message_new(arena, CostComparison, cost_comparison);
	char day[DATE_TEXT];

	answer->ref = admin_ref(arena, &op->key);
	answer->from_day = arena_printf(arena, "%s", date_format(op->from_day, day));
	answer->to_day = arena_printf(arena, "%s", date_format(op->to_day, day));
	answer->lines = message_list(arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++)
		answer->lines[answer->n_lines++] = line_message(arena, &op->lines[i]);
	answer->total = line_message(arena, &op->total);
	answer->more = op->more;
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(costs_call, costs_query, CompareCostsRequest, compare_costs_request, costs_done, costs_answer)

static bool costs_read(
	const Bursar__V1__CompareCostsRequest *request, int64_t now_us, struct costs_query *op, struct err *err)
{
	const struct admin_range range = {request->month, request->from_day, request->to_day};

	op->limit = admin_page(request->limit, LINES_USUAL, LINES_MAX);
	if (!admin_range_read(&range, now_us, &op->from_day, &op->to_day, err) ||
		!admin_report_keys_read(request->by, request->n_by, op->key.kind, &op->by, err))
		return false;
	if (op->by & (BY_INTERFACE | BY_TIER))
		return err_invalid(err, "by", "must be day, model or user");
	if (!op->by)
		op->by = BY_MODEL;
	return true;
}

void admin_compare_costs(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	struct costs_call *self = costs_call_new(call);
	struct err err;

	if (!self)
		return;
	self->op.job = admin_question(call, costs_done);
	if (!admin_bill_key(call, worker, self->request->ref, &self->op.key))
		return;
	if (!costs_read(self->request, worker_now_us(worker), &self->op, &err)) {
		call_fail(call, &err);
		return;
	}
	admin_ask(worker, costs, &self->op);
}
