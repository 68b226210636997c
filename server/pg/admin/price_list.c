/* Lists prices page by page (pg/admin/admin.h). */
#include "base/list.h"
#include "pg/admin/admin.h"
#include "pg/link/rows.h"

bool admin_price_list(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct price_list *op = container_of(job, struct price_list, job);
	struct pg_args args = {0};

	pg_arg_text(&args, op->tenant ? op->tenant : "");
	pg_arg_text(&args, op->provider ? op->provider : "");
	pg_arg_text(&args, op->model_prefix ? op->model_prefix : "");
	pg_arg_int(&args, op->at_us);
	pg_arg_int(&args, op->after);
	pg_arg_page(&args, op->limit);
	pg_arg_text(&args, op->account ? op->account : "");
	PGresult *result = pg_query(link,
		"SELECT " PRICE_COLUMNS
		" FROM model_prices p WHERE p.tenant IN ('', $1) AND ($2 = '' OR p.provider = $2) "
		"AND starts_with(p.model, $3) AND ($4 = 0 OR (p.from_us <= $4 AND (p.to_us = 0 OR p.to_us > $4))) AND "
		"p.id > $5 AND ($7 = '' OR p.account = $7) "
		"ORDER BY p.id LIMIT $6",
		&args, err);
	pg_args_release(&args);
	if (!result)
		return false;
	op->count = pg_page(result, op->limit, &op->more);
	op->rows = arena_zalloc(job->arena, (size_t)op->count + 1, sizeof(*op->rows));
	for (int i = 0; i < op->count; i++)
		row_price(result, i, 0, &op->rows[i]);
	op->last = op->count ? pg_i64(result, op->count - 1, 0) : op->after;
	PQclear(result);
	return true;
}
