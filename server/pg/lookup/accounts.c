/*
 * Account lookups before a first decision (pg/stores.h). All lookups of one loop turn share one job: five statements in
 * one round trip and one snapshot, so that an account's usage and its bucket levels are consistent.
 */
#include "pg/stores.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "pg/ledger/ledger.h"
#include "pg/link/amounts.h"
#include "pg/link/link.h"
#include "pg/link/rows.h"

#define LOOKUP_DEADLINE_US INT64_C(2000000)
/* A lookup with little time left must not make others in the same batch fail. */
#define BATCH_MIN_US INT64_C(200000)
#define BATCH_MAX 512 /* accounts */
#define LOOKUP_STATEMENTS 6

struct pg_accounts {
	struct accounts_store store; /* first */
	struct pg_threads *threads;
	struct pg_inbox *inbox;
	uv_prepare_t turn_end;
	struct account_lookup *first, *last; /* of this loop turn, linked by impl[0] */
	int gathered; /* number of accounts in them */
};

struct lookup_batch {
	struct pg_job job;
	struct account_lookup *first; /* linked by impl[0] */
	int count; /* number of accounts in all operations */
	PGresult *results[LOOKUP_STATEMENTS];
};

struct ledger_query {
	struct pg_job job;
	struct ledger_lookup *op;
	PGresult *result;
};

static struct account_lookup *next_of(struct account_lookup *op)
{
	return op->impl[0];
}

/* The account with the given ordinal, counted from 1 over all operations. */
static struct account_found *account_at(struct lookup_batch *batch, int64_t ordinal, struct account_lookup **op)
{
	int64_t i = ordinal - 1;

	for (*op = batch->first; i >= (*op)->count; *op = next_of(*op))
		i -= (*op)->count;
	return &(*op)->account[i];
}

static void keys_args(struct lookup_batch *batch, struct pg_args *args)
{
	pg_arg_array(args, PG_TEXT);
	pg_arg_array(args, PG_INT2);
	pg_arg_array(args, PG_TEXT);
	for (struct account_lookup *op = batch->first; op; op = next_of(op)) {
		for (int i = 0; i < op->count; i++) {
			pg_array_text(args, 0, op->account[i].tenant);
			pg_array_int(args, 1, op->account[i].kind);
			pg_array_text(args, 2, op->account[i].id);
			op->account[i].known = false;
			op->account[i].profile = (struct account_profile){0};
			op->account[i].windows = op->account[i].buckets = 0;
		}
	}
}

static void read_profiles(struct lookup_batch *batch, const PGresult *result)
{
	struct account_lookup *op;

	for (int row = 0; row < PQntuples(result); row++) {
		struct account_found *account = account_at(batch, pg_i64(result, row, 0), &op);
		account->known = true;
		row_profile(result, row, 1, &account->profile);
	}
}

/* How many rows, starting at `row`, have that row's ordinal. */
static int same_ordinal(const PGresult *result, int row)
{
	int n = 1;

	while (row + n < PQntuples(result) && pg_i64(result, row + n, 0) == pg_i64(result, row, 0))
		n++;
	return n;
}

static void read_limits(struct lookup_batch *batch, const PGresult *result)
{
	struct account_lookup *op;

	for (int row = 0, n; row < PQntuples(result); row += n) {
		struct account_found *account;
		struct limit *limits;
		int good;

		n = same_ordinal(result, row);
		account = account_at(batch, pg_i64(result, row, 0), &op);
		limits = arena_zalloc(op->arena, (size_t)n, sizeof(*limits));
		good = 0;
		for (int i = 0; i < n && good < LIMITS_MAX; i++) {
			struct err err;
			row_own_limit(result, row + i, 1, &limits[good]);
			if (limit_prepare(&limits[good], &err))
				good++;
			else
				log_error("ignored an invalid account limit in PostgreSQL", F("why", err.text));
		}
		account->profile.overrides = limits;
		account->profile.override_count = good;
	}
}

static void read_windows(struct lookup_batch *batch, const PGresult *result)
{
	struct account_lookup *op;

	for (int row = 0, n; row < PQntuples(result); row += n) {
		struct account_found *account;

		n = same_ordinal(result, row);
		account = account_at(batch, pg_i64(result, row, 0), &op);
		account->window = arena_zalloc(op->arena, (size_t)n, sizeof(*account->window));
		for (int i = 0; i < n; i++)
			row_usage(result, row + i, 1, op->arena, &account->window[i]);
		account->windows = n;
	}
}

static void read_buckets(struct lookup_batch *batch, const PGresult *result)
{
	struct account_lookup *op;

	for (int row = 0, n; row < PQntuples(result); row += n) {
		struct account_found *account;

		n = same_ordinal(result, row);
		account = account_at(batch, pg_i64(result, row, 0), &op);
		account->bucket = arena_zalloc(op->arena, (size_t)n, sizeof(*account->bucket));
		for (int i = 0; i < n; i++) {
			account->bucket[i] = (struct bucket_level){
				.limit_id = (uint32_t)pg_i64(result, row + i, 1),
				.full_at_us = pg_i64(result, row + i, 2),
				.rem = pg_i64(result, row + i, 3),
				.num = pg_i64(result, row + i, 4),
				.den = pg_i64(result, row + i, 5),
				.as_of_us = pg_i64(result, row + i, 6),
			};
		}
		account->buckets = n;
	}
}

