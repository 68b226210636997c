/* Decides what free allowances cover, and keeps it (pg/admin/admin.h, docs/decisions/0016-allowances-behind-the-ledger.md). */
#include "pg/admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "domain/price/price_allowance.h"

/* An allowance in one of its periods. */
struct period {
	const char *provider, *pool;
	enum meter meter;
	int64_t starts_us;
	int64_t used, more;
};
/* What an attempt has been given before. */
struct share {
	int at;
	enum meter meter;
	struct period *period;
	int64_t count;
	bool wanted; /* from the same period */
};
struct decision {
	struct rerate_allowances *op;
	struct arena *arena;
	int periods;
	struct period *period;
	int shares;
	struct share *share;
	int64_t *had; /* of each want */
};

/* Advisory locks of the first number are those of partitions (pg/ledger/write.c). */
static bool tenant_lock(struct pg_link *link, const char *tenant, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, tenant);
	return pg_exec(link, "SELECT pg_advisory_xact_lock(1651864436, hashtext($1))", &args, err);
}

static struct period *period_of(struct decision *decision, const struct period *key)
{
	struct period *period = decision->period;

	for (int i = 0; i < decision->periods; i++, period++)
		if (period->starts_us == key->starts_us && period->meter == key->meter &&
			strcmp(period->pool, key->pool) == 0 && strcmp(period->provider, key->provider) == 0)
			return period;
	*period = *key;
	decision->periods++;
	return period;
}

static struct period *period_wanted(struct decision *decision, const struct allowance_want *want)
{
	return period_of(decision, &(struct period){.provider = want->provider,
					   .pool = want->pool,
					   .meter = want->meter,
					   .starts_us = want->starts_us});
}

static void attempts_add(struct pg_args *args, const struct allowance_attempt *attempt, int count)
{
	int first = pg_arg_array(args, PG_TEXT);

	pg_arg_array(args, PG_TEXT);
	pg_arg_array(args, PG_INT2);
	for (int i = 0; i < count; i++) {
		pg_array_text(args, first, attempt[i].user);
		pg_array_text(args, first + 1, attempt[i].request_id);
		pg_array_int(args, first + 2, attempt[i].attempt);
	}
}

static void day_add(struct pg_args *args, const char *tenant, int64_t day)
{
	int days;

	pg_arg_text(args, tenant);
	days = pg_arg_array(args, PG_DATE);
	pg_array_int(args, days, day * DAY_US);
}

/* Shares of meters that this release does not know are lost; their periods keep them as used. */
static bool shares_read(struct decision *decision, struct pg_link *link, struct err *err)
{
	struct rerate_allowances *op = decision->op;
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	int rows;

	day_add(&args, op->tenant, op->day);
	attempts_add(&args, op->attempt, op->attempts);
	if (!pg_read(link,
		    "SELECT k.n, s.meter, s.provider, s.pool, s.starts_us, s.count FROM unnest($3, $4, $5) WITH "
		    "ORDINALITY AS k (user_id, request_id, attempt, n) JOIN allowance_shares s USING (user_id, request_id, "
		    "attempt) WHERE s.tenant = $1 AND s.day = ($2::date[])[1]",
		    &args, &result, err))
		return false;
	rows = PQntuples(result);
	decision->share = arena_zalloc(decision->arena, (size_t)rows + 1, sizeof(*decision->share));
	decision->period =
		arena_zalloc(decision->arena, (size_t)rows + (size_t)op->wants + 1, sizeof(*decision->period));
	for (int i = 0; i < rows; i++) {
		int meter = meter_find(pg_text(result, i, 1));
		struct period key = {.provider = admin_text(&op->job, result, i, 2),
			.pool = admin_text(&op->job, result, i, 3),
			.meter = (enum meter)meter,
			.starts_us = pg_i64(result, i, 4)};

		if (meter < 0)
			continue;
		decision->share[decision->shares++] = (struct share){.at = (int)pg_i64(result, i, 0) - 1,
			.meter = key.meter,
			.period = period_of(decision, &key),
			.count = pg_i64(result, i, 5)};
	}
	return true;
}

