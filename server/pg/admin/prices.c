/* Writes prices (pg/admin/admin.h). A new price takes over from its date on; a large change needs confirmation. */
#include "pg/admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto/hash.h"
#include "domain/price/price_change.h"
#include "domain/price/price_text.h"
#include "pg/link/amounts.h"
#include "pg/link/rows.h"

static void key_args(struct pg_args *args, const struct price *price)
{
	pg_arg_text(args, price->tenant);
	pg_arg_text(args, price->account);
	pg_arg_text(args, price->provider);
	pg_arg_text(args, price->model);
	pg_arg_int(args, price->from_us);
}

#define SAME_KEY "p.tenant = $1 AND p.account = $2 AND p.provider = $3 AND p.model = $4"

static bool move_check(const struct price *before, const struct price *after, struct err *err)
{
	int meter = price_big_move(before, after);
	char was[32], is[32];

	if (meter < 0)
		return true;
	price_format(before->base.pico[meter], (enum meter)meter, was);
	price_format(after->base.pico[meter], (enum meter)meter, is);
	return err_set(err, ERR_PRECONDITION,
		"%s: changes from %s to %s USD, by a factor above %d; if that is intended, repeat it "
		"with `yes` (bursar: --yes)",
		meter_name((enum meter)meter), was, is, PRICE_BIG_MOVE);
}

/* Ends the price that is in force when the new one begins, or deletes it if it begins at the same time. */
static bool end_before(struct pg_link *link, const struct price *price, bool yes, struct err *err)
{
	PG_ARGS args = {0};
	struct price before;
	bool ok = true;
	PG_RESULT result = NULL;

	key_args(&args, price);
	result = pg_query(link,
		"SELECT " PRICE_COLUMNS " FROM model_prices p WHERE " SAME_KEY
		" AND p.from_us <= $5 AND (p.to_us = 0 OR p.to_us > $5)",
		&args, err);
	if (!result) {
		return false;
	}
	if (PQntuples(result)) {
		row_price(result, 0, 0, &before);
		ok = yes || move_check(&before, price, err);
		if (ok && before.from_us == price->from_us)
			ok = pg_exec(
				link, "DELETE FROM model_prices p WHERE " SAME_KEY " AND p.from_us = $5", &args, err);
		else if (ok)
			ok = pg_exec(link,
				"UPDATE model_prices p SET to_us = $5 WHERE " SAME_KEY
				" AND p.from_us < $5 AND (p.to_us = 0 OR p.to_us > $5)",
				&args, err);
	}
	return ok;
}

/* Inserts the new price, which ends at the latest when the next one begins. */
static bool insert_price(struct pg_link *link, const struct price *price, struct err *err)
{
	PG_ARGS args = {0};
	struct buf context = {0}, modes = {0}, more = {0};
	bool ok;

	price_context_json(price, &context);
	price_modes_json(price, &modes);
	price_more_json(price, &more);
	key_args(&args, price);
	pg_arg_int(&args, price->to_us);
	for (int meter = 0; meter < METER_KEPT_COUNT; meter++)
		pg_arg_int(&args, price->base.pico[meter]);
	pg_arg_text(&args, buf_str(&context));
	pg_arg_text(&args, buf_str(&modes));
	pg_arg_text(&args, price->source);
	pg_arg_text(&args, buf_str(&more));
	ok = pg_exec(link,
		"INSERT INTO model_prices (tenant, account, provider, model, from_us, to_us" METER_COLUMNS
		", context, modes, source, more) SELECT $1, $2, "
		"$3, $4, $5, "
		"coalesce(least(nullif($6, 0), (SELECT min(p.from_us) FROM model_prices p WHERE " SAME_KEY
		" AND p.from_us > $5)), 0), nullif($7, -1), nullif($8, -1), nullif($9, -1), nullif($10, -1), "
		"nullif($11, -1), nullif($12, -1), nullif($13, -1), $14::jsonb, $15::jsonb, $16, $17::jsonb",
		&args, err);
	buf_release(&context);
	buf_release(&modes);
	buf_release(&more);
	return ok;
}

static bool read_back(struct pg_link *link, struct price *price, struct buf *json, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	key_args(&args, price);
	if (!pg_read(link,
		    "SELECT " PRICE_COLUMNS ", to_jsonb(p) FROM model_prices p WHERE " SAME_KEY " AND p.from_us = $5",
		    &args, &result, err))
		return false;
	row_price(result, 0, 0, price);
	buf_put_str(json, pg_text(result, 0, PRICE_COLUMN_COUNT));
	return true;
}

