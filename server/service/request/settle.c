/*
 * Record and cancel, on the accounts of the check: the handle names them, or else the store does (NEEDKEYS). If a
 * request's marker is gone, the ledger is asked first, so that the request is not charged twice.
 */
#include "service/request/settle_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/units.h"
#include "service/request/publish.h"

#define DEADLINE_US INT64_C(5000000)
#define OLDEST_US INT64_C(604800000000) /* 7 days */
#define AHEAD_US HOUR_US /* a started_at from the caller's clock may be ahead of ours */

static enum flow_result step_accounts(struct flow *flow);
static enum flow_result step_ask(struct flow *flow);
static enum flow_result step_answered(struct flow *flow);
static enum flow_result step_repaired(struct flow *flow);
static enum flow_result step_unknown(struct flow *flow);
static enum flow_result step_born(struct flow *flow);
static enum flow_result step_ledger(struct flow *flow);
static enum flow_result step_finish(struct flow *flow);

FLOW_OWNER(settle_of, settle)

static bool age_check(const struct settle *settle, struct err *err)
{
	int64_t now_us = worker_now_us(settle->worker);
	int64_t started_us = settle->question.handle.started_at_us;

	if (settle->question.cancel)
		return true;
	if (started_us < now_us - OLDEST_US)
		return err_set(
			err, ERR_PRECONDITION, "a request that started more than 7 days ago can no longer be recorded");
	return true;
}

static enum flow_result step_begin(struct flow *flow)
{
	struct settle *settle = settle_of(flow);

	if (settle->question.deadline_us == INT64_MAX)
		settle->question.deadline_us = clock_mono_us() + DEADLINE_US;
	settle->checked = settle->question.handle.model;
	settle->checked_mode = settle->question.handle.mode ? settle->question.handle.mode : "";
	settle->snapshot = snapshot_take(settle->worker, &flow->err);
	if (!settle->snapshot || !age_check(settle, &flow->err))
		return flow_fail(flow);
	if (!accounts_init(&settle->accounts, settle->worker, settle->arena, settle->snapshot,
		    settle->question.handle.tenant, &flow->err))
		return flow_fail(flow);
	settle_hold(settle, step_accounts);
	return FLOW_MORE;
}

/* Without a handle, only the store may know the checked model, and therefore the price. */
static bool wants_info(const struct settle *settle)
{
	return !settle->question.cancel && !settle->checked && !settle->asked_info;
}

/*
 * The request has no marker, and the check that allowed it knew of no group, perhaps because neither store could tell
 * who the user is. Such a request counts against the user's current groups.
 */
static bool met_a_stranger(const struct settle *settle)
{
	const struct handle *handle = &settle->question.handle;

	for (int i = 0; i < handle->accounts; i++)
		if (handle->account[i].kind == ACCOUNT_TEAM || handle->account[i].kind == ACCOUNT_ORG)
			return false;
	return settle->unknown_ok;
}

static enum flow_result step_accounts(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	const struct handle *handle = &settle->question.handle;
	bool ok = true;

	flow_to(flow, step_ask);
	settle_models(settle);
	if (wants_info(settle))
		settle->accounts.count = 0;
	else if (handle->accounts && !met_a_stranger(settle))
		ok = accounts_of_reservation(&settle->accounts, handle->account, handle->accounts, &flow->err);
	else
		ok = accounts_of_user(&settle->accounts, handle->user, &settle->model, &flow->err);
	return ok ? FLOW_MORE : flow_fail(flow);
}

FLOW_RESUME(op_done, limits_op, settle, op.op)

static enum flow_result step_ask(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	struct limits_store *limits = settle->worker->parts.limits;

	if (!settle->question.cancel)
		settle_price(settle);
	settle_op_fill(settle, op_done);
	settle_usage_make(settle);
	settle_info_make(settle);
	flow_to(flow, step_answered);
	if (settle->question.cancel)
		limits->ops->cancel(limits, &settle->op);
	else
		limits->ops->record(limits, &settle->op);
	return FLOW_WAIT;
}

static void repair_done(struct flow *flow)
{
	struct repair *repair = container_of(flow, struct repair, flow);

	flow_run(&container_of(repair->accounts, struct settle, accounts)->flow);
}

/* The reservation is on other accounts; the store has sent what the check knew. */
static enum flow_result take_info(struct settle *settle)
{
	struct entry_info *info = arena_alloc(settle->arena, sizeof(*info));
	struct handle *handle = &settle->question.handle;

