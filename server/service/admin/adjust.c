/*
 * First the ledger says whether the adjustment has been made before and what is known of the request; then the store
 * changes the counters and writes the entry in one call, as for a reset.
 */
#include "service/admin/adjust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto/hash.h"
#include "base/list.h"

enum { DEADLINE_US = 5000000 };

static flow_step step_known, step_rerated, step_accounts, step_answered, step_repaired;

FLOW_OWNER(adjust_of, ledger_adjust)

static enum flow_result fail(struct ledger_adjust *adjust, const struct err *err)
{
	snapshot_give(adjust->worker, adjust->snapshot);
	return flow_fail_with(&adjust->flow, err);
}

static enum flow_result succeed(struct ledger_adjust *adjust)
{
	snapshot_give(adjust->worker, adjust->snapshot);
	return flow_succeed(&adjust->flow);
}

FLOW_RESUME(facts_done, admin_job, ledger_adjust, facts.job)

static enum flow_result step_begin(struct flow *flow)
{
	struct ledger_adjust *adjust = adjust_of(flow);
	struct admin_store *admin = adjust->worker->parts.admin;

	adjust->deadline_us = clock_mono_us() + DEADLINE_US;
	adjust->snapshot = snapshot_take(adjust->worker, &flow->err);
	if (!adjust->snapshot)
		return flow_fail(flow);
	if (!accounts_init(
		    &adjust->accounts, adjust->worker, adjust->arena, adjust->snapshot, adjust->tenant, &flow->err))
		return fail(adjust, &flow->err);
	if (adjust->rerate)
		return flow_more(flow, step_rerated);
	adjust->facts = (struct adjust_facts){
		.job = {.arena = adjust->arena, .done = facts_done, .deadline_us = adjust->deadline_us},
		.tenant = adjust->tenant,
		.user = adjust->user,
		.adjustment_id = adjust->adjustment_id,
		.request_id = adjust->request_id,
		.attempt = adjust->attempt,
		.started_at_us = adjust->started_at_us,
	};
	return flow_wait(flow, step_known, admin->ops->adjust_facts(admin, &adjust->facts));
}

/* The price of the tokens that are added minus the price of those taken away. */
static bool cost_make(struct ledger_adjust *adjust, int64_t at_us, struct err *err)
{
	const struct pricing pricing = {.catalog = adjust->snapshot->catalog,
		.settings = adjust->accounts.settings,
		.tenant = adjust->tenant,
		.user = adjust->user};
	const char *checked = adjust->request_id[0] ? adjust->facts.checked : adjust->model;

	adjust->amounts.cost = adjust->cost;
	for (int sign = 1; adjust->price_tokens && sign >= -1; sign -= 2) {
		struct meters meters = {0};
		struct priced priced;

		for (int i = 0; i < METER_COUNT; i++)
			if (sign * adjust->meters.count[i] > 0)
				meters.count[i] = sign * adjust->meters.count[i];
		price_for_record(&pricing, adjust->usage.model, checked, &meters,
			(struct purchase){.mode = adjust->usage.mode, .at_us = at_us}, &priced);
		if (!priced.price)
			return err_invalid(err, "price_tokens", "no price is known: set cost_nano_usd instead");
		if (priced.cost.flags & FLAG_CAPPED)
			return err_invalid(err, "price_tokens", "the cost exceeds what a counter can hold");
		adjust->usage.flags |= priced.cost.flags;
		adjust->usage.provider = priced.price->provider;
		adjust->usage.price_model = priced.price->model;
		adjust->usage.price_from_us = priced.price->from_us;
		adjust->amounts.cost += sign * priced.cost.nano;
	}
	if (adjust->amounts.cost < -COUNT_MAX || adjust->amounts.cost > COUNT_MAX)
		return err_invalid(err, "cost_nano_usd", "comes to %" PRId64 ", which exceeds what a counter can hold",
			adjust->amounts.cost);
	return true;
}

