/* Prices: a new one takes over from its date on; a big move wants a second word. */
#include "pg/admin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "pg/rows.h"

#define BIG_MOVE 10

static void key_args(struct pg_args *args, const struct price *price)
{
	pg_arg_text(args, price->tenant);
	pg_arg_text(args, price->account);
	pg_arg_text(args, price->provider);
	pg_arg_text(args, price->model);
	pg_arg_int(args, price->from_us);
}

#define SAME_KEY "p.tenant = $1 AND p.account = $2 AND p.provider = $3 AND p.model = $4"

static bool check_move(const struct price *before, const struct price *after, struct err *err)
{
	for (int class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		int64_t was = before->base.pico[class], is = after->base.pico[class];
		char was_text[32], is_text[32];
		if (was <= 0 || is <= 0 || (is <= was * BIG_MOVE && was <= is * BIG_MOVE))
			continue;
		price_format(was, was_text);
		price_format(is, is_text);
		return err_set(err, ERR_PRECONDITION,
			"%s: moves from %s to %s USD per 1M tokens, more than %d times; if that is meant, repeat it "
			"with `yes` (bursar: --yes)",
			price_rate_columns[class], was_text, is_text, BIG_MOVE);
	}
	return true;
}

/* The price that is in force when the new one begins: it ends there, or goes if it began then too. */
static bool end_before(struct price_put *op, struct pg_link *link, struct err *err)
{
	struct pg_args args = {0};
	struct price before;
	bool ok = true;

	key_args(&args, &op->price);
	PGresult *result = pg_query(link,
		"SELECT " PRICE_COLUMNS " FROM model_prices p WHERE " SAME_KEY
		" AND p.from_us <= $5 AND (p.to_us = 0 OR p.to_us > $5)",
		&args, err);
	if (!result) {
		pg_args_release(&args);
		return false;
	}
	if (PQntuples(result)) {
		row_price(result, 0, 0, &before);
		ok = op->yes || check_move(&before, &op->price, err);
		if (ok && before.from_us == op->price.from_us)
			ok = pg_exec(
				link, "DELETE FROM model_prices p WHERE " SAME_KEY " AND p.from_us = $5", &args, err);
		else if (ok)
			ok = pg_exec(link,
				"UPDATE model_prices p SET to_us = $5 WHERE " SAME_KEY
				" AND p.from_us < $5 AND (p.to_us = 0 OR p.to_us > $5)",
				&args, err);
	}
	PQclear(result);
	pg_args_release(&args);
	return ok;
}

/* The new one ends where the next one begins, at the latest. */
static bool insert_price(struct pg_link *link, const struct price *price, struct err *err)
{
	struct pg_args args = {0};
	struct buf context = {0}, modes = {0};

	price_context_json(price, &context);
	price_modes_json(price, &modes);
	key_args(&args, price);
	pg_arg_int(&args, price->to_us);
	for (int class = 0; class < TOKEN_CLASS_COUNT; class ++)
		pg_arg_int(&args, price->base.pico[class]);
	pg_arg_text(&args, buf_str(&context));
	pg_arg_text(&args, buf_str(&modes));
	pg_arg_text(&args, price->source);
	bool ok = pg_exec(link,
		"INSERT INTO model_prices (tenant, account, provider, model, from_us, to_us, input, cached_input, "
		"cache_write, "
		"output, reasoning, audio_input, audio_output, context, modes, source) SELECT $1, $2, $3, $4, $5, "
		"coalesce(least(nullif($6, 0), (SELECT min(p.from_us) FROM model_prices p WHERE " SAME_KEY
		" AND p.from_us > $5)), 0), nullif($7, -1), nullif($8, -1), nullif($9, -1), nullif($10, -1), "
		"nullif($11, -1), "
		"nullif($12, -1), nullif($13, -1), $14::jsonb, $15::jsonb, $16",
		&args, err);
	pg_args_release(&args);
	buf_release(&context);
	buf_release(&modes);
	return ok;
}

static bool read_back(struct price_put *op, struct pg_link *link, struct buf *json, struct err *err)
{
	struct pg_args args = {0};

	key_args(&args, &op->price);
	PGresult *result = pg_query(link,
		"SELECT " PRICE_COLUMNS ", to_jsonb(p) FROM model_prices p WHERE " SAME_KEY " AND p.from_us = $5",
		&args, err);
	pg_args_release(&args);
	if (!result)
		return false;
	row_price(result, 0, 0, &op->price);
	buf_put_str(json, pg_text(result, 0, 17));
	PQclear(result);
	return true;
}

/* The price that the new one takes over from. */
static const char *price_json(struct admin_job *job, struct pg_link *link, const struct price *price, struct err *err)
{
	struct pg_args args = {0};

	key_args(&args, price);
	const char *json = admin_json(job, link,
		"SELECT to_jsonb(p) FROM model_prices p WHERE " SAME_KEY
		" AND p.from_us <= $5 AND (p.to_us = 0 OR p.to_us > $5) ORDER BY p.from_us DESC LIMIT 1",
		&args, err);
	pg_args_release(&args);
	return json;
}

bool admin_price_put(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct price_put *op = container_of(job, struct price_put, job);
	struct buf json = {0};
	char target[2 * ID_MAX + 2];
	const char *before = NULL;

	/* Two prices at once for one model must see each other. */
	bool ok = pg_begin(link, "", err) &&
		  pg_exec(link, "LOCK TABLE model_prices IN SHARE ROW EXCLUSIVE MODE", NULL, err) &&
		  (before = price_json(job, link, &op->price, err)) && end_before(op, link, err) &&
		  insert_price(link, &op->price, err) && read_back(op, link, &json, err);
	if (ok) {
		size_t n = strlen(op->price.provider);
		memcpy(target, op->price.provider, n);
		target[n] = '/';
		memcpy(target + n + 1, op->price.model, strlen(op->price.model) + 1);
		ok = admin_audit(job, link, op->price.tenant, "price.put", target, before, buf_str(&json), err) &&
		     pg_commit(link, err);
	}
	buf_release(&json);
	return ok;
}

bool admin_price_list(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct price_list *op = container_of(job, struct price_list, job);
	struct pg_args args = {0};

	pg_arg_text(&args, op->tenant ? op->tenant : "");
	pg_arg_text(&args, op->provider ? op->provider : "");
	pg_arg_text(&args, op->model_prefix ? op->model_prefix : "");
	pg_arg_int(&args, op->at_us);
	pg_arg_int(&args, op->after);
	pg_arg_int(&args, op->limit + 1);
	PGresult *result = pg_query(link,
		"SELECT " PRICE_COLUMNS
		" FROM model_prices p WHERE p.tenant IN ('', $1) AND ($2 = '' OR p.provider = $2) "
		"AND starts_with(p.model, $3) AND ($4 = 0 OR (p.from_us <= $4 AND (p.to_us = 0 OR p.to_us > $4))) AND "
		"p.id > $5 "
		"ORDER BY p.id LIMIT $6",
		&args, err);
	pg_args_release(&args);
	if (!result)
		return false;
	int rows = PQntuples(result);
	op->more = rows > op->limit;
	op->count = op->more ? op->limit : rows;
	op->rows = arena_zalloc(job->arena, (size_t)op->count + 1, sizeof(*op->rows));
	for (int i = 0; i < op->count; i++)
		row_price(result, i, 0, &op->rows[i]);
	op->last = op->count ? pg_i64(result, op->count - 1, 0) : op->after;
	PQclear(result);
	return true;
}