#define KEYS "FROM unnest($1, $2, $3) WITH ORDINALITY AS k (tenant, kind, id, position) "

static bool run_lookups(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct lookup_batch *batch = container_of(job, struct lookup_batch, job);
	PG_ARGS keys = {0}, since = {0};
	const struct pg_statement statements[] = {
		{.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
		{.sql = "SELECT k.position, " ACCOUNT_COLUMNS " " KEYS "JOIN accounts a USING (tenant, kind, id)",
			.args = &keys},
		{.sql = "SELECT k.position, l.name, l.dimension, l.kind, l.unit, l.amount, l.period_us, l.burst, "
			"l.interface, l.model, l.shadow, l.notify, l.warn_percent, l.until_us " KEYS
			"JOIN account_limits l ON l.tenant = k.tenant "
			"AND l.account_kind = k.kind AND l.account_id = k.id ORDER BY k.position, l.position",
			.args = &keys},
		{.sql = "SELECT k.position, " USAGE_COLUMNS " " KEYS USAGE_SINCE("$4", "$5", "$6") USAGE_JOIN
			"ORDER BY 1",
			.args = &since},
		{.sql = "SELECT k.position, b.limit_id, b.full_at_us, b.rem, b.num, b.den, b.as_of_us " KEYS
			"JOIN token_buckets b USING (tenant, kind, id) ORDER BY 1",
			.args = &keys},
		{.sql = "COMMIT"},
	};

	keys_args(batch, &keys);
	keys_args(batch, &since);
	args_usage_since(&since, clock_wall_us());
	return pg_pipeline(link, statements, LOOKUP_STATEMENTS, batch->results, err);
}

/* Runs on the loop, not on the job's thread: the arenas belong to the loop, and all items of a batch call share one. */
static void lookups_read(struct lookup_batch *batch)
{
	read_profiles(batch, batch->results[1]);
	read_limits(batch, batch->results[2]);
	read_windows(batch, batch->results[3]);
	read_buckets(batch, batch->results[4]);
	pg_results_clear(batch->results, LOOKUP_STATEMENTS);
}

static void lookups_done(struct pg_job *job)
{
	struct lookup_batch *batch = container_of(job, struct lookup_batch, job);

	if (job->ok)
		lookups_read(batch);
	for (struct account_lookup *op = batch->first, *next; op; op = next) {
		struct trace *outer = asked_answered(&op->asked, SPAN_POSTGRES, "lookup", 6, !job->ok);
		next = next_of(op);
		op->ok = job->ok;
		op->err = job->err;
		op->done(op);
		trace_leave(outer);
	}
	free(batch);
}

static int64_t batch_deadline(const struct lookup_batch *batch)
{
	int64_t now_us = clock_mono_us(), deadline_us = now_us + LOOKUP_DEADLINE_US;

	for (struct account_lookup *op = batch->first; op; op = next_of(op)) {
		if (op->deadline_us && op->deadline_us < deadline_us)
			deadline_us = op->deadline_us;
	}
	return deadline_us < now_us + BATCH_MIN_US ? now_us + BATCH_MIN_US : deadline_us;
}

/* Submits everything that this loop turn has asked for. */
static void flush(struct pg_accounts *accounts)
{
	struct lookup_batch *batch;

	uv_prepare_stop(&accounts->turn_end);
	if (!accounts->first)
		return;
	batch = mem_zalloc(1, sizeof(*batch));
	batch->first = accounts->first;
	batch->count = accounts->gathered;
	batch->job = (struct pg_job){.run = run_lookups, .done = lookups_done, .repeatable = true};
	batch->job.deadline_us = batch_deadline(batch);
	accounts->first = accounts->last = NULL;
	accounts->gathered = 0;
	pg_threads_submit(accounts->threads, accounts->inbox, &batch->job);
}

static void turn_end(uv_prepare_t *handle)
{
	flush(container_of(handle, struct pg_accounts, turn_end));
}

static void store_lookup(struct accounts_store *store, struct account_lookup *op)
{
	struct pg_accounts *accounts = container_of(store, struct pg_accounts, store);

	op->impl[0] = NULL;
	op->asked = asked_now();
	if (accounts->last)
		accounts->last->impl[0] = op;
	else
		accounts->first = op;
	accounts->last = op;
	accounts->gathered += op->count;
	if (accounts->gathered >= BATCH_MAX)
		flush(accounts);
	else
		uv_prepare_start(&accounts->turn_end, turn_end);
}

/* The columns of run_ledger's answer. */
enum {
	FOUND_ENTRY,
	FOUND_ATTEMPT,
	FOUND_PRICE_FROM,
	FOUND_FLAGS,
	FOUND_MODEL,
	FOUND_PROVIDER,
	FOUND_PRICE_MODEL,
	FOUND_MODE,
	FOUND_AMOUNTS,
	FOUND_TOKENS = FOUND_AMOUNTS + AMOUNT_COUNT,
	FOUND_METERS = FOUND_TOKENS + METER_KEPT_COUNT,
	FOUND_PROVIDER_COST
};

static const char *found_text(struct ledger_lookup *op, const PGresult *result, int row, int column)
{
	return arena_strndup(op->arena, pg_text(result, row, column), strlen(pg_text(result, row, column)));
}

static void read_ledger(struct ledger_lookup *op, const PGresult *result)
{
	op->found = op->counted = false;
	for (int row = 0; row < PQntuples(result); row++) {
		struct amounts amounts = pg_amounts(result, row, FOUND_AMOUNTS);

		if (amounts.requests > 0)
			op->counted = true;
		if (pg_i64(result, row, FOUND_ENTRY) == ENTRY_EXPIRY ||
			pg_i64(result, row, FOUND_ATTEMPT) != op->attempt)
			continue;
		op->found = true;
		op->late = pg_i64(result, row, FOUND_FLAGS) & LEDGER_FLAG_LATE;
		op->amounts = amounts;
		op->usage = (struct entry_usage){
			.price_from_us = pg_i64(result, row, FOUND_PRICE_FROM),
			.flags = (uint32_t)pg_i64(result, row, FOUND_FLAGS) & FLAGS_USAGE,
			.model = found_text(op, result, row, FOUND_MODEL),
			.provider = found_text(op, result, row, FOUND_PROVIDER),
			.price_model = found_text(op, result, row, FOUND_PRICE_MODEL),
			.mode = found_text(op, result, row, FOUND_MODE),
		};
		for (int meter = 0; meter < METER_KEPT_COUNT; meter++)
			op->usage.meters.count[meter] = pg_i64(result, row, FOUND_TOKENS + meter);
		pg_meters(result, row, FOUND_METERS, &op->usage.meters);
		op->usage.provider_cost_known = !PQgetisnull(result, row, FOUND_PROVIDER_COST);
		op->usage.provider_cost_nano = pg_i64(result, row, FOUND_PROVIDER_COST);
	}
}

static bool run_ledger(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct ledger_query *query = container_of(job, struct ledger_query, job);
	struct ledger_lookup *op = query->op;
	PG_ARGS args = {0};
	int days;

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->user);
	pg_arg_text(&args, op->request_id);
	days = pg_arg_array(&args, PG_DATE);
	pg_array_int(&args, days, op->started_at_us);
	query->result = pg_query(link,
		"SELECT entry, attempt, price_from_us, flags, model, provider, price_model, mode" AMOUNT_COLUMNS
			METER_COLUMNS ", " METERS_TEXT ", provider_cost_nano FROM ledger "
		"WHERE day = ($4::date[])[1] AND tenant = $1 AND user_id = $2 AND request_id = $3 "
		"AND entry IN (0, 1)",
		&args, err);
	return query->result != NULL;
}

