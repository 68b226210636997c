/*
 * Writes the sums of a batch (pg/ledger/sums.h): a few statements and the COMMIT, sent together. A user's rows are of
 * interest to one writer only, the one that has locked their partition. What several writers want, the rows of teams,
 * orgs, models and tenants, comes last, so that they wait for each other briefly.
 */
#include "pg/ledger/sums.h"

#include <time.h>

#include "base/units.h"
#include "pg/link/amounts.h"

#define MEASURES "rows" AMOUNT_COLUMNS METER_COLUMNS ", unpriced"
#define ADD_MEASURES \
	"rows = u.rows + excluded.rows" AMOUNTS_ADDED METERS_ADDED ", unpriced = u.unpriced + excluded.unpriced"

/* Where the columns of each statement begin that are of the tables in domain/limit/dimensions.h. */
enum {
	USE_AMOUNTS = 7,
	USE_TOKENS = USE_AMOUNTS + AMOUNT_COUNT,
	USE_UNPRICED = USE_TOKENS + METER_KEPT_COUNT,
	USE_COLUMNS,
	MONTHLY_AMOUNTS = 4,
	MONTHLY_COLUMNS = MONTHLY_AMOUNTS + AMOUNT_COUNT,
	WINDOW_RESET = 7,
	WINDOW_AMOUNTS,
	WINDOW_COLUMNS_COUNT = WINDOW_AMOUNTS + AMOUNT_COUNT
};
_Static_assert(USE_COLUMNS == 19 && MONTHLY_COLUMNS == 8 && WINDOW_COLUMNS_COUNT == 12,
	"the statements have a parameter for each column: raise their numbers");

static const char daily_sql[] =
	"INSERT INTO usage_daily AS u (tenant, user_id, day, interface, provider, model, " MEASURES ") "
	"SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) "
	"ON CONFLICT (tenant, user_id, day, interface, provider, model) DO UPDATE SET " ADD_MEASURES;

/* The shard depends on the session, so concurrent writers seldom share one, even through a transaction pooler. */
static const char shared_sql[] =
	"INSERT INTO usage_shared_daily AS u (shard, tenant, id, day, interface, provider, model, " MEASURES ", kind) "
	"SELECT pg_backend_pid() % 16, a.* FROM "
	"unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) a "
	"ON CONFLICT (tenant, kind, id, day, provider, model, interface, shard) DO UPDATE SET " ADD_MEASURES;

/* Only for what has used a meter without a column. */
static const char meters_sql[] =
	"INSERT INTO usage_meters AS u (shard, tenant, kind, id, day, provider, model, interface, meter, count) "
	"SELECT CASE WHEN kind = 1 THEN 0 ELSE pg_backend_pid() % 16 END, a.* FROM "
	"unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS a (tenant, kind, id, day, provider, model, interface, meter, count) "
	"ON CONFLICT (tenant, kind, id, day, provider, model, interface, meter, shard) "
	"DO UPDATE SET count = u.count + excluded.count";

/*
 * xmax is 0 in a row that was inserted, not updated: the user's first use in the month, perhaps their first ever. Only
 * then is their account's row inserted; trying that with each batch would cost an index search per user.
 */
static const char monthly_sql[] =
	"WITH m AS (INSERT INTO usage_monthly AS u (tenant, user_id, month, rows" AMOUNT_COLUMNS
	") SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) "
	"ON CONFLICT (tenant, user_id, month) DO UPDATE SET rows = u.rows + excluded.rows" AMOUNTS_ADDED
	" RETURNING u.tenant, u.user_id, u.xmax = 0 AS is_new) "
	"INSERT INTO accounts (tenant, kind, id) SELECT DISTINCT tenant, 1, user_id FROM m WHERE is_new ORDER BY 1, 3 "
	"ON CONFLICT DO NOTHING";