/* An adjustment must not take away more than was charged. */
static bool total_check(const struct ledger_adjust *adjust, struct err *err)
{
	const struct amounts *total = &adjust->facts.total, *add = &adjust->amounts;
	const struct {
		const char *field, *what;
		int64_t is, more;
	} rows[] = {
#define ROW(NAME, name, api, ledger, window, unit, field) {field, unit, total->name, add->name},
		AMOUNTS(ROW)
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].more < 0 && rows[i].is + rows[i].more < 0)
			return err_invalid(err, rows[i].field,
				"takes %" PRId64 " %s from request %s, which was charged only %" PRId64, -rows[i].more,
				rows[i].what, adjust->request_id, rows[i].is);
	for (int i = 0; add->counted && i < COUNTED_COUNT; i++) {
		int64_t is = total->counted ? total->counted[i] : 0;

		if (add->counted[i] < 0 && is + add->counted[i] < 0)
			return err_invalid(err, "usage",
				"takes %" PRId64 " %s from request %s, which used only %" PRId64, -add->counted[i],
				meter_name(counted_meter((enum counted)i)), adjust->request_id, is);
	}
	return true;
}

static bool counted_equal(const int64_t *a, const int64_t *b)
{
	return a == b || (a && b && memcmp(a, b, COUNTED_COUNT * sizeof(*a)) == 0);
}

/* The adjustment has been made before, and the store may no longer remember it. */
static enum flow_result made_before(struct ledger_adjust *adjust)
{
	const struct adjust_facts *facts = &adjust->facts;
	const struct amounts *was = &facts->made_amounts;
	struct amounts told = adjust->amounts;

	told.cost = adjust->price_tokens ? was->cost : adjust->cost; /* of the price of then */
	told = amounts_minus(&told, was);
	if (counted_equal(told.counted, was->counted))
		told.counted = NULL;
	if (strcmp(facts->made_adjusts, adjust->request_id) != 0 || facts->made_attempt != adjust->attempt ||
		amounts_any(&told)) {
		err_set(&adjust->flow.err, ERR_EXISTS, "adjustment_id: %s was already used for another adjustment",
			adjust->adjustment_id);
		return fail(adjust, &adjust->flow.err);
	}
	adjust->amounts = *was;
	adjust->repeat = true;
	return succeed(adjust);
}

static void names_make(struct ledger_adjust *adjust)
{
	const struct adjust_facts *facts = &adjust->facts;
	bool of_request = adjust->request_id[0] != '\0';
	const char *checked = of_request ? facts->checked : adjust->model;

	adjust->usage = (struct entry_usage){.model = adjust->model, .provider = "", .price_model = "", .mode = ""};
	if (of_request)
		adjust->usage = facts->usage;
	adjust->usage.meters = adjust->meters;
	catalog_model(adjust->snapshot->catalog, adjust->tenant, adjust->user,
		checked[0] ? checked : adjust->usage.model, &adjust->counted);
	if (!of_request) {
		adjust->usage.provider = adjust->counted.provider;
		adjust->usage.price_model = adjust->counted.model;
	}
}

static enum flow_result step_known(struct flow *flow)
{
	struct ledger_adjust *adjust = adjust_of(flow);
	const struct adjust_facts *facts = &adjust->facts;
	bool of_request = adjust->request_id[0] != '\0';

	if (!facts->job.ok)
		return fail(adjust, &facts->job.err);
	adjust->amounts = (struct amounts){.requests = adjust->requests,
		.input = tokens_input(&adjust->meters),
		.output = tokens_output(&adjust->meters)};
	adjust->amounts.counted = meters_counted(&adjust->meters, adjust->arena);
	if (facts->made)
		return made_before(adjust);
	if (of_request && !facts->found) {
		err_set(&flow->err, ERR_NOT_FOUND,
			"attempt %d of request %s is not in the ledger: a record arrives within seconds; for another "
			"day, set started_at_us",
			adjust->attempt, adjust->request_id);
		return fail(adjust, &flow->err);
	}
	names_make(adjust);
	if (!cost_make(adjust, of_request ? facts->started_at_us : worker_now_us(adjust->worker), &flow->err) ||
		(of_request && !total_check(adjust, &flow->err)))
		return fail(adjust, &flow->err);
	return flow_more(flow, step_accounts);
}

static enum flow_result step_rerated(struct flow *flow)
{
	struct ledger_adjust *adjust = adjust_of(flow);
	const char *checked = adjust->facts.checked;

