/* The ledger except its batches (pg/ledger/ledger.h): partitions, leases, and the ledger role's queries. */
#include "pg/ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "pg/ledger/sums.h"
#include "pg/link/rows.h"

#define DAYS_BEHIND 8
#define DAYS_AHEAD 3
/* Older windows are not compared, because most of them have ended. */
#define WINDOWS_COMPARED_US (33 * DAY_US)

static bool day_known(struct pg_ledger *ledger, int64_t day)
{
	bool known = false;

	pthread_mutex_lock(&ledger->lock);
	for (int i = 0; i < ledger->days && !known; i++)
		known = ledger->day[i] == day;
	pthread_mutex_unlock(&ledger->lock);
	return known;
}

static void day_remember(struct pg_ledger *ledger, int64_t day)
{
	pthread_mutex_lock(&ledger->lock);
	if (ledger->days == DAYS_KNOWN)
		ledger->days = 0; /* costs only another query per day */
	ledger->day[ledger->days++] = day;
	pthread_mutex_unlock(&ledger->lock);
}

void ledger_days_forget(struct pg_ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	ledger->days = 0;
	pthread_mutex_unlock(&ledger->lock);
}

static int compare_days(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* One statement makes all partitions; it takes a lock at the first missing one and holds it to the end. */
static bool days_make(struct pg_link *link, const int64_t *days, int count, int *made, struct err *err)
{
	PG_ARGS args = {0};
	int array = pg_arg_array(&args, PG_DATE);
	PG_RESULT result = NULL;

	for (int i = 0; i < count; i++)
		pg_array_int(&args, array, days[i]);
	result = pg_query(link, "SELECT count(*) FROM unnest($1::date[]) d WHERE ledger_partition(d)", &args, err);
	if (!result)
		return false;
	*made = (int)pg_i64(result, 0, 0);
	return true;
}

bool ledger_days_ensure(
	struct pg_ledger *ledger, struct pg_link *link, const int64_t *times_us, int count, int *made, struct err *err)
{
	int64_t *days = mem_zalloc((size_t)count + 1, sizeof(*days));
	int missing = 0, distinct = 0;
	bool ok;

	*made = 0;
	for (int i = 0; i < count; i++) {
		int64_t day = floor_day(times_us[i]);
		if ((missing == 0 || days[missing - 1] != day) && !day_known(ledger, day))
			days[missing++] = day;
	}
	if (missing)
		qsort(days, (size_t)missing, sizeof(*days), compare_days);
	for (int i = 0; i < missing; i++) {
		if (i == 0 || days[i] != days[distinct - 1])
			days[distinct++] = days[i];
	}
	ok = distinct == 0 || days_make(link, days, distinct, made, err);
	for (int i = 0; ok && i < distinct; i++)
		day_remember(ledger, days[i]);
	free(days);
	return ok;
}

/* Those of days that the ledger does not have any more. A period may begin a month before the records that it covers. */
static bool forget_allowances(struct pg_link *link, const struct pg_args *first_kept, struct err *err)
{
	return pg_exec(link, "DELETE FROM allowance_due WHERE day < ($1::date[])[1]", first_kept, err) &&
	       pg_exec(link, "DELETE FROM allowance_shares WHERE day < ($1::date[])[1]", first_kept, err) &&
	       pg_exec(link,
		       "DELETE FROM allowance_periods WHERE to_timestamp(starts_us / 1000000.0) < ($1::date[])[1] - 40",
		       first_kept, err);
}

static bool retire(struct ledger_upkeep *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	int array;
	bool ok;

	if (op->retention_days <= 0)
		return true;
	array = pg_arg_array(&args, PG_DATE);
	pg_array_int(&args, array, op->today_us - op->retention_days * DAY_US);
	/*
	 * Dropping waits for readers of the ledger, and everyone else queues behind it. Better to time out and retry in
	 * an hour.
	 */
	ok = pg_begin(link, "", err) && pg_exec(link, "SET LOCAL lock_timeout = 2000", NULL, err);
	result = ok ? pg_query(link, "SELECT ledger_retire(($1::date[])[1])", &args, err) : NULL;
	if (!result)
		return false;
	op->dropped = (int)pg_i64(result, 0, 0);
	return forget_allowances(link, &args, err) && pg_commit(link, err);
}

static bool forget_windows(struct ledger_upkeep *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	args_usage_since(&args, op->today_us - DAY_US);
	return pg_exec(link,
		       "DELETE FROM usage_windows WHERE starts_at_us < $1 AND starts_at_us < "
		       "CASE unit WHEN 0 THEN $1 WHEN 1 THEN $2 ELSE $3 END",
		       &args, err) &&
	       pg_exec(link,
		       "DELETE FROM token_buckets WHERE full_at_us < $3 AND as_of_us < $3 AND $1 + $2 IS NOT NULL",
		       &args, err);
}

bool ledger_run_upkeep(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct ledger_job *own = container_of(job, struct ledger_job, job);
	struct ledger_upkeep *op = container_of(own->op, struct ledger_upkeep, op);
	int64_t times[DAYS_BEHIND + DAYS_AHEAD + 1];
	int count = 0, behind = DAYS_BEHIND;

	if (op->retention_days > 0 && op->retention_days < behind)
		behind = op->retention_days;
	for (int day = -behind; day <= DAYS_AHEAD; day++)
		times[count++] = op->today_us + day * DAY_US;
	op->made = op->dropped = 0;
	ledger_days_forget(own->ledger);
	if (!ledger_days_ensure(own->ledger, link, times, count, &op->made, err) || !retire(op, link, err))
		return false;
	if (op->dropped)
		ledger_days_forget(own->ledger);
	return forget_windows(op, link, err);
}

static const char windows_sql[] =
	"WITH keys AS (SELECT DISTINCT tenant, kind, id FROM usage_windows WHERE (tenant, kind, id) > ($1, "
	"$2::smallint, $3) AND starts_at_us >= $4 ORDER BY tenant, kind, id LIMIT $5) "
	"SELECT k.tenant, k.kind, k.id, " USAGE_COLUMNS " FROM keys k " USAGE_SINCE("$6", "$7", "$8") USAGE_JOIN
	"ORDER BY k.tenant, k.kind, k.id";

/* How many rows, starting at `from`, belong to the same account. */
static int same_account(const PGresult *result, int from)
{
	int to = from + 1;

	while (to < PQntuples(result) && strcmp(pg_text(result, to, 0), pg_text(result, from, 0)) == 0 &&
		pg_i64(result, to, 1) == pg_i64(result, from, 1) &&
		strcmp(pg_text(result, to, 2), pg_text(result, from, 2)) == 0)
		to++;
	return to - from;
}

static void read_windows(struct ledger_windows *op, const PGresult *result)
{
	op->row = arena_zalloc(op->op.arena, (size_t)op->limit + 1, sizeof(*op->row));
	op->count = 0;
	for (int at = 0; at < PQntuples(result); at += op->row[op->count - 1].count) {
		struct ledger_window_row *row = &op->row[op->count++];
		const char *tenant = pg_text(result, at, 0), *id = pg_text(result, at, 2);

		row->key.kind = (enum account_kind)pg_i64(result, at, 1);
		row->key.tenant = arena_strndup(op->op.arena, tenant, strlen(tenant));
		row->key.id = arena_strndup(op->op.arena, id, strlen(id));
		row->count = same_account(result, at);
		row->window = arena_zalloc(op->op.arena, (size_t)row->count, sizeof(*row->window));
		for (int i = 0; i < row->count; i++)
			row_usage(result, at + i, 3, op->op.arena, &row->window[i]);
	}
	op->more = op->count == op->limit;
}

bool ledger_run_windows(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct ledger_job *own = container_of(job, struct ledger_job, job);
	struct ledger_windows *op = container_of(own->op, struct ledger_windows, op);
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->after.kind ? op->after.tenant : "");
	pg_arg_int(&args, op->after.kind);
	pg_arg_text(&args, op->after.kind ? op->after.id : "");
	pg_arg_int(&args, op->now_us - WINDOWS_COMPARED_US);
	pg_arg_int(&args, op->limit);
	args_usage_since(&args, op->now_us);
	result = pg_query(link, windows_sql, &args, err);
	if (!result)
		return false;
	read_windows(op, result);
	return true;
}