/* `more`, `parameters`, `added`: what is counted by the piece, which few batches have. */
#define WINDOWS_SQL(more, parameters, added) \
	"INSERT INTO usage_windows AS u (tenant, kind, id, unit, starts_at_us, interface, model, shard" WINDOW_COLUMNS \
		more ") SELECT tenant, kind, id, unit, starts_at_us, interface, model, " \
	"CASE WHEN reset THEN -1 WHEN kind = 1 THEN 0 ELSE pg_backend_pid() % 16 END" WINDOW_COLUMNS more \
	" FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12" parameters ") " \
	"AS w (tenant, kind, id, unit, starts_at_us, interface, model, reset" WINDOW_COLUMNS more \
	") ON CONFLICT (tenant, kind, id, unit, starts_at_us, interface, model, shard) DO UPDATE SET " WINDOWS_ADDED \
		added
static const char windows_sql[] = WINDOWS_SQL("", "", "");
static const char windows_counted_sql[] = WINDOWS_SQL(", counted", ", $13",
	", counted = CASE WHEN excluded.counted IS NULL THEN u.counted WHEN u.counted IS NULL THEN excluded.counted "
	"ELSE jsonb_sums(u.counted, excluded.counted) END");

/* Of two levels at the same moment the emptier one wins, so that the order in which they arrive does not matter. */
static const char buckets_sql[] =
	"INSERT INTO token_buckets AS b (tenant, kind, id, limit_id, full_at_us, rem, num, den, as_of_us) "
	"SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) "
	"ON CONFLICT (tenant, kind, id, limit_id) DO UPDATE SET full_at_us = excluded.full_at_us, rem = excluded.rem, "
	"num = excluded.num, den = excluded.den, as_of_us = excluded.as_of_us "
	"WHERE (excluded.as_of_us, excluded.full_at_us, excluded.rem) > (b.as_of_us, b.full_at_us, b.rem)";

int64_t floor_day(int64_t us)
{
	return us - (us % DAY_US + DAY_US) % DAY_US;
}

int64_t floor_week(int64_t us)
{
	int64_t day = floor_day(us);

	return day - (day / DAY_US + 3) % 7 * DAY_US; /* 1970 began on a Thursday */
}

