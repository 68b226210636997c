/*
 * The steps of a check: resolve the accounts and the model (catalog, cache), ask the store once, repair what the store
 * and this worker disagree about, and answer.
 */
#include "service/request/check.h"

#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/units.h"
#include "service/request/check_private.h"
#include "service/worker/alert_log.h"
#include "service/worker/local.h"
#include "service/request/publish.h"

#define DEADLINE_US 5000000

static enum flow_result step_catalog(struct flow *flow);
static enum flow_result step_looked_up(struct flow *flow);
static enum flow_result step_ask(struct flow *flow);
static enum flow_result step_answered(struct flow *flow);
static enum flow_result step_repaired(struct flow *flow);
static enum flow_result step_shared(struct flow *flow);

struct check *check_of(struct flow *flow)
{
	return container_of(flow, struct check, flow);
}

static enum flow_result step_begin(struct flow *flow)
{
	struct check *check = check_of(flow);

	if (check->question.deadline_us == INT64_MAX)
		check->question.deadline_us = clock_mono_us() + DEADLINE_US;
	check->snapshot = snapshot_take(check->worker, &flow->err);
	if (!check->snapshot)
		return flow_fail(flow);
	if (!accounts_init(
		    &check->accounts, check->worker, check->arena, check->snapshot, check->question.tenant, &flow->err))
		return flow_fail(flow);
	flow_to(flow, check_step_resolve);
	return FLOW_MORE;
}

static struct repair *repair_of(struct check *check)
{
	if (!check->repair)
		check->repair = arena_alloc(check->arena, sizeof(*check->repair));
	return check->repair;
}

static void repair_done(struct flow *flow)
{
	struct repair *repair = container_of(flow, struct repair, flow);

	flow_run(&container_of(repair->accounts, struct check, accounts)->flow);
}

void check_look_up(struct check *check, uint32_t mask)
{
	repair_lookup(repair_of(check), &check->accounts, mask, check->question.deadline_us, repair_done);
}

FLOW_RESUME(wait_due, wait, check, wait)

/*
 * An account is on a tier that is newer than our snapshot. Deciding by the default tier would count the request against
 * the wrong limits, so the check waits for a newer catalog. False once it has waited long enough.
 */
static bool wait_for_catalog(struct check *check)
{
	struct worker *worker = check->worker;

	if (worker_catalog_lag(worker, check->accounts.catalog, &check->catalog_until_us) == CATALOG_HAS_NONE)
		return false;
	flow_to(&check->flow, step_catalog);
	check->wait = (struct wait){.due = wait_due};
	worker->parts.timers->start(worker->parts.timers, &check->wait, CATALOG_LOOK_US);
	return true;
}

static enum flow_result step_catalog(struct flow *flow)
{
	struct check *check = check_of(flow);
	struct snapshot *newer = snapshot_take(check->worker, &flow->err);

	if (!newer)
		return flow_fail(flow);
	snapshot_give(check->worker, check->snapshot);
	check->snapshot = newer;
	if (!accounts_renew(&check->accounts, newer, &flow->err))
		return flow_fail(flow);
	flow_to(flow, check_step_resolve);
	return FLOW_MORE;
}

/* Resolves the accounts to their expected state. If the tenant refuses unknown users, they are looked up first. */
enum flow_result check_step_resolve(struct flow *flow)
{
	struct check *check = check_of(flow);
	struct accounts *accounts = &check->accounts;

	catalog_model(
		accounts->catalog, check->question.tenant, check->question.user, check->question.model, &check->model);
	if (!accounts_of_user(accounts, check->question.user, &check->model, &flow->err))
		return flow_fail(flow);
	if (accounts->tier_missing && wait_for_catalog(check))
		return FLOW_WAIT;
	if (accounts->settings->unknown_users == UNKNOWN_REFUSE && accounts->account[0].profile->version == 0 &&
		!check->looked_up && check->question.mode != CHECK_STATUS) {
		check->looked_up = true;
		flow_to(flow, step_looked_up);
		check_look_up(check, 1);
		return FLOW_WAIT;
	}
	if (!check_request_make(check, &flow->err))
		return flow_fail(flow);
	flow_to(flow, check_remembered(check) ? step_shared : step_ask);
	return FLOW_MORE;
}

static enum flow_result step_looked_up(struct flow *flow)
{
	struct check *check = check_of(flow);

	if (!check->repair->flow.ok)
		return flow_fail_with(flow, &check->repair->flow.err);
	flow_to(flow, check_step_resolve);
	if (!check->repair->user_unknown)
		return FLOW_MORE;
	check->answer.rows = rows_make(&check->accounts, NULL, 0, NULL, 0, 0);
	check->answer.reason = REASON_UNKNOWN_USER;
	check->answer.permanent = true;
	check->answer.quality = QUALITY_EXACT;
	check->answer.now_us = worker_now_us(check->worker);
	flow_to(flow, check_step_finish);
	return FLOW_MORE;
}

