/* The steps of Explain, as sentences. */
#include "api/message/explain.h"

#include <inttypes.h>

static void add(char **steps, size_t *n, char *step)
{
	steps[(*n)++] = step;
}

static char *account_step(const struct check *check, const struct account_rows *row)
{
	const struct request_account *account = row->account;
	bool named = account->kind == ACCOUNT_USER || !check->answer.rows->names_hidden;
	const char *tier = request_tier_name(account);

	return arena_printf(check->arena, "It counts against %s%s%s: %s%s, %d limits%s%s%s.",
		account_kind_name(account->kind), named ? " " : "", named ? account->id : "",
		tier[0] ? "tier " : "no tier", tier, row->count,
		account->profile->override_count ? ", with limits of its own" : "",
		row->state->suspended ? ", suspended"
		: row->state->deleted ? ", deleted"
				      : "",
		row->state->bypass ? ", bypassed: counted, never denied" : "");
}

static char *price_step(const struct check *check)
{
	const struct check_answer *answer = &check->answer;
	char cost[40];

	if (!answer->asked_model)
		return arena_printf(
			check->arena, "No model is given: no cost is held, but a spent budget still denies.");
	money_format(answer->priced.cost.nano, cost);
	if (!answer->priced.price)
		return arena_printf(check->arena, "Model %s has no price; the tenant allows it free of charge.",
			check->question.model);
	return arena_printf(check->arena,
		"It is priced at the rates of %s/%s%s: %" PRId64 " input and %" PRId64 " output tokens cost %s USD.",
		answer->priced.price->provider, answer->priced.price->model,
		answer->priced.unpriced ? ", the tenant's fallback" : "", answer->request.estimate.input,
		answer->request.estimate.output, cost);
}

static const char *amount(const struct check *check, enum dimension dimension, int64_t n)
{
	char cost[40];

	if (!dimension_is_money(dimension))
		return arena_printf(check->arena, "%" PRId64, n);
	money_format(n, cost);
	return arena_printf(check->arena, "%s USD", cost);
}

static char *row_step(const struct check *check, const struct limit_row *row)
{
	const struct figures *figures = &row->figures;
	enum dimension dimension = row->limit->dimension;
	bool counted_only = figures->effective >= COUNT_MAX;

	return arena_printf(check->arena, "Limit %s of %s%s%s: %s%s%s used, %s requested: %s.",
		row->limit->name[0] ? row->limit->name : "(unnamed)", account_kind_name(row->account_kind),
		row->account_id[0] ? " " : "", row->account_id, amount(check, dimension, figures->used),
		counted_only ? "" : " of ", counted_only ? "" : amount(check, dimension, figures->effective),
		amount(check, dimension, figures->requested),
		row->failed	  ? figures->permanent	 ? "fails, and waiting will not help"
				    : figures->only_held ? "fails for now, because open reservations hold it"
							 : "fails for now"
		: row->would_fail ? "would fail, but is a shadow limit"
		: counted_only	  ? "is only counted"
				  : "passes");
}

static char *verdict_step(const struct check *check)
{
	const struct rows *rows = check->answer.rows;
	const struct account_rows *closed = rows->closed;
	bool named = closed && (closed->account->kind == ACCOUNT_USER || !rows->names_hidden);

	if (check->answer.allowed)
		return arena_printf(check->arena, "It would be allowed now.");
	if (closed)
		return arena_printf(check->arena, "It would be denied now: the %s%s%s is %s.",
			account_kind_name(closed->account->kind), named ? " " : "", named ? closed->account->id : "",
			reason_name(check->answer.reason));
	return arena_printf(check->arena, "It would be denied now: %s.", reason_name(check->answer.reason));
}

size_t explain_steps(const struct check *check, char ***out)
{
	const struct rows *rows = check->answer.rows;
	size_t n = 0;

	*out = arena_alloc(check->arena, sizeof(**out) * (size_t)(rows->count + ACCOUNTS_MAX + 3));
	for (int i = 0; i < rows->accounts; i++)
		add(*out, &n, account_step(check, &rows->account[i]));
	if (check->answer.reason != REASON_UNKNOWN_USER)
		add(*out, &n, price_step(check));
	for (int i = 0; i < rows->count; i++)
		if (rows->row[i].matched)
			add(*out, &n, row_step(check, &rows->row[i]));
	if (check->answer.quality == QUALITY_PROVISIONAL)
		add(*out, &n,
			arena_printf(check->arena, "PostgreSQL did not answer: uncertain accounts are assumed to be on "
						   "the default tier, or to start from zero."));
	add(*out, &n, verdict_step(check));
	return n;
}