/* Newest first, so that an admin's change does not wait behind a hundred thousand older ones. */
bool ledger_run_changes(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct ledger_job *own = container_of(job, struct ledger_job, job);
	struct ledger_changes *op = container_of(own->op, struct ledger_changes, op);
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_int(&args, op->limit);
	result = pg_query(link,
		"SELECT tenant, kind, account, (extract(epoch FROM clock_timestamp() - max(created_at)) * "
		"1000000)::bigint, sum(count(*)) OVER (), max(version) FROM (SELECT * FROM policy_changes WHERE "
		"repeat_at <= clock_timestamp() "
		"ORDER BY id DESC LIMIT $1) AS due GROUP BY tenant, kind, account",
		&args, err);
	if (!result)
		return false;
	op->count = PQntuples(result);
	op->more = op->count > 0 && pg_i64(result, 0, 4) == op->limit;
	op->change = arena_zalloc(op->op.arena, (size_t)op->count + 1, sizeof(*op->change));
	for (int i = 0; i < op->count; i++) {
		const char *tenant = pg_text(result, i, 0), *id = pg_text(result, i, 2);
		op->change[i].key.tenant = arena_strndup(op->op.arena, tenant, strlen(tenant));
		op->change[i].key.kind = (enum account_kind)pg_i64(result, i, 1);
		op->change[i].key.id = arena_strndup(op->op.arena, id, strlen(id));
		op->change[i].age_us = pg_i64(result, i, 3);
		op->change[i].version = (uint32_t)pg_i64(result, i, 5);
	}
	return true;
}

/* The fence rises when another holder takes over, or the same one after its lease had expired. */
bool ledger_run_lease(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct ledger_job *own = container_of(job, struct ledger_job, job);
	struct ledger_lease *op = container_of(own->op, struct ledger_lease, op);
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->name);
	pg_arg_text(&args, op->holder);
	pg_arg_int(&args, op->ttl_us);
	result = pg_query(link,
		"INSERT INTO leases AS l (name, holder, fence, until) "
		"VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 microsecond') "
		"ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, "
		"fence = l.fence + (l.holder <> excluded.holder OR l.until < clock_timestamp())::int "
		"WHERE l.holder = excluded.holder OR l.until < clock_timestamp() RETURNING fence",
		&args, err);
	if (!result)
		return false;
	op->held = PQntuples(result) == 1;
	op->fence = op->held ? pg_i64(result, 0, 0) : 0;
	return true;
}
