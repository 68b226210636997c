/* Turns the store's standings into rows of an answer. */
#include "service/request/answer.h"

#include <stddef.h>

/* A policy that came from the record has no names, so they are taken from our own limit with the same id and amount. */
static const struct limit *named_limit(const struct request_account *account, const struct limit *limit)
{
	const struct limit *ours = limit->name[0] ? NULL : policy_find(account->policy, limit->id);

	return ours && ours->kind == limit->kind && ours->amount == limit->amount && ours->num == limit->num ? ours
													     : limit;
}

static void row_fill(struct limit_row *row, const struct request_account *account, const struct standing *standing,
	int index, const struct request *request, int64_t now_us)
{
	const struct limit *limit = &standing->state.policy->limits[index];
	uint32_t bit = UINT32_C(1) << index;
	int64_t requested = 0;

	*row = (struct limit_row){
		.account_kind = account->kind,
		.account_id = account->id,
		.limit = named_limit(account, limit),
		.matched = !request || limit_matches(limit, request->interface_hash, request->model_hash),
		.failed = standing->verdict.failed & bit,
		.would_fail = standing->verdict.would & bit,
		.notify = standing->verdict.notify & bit,
	};
	if (request && row->matched)
		requested = amounts_of(&request->estimate, limit->dimension);
	if (request && row->matched && row->failed)
		requested = request_tests(request, limit->dimension);
	figures_of(&standing->state, index, &account->windows, requested, row->failed, now_us, &row->figures);
}

/* The limit that recovers last binds; one that never recovers beats all others. The order of reasons breaks ties. */
static bool binds_more(const struct limit_row *a, const struct limit_row *b)
{
	if (a->figures.permanent != b->figures.permanent)
		return a->figures.permanent;
	if (a->figures.retry_after_us != b->figures.retry_after_us)
		return a->figures.retry_after_us > b->figures.retry_after_us;
	return reason_of(a->limit) < reason_of(b->limit);
}

static void binding_find(struct rows *rows)
{
	for (int i = 0; i < rows->count; i++) {
		const struct limit_row *row = &rows->row[i];

		if (row->failed && (!rows->binding || binds_more(row, rows->binding)))
			rows->binding = row;
	}
	if (!rows->binding)
		return;
	rows->reason = reason_of(rows->binding->limit);
	rows->permanent = rows->binding->figures.permanent;
	rows->retry_after_us = rows->permanent ? 0 : rows->binding->figures.retry_after_us;
}

/* If several accounts are closed, the first suspended one denies, or else the first deleted one. */
static void closed_note(struct rows *rows, const struct account_rows *account)
{
	enum reason reason = account->state->suspended ? REASON_SUSPENDED : REASON_DELETED;

	if (rows->closed && rows->reason <= reason)
		return;
	rows->closed = account;
	rows->reason = reason;
}

/* Called while `rows` contains only the user's own rows. */
static void first_end_put(struct rows *rows, int64_t first_end_us, int64_t now_us)
{
	for (int i = 0; i < rows->count; i++)
		figures_first_end(&rows->row[i].figures, first_end_us, now_us);
}

struct rows *rows_make(const struct accounts *accounts, const struct standing *const standing[], int count,
	const struct request *request, int64_t first_end_us, int64_t now_us)
{
	struct rows *rows = arena_zalloc(accounts->arena, 1, sizeof(*rows));
	int most = 0;

	for (int i = 0; i < count; i++)
		most += standing[i] ? standing[i]->state.policy->count : 0;
	rows->row = arena_alloc(accounts->arena, sizeof(rows->row[0]) * (size_t)(most ? most : 1));
	for (int i = 0; i < count; i++) {
		const struct account_state *state;

		if (!standing[i])
			continue;
		state = &standing[i]->state;
		rows->account[rows->accounts++] = (struct account_rows){.account = &accounts->account[i],
			.state = state,
			.first = rows->count,
			.count = state->policy->count};
		for (int l = 0; l < state->policy->count; l++)
			row_fill(&rows->row[rows->count++], &accounts->account[i], standing[i], l, request, now_us);
		if (i == 0)
			first_end_put(rows, first_end_us, now_us);
		if (state->suspended || state->deleted)
			closed_note(rows, &rows->account[i]);
		rows->bypassed = rows->bypassed || (i == 0 && state->bypass);
	}
	if (rows->closed)
		rows->permanent = true;
	else
		binding_find(rows);
	return rows;
}

void rows_hide_names(struct rows *rows)
{
	rows->names_hidden = true;
	for (int i = 0; i < rows->count; i++)
		if (rows->row[i].account_kind != ACCOUNT_USER)
			rows->row[i].account_id = "";
}

const struct account_rows *rows_account(const struct rows *rows, const struct limit_row *row)
{
	int i = 0;

	while (row - rows->row >= rows->account[i].first + rows->account[i].count)
		i++;
	return &rows->account[i];
}

int64_t row_running(const struct rows *rows, const struct limit_row *row)
{
	return row->limit->kind == KIND_LEVEL ? row->figures.held : rows_account(rows, row)->state->open;
}
