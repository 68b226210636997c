/* Check, GetStatus, Explain, EstimateCost. */
#include "api/limiter/limiter.h"
#include "api/auth/auth.h"

#include "api/message/answer.h"
#include "api/message/convert.h"
#include "api/message/explain.h"
#include "api/limiter/private.h"
#include "api/limiter/provider_usage.h"
#include "api/limiter/unread.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/crypto/random.h"
#include "base/unconst.h"
#include "rpc/message.h"

/* Explain: how many heavy users are named, and how long PostgreSQL may take to find them. */
enum { USERS_MAX = 10, USERS_US = 1000000 };

/* One check in its call's arena. */
struct check_call {
	struct check check;
	struct call *call;
	struct answer_form form;
	bool settle;
	struct settled_check settled;
};

struct status_call {
	struct check_call asked;
	bool with_costs;
	struct user_costs costs;
};

struct explain_call {
	struct check_call asked;
	struct shared_users users; /* who used most of the account that denied the request */
};

static struct check_call *check_call_new(struct call *call)
{
	struct check_call *self = arena_alloc(call_arena(call), sizeof(*self));

	self->call = call;
	return self;
}

static struct check_call *self_of(struct flow *flow)
{
	return container_of(container_of(flow, struct check, flow), struct check_call, check);
}

/* Releases the snapshot before the call ends, because the end frees the arena and the check in it. */
static void reply(struct check_call *self, const ProtobufCMessage *message)
{
	call_fill_message(self->call, message);
	check_release(&self->check);
	call_reply_filled(self->call);
}

/* Ends the call of a failed check; of a good one, hides what the caller may not see. */
static bool failed(struct check_call *self)
{
	if (self->check.flow.ok) {
		if (!caller_sees_names(self->call))
			rows_hide_names(self->check.answer.rows);
		return false;
	}
	check_release(&self->check);
	call_fail(self->call, &self->check.flow.err);
	return true;
}

static void check_reply(struct check_call *self)
{
	struct limits_debt *debts = NULL;

	unread_add(&self->check, &debts);
	unread_watch(self->call, debts);
	reply(self, &answer_to_message(&self->check, &self->form)->base);
}

static void settled_done(struct settled_check *settled)
{
	check_reply(container_of(settled, struct check_call, settled));
}

static void check_done(struct flow *flow)
{
	struct check_call *self = self_of(flow);

	if (failed(self))
		return;
	if (self->settle && check_to_settle(&self->check)) {
		self->settled = (struct settled_check){.check = &self->check};
		check_settle(&self->settled, self->check.worker, call_arena(self->call), settled_done);
	} else {
		check_reply(self);
	}
}

void limiter_check(struct call *call, void *ctx)
{
	const Bursar__V1__CheckRequest *request = request_take(call, &bursar__v1__check_request__descriptor);
	struct check_call *self;

	if (!request)
		return;
	self = check_call_new(call);
	self->form = answer_form_of(request);
	self->settle = request->settle;
	question_of_check(request, call, call_arena(call), &self->check.question);
	self->check.question.deadline_us = call_deadline_us(call);
	check_start(&self->check, ctx, call_arena(call), check_done);
}

static void users_to_messages(struct arena *arena, const struct shared_users *users, Bursar__V1__ExplainResponse *out)
{
	out->shared_with = message_list(arena, (size_t)users->count);
	for (int i = 0; i < users->count; i++) {
		Bursar__V1__SharedUse *use = message_new(arena, SharedUse, shared_use);

		use->user = unconst(users->user[i].name);
		use->requests = users->user[i].use.requests;
		use->cost_nano_usd = users->user[i].use.cost;
		out->shared_with[out->n_shared_with++] = use;
	}
}