static void periods_add(struct pg_args *args, const struct decision *decision)
{
	int first = pg_arg_array(args, PG_TEXT);

	pg_arg_array(args, PG_TEXT);
	pg_arg_array(args, PG_TEXT);
	pg_arg_array(args, PG_INT8);
	for (int i = 0; i < decision->periods; i++) {
		const struct period *period = &decision->period[i];

		pg_array_text(args, first, period->provider);
		pg_array_text(args, first + 1, period->pool);
		pg_array_text(args, first + 2, meter_name(period->meter));
		pg_array_int(args, first + 3, period->starts_us);
	}
}

static bool periods_read(struct decision *decision, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	for (int i = 0; i < decision->op->wants; i++)
		period_wanted(decision, &decision->op->want[i]);
	pg_arg_text(&args, decision->op->tenant);
	periods_add(&args, decision);
	if (!pg_read(link,
		    "SELECT k.n, p.used FROM unnest($2, $3, $4, $5) WITH ORDINALITY AS k (provider, pool, meter, starts_us, "
		    "n) JOIN allowance_periods p USING (provider, pool, meter, starts_us) WHERE p.tenant = $1",
		    &args, &result, err))
		return false;
	for (int i = 0; i < PQntuples(result); i++)
		decision->period[pg_i64(result, i, 0) - 1].used = pg_i64(result, i, 1);
	return true;
}

static struct allowance_tallied *tallied(struct allowance_tally *tally, const struct period *period)
{
	struct allowance_tallied *row = tally->row;
	int rows = sizeof(tally->row) / sizeof(tally->row[0]);

	for (int i = 0; i < rows; i++, row++)
		if (row->starts_us == period->starts_us && row->meter == period->meter &&
			strcmp(row->pool, period->pool) == 0 && strcmp(row->provider, period->provider) == 0)
			return row;
	row = &tally->row[tally->next++ % rows];
	*row = (struct allowance_tallied){.meter = period->meter, .starts_us = period->starts_us};
	memcpy(row->provider, period->provider, strlen(period->provider) + 1);
	memcpy(row->pool, period->pool, strlen(period->pool) + 1);
	return row;
}

/* What an attempt had of the period that it wants, and what it no longer wants. */
static void shares_match(struct decision *decision)
{
	struct rerate_allowances *op = decision->op;

	decision->had = arena_zalloc(decision->arena, (size_t)op->wants + 1, sizeof(*decision->had));
	for (int i = 0; i < op->wants; i++)
		for (int k = 0; k < decision->shares; k++) {
			struct share *share = &decision->share[k];

			if (share->at != op->want[i].at || share->period != period_wanted(decision, &op->want[i]))
				continue;
			share->wanted = true;
			decision->had[i] = share->count;
		}
	for (int k = 0; k < decision->shares; k++)
		if (!decision->share[k].wanted)
			decision->share[k].period->more -= decision->share[k].count;
}

static void decide(struct decision *decision)
{
	struct rerate_allowances *op = decision->op;

	for (int i = 0; op->tally && i < decision->periods; i++)
		decision->period[i].used += tallied(op->tally, &decision->period[i])->more;
	shares_match(decision);
	for (int i = 0; i < op->wants; i++) {
		struct allowance_want *want = &op->want[i];
		struct period *period = period_wanted(decision, want);

		want->given = allowance_give(want->amount, period->used + period->more, decision->had[i], want->wanted);
		period->more += want->given - decision->had[i];
	}
	for (int i = 0; op->tally && i < decision->periods; i++)
		tallied(op->tally, &decision->period[i])->more += decision->period[i].more;
}

/* Deletes the rows of these attempts of a tenant's day from `table`. */
static bool attempts_delete(struct pg_link *link, const char *table, const char *tenant, int64_t day,
	const struct allowance_attempt *attempt, int attempts, struct err *err)
{
	PG_ARGS args = {0};
	char sql[320];

	day_add(&args, tenant, day);
	attempts_add(&args, attempt, attempts);
	snprintf(sql, sizeof(sql),
		"DELETE FROM %s r USING unnest($3, $4, $5) AS k (user_id, request_id, attempt) WHERE r.tenant = $1 "
		"AND r.day = ($2::date[])[1] AND r.user_id = k.user_id AND r.request_id = k.request_id AND r.attempt = "
		"k.attempt",
		table);
	return pg_exec(link, sql, &args, err);
}

