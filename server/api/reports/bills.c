/* Bills (api/admin/private.h): a month in one answer, or any range as a stream of parts. */
#include <stdio.h>
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "base/units.h"
#include "domain/time/date.h"

enum { MONTH_LINES_MAX = 10000, PART_LINES = 1000 };

static Bursar__V1__BillLine *line_to_message(struct arena *arena, const struct bill_line *line)
{
	Bursar__V1__BillLine *message = message_new(arena, BillLine, bill_line);

	message->user = unconst(line->user);
	message->day = unconst(line->day);
	message->tier = unconst(line->tier);
	message->provider = unconst(line->provider);
	message->model = unconst(line->model);
	message->interface = unconst(line->interface);
	message->requests = line->requests;
	message->usage = meters_to_message(arena, &line->meters);
	message->cost_nano_usd = line->cost;
	message->unpriced_requests = line->unpriced;
	message->corrected_requests = line->corrected;
	message->corrections_nano_usd = line->corrected_nano;
	message->compared_requests = line->compared;
	message->provider_cost_nano_usd = line->provider_nano;
	message->list_cost_nano_usd = line->list_nano;
	message->allowance_requests = line->allowed;
	message->allowance_nano_usd = line->allowance_nano;
	return message;
}

/* Converts all lines of a page and adds them to `total`. */
static Bursar__V1__BillLine **lines_to_messages(
	struct arena *arena, const struct report_page *page, struct bill_line *total)
{
	Bursar__V1__BillLine **messages = message_list(arena, (size_t)page->count);

	for (int i = 0; i < page->count; i++) {
		const struct bill_line *line = &page->lines[i];

		messages[i] = line_to_message(arena, line);
		total->requests += line->requests;
		total->cost += line->cost;
		total->unpriced += line->unpriced;
		total->corrected += line->corrected;
		total->corrected_nano += line->corrected_nano;
		total->compared += line->compared;
		total->provider_nano += line->provider_nano;
		total->list_nano += line->list_nano;
		total->allowed += line->allowed;
		total->allowance_nano += line->allowance_nano;
		for (int k = 0; k < METER_COUNT; k++)
			total->meters.count[k] += line->meters.count[k];
	}
	return messages;
}

static struct bill_line no_line(void)
{
	return (struct bill_line){.user = "", .day = "", .tier = "", .provider = "", .model = "", .interface = ""};
}

bool admin_bill_key(
	struct call *call, struct worker *worker, const Bursar__V1__AccountRef *ref, struct account_key *key)
{
	struct err err;

	if (!admin_key(call, worker, ref, key))
		return false;
	if (key->kind != ACCOUNT_MODEL)
		return true;
	err_invalid(&err, "ref.kind",
		"there are bills for users, teams, orgs and tenants; for a model, use the tenant's, by model or with "
		"`model`");
	call_fail(call, &err);
	return false;
}

static void bill_answer(struct call *call, const struct report_page *page)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__MonthlyReport *answer = message_new(arena, MonthlyReport, monthly_report);
	struct bill_line total = no_line();
	char day[DATE_TEXT];
	struct err err;

	if (page->more) {
		err_set(&err, ERR_PRECONDITION, "the report has more than %d lines: use GetReport, which streams them",
			MONTH_LINES_MAX);
		call_fail(call, &err);
		return;
	}
	answer->ref = admin_ref(arena, &page->key);
	answer->month = arena_printf(arena, "%.7s", date_format(page->from_day, day));
	answer->lines = lines_to_messages(arena, page, &total);
	answer->n_lines = (size_t)page->count;
	answer->total = line_to_message(arena, &total);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(bill_call, report_page, GetMonthlyReportRequest, get_monthly_report_request, bill_done, bill_answer)

void admin_get_monthly_report(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	struct bill_call *bill = bill_call_new(call);
	struct admin_range range;
	struct err err;

	if (!bill)
		return;
	range = (struct admin_range){bill->request->month, "", ""};
	bill->op = (struct report_page){
		.job = admin_question(call, bill_done),
		.by = BY_DAY | BY_MODEL | BY_INTERFACE,
		.model = "",
		.interface = "",
		.limit = MONTH_LINES_MAX,
	};
	if (!admin_range_read(&range, worker_now_us(worker), &bill->op.from_day, &bill->op.to_day, &err)) {
		call_fail(call, &err);
		return;
	}
	if (admin_bill_key(call, ctx, bill->request->ref, &bill->op.key))
		admin_ask(worker, report, &bill->op);
}

/*
 * A stream, in its call's arena. A page is read once the previous part has been sent, so neither a slow caller nor a
 * million users fill memory. Only the last line of a page is kept, because it says where the next page starts.
 */
struct report_call {
	struct report_users users;
	struct report_page page;
	struct call *call;
	struct worker *worker;
	struct arena page_arena;
	struct arena last_arena;
	struct bill_line last, total;
	char user[ID_MAX + 1]; /* of the last line */
	int64_t done, expected;
	struct admin_stream stream;
};

/* Ends the stream; nothing may be in flight. */
static void report_end(struct report_call *self, const struct err *why)
{
	struct arena arena[2] = {self->page_arena, self->last_arena}; /* copied, because `self` ends with the call */

	if (why)
		call_fail(self->call, why);
	else
		call_end(self->call);
	arena_release(&arena[0]);
	arena_release(&arena[1]);
}

static void page_done(struct admin_job *job);

