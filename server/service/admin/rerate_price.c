/* What a record costs at today's prices for its time, and whether that is another cost, or on another line (rerate.h). */
#include "service/admin/rerate.h"

#include <string.h>
#include <strings.h>

#include "domain/price/price_allowance.h"

/* These stay, whatever the price: what was used is not certain; the provider's cost was charged; it is a sum. */
#define FLAGS_UNCERTAIN (FLAG_ESTIMATED | FLAG_INCONSISTENT)
#define FLAGS_OF_RECORD (FLAGS_UNCERTAIN | FLAG_PROVIDER_COST | FLAG_ROUNDS | FLAG_ROUNDS_MIXED)

/* Each of the requests that a sum is made of was rounded up by itself. */
#define ROUNDING_NANO 1000

/*
 * The call that was counted because another price had a fee for calls is not one that this price lacks a rate for.
 */
static bool counted_call(const struct rerate_row *row, const struct price *price)
{
	return row->usage.meters.count[METER_CALLS] == 1 && price && price->base.pico[METER_CALLS] == PRICE_NONE &&
	       strcmp(price->model, row->usage.price_model) != 0;
}

static struct purchase bought(const struct rerate_row *row)
{
	return (struct purchase){.mode = row->usage.mode, .at_us = row->started_at_us};
}

/* Fills in the meters that are charged. */
static void charge(
	const struct ledger_rerate *rerate, const struct rerate_row *row, struct meters *meters, struct priced *out)
{
	const struct catalog *catalog = rerate->snapshot->catalog;
	const struct pricing pricing = {.catalog = catalog,
		.settings = catalog_tenant(catalog, rerate->tenant),
		.tenant = rerate->tenant,
		.user = row->user,
		.call = true};

	*meters = row->usage.meters;
	price_for_record(&pricing, row->usage.model, row->checked, meters, bought(row), out);
	if (counted_call(row, out->price)) {
		meters->count[METER_CALLS] = 0;
		price_for_record(&pricing, row->usage.model, row->checked, meters, bought(row), out);
	}
}

static void usage_make(const struct ledger_rerate *rerate, const struct rerate_row *row, const struct priced *priced,
	struct entry_usage *out)
{
	struct model_name name;

	*out = (struct entry_usage){.model = row->usage.model,
		.mode = row->usage.mode,
		.flags = priced->cost.flags | (row->usage.flags & FLAGS_OF_RECORD),
		.list_cost_nano = priced->cost.nano};
	if (out->flags & FLAGS_UNCERTAIN)
		out->flags |= FLAG_UNPRICED;
	else if (out->flags & FLAG_PROVIDER_COST)
		out->flags &= ~(uint32_t)FLAG_UNPRICED;
	if (priced->price) {
		/* The catalog may be another one when the correction is made. */
		out->provider = arena_strndup(rerate->arena, priced->price->provider, strlen(priced->price->provider));
		out->price_model = arena_strndup(rerate->arena, priced->price->model, strlen(priced->price->model));
		out->price_from_us = priced->price->from_us;
		return;
	}
	catalog_model(rerate->snapshot->catalog, rerate->tenant, row->user,
		row->usage.model[0] ? row->usage.model : row->checked, &name);
	out->provider = "";
	out->price_model = arena_strndup(rerate->arena, name.model, strlen(name.model));
}

static struct bill_key key_of(const struct ledger_rerate *rerate, const struct entry_usage *usage, const char *checked)
{
	return usage_bill_key(usage, checked, arena_alloc(rerate->arena, ID_MAX + 1));
}

static void before_make(const struct ledger_rerate *rerate, const struct rerate_row *row, struct rerate_change *out)
{
	struct bill_key key = key_of(rerate, &row->now, row->checked);

	out->cost_before = row->charged.cost + row->expired_cost + row->corrected + row->allowance_nano;
	out->before = (struct entry_rerate){
		.provider = key.provider,
		.model = key.model,
		.unpriced = row->now.flags & FLAG_UNPRICED,
		.again = row->again,
		.corrected = row->corrected,
		.moved = row->charged,
		.meters = row->usage.meters,
		.compared = row->usage.provider_cost_known,
		.provider_cost_nano = row->usage.provider_cost_nano,
		.list_cost_nano = row->now.list_cost_nano,
		.allowance_before_nano = row->allowance_nano,
	};
	out->before.moved.cost += row->corrected;
}

static void change_make(const struct ledger_rerate *rerate, const struct rerate_row *row, const struct priced *priced,
	struct rerate_change *out)
{
	*out = (struct rerate_change){.row = row};
	usage_make(rerate, row, priced, &out->usage);
	before_make(rerate, row, out);
	out->line = key_of(rerate, &out->usage, row->checked);
}

static bool is(const struct ledger_rerate *rerate, const char *name)
{
	return name[0] && (strcasecmp(name, rerate->model) == 0 || strcasecmp(name, rerate->resolved) == 0);
}