	if (!entry_info_unpack(settle->op.op.info, settle->op.op.info_len, settle->arena, info)) {
		err_set(&settle->flow.err, ERR_INTERNAL, "cannot read the reservation of request %s",
			handle->request_id);
		return flow_fail(&settle->flow);
	}
	settle->checked = info->model;
	settle->checked_mode = info->mode;
	handle->accounts = info->accounts;
	for (int i = 0; i < info->accounts; i++)
		handle->account[i] = info->account[i];
	flow_to(&settle->flow, step_accounts);
	return FLOW_MORE;
}

static enum flow_result closed(struct settle *settle)
{
	static const char *const became[] = {"settled", "open", "recorded", "cancelled", "expired"};
	const char *what = settle->op.state <= RESERVATION_EXPIRED ? became[settle->op.state] : became[0];

	err_set(&settle->flow.err, ERR_PRECONDITION, "request %s is already %s", settle->question.handle.request_id,
		what);
	metric_inc(METRIC_records_total, METRIC_RECORD_REFUSED, 0);
	return flow_fail(&settle->flow);
}

static enum flow_result answer_take(struct settle *settle)
{
	const struct limits_settle *op = &settle->op;

	worker_clock_is(settle->worker, op->op.now_us);
	settle_learn_strangers(settle);
	settle->answer.repeat = op->op.status == LIMITS_REPEAT;
	settle->answer.late = op->late || settle->unknown_ok;
	settle->answer.state = op->state;
	settle->answer.charged = op->charged;
	settle->answer.released = op->released;
	if (settle->answer.repeat && op->recorded_len)
		settle->answer.recorded = settle_recorded(settle);
	settle->answer.quality = quality_in_store((const struct standing *const *)op->op.standing, op->op.standings);
	settle->answer.rows = rows_make(&settle->accounts, (const struct standing *const *)op->op.standing,
		op->op.standings < settle->accounts.count ? op->op.standings : settle->accounts.count, NULL, 0,
		op->op.now_us);
	flow_to(&settle->flow, step_finish);
	return FLOW_MORE;
}

static enum flow_result step_answered(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	enum limits_status status = settle->op.op.status;

	if (status != LIMITS_OK && status != LIMITS_REPEAT && ++settle->rounds > REPAIR_ROUNDS_MAX) {
		err_set(&flow->err, ERR_UNAVAILABLE, "the accounts change faster than they can be read; try again");
		return flow_fail(flow);
	}
	if (repair_can(status)) {
		if (!settle->repair)
			settle->repair = arena_alloc(settle->arena, sizeof(*settle->repair));
		flow_to(flow, step_repaired);
		repair_start(
			settle->repair, &settle->accounts, &settle->op.op, settle->question.deadline_us, repair_done);
		return FLOW_WAIT;
	}
	switch (status) {
	case LIMITS_OK:
	case LIMITS_REPEAT:
		return answer_take(settle);
	case LIMITS_NEEDKEYS:
		settle->asked_info = true;
		return take_info(settle);
	case LIMITS_UNKNOWN:
		settle->asked_info = true;
		flow_to(flow, step_unknown);
		return FLOW_MORE;
	case LIMITS_CLOSED:
		return closed(settle);
	default: /* a record is never acknowledged while the store is away */
		flow->err = settle->op.op.err;
		if (flow->err.code == ERR_DEADLINE)
			flow->err.code = ERR_UNAVAILABLE;
		return flow_fail(flow);
	}
}

static enum flow_result step_repaired(struct flow *flow)
{
	struct settle *settle = settle_of(flow);

	if (!settle->repair->flow.ok)
		return flow_fail_with(flow, &settle->repair->flow.err);
	flow_to(flow, step_accounts);
	return FLOW_MORE;
}

/* Only for requests unknown to the store, whose start is the caller's word; the store sets the start of all others. */
static bool start_check(const struct settle *settle, struct err *err)
{
	if (settle->question.handle.started_at_us <= worker_now_us(settle->worker) + AHEAD_US)
		return true;
	return err_invalid(err, "reservation.started_at_us", "is more than an hour ahead of the server's clock");
}

/* No marker: the request was never checked (or checked without the store), or its marker has expired or was lost. */

FLOW_RESUME(birth_done, limits_op, settle, birth.op)

static enum flow_result step_unknown(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	struct limits_store *limits = settle->worker->parts.limits;

	if (settle->question.cancel) {
		err_set(&flow->err, ERR_NOT_FOUND, "request %s has no known reservation",
			settle->question.handle.request_id);
		err_reason(&flow->err, "RESERVATION_NOT_FOUND");
		return flow_fail(flow);
	}
	if (!start_check(settle, &flow->err))
		return flow_fail(flow);
	settle->birth = (struct limits_birth){
		.op = {.arena = settle->arena, .done = birth_done},
		.kind = ACCOUNT_USER,
		.tenant = settle->question.handle.tenant,
		.id = settle->question.handle.user,
	};
	flow_to(flow, step_born);
	limits->ops->birth(limits, &settle->birth);
	return FLOW_WAIT;
}