FLOW_RESUME(op_done, limits_op, check, op.op)

static enum flow_result step_ask(struct flow *flow)
{
	struct check *check = check_of(flow);
	const struct check_question *question = &check->question;
	struct limits_store *limits = check->worker->parts.limits;

	check->op = (struct limits_check){
		.op = {.arena = check->arena, .done = op_done},
		.tenant = question->tenant,
		.user = question->user,
		.request_id = question->request_id,
		.count = check->accounts.count,
		.request = check->request,
		.ttl_us = question->ttl_us ? question->ttl_us : check->worker->parts.conf->reservation_ttl_s * 1000000,
		.dry_run = question->mode != CHECK_REAL,
		.provisional_ok = check->provisional_ok || worker_durable_away(check->worker),
		.tell_place = question->tell_place,
		.tell_again_us = question->tell_again_us,
	};
	check_times_make(check);
	accounts_expect(&check->accounts, check->op.expected);
	if (!check->op.dry_run) {
		check_digest_make(check, check->op.digest);
		check_info_make(check);
	}
	flow_to(flow, step_answered);
	limits->ops->check(limits, &check->op);
	return FLOW_WAIT;
}

static enum flow_result mend(struct check *check)
{
	if (++check->rounds > REPAIR_ROUNDS_MAX) {
		err_set(&check->flow.err, ERR_UNAVAILABLE,
			"the accounts change faster than they can be read; try again");
		return flow_fail(&check->flow);
	}
	flow_to(&check->flow, step_repaired);
	repair_start(repair_of(check), &check->accounts, &check->op.op, check->question.deadline_us, repair_done);
	return FLOW_WAIT;
}

enum quality quality_in_store(const struct standing *const standing[], int count)
{
	for (int i = 0; i < count; i++)
		if (standing[i]->state.provisional || standing[i]->state.unseeded)
			return QUALITY_PROVISIONAL;
	return QUALITY_EXACT;
}

bool quality_holds(enum quality quality)
{
	return quality == QUALITY_EXACT || quality == QUALITY_PROVISIONAL;
}

static void answer_take(struct check *check, bool allowed)
{
	struct check_answer *answer = &check->answer;
	const struct request *request = check->question.mode == CHECK_STATUS ? NULL : &check->request;

	worker_clock_is(check->worker, check->op.op.now_us);
	local_note(check->worker->local, &check->accounts, (const struct standing *const *)check->op.op.standing,
		check->op.op.standings);
	answer->rows = rows_make(&check->accounts, (const struct standing *const *)check->op.op.standing,
		check->op.op.standings, request, check->op.first_end_us, check->op.op.now_us);
	answer->quality = check->op.unsure ? QUALITY_PROVISIONAL
					   : quality_in_store((const struct standing *const *)check->op.op.standing,
						     check->op.op.standings);
	if (answer->quality == QUALITY_PROVISIONAL && check->question.mode == CHECK_REAL)
		metric_inc(METRIC_checks_uncertain_total, METRIC_CERTAINTY_PROVISIONAL, 0);
	answer->allowed = allowed;
	answer->now_us = check->op.op.now_us;
	answer->state = check->op.state;
	answer->held = check->op.held;
	answer->tell = check->op.tell;
	answer->started_at_us = check->op.started_at_us;
	answer->expires_at_us = check->op.expires_at_us;
}

/* Part of the request is already in the ledger, and its reservation no longer holds anything for it. */
static enum flow_result closed(struct check *check)
{
	check->answer.allowed = false;
	check->answer.reason = REASON_REQUEST_CLOSED;
	check->answer.permanent = true;
	flow_to(&check->flow, check_step_finish);
	return FLOW_MORE;
}

static enum flow_result step_answered(struct flow *flow)
{
	struct check *check = check_of(flow);
	enum limits_status status = check->op.op.status;

	flow_to(flow, step_shared);
	if (repair_can(status))
		return mend(check);
	switch (status) {
	case LIMITS_OK:
	case LIMITS_DENIED:
	case LIMITS_REPEAT:
		break;
	case LIMITS_CONFLICT:
		err_set(&flow->err, ERR_EXISTS, "request_id: %s was already checked with different contents",
			check->question.request_id);
		return flow_fail(flow);
	default:
		flow->err = check->op.op.err;
		flow_to(flow, check_step_away);
		return FLOW_MORE;
	}
	check->answer.repeat = status == LIMITS_REPEAT;
	answer_take(check, status != LIMITS_DENIED);
	if (status == LIMITS_DENIED)
		check_remember(check);
	if (status == LIMITS_REPEAT && check->op.state != RESERVATION_OPEN && check->op.state != RESERVATION_RECORDED)
		return closed(check);
	return FLOW_MORE;
}

