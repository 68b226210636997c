/* Lists prices page by page (pg/admin/admin.h). */
#include "pg/admin/admin.h"
#include "pg/link/rows.h"

bool admin_price_list(struct price_list *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant ? op->tenant : "");
	pg_arg_text(&args, op->provider ? op->provider : "");
	pg_arg_text(&args, op->model_prefix ? op->model_prefix : "");
	pg_arg_int(&args, op->at_us);
	pg_arg_int(&args, op->after);
	pg_arg_page(&args, op->limit);
	pg_arg_text(&args, op->account ? op->account : "");
	if (!pg_read(link,
		    "SELECT " PRICE_COLUMNS
		    " FROM model_prices p WHERE p.tenant IN ('', $1) AND ($2 = '' OR p.provider = $2) "
		    "AND starts_with(p.model, $3) AND ($4 = 0 OR (p.from_us <= $4 AND (p.to_us = 0 OR p.to_us > $4))) AND "
		    "p.id > $5 AND ($7 = '' OR p.account = $7) "
		    "ORDER BY p.id LIMIT $6",
		    &args, &result, err))
		return false;
	pg_page_begin(op, result, op->job.arena);
	for (int i = 0; i < op->count; i++)
		row_price(result, i, 0, &op->rows[i]);
	op->last = op->count ? pg_i64(result, op->count - 1, 0) : op->after;
	return true;
}