static void explain_reply(struct explain_call *explain)
{
	struct check_call *self = &explain->asked;
	struct arena *arena = call_arena(self->call);
	Bursar__V1__ExplainResponse *response = message_new(arena, ExplainResponse, explain_response);

	users_to_messages(arena, &explain->users, response);
	response->response = answer_to_message(&self->check, &self->form);
	response->n_accounts =
		accounts_to_messages(arena, self->check.answer.rows, self->check.answer.now_us, &response->accounts);
	response->n_steps = explain_steps(&self->check, &response->steps);
	reply(self, &response->base);
}

/* The rest of the answer is useful without the users. */
static void users_done(struct admin_job *job)
{
	struct shared_users *users = container_of(job, struct shared_users, job);

	if (!job->ok)
		users->count = 0;
	explain_reply(container_of(users, struct explain_call, users));
}

static void explain_done(struct flow *flow)
{
	struct check_call *self = self_of(flow);
	struct explain_call *explain = container_of(self, struct explain_call, asked);
	const struct check_answer *answer = &self->check.answer;
	struct admin_store *admin = self->check.worker->parts.admin;
	const struct limit_row *binding;

	if (failed(self))
		return;
	binding = answer->rows->binding;
	explain->users = (struct shared_users){0};
	if (!binding || !caller_sees_names(self->call) ||
		(binding->account_kind != ACCOUNT_TEAM && binding->account_kind != ACCOUNT_ORG)) {
		explain_reply(explain);
		return;
	}
	explain->users = (struct shared_users){
		.job = {.arena = call_arena(self->call), .done = users_done, .deadline_us = clock_mono_us() + USERS_US},
		.key = {binding->account_kind, self->check.question.tenant, binding->account_id},
		.from_us = binding->limit->kind == KIND_CALENDAR
				   ? windows_start(&rows_account(answer->rows, binding)->account->windows,
					     binding->limit->unit, answer->now_us)
				   : answer->now_us,
		.limit = USERS_MAX,
	};
	admin->ops->shared_users(admin, &explain->users);
}

void limiter_explain(struct call *call, void *ctx)
{
	const Bursar__V1__ExplainRequest *request = request_take(call, &bursar__v1__explain_request__descriptor);
	struct explain_call *explain;
	struct check_call *self;

	if (!request)
		return;
	explain = arena_alloc(call_arena(call), sizeof(*explain));
	self = &explain->asked;
	self->call = call;
	self->form = (struct answer_form){.language = request->check->language, .limits = true, .headers = true};
	question_of_check(request->check, call, call_arena(call), &self->check.question);
	self->check.question.mode = CHECK_EXPLAIN;
	self->check.question.deadline_us = call_deadline_us(call);
	check_start(&self->check, ctx, call_arena(call), explain_done);
}

static void status_reply(struct status_call *status)
{
	struct check_call *self = &status->asked;
	struct arena *arena = call_arena(self->call);
	Bursar__V1__GetStatusResponse *response = message_new(arena, GetStatusResponse, get_status_response);

	response->costs = status->costs.costs;
	response->now_us = self->check.answer.now_us;
	response->quality = (Bursar__V1__Quality)self->check.answer.quality;
	response->n_accounts =
		accounts_to_messages(arena, self->check.answer.rows, self->check.answer.now_us, &response->accounts);
	reply(self, &response->base);
}

static void costs_done(struct user_costs *costs)
{
	status_reply(container_of(costs, struct status_call, costs));
}

static void status_done(struct flow *flow)
{
	struct check_call *self = self_of(flow);
	struct status_call *status = container_of(self, struct status_call, asked);
	const struct check_question *question = &self->check.question;

	if (failed(self))
		return;
	status->costs = (struct user_costs){.key = {ACCOUNT_USER, question->tenant, question->user}};
	if (status->with_costs)
		user_costs_read(&status->costs, self->check.worker, call_arena(self->call), costs_done);
	else
		status_reply(status);
}

