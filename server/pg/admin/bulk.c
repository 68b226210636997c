/* Changes many accounts by sets (pg/admin/admin.h): one transaction locks, reads, changes and writes them by id. */
#include "pg/admin/admin.h"

#include <string.h>

#include "base/units.h"
#include "pg/admin/account_rows.h"
#include "pg/admin/limits_fit.h"

/* The process that makes the changes also writes them to Redis; the ledger role leaves that to it for this long. */
#define HEAD_START_US SECOND_US

/* A chunk in progress. */
struct chunk {
	struct accounts_change *op;
	struct account_set set;
	struct account_ids ids;
	struct account_read read;
	bool *made; /* which of the ids got a new row */
	struct tier_limits tiers; /* `rows` is NULL when the change does not affect limits */
};

static bool find(struct admin_job *job, struct pg_link *link, struct chunk *chunk, struct err *err)
{
	struct accounts_change *op = chunk->op;

	chunk->set = (struct account_set){.tenant = op->tenant, .kind = op->kind, .filter = op->filter};
	if (op->filter)
		return account_ids_find(link, &chunk->set, op->after, op->limit, job->arena, &chunk->ids, err);
	chunk->ids = (struct account_ids){.count = op->ids, .id = (const char **)(uintptr_t)op->id};
	return true;
}

/* Inserts rows for missing accounts, if the change makes a difference to an account without settings. */
static bool make(struct admin_job *job, struct pg_link *link, struct chunk *chunk, struct err *err)
{
	struct accounts_change *op = chunk->op;
	struct account_row nobody = {.key = {.kind = op->kind, .tenant = op->tenant, .id = ""}};
	bool differs = false;

	chunk->made = arena_zalloc(job->arena, (size_t)chunk->ids.count + 1, sizeof(*chunk->made));
	if (op->filter || op->dry_run || op->known_only || !op->change(op, &nobody, &differs, NULL) || !differs)
		return true;
	return account_rows_make(link, &chunk->set, chunk->ids.id, chunk->ids.count, chunk->made, err);
}

static bool read_chunk(struct admin_job *job, struct pg_link *link, struct chunk *chunk, struct err *err)
{
	size_t room = (size_t)chunk->ids.count + 1;

	chunk->read = (struct account_read){
		.set = chunk->set,
		.id = chunk->ids.id,
		.count = chunk->ids.count,
		.lock = !chunk->op->dry_run,
		.rows = arena_zalloc(job->arena, room, sizeof(*chunk->read.rows)),
		.before = chunk->op->dry_run ? NULL : arena_zalloc(job->arena, room, sizeof(*chunk->read.before)),
	};
	return account_rows_read(job, link, &chunk->read, err);
}

static void change_one(struct chunk *chunk, const struct account_row *row)
{
	struct accounts_change *op = chunk->op;
	struct changed_account *account = &op->account[op->count++];

	account->before = account->row = *row;
	account->unknown = op->known_only && !op->filter && !row->known;
	if (account->unknown) {
		err_invalid(&account->err, "id", "this %s has never been created or used", account_kind_name(op->kind));
		account->failed = true;
		return;
	}
	account->failed = !op->change(op, &account->row, &account->differs, &account->err) ||
			  (chunk->tiers.rows && !limits_fit(&chunk->tiers, &account->row, &account->err));
	account->differs = account->differs && !account->failed;
	account->row.known = account->row.known || account->differs;
	op->changed += account->differs;
}

/* Applies the change to the rows read, and to a blank account for each id without a row. */
static void change_all(struct admin_job *job, struct chunk *chunk, struct account_written *written)
{
	struct accounts_change *op = chunk->op;

	op->account = arena_zalloc(job->arena, (size_t)chunk->ids.count + 1, sizeof(*op->account));
	for (int i = 0, at = 0; i < chunk->ids.count; i++) {
		struct account_row row = {.key = {.kind = op->kind, .tenant = op->tenant, .id = chunk->ids.id[i]},
			.suspended_reason = ""};
		const char *before = "null";

		if (at < chunk->read.found && strcmp(chunk->read.rows[at].key.id, row.key.id) == 0) {
			row = chunk->read.rows[at];
			row.known = !chunk->made[i];
			if (row.known && chunk->read.before)
				before = chunk->read.before[at];
			at++;
		} else if (op->filter) {
			continue; /* no longer matches */
		}
		change_one(chunk, &row);
		if (op->account[op->count - 1].differs)
			written[op->changed - 1] =
				(struct account_written){.before = before, .row = &op->account[op->count - 1].row};
	}
}

static bool write_chunk(struct admin_job *job, struct pg_link *link, struct chunk *chunk, struct err *err)
{
	struct accounts_change *op = chunk->op;
	struct account_written *written = arena_zalloc(job->arena, (size_t)chunk->ids.count + 1, sizeof(*written));

	if ((op->limits || op->tier[0]) && !tier_limits_read(&chunk->tiers, link, op->tenant, err))
		return false;
	change_all(job, chunk, written);
	tier_limits_release(&chunk->tiers);
	op->more = chunk->ids.more;
	op->last = chunk->ids.count ? chunk->ids.id[chunk->ids.count - 1] : "";
	if (op->changed == 0 || op->dry_run)
		return true;
	return (!op->tier[0] || account_tier_hold(link, op->tenant, op->tier, err)) &&
	       account_rows_write(job, link, written, op->changed, op->limits, HEAD_START_US, err);
}

bool admin_accounts_change(struct accounts_change *op, struct pg_link *link, struct err *err)
{
	struct chunk chunk = {.op = op};
	/* A model's new account is part of the catalog, whose lock must come before the rows', as everywhere. */
	bool catalog = op->kind == ACCOUNT_MODEL && !op->dry_run;

	op->count = op->changed = 0;
	if (!(catalog ? catalog_begin(link, err) : pg_begin(link, op->dry_run ? "READ ONLY" : "", err)))
		return false;
	return find(&op->job, link, &chunk, err) && make(&op->job, link, &chunk, err) &&
	       read_chunk(&op->job, link, &chunk, err) && write_chunk(&op->job, link, &chunk, err) &&
	       (catalog ? catalog_commit(&op->job, link, err) : pg_commit(link, err));
}
