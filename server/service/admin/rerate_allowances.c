/* What free allowances cover of a page of records (rerate.h): which records ask, and what the answer says of each. */
#include "service/admin/rerate.h"

#include <string.h>

static bool erased(const struct rerate_row *row)
{
	return strncmp(row->user, ERASED_PREFIX, strlen(ERASED_PREFIX)) == 0;
}

/* What somebody corrected by hand keeps what it was given, and so do records of users who have been erased. */
static bool asks(const struct rerate_row *row)
{
	return !row->adjusted && !erased(row);
}

static void attempt_add(struct rerate_allowances *op, const struct rerate_row *row, struct rerate_wants *wants)
{
	for (int i = 0; i < wants->count; i++) {
		wants->want[i].at = op->attempts;
		op->want[op->wants++] = wants->want[i];
	}
	op->attempt[op->attempts++] =
		(struct allowance_attempt){.user = row->user, .request_id = row->request_id, .attempt = row->attempt};
}

bool rerate_allowances_ask(struct ledger_rerate *rerate, void (*done)(struct admin_job *job))
{
	struct admin_store *admin = rerate->worker->parts.admin;
	struct rerate_page *page = &rerate->page;
	struct rerate_allowances *op = &rerate->allowances;
	size_t rows = (size_t)page->count + 1;

	*op = (struct rerate_allowances){
		.job = {.arena = rerate->arena, .done = done},
		.tenant = rerate->tenant,
		.day = page->day,
		.attempt = arena_zalloc(rerate->arena, rows, sizeof(*op->attempt)),
		.want = arena_zalloc(rerate->arena, rows * ALLOWANCES_MAX, sizeof(*op->want)),
		.tally = rerate->dry_run ? rerate->tally : NULL,
	};
	for (int i = 0; i < page->count; i++) {
		const struct rerate_row *row = &page->rows[i];
		struct rerate_wants wants = {0};

		if (!asks(row) || !rerate_want(rerate, row, &wants))
			continue;
		if (wants.count || row->allowance_nano || (row->usage.flags | row->now.flags) & FLAG_ALLOWANCE)
			attempt_add(op, row, &wants);
	}
	if (!op->attempts)
		return false;
	admin->ops->rerate_allowances(admin, op);
	return true;
}

void rerate_allowances_read(struct ledger_rerate *rerate)
{
	const struct rerate_allowances *op = &rerate->allowances;
	struct rerate_page *page = &rerate->page;
	int at = 0, want = 0;

	for (int i = 0; i < page->count && at < op->attempts; i++) {
		struct rerate_row *row = &page->rows[i];

		/* The attempts are those of the page, in its order. */
		if (op->attempt[at].request_id != row->request_id)
			continue;
		for (; want < op->wants && op->want[want].at == at; want++)
			row->covered.count[op->want[want].meter] = op->want[want].given;
		at++;
	}
}

bool rerate_settle_ask(struct ledger_rerate *rerate, void (*done)(struct admin_job *job))
{
	struct admin_store *admin = rerate->worker->parts.admin;
	const struct rerate_page *page = &rerate->page;
	struct allowance_settle *op = &rerate->settle;
	int change = 0;

	*op = (struct allowance_settle){
		.job = {.arena = rerate->arena, .done = done},
		.tenant = rerate->tenant,
		.day = page->day,
		.attempt = arena_zalloc(rerate->arena, (size_t)page->count + 1, sizeof(*op->attempt)),
	};
	for (int i = 0; i < page->count; i++) {
		const struct rerate_row *row = &page->rows[i];

		if (change < rerate->changes && rerate->change[change].row == row)
			change++;
		else
			op->attempt[op->attempts++] = (struct allowance_attempt){
				.user = row->user, .request_id = row->request_id, .attempt = row->attempt};
	}
	if (!op->attempts)
		return false;
	admin->ops->allowance_settle(admin, op);
	return true;
}
