/* The sums of the proof: of the ledger, and of its roll-ups (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include <string.h>

/* Only the current month: Redis still counts it, and retention cannot have removed it from the ledger yet. */
#define THIS_MONTH "day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date"

enum { PROOF_LEDGER = 1, PROOF_USERS, PROOF_SHARED, PROOF_COMMIT, PROOF_COUNT };
/* Columns of the first two answers: a user, how many rows, their amounts. */
enum { PROOF_USER, PROOF_ROWS, PROOF_AMOUNTS };

#define PICKED(NAME, name, api, ledger, ...) ", array_agg(" ledger ") FILTER (WHERE bill_only) AS " #name "_of"
#define PICKED_NAME(NAME, name, ...) ", " #name "_of"
#define PICKED_SUM(NAME, name, ...) ", sum(c." #name ")::bigint"
/*
 * The sums of all rows, without a user, and by user those of corrections of the bill alone (flags &
 * LEDGER_FLAG_LEDGER_ONLY). One pass: grouping all rows would sort them.
 */
static const char proof_ledger_sql[] =
	"WITH l AS (SELECT count(*) AS rows" AMOUNT_SUMS
	", array_agg(user_id) FILTER (WHERE bill_only) AS user_of" AMOUNTS(
		PICKED) " FROM (SELECT *, entry = 4 AND (flags & 2048) > 0 AS bill_only FROM ledger "
			"WHERE tenant = $1 AND entry <> 2 AND " THIS_MONTH
			") m) SELECT NULL COLLATE \"C\", rows" AMOUNT_NAMES " FROM l UNION ALL "
			"(SELECT c.id, count(*)" AMOUNTS(PICKED_SUM) " FROM l, unnest(user_of" AMOUNTS(
				PICKED_NAME) ") AS c (id" AMOUNT_NAMES ") GROUP BY c.id) ORDER BY 1 NULLS LAST";
static const char proof_users_sql[] = "SELECT user_id, count(*)" AMOUNT_SUMS_OR_0
				      " FROM usage_daily WHERE tenant = $1 AND " THIS_MONTH " GROUP BY 1 ORDER BY 1";
static const char proof_shared_sql[] =
	"SELECT count(*)" AMOUNT_SUMS_OR_0
	" FROM usage_shared_daily WHERE tenant = $1 AND kind = 5 AND id = $1 AND " THIS_MONTH;

/* Whose row comes first: below 0, `a`'s; 0, it is the same user; the end of an answer comes after everybody. */
static int proof_compare(const PGresult *a, int row_a, const PGresult *b, int row_b)
{
	bool end_a = row_a == PQntuples(a) || PQgetisnull(a, row_a, PROOF_USER);
	bool end_b = row_b == PQntuples(b) || PQgetisnull(b, row_b, PROOF_USER);

	if (end_a || end_b)
		return (int)end_a - (int)end_b;
	return strcmp(pg_text(a, row_a, PROOF_USER), pg_text(b, row_b, PROOF_USER));
}

/* What windows and counters have of each user: the roll-ups without corrections of the bill, which are in no window. */
static void proof_users(struct proof_query *op, const PGresult *users, const PGresult *ledger)
{
	size_t most = (size_t)PQntuples(users) + (size_t)PQntuples(ledger) + 1;

	op->user = arena_zalloc(op->job.arena, most, sizeof(*op->user));
	op->of_user = arena_zalloc(op->job.arena, most, sizeof(*op->of_user));
	for (int user = 0, correction = 0;;) {
		int order = proof_compare(users, user, ledger, correction);
		struct amounts *use = &op->of_user[op->users];

		if (order == 0 && user == PQntuples(users))
			return;
		op->user[op->users++] = order <= 0 ? admin_text(&op->job, users, user, PROOF_USER)
						   : admin_text(&op->job, ledger, correction, PROOF_USER);
		if (order <= 0)
			*use = pg_amounts(users, user++, PROOF_AMOUNTS);
		if (order >= 0) {
			const struct amounts corrected = pg_amounts(ledger, correction++, PROOF_AMOUNTS);

			*use = amounts_minus(use, &corrected);
		}
	}
}

bool admin_proof(struct proof_query *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PGresult *results[PROOF_COUNT];
	const struct pg_statement statements[PROOF_COUNT] = {
		{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL},
		[PROOF_LEDGER] = {proof_ledger_sql, &args},
		[PROOF_USERS] = {proof_users_sql, &args},
		[PROOF_SHARED] = {proof_shared_sql, &args},
		[PROOF_COMMIT] = {"COMMIT", NULL},
	};
	int all; /* the last row */

	pg_arg_text(&args, op->tenant);
	if (!pg_pipeline(link, statements, PROOF_COUNT, results, err))
		return false;
	all = PQntuples(results[PROOF_LEDGER]) - 1;
	op->ledger_rows = pg_i64(results[PROOF_LEDGER], all, PROOF_ROWS);
	op->ledger = pg_amounts(results[PROOF_LEDGER], all, PROOF_AMOUNTS);
	op->rollup_rows = op->users = 0;
	op->rollup = (struct amounts){0};
	for (int row = 0; row < PQntuples(results[PROOF_USERS]); row++) {
		const struct amounts use = pg_amounts(results[PROOF_USERS], row, PROOF_AMOUNTS);

		op->rollup_rows += pg_i64(results[PROOF_USERS], row, PROOF_ROWS);
		op->rollup = amounts_plus(&op->rollup, &use);
	}
	op->shared_rows = pg_i64(results[PROOF_SHARED], 0, 0);
	op->shared = pg_amounts(results[PROOF_SHARED], 0, 1);
	proof_users(op, results[PROOF_USERS], results[PROOF_LEDGER]);
	pg_results_clear(results, PROOF_COUNT);
	return true;
}