static bool wanted(const struct ledger_rerate *rerate, const struct rerate_change *change)
{
	const struct rerate_row *row = change->row;

	if (rerate->flagged && !change->before.unpriced)
		return false;
	return !rerate->model[0] || is(rerate, row->usage.model[0] ? row->usage.model : row->checked) ||
	       is(rerate, change->before.model) || is(rerate, change->line.model) || is(rerate, row->now.price_model) ||
	       is(rerate, change->usage.price_model);
}

/* Of a sum of requests: does what it costs depend on which of them used what? */
static bool hides_parts(const struct rerate_row *row, const struct price *price)
{
	if (!(row->usage.flags & FLAG_ROUNDS) || !price)
		return false;
	return row->usage.flags & FLAG_ROUNDS_MIXED ||
	       (price->context_tiers && tokens_input(&row->usage.meters) > price->context[0].above_tokens);
}

static bool same_line(const struct rerate_change *change)
{
	return strcmp(change->before.provider, change->line.provider) == 0 &&
	       strcmp(change->before.model, change->line.model) == 0;
}

static bool any_tokens(const struct meters *meters)
{
	return tokens_input(meters) > 0 || tokens_output(meters) > 0;
}

/*
 * An estimate was charged what the check held, which may have known more of the tokens than the record does: on the same
 * line it stays, and also if an expiry has charged it, so that the record has none.
 */
static bool costs_same(const struct rerate_change *change)
{
	int64_t more = change->cost_after - change->cost_before;

	if (change->usage.flags & FLAG_ESTIMATED && (same_line(change) || !any_tokens(&change->row->usage.meters)))
		return true;
	if (change->usage.flags & FLAG_ROUNDS)
		return more > -ROUNDING_NANO && more < ROUNDING_NANO;
	return more == 0;
}

static bool differs(const struct rerate_change *change)
{
	const struct entry_rerate *before = &change->before;

	return !costs_same(change) || before->unpriced != ((change->usage.flags & FLAG_UNPRICED) != 0) ||
	       !same_line(change) ||
	       (before->compared && !(change->usage.flags & (FLAG_ROUNDS | FLAG_ESTIMATED)) &&
		       before->list_cost_nano != change->usage.list_cost_nano);
}

bool rerate_want(const struct ledger_rerate *rerate, const struct rerate_row *row, struct rerate_wants *out)
{
	struct rerate_change change;
	struct meters meters;
	struct priced priced;

	*out = (struct rerate_wants){0};
	charge(rerate, row, &meters, &priced);
	change_make(rerate, row, &priced, &change);
	if (!wanted(rerate, &change))
		return false;
	if (!(priced.cost.flags & FLAG_ALLOWANCE) || row->usage.flags & FLAG_ESTIMATED ||
		hides_parts(row, priced.price))
		return true;
	for (int i = 0; i < priced.price->allowances; i++) {
		const struct price_allowance *allowance = &priced.price->allowance[i];

		if (meters.count[allowance->meter] > 0)
			out->want[out->count++] = (struct allowance_want){
				.meter = (enum meter)allowance->meter,
				.provider = priced.price->provider,
				.pool = allowance_pool(priced.price, allowance),
				.starts_us = allowance_starts_us(allowance, row->started_at_us),
				.amount = allowance->amount,
				.wanted = meters.count[allowance->meter],
			};
	}
	return true;
}

/* All of the above is about the list price; what allowances cover is taken from it. */
static bool cover(const struct rerate_row *row, const struct priced *priced, const struct meters *meters, bool listed,
	struct rerate_change *out)
{
	struct entry_rerate *before = &out->before;

	if (priced->price && !(out->usage.flags & FLAG_PROVIDER_COST))
		before->allowance_nano = price_worth(priced->price, meters, &row->covered, bought(row));
	out->cost_before -= before->allowance_before_nano;
	out->cost_after -= before->allowance_nano;
	if (!listed)
		out->usage.flags |= FLAG_ALLOWANCE_ONLY;
	return listed || before->allowance_nano != before->allowance_before_nano;
}

bool rerate_price(struct ledger_rerate *rerate, const struct rerate_row *row, struct rerate_change *out)
{
	struct meters meters;
	struct priced priced;

	charge(rerate, row, &meters, &priced);
	change_make(rerate, row, &priced, out);
	out->cost_after = out->usage.flags & FLAG_PROVIDER_COST ? out->cost_before : priced.cost.nano;
	if (costs_same(out))
		out->cost_after = out->cost_before;
	if (!wanted(rerate, out))
		return false;
	rerate->counts.unpriced += (out->usage.flags & FLAG_UNPRICED) != 0;
	if (!cover(row, &priced, &meters, differs(out), out))
		return false;
	rerate->counts.sums += hides_parts(row, priced.price);
	return !hides_parts(row, priced.price);
}