static void report_go_on(struct report_call *self)
{
	struct admin_store *admin = self->worker->parts.admin;
	struct err err;

	if (self->stream.gone) {
		report_end(self, NULL);
	} else if (self->stream.draining) {
		err_set(&err, ERR_UNAVAILABLE, "the server is stopping: retry");
		report_end(self, &err);
	} else {
		self->page.job = admin_question(self->call, page_done);
		self->page.job.arena = &self->page_arena;
		admin->ops->report(admin, &self->page);
	}
}

static void part_written(struct call *call, bool ok, void *arg)
{
	struct report_call *self = arg;

	(void)call;
	if (!ok)
		self->stream.gone = true;
	if (self->stream.gone || self->page.more)
		report_go_on(self);
	else
		report_end(self, NULL);
}

/* Updates `done`, which counts the users or the days passed so far. */
static void progress(struct report_call *self)
{
	const struct report_page *page = &self->page;
	int64_t day;
	struct err err;

	for (int i = 0; i < page->count && page->by & BY_USER; i++) {
		self->done += strcmp(self->user, page->lines[i].user) != 0;
		snprintf(self->user, sizeof(self->user), "%s", page->lines[i].user);
	}
	if (!(page->by & BY_USER) && page->by & BY_DAY && page->count > 0 &&
		date_parse(page->lines[page->count - 1].day, "day", &day, &err))
		self->done = day - page->from_day;
	if (self->expected < self->done)
		self->expected = self->done; /* new users appeared while the report was running */
	if (!page->more)
		self->done = self->expected;
}

static const char *kept(struct report_call *self, const char *text)
{
	return arena_strndup(&self->last_arena, text, strlen(text));
}

static const struct bill_line *keep_last(struct report_call *self, const struct bill_line *line)
{
	arena_reset(&self->last_arena);
	self->last = *line;
	self->last.user = kept(self, line->user);
	self->last.day = kept(self, line->day);
	self->last.tier = kept(self, line->tier);
	self->last.provider = kept(self, line->provider);
	self->last.model = kept(self, line->model);
	self->last.interface = kept(self, line->interface);
	return &self->last;
}

static void page_done(struct admin_job *job)
{
	struct report_page *page = container_of(job, struct report_page, job);
	struct report_call *self = container_of(page, struct report_call, page);
	struct arena *arena = page->job.arena;
	Bursar__V1__ReportPart *part = message_new(arena, ReportPart, report_part);
	char day[DATE_TEXT];

	if (self->stream.gone || !job->ok) {
		report_end(self, self->stream.gone ? NULL : &job->err);
		return;
	}
	progress(self);
	part->ref = admin_ref(arena, &page->key);
	part->from_day = arena_printf(arena, "%s", date_format(page->from_day, day));
	part->to_day = arena_printf(arena, "%s", date_format(page->to_day, day));
	part->lines = lines_to_messages(arena, page, &self->total);
	part->n_lines = page->by ? (size_t)page->count : 0;
	part->done = self->done;
	part->expected = self->expected;
	if (!page->more)
		part->total = line_to_message(arena, &self->total);
	call_write_message(self->call, &part->base, part_written, self);
	page->after = page->count > 0 ? keep_last(self, &page->lines[page->count - 1]) : NULL;
	arena_release(&self->page_arena);
}

static void users_done(struct admin_job *job)
{
	struct report_users *users = container_of(job, struct report_users, job);
	struct report_call *self = container_of(users, struct report_call, users);

	if (job->ok) {
		self->expected = users->users;
		report_go_on(self);
	} else {
		report_end(self, &job->err);
	}
}

static bool model_read(
	struct call *call, struct worker *worker, const char *model, struct report_page *page, struct err *err)
{
	struct snapshot *snapshot = snapshot_take(worker, err);

	if (!snapshot)
		return false;
	page->model = admin_model_wanted(snapshot->catalog, page->key.tenant, model, true, call_arena(call));
	snapshot_give(worker, snapshot);
	return true;
}

/* NULL when the call has already been failed. */
static struct report_call *report_new(struct call *call, struct worker *worker)
{
	struct report_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct report_page *page = &self->page;
	struct err err;
	const Bursar__V1__GetReportRequest *request = request_take(call, &bursar__v1__get_report_request__descriptor);

	if (!request || !admin_bill_key(call, worker, request->ref, &page->key))
		return NULL;
	const struct admin_range range = {request->month, request->from_day, request->to_day};
	if (!admin_range_read(&range, worker_now_us(worker), &page->from_day, &page->to_day, &err) ||
		!admin_report_keys_read(request->by, request->n_by, page->key.kind, &page->by, &err) ||
		!model_read(call, worker, request->model, page, &err)) {
		call_fail(call, &err);
		return NULL;
	}
	page->interface = request->interface;
	page->limit = PART_LINES;
	self->call = call;
	self->worker = worker;
	self->total = no_line();
	return self;
}

void admin_get_report(struct call *call, void *ctx)
{
	struct report_call *self = report_new(call, ctx);

	if (!self)
		return;
	admin_stream_watch(&self->stream, call);
	if (self->page.by & BY_USER && self->page.key.kind == ACCOUNT_TENANT) {
		struct admin_store *admin = self->worker->parts.admin;

		self->users = (struct report_users){
			.job = admin_question(call, users_done),
			.tenant = self->page.key.tenant,
			.from_day = self->page.from_day,
			.to_day = self->page.to_day,
		};
		admin->ops->report_users(admin, &self->users);
	} else {
		self->expected = self->page.by & BY_USER ? 1 : self->page.to_day - self->page.from_day + 1;
		report_go_on(self);
	}
}