static enum flow_result step_repaired(struct flow *flow)
{
	struct check *check = check_of(flow);

	flow_to(flow, check_step_resolve);
	check->provisional_ok |= check->repair->provisional;
	if (check->repair->flow.ok)
		return FLOW_MORE;
	flow->err = check->repair->flow.err;
	if (!check->repair->store_away)
		return flow_fail(flow);
	flow_to(flow, check_step_away);
	return FLOW_MORE;
}

static void count_figures(const struct check *check)
{
	const struct check_answer *answer = &check->answer;
	const struct tier *tier = check->accounts.account[0].tier;
	unsigned decision = answer->allowed ? METRIC_DECISION_ALLOWED : METRIC_DECISION_DENIED;
	unsigned reason = answer->reason <= REASON_CONCURRENCY ? answer->reason : METRIC_REASON_OTHER;

	metric_inc(METRIC_checks_total, decision, reason);
	metric_inc(METRIC_checks_by_tier_total, tier ? tier->metric : METRIC_TIER_NONE, reason);
	metric_inc(METRIC_checks_by_interface_total, metrics_interface(check->question.interface), reason);
	metric_inc(METRIC_checks_by_quality_total, answer->quality, decision);
}

/* The user's first denial of a day is worth an alert. */
static void note_denial(const struct check *check)
{
	const struct check_answer *answer = &check->answer;
	const struct limit_row *binding = answer->rows->binding;
	struct alert_event note = alert_event_of(ALERT_DENIAL, check->question.tenant);

	note.at_us = answer->now_us;
	note.account_kind = ACCOUNT_USER;
	note.account = check->question.user;
	note.subject = reason_name(answer->reason);
	if (binding) {
		note.limit_name = binding->limit->name;
		note.dimension = binding->limit->dimension;
		note.unit = binding->limit->kind == KIND_CALENDAR ? (int64_t)binding->limit->unit : -1;
		note.used = binding->figures.used;
		note.amount = binding->figures.effective;
	}
	alert_log_note(check->worker->alert_log, &note, note.account, DAY_US);
}

static void count(const struct check *check)
{
	const struct check_answer *answer = &check->answer;

	count_figures(check);
	if (!answer->allowed)
		note_denial(check);
	if (answer->allowed)
		log_debug("check allowed", F("tenant", check->question.tenant), F("user", check->question.user),
			F("request_id", check->question.request_id));
	else
		log_info("check denied", F("tenant", check->question.tenant), F("user", check->question.user),
			F("request_id", check->question.request_id), F("reason", reason_name(answer->reason)),
			FI("retry_after_us", answer->retry_after_us));
	if (check->worker->watched)
		publish_check(check);
}

/* Fills in how many users share the accounts; an allowed request does not wait for it. */
static enum flow_result step_shared(struct flow *flow)
{
	struct check *check = check_of(flow);
	int64_t pause_us;

	flow_to(flow, check_step_finish);
	if (check->question.mode == CHECK_REAL && check->answer.allowed)
		return FLOW_MORE;
	if (check_shared_fill(check) || !(pause_us = check_shared_wait(check)))
		return FLOW_MORE;
	flow_to(flow, step_shared);
	check->wait = (struct wait){.due = wait_due};
	check->worker->parts.timers->start(check->worker->parts.timers, &check->wait, pause_us);
	return FLOW_WAIT;
}

enum flow_result check_step_finish(struct flow *flow)
{
	struct check *check = check_of(flow);
	struct check_answer *answer = &check->answer;
	const struct request_account *user = &check->accounts.account[0];

	answer->handle = "";
	answer->request = check->request;
	answer->tier = request_tier_name(user);
	answer->language = check->accounts.settings->language;
	if (user->tier && user->tier->upgrade_to[0])
		answer->better = catalog_tier(check->snapshot->catalog, check->question.tenant, user->tier->upgrade_to);
	if (!answer->allowed && answer->reason == REASON_NONE) {
		answer->reason = answer->rows->reason;
		answer->permanent = answer->rows->permanent;
		answer->retry_after_us = answer->rows->retry_after_us;
	}
	if (answer->allowed && check->question.mode == CHECK_REAL)
		answer->handle = check_handle_make(check);
	if (answer->allowed && !answer->repeat && quality_holds(answer->quality))
		answer->held = check->request.estimate;
	if (check->question.mode == CHECK_REAL)
		count(check);
	return flow_succeed(flow);
}

void check_start(struct check *check, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	*check = (struct check){
		.flow = {.done = done},
		.worker = worker,
		.arena = arena,
		.question = check->question,
	};
	if (!check->question.price_mode)
		check->question.price_mode = "";
	flow_to(&check->flow, step_begin);
	flow_run(&check->flow);
}

void check_release(struct check *check)
{
	snapshot_give(check->worker, check->snapshot);
	check->snapshot = NULL;
}