int64_t floor_month(int64_t us)
{
	time_t seconds = (time_t)(floor_day(us) / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return floor_day(us) - (tm.tm_mday - 1) * DAY_US;
}

static void add_arrays(struct pg_args *args, const enum pg_type *types, int count)
{
	for (int i = 0; i < count; i++)
		pg_arg_array(args, types[i]);
}

/* Appends rows by day: the key without its kind, then the measures. */
static void use_args(struct pg_args *args, const struct use_row *rows, int count)
{
	static const enum pg_type types[USE_COLUMNS] = {
		PG_TEXT, PG_TEXT, PG_DATE, PG_TEXT, PG_TEXT, PG_TEXT, [6 ... USE_COLUMNS - 1] = PG_INT8};

	add_arrays(args, types, USE_COLUMNS);
	for (int i = 0; i < count; i++) {
		const struct use_row *row = &rows[i];
		pg_array_text(args, 0, row->tenant);
		pg_array_text(args, 1, row->id);
		pg_array_int(args, 2, row->day_us);
		pg_array_text(args, 3, row->interface);
		pg_array_text(args, 4, row->provider);
		pg_array_text(args, 5, row->model);
		pg_array_int(args, 6, row->rows);
		pg_array_amounts(args, USE_AMOUNTS, &row->amounts);
		for (int meter = 0; meter < METER_KEPT_COUNT; meter++)
			pg_array_int(args, USE_TOKENS + meter, row->meters.count[meter]);
		pg_array_int(args, USE_UNPRICED, row->unpriced);
	}
}

static void shared_args(struct pg_args *args, const struct sums *sums)
{
	int kinds;

	use_args(args, sums->shared, sums->shareds);
	kinds = pg_arg_array(args, PG_INT2);
	for (int i = 0; i < sums->shareds; i++)
		pg_array_int(args, kinds, sums->shared[i].kind);
}

static void meter_args(struct pg_args *args, const struct use_row *row, enum meter meter)
{
	pg_array_text(args, 0, row->tenant);
	pg_array_int(args, 1, row->kind);
	pg_array_text(args, 2, row->id);
	pg_array_int(args, 3, row->day_us);
	pg_array_text(args, 4, row->provider);
	pg_array_text(args, 5, row->model);
	pg_array_text(args, 6, row->interface);
	pg_array_text(args, 7, meter_name(meter));
	pg_array_int(args, 8, row->meters.count[meter]);
}

static void meters_args(struct pg_args *args, const struct use_row *rows, int count)
{
	for (int i = 0; i < count; i++)
		for (int meter = METER_KEPT_COUNT; meter < METER_COUNT; meter++)
			if (rows[i].meters.count[meter])
				meter_args(args, &rows[i], (enum meter)meter);
}

static void monthly_args(struct pg_args *args, const struct sums *sums)
{
	static const enum pg_type types[MONTHLY_COLUMNS] = {
		PG_TEXT, PG_TEXT, PG_DATE, [3 ... MONTHLY_COLUMNS - 1] = PG_INT8};

	add_arrays(args, types, MONTHLY_COLUMNS);
	for (int i = 0; i < sums->monthlies; i++) {
		const struct use_row *row = &sums->monthly[i];
		pg_array_text(args, 0, row->tenant);
		pg_array_text(args, 1, row->id);
		pg_array_int(args, 2, row->month_us);
		pg_array_int(args, 3, row->rows);
		pg_array_amounts(args, MONTHLY_AMOUNTS, &row->amounts);
	}
}

static void account_args(struct pg_args *args, const struct level_key *key)
{
	pg_array_text(args, 0, key->tenant);
	pg_array_int(args, 1, key->kind);
	pg_array_text(args, 2, key->id);
}

static void window_args(struct pg_args *args, const struct window_sum *row)
{
	account_args(args, &row->key);
	pg_array_int(args, 3, row->unit);
	pg_array_int(args, 4, row->starts_at_us);
	pg_array_text(args, 5, row->interface);
	pg_array_text(args, 6, row->model);
	pg_array_int(args, WINDOW_RESET, row->reset);
	pg_array_amounts(args, WINDOW_AMOUNTS, &row->used);
}

static void windows_args(struct pg_args *args, const struct window_sum *rows, int count)
{
	static const enum pg_type types[WINDOW_COLUMNS_COUNT] = {PG_TEXT, PG_INT2, PG_TEXT, PG_INT2, PG_INT8, PG_TEXT,
		PG_TEXT, PG_BOOL, [WINDOW_AMOUNTS... WINDOW_COLUMNS_COUNT - 1] = PG_INT8};

	add_arrays(args, types, WINDOW_COLUMNS_COUNT);
	for (int i = 0; i < count; i++)
		window_args(args, &rows[i]);
}

/* The column after the others. */
static void counted_args(struct pg_args *args, const struct window_sum *rows, int count)
{
	int column = pg_arg_array(args, PG_JSONB);
	struct buf counted = {0};

	for (int i = 0; i < count; i++) {
		if (!rows[i].used.counted) {
			pg_array_null(args, column);
			continue;
		}
		buf_reset(&counted);
		counted_json(rows[i].used.counted, &counted);
		pg_array_json(args, column, buf_str(&counted));
	}
	buf_release(&counted);
}

static void buckets_args(struct pg_args *args, const struct bucket_sum *rows, int count)
{
	static const enum pg_type types[] = {
		PG_TEXT, PG_INT2, PG_TEXT, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8};

	add_arrays(args, types, sizeof(types) / sizeof(types[0]));
	for (int i = 0; i < count; i++) {
		const struct bucket_sum *row = &rows[i];
		account_args(args, &row->key);
		pg_array_int(args, 3, row->key.limit_id);
		pg_array_int(args, 4, row->bucket.full_at_us);
		pg_array_int(args, 5, row->bucket.rem);
		pg_array_int(args, 6, row->bucket.num);
		pg_array_int(args, 7, row->bucket.den);
		pg_array_int(args, 8, row->as_of_us);
	}
}

/* The statements of one round trip. */
struct writes {
	int count;
	struct pg_statement statement[14];
	struct pg_args args[13];
};

static struct pg_args *add(struct writes *writes, const char *sql)
{
	struct pg_args *args = &writes->args[writes->count];

	writes->statement[writes->count++] = (struct pg_statement){.sql = sql, .args = args};
	return args;
}

static void add_windows(struct writes *writes, const struct sums *sums, int from, int to)
{
	struct pg_args *args;
	bool counted = false;

	if (from >= to)
		return;
	for (int i = from; i < to; i++)
		counted = counted || sums->window[i].used.counted;
	args = add(writes, counted ? windows_counted_sql : windows_sql);
	windows_args(args, &sums->window[from], to - from);
	if (counted)
		counted_args(args, &sums->window[from], to - from);
}

static void add_buckets(struct writes *writes, const struct sums *sums, int from, int to)
{
	if (from < to)
		buckets_args(add(writes, buckets_sql), &sums->bucket[from], to - from);
}

static bool any_rare(const struct use_row *rows, int count)
{
	for (int i = 0; i < count; i++)
		if (meters_rare(&rows[i].meters))
			return true;
	return false;
}

/* Last of the roll-ups: what is shared is among it. */
static void add_meters(struct writes *writes, const struct sums *sums)
{
	static const enum pg_type types[] = {
		PG_TEXT, PG_INT2, PG_TEXT, PG_DATE, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8};
	struct pg_args *args;

	if (!any_rare(sums->daily, sums->dailies))
		return;
	args = add(writes, meters_sql);
	add_arrays(args, types, sizeof(types) / sizeof(types[0]));
	meters_args(args, sums->daily, sums->dailies);
	meters_args(args, sums->shared, sums->shareds);
}

static void add_costs(struct writes *writes, const struct sums *sums)
{
	for (int i = 0; i < sums->dailies; i++) {
		if (use_costs_any(&sums->daily[i].costs)) {
			ledger_costs_args(add(writes, ledger_costs_sql), sums);
			return;
		}
	}
}

bool ledger_sums_write(struct pg_link *link, const struct sums *sums, struct err *err)
{
	struct writes writes = {0};
	PGresult *results[sizeof(writes.statement) / sizeof(writes.statement[0])];
	bool ok;

	if (sums->dailies) {
		use_args(add(&writes, daily_sql), sums->daily, sums->dailies);
		monthly_args(add(&writes, monthly_sql), sums);
	}
	add_windows(&writes, sums, 0, sums->user_windows);
	add_buckets(&writes, sums, 0, sums->user_buckets);
	if (sums->dailies)
		shared_args(add(&writes, shared_sql), sums);
	add_meters(&writes, sums);
	add_costs(&writes, sums);
	add_windows(&writes, sums, sums->user_windows, sums->windows);
	add_buckets(&writes, sums, sums->user_buckets, sums->buckets);
	if (sums->resets)
		ledger_resets_args(add(&writes, ledger_resets_sql), sums);
	if (sums->adjustments)
		ledger_adjustments_args(add(&writes, ledger_adjustments_sql), sums);
	if (sums->dues)
		ledger_dues_args(add(&writes, ledger_dues_sql), sums);
	if (sums->windows)
		ledger_alerts_args(add(&writes, ledger_alerts_sql), sums);
	writes.statement[writes.count] = (struct pg_statement){.sql = "COMMIT"};
	ok = pg_pipeline(link, writes.statement, writes.count + 1, results, err);
	if (ok)
		pg_results_clear(results, writes.count + 1);
	for (int i = 0; i < writes.count; i++)
		pg_args_release(&writes.args[i]);
	return ok;
}
