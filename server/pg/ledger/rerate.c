/* Roll-ups of re-ratings, and of what providers say that requests cost (pg/ledger/sums.h). */
#include "pg/ledger/sums.h"

#include <string.h>

static void negate(struct use_row *row)
{
	row->amounts = amounts_minus(&(struct amounts){0}, &row->amounts);
	for (int meter = 0; meter < METER_COUNT; meter++)
		row->meters.count[meter] = -row->meters.count[meter];
	row->unpriced = -row->unpriced;
	row->costs = (struct use_costs){
		.compared = -row->costs.compared,
		.provider_nano = -row->costs.provider_nano,
		.list_nano = -row->costs.list_nano,
		.corrected = -row->costs.corrected,
		.corrected_nano = -row->costs.corrected_nano,
		.allowed = -row->costs.allowed,
		.allowance_nano = -row->costs.allowance_nano,
	};
}

/* The request as it has been counted on its line until now. */
static struct use_row before_of(const struct entry *entry, const struct use_row *row)
{
	const struct entry_rerate *rerate = entry->rerate;
	struct use_row before = *row;

	before.provider = rerate->provider;
	before.model = rerate->model;
	before.rows = 1 + rerate->again;
	before.unpriced = rerate->unpriced;
	before.amounts = rerate->moved;
	before.meters = rerate->meters;
	before.costs = (struct use_costs){
		.corrected = rerate->again,
		.corrected_nano = rerate->corrected + rerate->allowance_before_nano,
		.allowed = rerate->allowance_before_nano != 0,
		.allowance_nano = rerate->allowance_before_nano,
	};
	if (rerate->compared) {
		before.costs.compared = 1;
		before.costs.provider_nano = rerate->provider_cost_nano;
		before.costs.list_nano = rerate->list_cost_nano;
	}
	return before;
}

bool ledger_rerate_use(const struct entry *entry, struct use_row *row, struct use_row *from)
{
	const struct entry_rerate *rerate = entry->rerate;
	struct use_row before = before_of(entry, row);
	bool moves = strcmp(before.provider, row->provider) != 0 || strcmp(before.model, row->model) != 0;

	row->unpriced = (entry->usage.flags & FLAG_UNPRICED) != 0;
	/* What allowances cover is no correction. */
	row->costs = (struct use_costs){
		.corrected = entry->usage.flags & FLAG_ALLOWANCE_ONLY ? rerate->again : 1,
		.corrected_nano = rerate->corrected + entry->amounts.cost + rerate->allowance_nano,
		.allowed = rerate->allowance_nano != 0,
		.allowance_nano = rerate->allowance_nano,
	};
	if (rerate->compared) {
		row->costs.compared = 1;
		row->costs.provider_nano = rerate->provider_cost_nano;
		row->costs.list_nano = entry->usage.list_cost_nano;
	}
	if (!moves) {
		row->unpriced -= before.unpriced;
		row->costs.corrected -= before.costs.corrected;
		row->costs.corrected_nano -= before.costs.corrected_nano;
		row->costs.compared -= before.costs.compared;
		row->costs.provider_nano -= before.costs.provider_nano;
		row->costs.list_nano -= before.costs.list_nano;
		row->costs.allowed -= before.costs.allowed;
		row->costs.allowance_nano -= before.costs.allowance_nano;
		return false;
	}
	row->rows += before.rows;
	row->amounts = amounts_plus(&row->amounts, &before.amounts);
	row->meters = before.meters;
	negate(&before);
	before.rows = -before.rows;
	*from = before;
	return true;
}

size_t ledger_rerates(struct ledger_item **items, int count)
{
	size_t rerates = 0;

	for (int i = 0; i < count; i++)
		rerates += items[i]->entry->rerate != NULL;
	return rerates;
}

bool use_costs_any(const struct use_costs *costs)
{
	return costs->compared || costs->provider_nano || costs->list_nano || costs->corrected ||
	       costs->corrected_nano || costs->allowed || costs->allowance_nano;
}

const char ledger_costs_sql[] =
	"INSERT INTO usage_costs AS u (shard, tenant, kind, id, day, provider, model, interface, compared, provider_nano, "
	"list_nano, corrected, corrected_nano, allowed, allowance_nano) "
	"SELECT CASE WHEN kind = 1 THEN 0 ELSE pg_backend_pid() % 16 END, a.* FROM "
	"unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS a (tenant, kind, id, day, provider, model, "
	"interface, compared, provider_nano, list_nano, corrected, corrected_nano, allowed, allowance_nano) "
	"ON CONFLICT (tenant, kind, id, day, provider, model, interface, shard) DO UPDATE SET "
	"compared = u.compared + excluded.compared, provider_nano = u.provider_nano + excluded.provider_nano, "
	"list_nano = u.list_nano + excluded.list_nano, corrected = u.corrected + excluded.corrected, "
	"corrected_nano = u.corrected_nano + excluded.corrected_nano, allowed = u.allowed + excluded.allowed, "
	"allowance_nano = u.allowance_nano + excluded.allowance_nano";

enum { TENANT, KIND, ID, DAY, PROVIDER, MODEL, INTERFACE, COSTS, COLUMNS = COSTS + 7 };

static void add_rows(struct pg_args *args, const struct use_row *rows, int count)
{
	for (int i = 0; i < count; i++) {
		const struct use_row *row = &rows[i];
		const int64_t costs[] = {row->costs.compared, row->costs.provider_nano, row->costs.list_nano,
			row->costs.corrected, row->costs.corrected_nano, row->costs.allowed, row->costs.allowance_nano};

		if (!use_costs_any(&row->costs))
			continue;
		pg_array_text(args, TENANT, row->tenant);
		pg_array_int(args, KIND, row->kind);
		pg_array_text(args, ID, row->id);
		pg_array_int(args, DAY, row->day_us);
		pg_array_text(args, PROVIDER, row->provider);
		pg_array_text(args, MODEL, row->model);
		pg_array_text(args, INTERFACE, row->interface);
		for (int k = 0; k < COLUMNS - COSTS; k++)
			pg_array_int(args, COSTS + k, costs[k]);
	}
}

void ledger_costs_args(struct pg_args *args, const struct sums *sums)
{
	static const enum pg_type types[COLUMNS] = {
		PG_TEXT, PG_INT2, PG_TEXT, PG_DATE, PG_TEXT, PG_TEXT, PG_TEXT, [COSTS... COLUMNS - 1] = PG_INT8};

	for (int column = 0; column < COLUMNS; column++)
		pg_arg_array(args, types[column]);
	add_rows(args, sums->daily, sums->dailies);
	add_rows(args, sums->shared, sums->shareds);
}