/* The shares of all attempts are written again. */
static bool shares_drop(const struct rerate_allowances *op, struct pg_link *link, struct err *err)
{
	return attempts_delete(link, "allowance_shares", op->tenant, op->day, op->attempt, op->attempts, err);
}

static bool shares_write(const struct rerate_allowances *op, struct pg_link *link, struct err *err)
{
	enum { USER = 2, REQUEST_ID, ATTEMPT, METER, PROVIDER, POOL, STARTS, COUNT };
	static const enum pg_type types[] = {PG_TEXT, PG_TEXT, PG_INT2, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8, PG_INT8};
	PG_ARGS args = {0};

	day_add(&args, op->tenant, op->day);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		pg_arg_array(&args, types[i]);
	for (int i = 0; i < op->wants; i++) {
		const struct allowance_want *want = &op->want[i];
		const struct allowance_attempt *attempt = &op->attempt[want->at];

		if (!want->given)
			continue;
		pg_array_text(&args, USER, attempt->user);
		pg_array_text(&args, REQUEST_ID, attempt->request_id);
		pg_array_int(&args, ATTEMPT, attempt->attempt);
		pg_array_text(&args, METER, meter_name(want->meter));
		pg_array_text(&args, PROVIDER, want->provider);
		pg_array_text(&args, POOL, want->pool);
		pg_array_int(&args, STARTS, want->starts_us);
		pg_array_int(&args, COUNT, want->given);
	}
	return pg_exec(link,
		"INSERT INTO allowance_shares (tenant, day, user_id, request_id, attempt, meter, provider, pool, starts_us, "
		"count) SELECT $1, ($2::date[])[1], k.* FROM unnest($3, $4, $5, $6, $7, $8, $9, $10) AS k",
		&args, err);
}

static bool periods_write(const struct decision *decision, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	int used;

	pg_arg_text(&args, decision->op->tenant);
	periods_add(&args, decision);
	used = pg_arg_array(&args, PG_INT8);
	for (int i = 0; i < decision->periods; i++)
		pg_array_int(&args, used, decision->period[i].used + decision->period[i].more);
	return pg_exec(link,
		"INSERT INTO allowance_periods (tenant, provider, pool, meter, starts_us, used) SELECT $1, k.* FROM "
		"unnest($2, $3, $4, $5, $6) AS k ON CONFLICT (tenant, provider, pool, meter, starts_us) DO UPDATE SET used = "
		"excluded.used",
		&args, err);
}

static bool changed(const struct decision *decision)
{
	for (int i = 0; i < decision->shares; i++)
		if (!decision->share[i].wanted)
			return true;
	for (int i = 0; i < decision->op->wants; i++)
		if (decision->op->want[i].given != decision->had[i])
			return true;
	return false;
}

bool admin_rerate_allowances(struct rerate_allowances *op, struct pg_link *link, struct err *err)
{
	struct decision decision = {.op = op, .arena = op->job.arena};
	bool keep = !op->tally;

	if (!pg_begin(link, keep ? "" : "READ ONLY", err) || (keep && !tenant_lock(link, op->tenant, err)) ||
		!shares_read(&decision, link, err) || !periods_read(&decision, link, err))
		return false;
	decide(&decision);
	if (keep && changed(&decision) &&
		!(shares_drop(op, link, err) && shares_write(op, link, err) && periods_write(&decision, link, err)))
		return false;
	return pg_commit(link, err);
}

bool admin_allowance_next(struct allowance_next *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	day_add(&args, op->after_tenant, op->after_day);
	if (!pg_read(link,
		    "SELECT tenant, day - date '1970-01-01' FROM allowance_due WHERE (tenant, day) > ($1, ($2::date[])[1]) "
		    "ORDER BY tenant, day LIMIT 1",
		    &args, &result, err))
		return false;
	op->found = PQntuples(result) == 1;
	op->tenant = op->found ? admin_text(&op->job, result, 0, 0) : "";
	op->day = op->found ? pg_i64(result, 0, 1) : 0;
	return true;
}

bool admin_allowance_settle(struct allowance_settle *op, struct pg_link *link, struct err *err)
{
	return attempts_delete(link, "allowance_due", op->tenant, op->day, op->attempt, op->attempts, err);
}
