/*
 * RerateLedger (api/admin/private.h): prices records again, page by page; each page starts when the previous one's message
 * has been sent.
 */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "base/units.h"
#include "domain/time/date.h"
#include "service/admin/rerate.h"

/* The ledger takes no corrections of older days (pg/ledger/write.c). */
enum { DAYS_BACK_MAX = 399 };

/* A call in progress, in its call's arena. What a page needs lives in `arena`, which is emptied before the next one. */
struct rerate_call {
	struct ledger_rerate rerate;
	struct allowance_tally tally;
	struct rerate_days days;
	struct call *call;
	struct worker *worker;
	const Bursar__V1__RerateLedgerRequest *request;
	struct arena arena;
	int64_t expected;
	struct admin_stream stream;
};

static void rerate_end(struct rerate_call *self, const struct err *why)
{
	struct arena arena = self->arena; /* copied, because `self` ends with the call */

	if (why)
		call_fail(self->call, why);
	else
		call_end(self->call);
	arena_release(&arena);
}

static Bursar__V1__RerateLine *line_message(struct arena *arena, const struct rerate_line *line)
{
	Bursar__V1__RerateLine *message = message_new(arena, RerateLine, rerate_line);

	message->provider = unconst(line->provider);
	message->model = unconst(line->model);
	message->new_provider = unconst(line->new_provider);
	message->new_model = unconst(line->new_model);
	message->requests = line->requests;
	message->cost_before_nano_usd = line->cost_before;
	message->cost_after_nano_usd = line->cost_after;
	message->others = line->others;
	return message;
}

static Bursar__V1__RerateLedgerResponse *page_message(struct rerate_call *self)
{
	const struct ledger_rerate *rerate = &self->rerate;
	const struct rerate_counts *counts = &rerate->counts;
	Bursar__V1__RerateLedgerResponse *message =
		message_new(&self->arena, RerateLedgerResponse, rerate_ledger_response);

	message->scanned = counts->scanned;
	message->expected = !rerate->more || self->expected < counts->scanned ? counts->scanned : self->expected;
	message->corrected = counts->corrected;
	message->cost_before_nano_usd = counts->cost_before;
	message->cost_after_nano_usd = counts->cost_after;
	message->unpriced = counts->unpriced;
	message->adjusted = counts->adjusted;
	message->erased = counts->erased;
	message->waiting = counts->waiting;
	message->ledger_only = counts->ledger_only;
	message->sums = counts->sums;
	message->gone_days = counts->gone_days;
	message->done = !rerate->more;
	if (rerate->more)
		return message;
	message->lines = message_list(&self->arena, (size_t)rerate->lines);
	for (int i = 0; i < rerate->lines; i++)
		message->lines[message->n_lines++] = line_message(&self->arena, &rerate->line[i]);
	return message;
}

static void page_done(struct flow *flow);

static void page_told(struct call *call, bool ok, void *arg)
{
	struct rerate_call *self = arg;
	struct err err;

	(void)call;
	if (!ok || self->stream.gone || !self->rerate.more) {
		rerate_end(self, NULL);
	} else if (self->stream.draining) {
		err_set(&err, ERR_UNAVAILABLE, "the server is stopping: repeat the call");
		rerate_end(self, &err);
	} else {
		ledger_rerate_start(&self->rerate, self->worker, &self->arena, page_done);
	}
}

static void page_done(struct flow *flow)
{
	struct ledger_rerate *rerate = container_of(flow, struct ledger_rerate, flow);
	struct rerate_call *self = container_of(rerate, struct rerate_call, rerate);

	if (!flow->ok) {
		rerate_end(self, &flow->err);
		return;
	}
	arena_reset(&self->arena);
	call_write_message(self->call, &page_message(self)->base, page_told, self);
	/* With a slow caller only the packed message stays in memory. */
	arena_release(&self->arena);
}

static void days_done(struct admin_job *job)
{
	struct rerate_days *days = container_of(job, struct rerate_days, job);
	struct rerate_call *self = container_of(days, struct rerate_call, days);
	int64_t today = floor_div(worker_now_us(self->worker), DAY_US);

	if (!job->ok) {
		rerate_end(self, &job->err);
		return;
	}
	for (int i = 0; i < days->count; i++) {
		struct rerate_day *day = &days->day[i];

		day->gone = day->gone || day->day < today - DAYS_BACK_MAX;
		if (!day->gone && (!self->request->flagged || day->unpriced > 0))
			self->expected += day->rows;
	}
	self->rerate.day = days->day;
	self->rerate.days = days->count;
	ledger_rerate_start(&self->rerate, self->worker, &self->arena, page_done);
}

static bool days_read(struct rerate_call *self, struct err *err)
{
	const Bursar__V1__RerateLedgerRequest *request = self->request;
	const struct admin_range range = {"", request->from_day, request->to_day};
	char day[DATE_TEXT];

	if (!request->dry_run && !request->reason[0])
		return err_invalid(err, "reason", "must be given: it is kept in the ledger and in the audit log");
	self->days.job = admin_question(self->call, days_done);
	self->days.tenant = self->rerate.tenant;
	if (!admin_range_read(&range, worker_now_us(self->worker), &self->days.from_day, &self->days.to_day, err))
		return false;
	self->rerate.from_day = request->from_day;
	self->rerate.to_day = arena_printf(call_arena(self->call), "%s", date_format(self->days.to_day, day));
	return true;
}

static bool model_read(struct rerate_call *self, struct err *err)
{
	struct snapshot *snapshot = snapshot_take(self->worker, err);

	if (!snapshot)
		return false;
	self->rerate.model = self->request->model;
	self->rerate.resolved = self->request->model[0] ? admin_model_wanted(snapshot->catalog, self->rerate.tenant,
								  self->request->model, false, call_arena(self->call))
							: "";
	snapshot_give(self->worker, snapshot);
	return true;
}

void admin_rerate_ledger(struct call *call, void *ctx)
{
	struct rerate_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;

	self->call = call;
	self->worker = ctx;
	self->request = request_read(call, &bursar__v1__rerate_ledger_request__descriptor, &err);
	if (self->request) {
		self->rerate.tenant = tenant_or_default(self->request->tenant);
		self->rerate.flagged = self->request->flagged;
		self->rerate.dry_run = self->request->dry_run;
		self->rerate.reason = self->request->reason;
		self->rerate.actor = admin_actor(call);
		self->rerate.tally = &self->tally;
		self->rerate.line = arena_zalloc(call_arena(call), RERATE_LINES_MAX + 1, sizeof(*self->rerate.line));
	}
	if (!self->request || !days_read(self, &err) || !model_read(self, &err)) {
		call_fail(call, &err);
		return;
	}
	admin_stream_watch(&self->stream, call);
	admin_ask(ctx, rerate_days, &self->days);
}