	adjust->amounts = (struct amounts){.cost = adjust->cost};
	catalog_model(adjust->snapshot->catalog, adjust->tenant, adjust->user,
		checked[0] ? checked : adjust->usage.model, &adjust->counted);
	return flow_more(flow, step_accounts);
}

/* The accounts that the request counted against. */
static bool request_accounts(struct ledger_adjust *adjust, struct err *err)
{
	const struct adjust_facts *facts = &adjust->facts;
	const struct tenant *settings = adjust->accounts.settings;
	const char *model_account = tenant_model_account(settings, &adjust->counted);
	struct entry_account account[ACCOUNTS_MAX] = {{.kind = ACCOUNT_USER, .id = adjust->user}};
	int count = 1;

	if (facts->team[0])
		account[count++] = (struct entry_account){.kind = ACCOUNT_TEAM, .id = facts->team};
	if (facts->org[0])
		account[count++] = (struct entry_account){.kind = ACCOUNT_ORG, .id = facts->org};
	/* Copied for the same reason as in accounts_of_user. */
	if (model_account)
		account[count++] = (struct entry_account){.kind = ACCOUNT_MODEL,
			.id = arena_strndup(adjust->arena, model_account, strlen(model_account))};
	if (settings->has_account)
		account[count++] = (struct entry_account){.kind = ACCOUNT_TENANT, .id = adjust->tenant};
	return accounts_of_reservation(&adjust->accounts, account, count, err);
}

static void keep(struct ledger_adjust *adjust, struct buf *buf, const uint8_t **bytes, size_t *len)
{
	*bytes = (const uint8_t *)arena_strndup(adjust->arena, buf_str(buf), buf->len);
	*len = buf->len;
	buf_release(buf);
}

static void texts_make(struct ledger_adjust *adjust)
{
	bool of_request = adjust->request_id[0] != '\0';
	struct entry_info info = {
		.tenant = adjust->tenant,
		.user = adjust->user,
		.request_id = adjust->adjustment_id,
		.interface = of_request ? adjust->facts.interface : adjust->interface,
		.model = of_request ? adjust->facts.checked : adjust->model,
		.tier = of_request ? adjust->facts.tier : request_tier_name(&adjust->accounts.account[0]),
		.provider = adjust->counted.provider,
		.price_model = adjust->counted.model,
		.reason = adjust->reason,
		.actor = adjust->actor,
		.accounts = adjust->accounts.count,
	};
	struct buf buf = {0};

	for (int i = 0; i < info.accounts; i++)
		info.account[i] = (struct entry_account){
			.kind = adjust->accounts.account[i].kind, .id = adjust->accounts.account[i].id};
	adjust->op.interface_hash = selector_hash(info.interface, strlen(info.interface));
	entry_info_pack(&info, &buf);
	keep(adjust, &buf, &adjust->op.info, &adjust->op.info_len);
	entry_adjustment_pack(adjust->request_id, adjust->attempt, adjust->rerate, &adjust->usage, &buf);
	keep(adjust, &buf, &adjust->op.usage, &adjust->op.usage_len);
}

/* The digest of the call's own fields, not of the cost: a price may change between two calls. */
static void digest_make(struct ledger_adjust *adjust)
{
	struct buf buf = {0};
	uint64_t hash;

	buf_putf(&buf, "%s %d %" PRId64 " %" PRId64 " %d %d %s %s", adjust->request_id, adjust->attempt,
		adjust->requests, adjust->cost, adjust->price_tokens, adjust->ledger_only, adjust->model,
		adjust->interface);
	for (int i = 0; i < METER_COUNT; i++)
		buf_putf(&buf, " %" PRId64, adjust->meters.count[i]);
	if (adjust->rerate)
		buf_putf(&buf, " %s/%s %u %" PRId64, adjust->usage.provider, adjust->usage.price_model,
			adjust->usage.flags, adjust->usage.list_cost_nano);
	hash = hash64(buf.data, buf.len);
	buf_release(&buf);
	memcpy(adjust->op.digest, &hash, sizeof(adjust->op.digest));
}

FLOW_RESUME(op_done, limits_op, ledger_adjust, op.op)