static void ledger_done(struct pg_job *job)
{
	struct ledger_query *query = container_of(job, struct ledger_query, job);
	struct ledger_lookup *op = query->op;

	if (job->ok)
		read_ledger(op, query->result);
	pg_result_clear(&query->result);
	op->ok = job->ok;
	op->err = job->err;
	op->done(op);
}

static void store_ledger(struct accounts_store *store, struct ledger_lookup *op)
{
	struct pg_accounts *accounts = container_of(store, struct pg_accounts, store);
	struct ledger_query *query = arena_zalloc(op->arena, 1, sizeof(*query));

	query->op = op;
	query->job.run = run_ledger;
	query->job.done = ledger_done;
	query->job.repeatable = true;
	query->job.deadline_us = op->deadline_us ? op->deadline_us : clock_mono_us() + LOOKUP_DEADLINE_US;
	pg_threads_submit(accounts->threads, accounts->inbox, &query->job);
}

static const struct accounts_store_ops ops = {.lookup = store_lookup, .ledger = store_ledger};

struct accounts_store *pg_accounts_new(struct pg_threads *threads, uv_loop_t *loop)
{
	struct pg_accounts *accounts = mem_zalloc(1, sizeof(*accounts));

	accounts->store.ops = &ops;
	accounts->threads = threads;
	accounts->inbox = pg_inbox_new(loop);
	uv_prepare_init(loop, &accounts->turn_end);
	return &accounts->store;
}

static void closed(uv_handle_t *handle)
{
	free(container_of((uv_prepare_t *)handle, struct pg_accounts, turn_end));
}

void pg_accounts_free(struct accounts_store *store)
{
	struct pg_accounts *accounts = store ? container_of(store, struct pg_accounts, store) : NULL;

	if (!accounts)
		return;
	pg_inbox_free(accounts->inbox);
	uv_close((uv_handle_t *)&accounts->turn_end, closed);
}