/* The price that the new one replaces, as JSON. */
static const char *price_json(struct admin_job *job, struct pg_link *link, const struct price *price, struct err *err)
{
	PG_ARGS args = {0};

	key_args(&args, price);
	return admin_json(job, link,
		"SELECT to_jsonb(p) FROM model_prices p WHERE " SAME_KEY
		" AND p.from_us <= $5 AND (p.to_us = 0 OR p.to_us > $5) ORDER BY p.from_us DESC LIMIT 1",
		&args, err);
}

static bool audit_price(struct admin_job *job, struct pg_link *link, const struct price *price, const char *action,
	const char *before, const char *after, struct err *err)
{
	const char *target = arena_printf(job->arena, "%s/%s", price->provider, price->model);

	return admin_audit(job, link, price->tenant, action, target, before, after, err);
}

/* Serializes writers, so that two new prices for one model see each other. */
static bool prices_begin(struct pg_link *link, struct err *err)
{
	return pg_begin(link, "", err) &&
	       pg_exec(link, "LOCK TABLE model_prices IN SHARE ROW EXCLUSIVE MODE", NULL, err);
}

/* Writes a price, which takes over from its beginning; `price` is then as stored. */
static bool price_write(struct admin_job *job, struct pg_link *link, struct price *price, bool yes, struct err *err)
{
	struct buf json = {0};
	const char *before;
	bool ok = (before = price_json(job, link, price, err)) && end_before(link, price, yes, err) &&
		  insert_price(link, price, err) && read_back(link, price, &json, err) &&
		  audit_price(job, link, price, "price.put", before, buf_str(&json), err);

	buf_release(&json);
	return ok;
}

bool admin_price_put(struct price_put *op, struct pg_link *link, struct err *err)
{
	return prices_begin(link, err) && price_write(&op->job, link, &op->price, op->yes, err) &&
	       catalog_commit(&op->job, link, err);
}

/* Finds the price in force when `price` begins; *ever: whether there was a price at any time. */
static bool in_force(
	struct pg_link *link, const struct price *price, struct price *out, bool *found, bool *ever, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	key_args(&args, price);
	if (!pg_read(link,
		    "SELECT " PRICE_COLUMNS ", p.from_us <= $5 AND (p.to_us = 0 OR p.to_us > $5) AS is_in_force FROM "
		    "model_prices p WHERE " SAME_KEY " ORDER BY is_in_force DESC LIMIT 1",
		    &args, &result, err))
		return false;
	*ever = PQntuples(result) > 0;
	*found = *ever && pg_bool(result, 0, PRICE_COLUMN_COUNT);
	if (*found)
		row_price(result, 0, 0, out);
	return true;
}

/* Finds the price that has applied to a tenant or account without its own: the tenant's, else the general one. */
static bool base_of(struct pg_link *link, struct price_put_row *row, struct err *err)
{
	struct price wider = row->price;
	bool ever;

	while (!row->based && (wider.account[0] || wider.tenant[0])) {
		if (!wider.account[0])
			wider.tenant[0] = '\0';
		wider.account[0] = '\0';
		if (!in_force(link, &wider, &row->before, &row->based, &ever, err))
			return false;
	}
	return true;
}

static bool new_decide(struct pg_link *link, struct price_put_row *row, struct err *err)
{
	struct price *price = &row->price;

	row->change = PRICE_NEW;
	if (row->merged && !base_of(link, row, err))
		return false;
	if (row->based && !price_fill(price, row->given, &row->before, err))
		return false;
	price_modes_settle(price);
	row->big = row->based && price_big_move(&row->before, price) >= 0;
	return price_check(price, err);
}

/*
 * Decides what the row changes. A price without a beginning takes over now, unless it has already ended; a model's
 * first price applies from the start of time.
 */
static bool row_decide(const struct prices_put *op, struct pg_link *link, struct price_put_row *row, struct err *err)
{
	struct price *price = &row->price;
	bool undated = price->from_us == 0 && (price->to_us == 0 || price->to_us > op->now_us), found, ever;
	bool same_end, confirmed, same;

	if (undated)
		price->from_us = op->now_us;
	if (!in_force(link, price, &row->before, &found, &ever, err))
		return false;
	if (!found) {
		bool ok = new_decide(link, row, err);

		if (ok && undated && !ever)
			price->from_us = 0;
		return ok;
	}
	if (!price_fill(price, row->given, &row->before, err))
		return false;
	same_end = price->to_us == 0 || price->to_us == row->before.to_us;
	/* A row that changes only the source confirms that the price is still current. */
	confirmed = row->merged && price->source[0] && strcmp(price->source, row->before.source) != 0;
	same = same_end && price_costs_same(price, &row->before);
	row->change = same && !confirmed ? PRICE_SAME : PRICE_MOVED;
	row->big = price_big_move(&row->before, price) >= 0;
	if (row->change == PRICE_SAME)
		*price = row->before;
	else if (price->to_us == 0)
		price->to_us = row->before.to_us;
	return price_check(price, err);
}