static enum flow_result step_accounts(struct flow *flow)
{
	struct ledger_adjust *adjust = adjust_of(flow);
	struct limits_store *limits = adjust->worker->parts.limits;
	bool of_request = adjust->request_id[0] != '\0';

	if (of_request ? !request_accounts(adjust, &flow->err)
		       : !accounts_of_user(&adjust->accounts, adjust->user, &adjust->counted, &flow->err))
		return fail(adjust, &flow->err);
	adjust->op = (struct limits_adjust){
		.op = {.arena = adjust->arena, .done = op_done},
		.tenant = adjust->tenant,
		.user = adjust->user,
		.adjustment_id = adjust->adjustment_id,
		.count = adjust->accounts.count,
		.amounts = adjust->amounts,
		.model_hash = adjust->counted.hash,
		.started_at_us = of_request ? adjust->facts.started_at_us : 0,
		.counted_at_us = of_request ? adjust->facts.counted_at_us : 0,
		.ledger_only = adjust->ledger_only,
	};
	accounts_expect(&adjust->accounts, adjust->op.expected);
	texts_make(adjust);
	digest_make(adjust);
	return flow_wait(flow, step_answered, limits->ops->adjust(limits, &adjust->op));
}

static bool lacks(const struct ledger_adjust *adjust, struct err *err)
{
	static const char *const fields[DIM_COUNT] = {
#define ROW(NAME, number, name, unit, shown, amount, rate, quota, noun, field) [DIM_##NAME] = field,
		DIMENSIONS(ROW)
#undef ROW
	};
	const struct lacking *lacking = &adjust->op.lacking;
	const struct request_account *account = &adjust->accounts.account[lacking->account];
	const struct limit *limit = policy_find(account->policy, lacking->limit_id);
	const char *field = limit ? fields[limit->dimension] : "usage";
	char settled[40];

	snprintf(settled, sizeof(settled), "%" PRId64, lacking->settled);
	if (limit && dimension_is_money(limit->dimension))
		money_format(lacking->settled, settled);
	return err_set(err, ERR_PRECONDITION,
		"%s: limit %s of %s %s has counted only %s in its current window; set ledger_only to correct the bill "
		"without the counters",
		field, limit ? limit->name : "", account_kind_name(account->kind), account->id, settled);
}

FLOW_RESUME(repair_done, flow, ledger_adjust, repair.flow)

static enum flow_result step_answered(struct flow *flow)
{
	struct ledger_adjust *adjust = adjust_of(flow);
	enum limits_status status = adjust->op.op.status;

	if (repair_can(status) && ++adjust->rounds <= REPAIR_ROUNDS_MAX)
		return flow_wait(flow, step_repaired,
			repair_start(
				&adjust->repair, &adjust->accounts, &adjust->op.op, adjust->deadline_us, repair_done));
	switch (status) {
	case LIMITS_OK:
	case LIMITS_REPEAT:
		adjust->repeat = status == LIMITS_REPEAT;
		return succeed(adjust);
	case LIMITS_CONFLICT:
		err_set(&flow->err, ERR_EXISTS, "adjustment_id: %s was already used for something else",
			adjust->adjustment_id);
		return fail(adjust, &flow->err);
	case LIMITS_DENIED:
		lacks(adjust, &flow->err);
		return fail(adjust, &flow->err);
	default:
		if (adjust->op.op.err.code == ERR_NONE)
			err_set(&adjust->op.op.err, ERR_UNAVAILABLE,
				"the accounts change faster than they can be read; try again");
		return fail(adjust, &adjust->op.op.err);
	}
}

/* Without PostgreSQL nothing is adjusted, because the counters may not include everything that was used. */
static enum flow_result step_repaired(struct flow *flow)
{
	struct ledger_adjust *adjust = adjust_of(flow);

	if (!adjust->repair.flow.ok)
		return fail(adjust, &adjust->repair.flow.err);
	if (adjust->repair.provisional) {
		err_set(&flow->err, ERR_UNAVAILABLE, "PostgreSQL does not answer");
		return fail(adjust, &flow->err);
	}
	return flow_more(flow, step_accounts);
}

void ledger_adjust_start(
	struct ledger_adjust *adjust, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	adjust->rounds = 0;
	adjust->repeat = false;
	flow_start(adjust, worker, arena, done, step_begin);
}