/* Within the idempotency window and since the partition's birth, any marker ever made still exists. */
static bool marker_would_be_there(const struct settle *settle)
{
	int64_t started_us = settle->question.handle.started_at_us;
	int64_t window_us = settle->worker->parts.conf->idempotency_window_s * 1000000;

	return started_us > settle->birth.birth_us && started_us > settle->birth.op.now_us - window_us;
}

FLOW_RESUME(ledger_done, ledger_lookup, settle, ledger)

static enum flow_result step_born(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	struct accounts_store *accounts = settle->worker->parts.accounts;

	if (settle->birth.op.status != LIMITS_OK)
		return flow_fail_with(flow, &settle->birth.op.err);
	if (marker_would_be_there(settle)) {
		settle->unknown_ok = true;
		flow_to(flow, step_accounts);
		return FLOW_MORE;
	}
	settle->ledger = (struct ledger_lookup){
		.arena = &settle->looked,
		.deadline_us = settle->question.deadline_us,
		.done = ledger_done,
		.tenant = settle->question.handle.tenant,
		.user = settle->question.handle.user,
		.request_id = settle->question.handle.request_id,
		.started_at_us = settle->question.handle.started_at_us,
		.attempt = settle->question.attempt,
	};
	flow_to(flow, step_ledger);
	accounts->ops->ledger(accounts, &settle->ledger);
	return FLOW_WAIT;
}

static enum flow_result step_ledger(struct flow *flow)
{
	struct settle *settle = settle_of(flow);

	if (!settle->ledger.ok)
		return flow_fail_with(flow, &settle->ledger.err);
	if (!settle->ledger.found) {
		settle->unknown_ok = true;
		settle->counted = settle->ledger.counted;
		flow_to(flow, step_accounts);
		return FLOW_MORE;
	}
	settle->answer.repeat = true;
	settle->answer.quality = QUALITY_EXACT;
	settle->answer.state = RESERVATION_RECORDED;
	settle->answer.charged = settle->ledger.amounts;
	settle->answer.late = settle->ledger.late;
	settle->answer.recorded = &settle->ledger.usage;
	settle->answer.rows = rows_make(&settle->accounts, NULL, 0, NULL, 0, 0);
	flow_to(flow, step_finish);
	return FLOW_MORE;
}

static void count(const struct settle *settle)
{
	const struct settle_answer *answer = &settle->answer;
	unsigned result = METRIC_RECORD_SETTLED;

	if (settle->question.cancel) {
		metric_inc(METRIC_cancels_total, 0, 0);
		return;
	}
	if (answer->repeat)
		result = METRIC_RECORD_REPEATED;
	else if (settle->unknown_ok)
		result = METRIC_RECORD_UNRESERVED;
	else if (answer->late)
		result = METRIC_RECORD_LATE;
	else if (settle->question.keep_open)
		result = METRIC_RECORD_ATTEMPT;
	metric_inc(METRIC_records_total, result, 0);
	if (answer->repeat)
		return;
	metric_add(METRIC_recorded_tokens_total, 0, 0, answer->charged.input + answer->charged.output);
	metric_add(METRIC_recorded_nano_usd_total, 0, 0, answer->charged.cost);
}

static enum flow_result step_finish(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	struct settle_answer *answer = &settle->answer;

	answer->meters = settle->question.meters;
	if (answer->recorded)
		answer->differs = settle_differs(&settle->question, answer->recorded);
	/* A repeat reports what was charged originally, even if it sends other tokens. */
	if (answer->repeat && (answer->differs || answer->priced.cost.nano != answer->charged.cost)) {
		answer->priced = (struct priced){.cost = {.nano = answer->charged.cost}};
		answer->list_nano = 0;
	}
	count(settle);
	if (settle->worker->watched && !answer->repeat)
		publish_settled(settle);
	log_debug("request settled", F("tenant", settle->question.handle.tenant),
		F("user", settle->question.handle.user), F("request_id", settle->question.handle.request_id),
		FI("cost_nano_usd", answer->charged.cost));
	return flow_succeed(flow);
}

void settle_start(struct settle *settle, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	*settle = (struct settle){
		.flow = {.done = done},
		.worker = worker,
		.arena = arena,
		.question = settle->question,
	};
	flow_to(&settle->flow, step_begin);
	flow_run(&settle->flow);
}

void settle_release(struct settle *settle)
{
	snapshot_give(settle->worker, settle->snapshot);
	settle->snapshot = NULL;
	arena_release(&settle->looked);
}