static void put_costs(struct buf *out, const struct price *price)
{
	buf_put(out, &price->base, sizeof(price->base));
	price_context_json(price, out);
	price_modes_json(price, out);
	price_more_json(price, out);
}

/* A hash of the cost changes. The same list has the same one, unless someone else changed one of its prices. */
static uint64_t fingerprint_of(const struct prices_put *op)
{
	struct buf text = {0};
	uint64_t hash;

	for (int i = 0; i < op->count; i++) {
		const struct price_put_row *row = &op->row[i];

		if (row->change == PRICE_SAME)
			continue;
		buf_putf(&text, "%d %d %s/%s ", i, (int)row->change, row->price.provider, row->price.model);
		put_costs(&text, &row->price);
		if (row->change == PRICE_MOVED)
			put_costs(&text, &row->before);
	}
	hash = hash64(buf_str(&text), text.len);
	buf_release(&text);
	return hash;
}

/* Refuses large changes; names as many as fit. */
static bool big_moves_check(const struct prices_put *op, struct err *err)
{
	struct buf names = {0};
	int big = 0, named = 0;

	for (int i = 0; i < op->count; i++) {
		const struct price_put_row *row = &op->row[i];

		if (!row->big)
			continue;
		big++;
		if (names.len + strlen(row->price.provider) + strlen(row->price.model) > 120)
			continue;
		buf_putf(&names, "%s%s/%s", named++ ? ", " : "", row->price.provider, row->price.model);
	}
	if (big > named)
		buf_putf(&names, " and %d more", big - named);
	if (big)
		err_set(err, ERR_PRECONDITION,
			"%d of the prices would change by a factor above %d: %s; if that is intended, repeat it with "
			"`yes`",
			big, PRICE_BIG_MOVE, buf_str(&names));
	buf_release(&names);
	return !big;
}

static bool expected_check(const struct prices_put *op, struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, op->fingerprint);
	return !op->expected[0] || strcmp(op->expected, text) == 0 ||
	       err_set(err, ERR_PRECONDITION, "the prices have changed meanwhile: review the changes again");
}

/* Writes row by row, because one may follow another for the same model. A dry run does the same and is rolled back. */
static bool rows_write(
	struct admin_job *job, struct pg_link *link, const struct prices_put *op, bool *changed, struct err *err)
{
	for (int i = 0; i < op->count; i++) {
		struct price_put_row *row = &op->row[i];

		if (!row_decide(op, link, row, err) ||
			(row->change != PRICE_SAME && !price_write(job, link, &row->price, true, err))) {
			if (row->line)
				return err_prefix(err, "line %d: ", row->line);
			return err_prefix(err, "prices[%d].", i);
		}
		*changed = *changed || row->change != PRICE_SAME;
	}
	return true;
}

bool admin_prices_put(struct prices_put *op, struct pg_link *link, struct err *err)
{
	bool changed = false;

	if (!prices_begin(link, err) || !rows_write(&op->job, link, op, &changed, err))
		return false;
	op->fingerprint = fingerprint_of(op);
	if (op->dry_run || !changed)
		return true; /* the open transaction is rolled back */
	return expected_check(op, err) && (op->yes || big_moves_check(op, err)) && catalog_commit(&op->job, link, err);
}

static bool write_end(struct pg_link *link, const struct price *price, int64_t at_us, struct err *err)
{
	PG_ARGS args = {0};

	key_args(&args, price);
	pg_arg_int(&args, at_us);
	return pg_exec(link,
		price->from_us == at_us ? "DELETE FROM model_prices p WHERE " SAME_KEY " AND p.from_us = $5 AND $6 = $5"
					: "UPDATE model_prices p SET to_us = $6 WHERE " SAME_KEY " AND p.from_us = $5",
		&args, err);
}

bool admin_price_end(struct price_end *op, struct pg_link *link, struct err *err)
{
	struct price asked = op->price;
	const char *before, *after;
	bool found, ever;

	asked.from_us = op->at_us;
	if (!prices_begin(link, err) || !in_force(link, &asked, &op->price, &found, &ever, err))
		return false;
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "model: %s/%s has no price%s%s of its own in force at that time",
			       asked.provider, asked.model, asked.account[0] ? " for account " : "", asked.account) ||
		       err_reason_of(err, "PRICE_NOT_FOUND", "%s/%s", asked.provider, asked.model);
	if (!(before = price_json(&op->job, link, &asked, err)) || !write_end(link, &op->price, op->at_us, err))
		return false;
	op->price.to_us = op->at_us;
	after = arena_printf(op->job.arena, "{\"to_us\": %" PRId64 "}", op->at_us);
	return audit_price(&op->job, link, &asked, "price.end", before, after, err) &&
	       catalog_commit(&op->job, link, err);
}