void limiter_get_status(struct call *call, void *ctx)
{
	const Bursar__V1__GetStatusRequest *request = request_take(call, &bursar__v1__get_status_request__descriptor);
	struct status_call *status;
	struct check_call *self;

	if (!request)
		return;
	status = arena_alloc(call_arena(call), sizeof(*status));
	status->with_costs = request->costs;
	self = &status->asked;
	self->call = call;
	self->check.question = (struct check_question){
		.mode = CHECK_STATUS,
		.tenant = tenant_or_default(request->tenant),
		.user = request->user,
		.request_id = "",
		.interface = "",
		.model = request->model,
		.price_mode = "",
		.deadline_us = call_deadline_us(call),
	};
	check_start(&self->check, ctx, call_arena(call), status_done);
}

/* What is to be priced, and how it is bought; false when the provider's usage says nothing. */
static bool estimate_usage(const Bursar__V1__EstimateCostRequest *request, struct arena *arena,
	struct usage_reading *reading, struct meters *meters, struct err *err)
{
	if (!request->provider_usage)
		return meters_from_message(request->usage, meters, err);
	if (request->usage)
		return err_invalid(err, "provider_usage", "must be given alone: omit the usage");
	if (!provider_usage_read(request->provider_usage, arena, reading, err))
		return false;
	if (reading->estimated)
		return err_invalid(err, "provider_usage.json", "does not say what was used");
	*meters = reading->meters;
	return true;
}

/* Rounds are priced one by one, as a record does it. */
static bool estimate_rounds(const struct pricing *pricing, const struct usage_reading *reading, const char *model,
	struct purchase purchase, struct meters *meters, struct priced *priced, struct err *err)
{
	struct meters sum = {{0}};

	for (int i = 0; i < reading->rounds; i++) {
		const char *named = reading->round[i].model[0] ? reading->round[i].model : model;
		struct meters one = reading->round[i].meters;
		struct priced more;

		if (!price_for_check(pricing, named, "model", &one, purchase, i ? &more : priced, err))
			return false;
		if (i)
			priced_add(priced, &more);
		for (int k = 0; k < METER_COUNT; k++)
			sum.count[k] += one.count[k];
	}
	*meters = sum;
	return true;
}

static bool estimate(struct worker *worker, const struct snapshot *snapshot, struct arena *arena,
	const Bursar__V1__EstimateCostRequest *request, struct meters *meters, struct priced *priced, struct err *err)
{
	const char *tenant = tenant_or_default(request->tenant);
	struct usage_reading reading = {.mode = "", .region = ""};
	struct pricing pricing = {.catalog = snapshot->catalog,
		.settings = catalog_tenant(snapshot->catalog, tenant),
		.tenant = tenant,
		.user = request->user,
		.call = true};
	struct purchase purchase = {
		.mode = price_mode(request->mode), .at_us = request->at_us ? request->at_us : worker_now_us(worker)};

	if (!pricing.settings)
		return err_set(err, ERR_UNAVAILABLE, "the settings of tenant %s have not been read yet", tenant);
	if (!estimate_usage(request, arena, &reading, meters, err))
		return false;
	if (!request->mode[0])
		purchase.mode = price_mode(usage_purchase(&reading, "", arena));
	if (reading.rounds)
		return estimate_rounds(&pricing, &reading, request->model, purchase, meters, priced, err);
	return price_for_check(&pricing, request->model, "model", meters, purchase, priced, err);
}

void limiter_estimate_cost(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	struct err err;
	const Bursar__V1__EstimateCostRequest *request =
		request_read(call, &bursar__v1__estimate_cost_request__descriptor, &err);
	struct snapshot *snapshot = request ? snapshot_take(worker, &err) : NULL;
	Bursar__V1__EstimateCostResponse response = BURSAR__V1__ESTIMATE_COST_RESPONSE__INIT;
	struct priced priced;
	struct meters meters;

	if (!snapshot || !estimate(worker, snapshot, call_arena(call), request, &meters, &priced, &err)) {
		snapshot_give(worker, snapshot);
		call_fail(call, &err);
		return;
	}
	response.cost = cost_to_message(call_arena(call), &priced, &meters);
	call_reply_message(call, &response.base);
	snapshot_give(worker, snapshot);
}
