/*
 * Writes one batch to the ledger (pg/ledger/ledger.h): decode, sort, insert, sum, commit. Entries that PostgreSQL
 * refuses are found by halving the batch and go to ledger_rejects; all others are written.
 */
#include "pg/ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"

/* The accepted range of days: an outbox may have waited long for PostgreSQL, but a row for the year 4000 is garbage. */
#define DAYS_BACK 400
#define DAYS_AHEAD 8

/* Where one row existed, more will, until what came twice is through: so many batches then begin with a look at each. */
#define CAREFUL_BATCHES 8

struct batch {
	struct pg_ledger *ledger;
	struct pg_link *link;
	struct ledger_write *op;
	struct arena scratch;
	int count;
	struct ledger_item **item; /* those to be written, in key order */
	int rejected;
	struct reject {
		struct ledger_item *item;
		char reason[320];
	} * reject;
	bool *locked; /* by partition */
	bool repeats; /* some rows exist already, or may */
};

static void reject_item(struct batch *batch, struct ledger_item *item, const char *reason)
{
	struct reject *reject = &batch->reject[batch->rejected++];

	reject->item = item;
	snprintf(reject->reason, sizeof(reject->reason), "%s", reason);
	item->fate = LEDGER_REJECTED;
}

static void decode(struct batch *batch)
{
	struct arena *arena = batch->op->op.arena;
	int64_t now_us = clock_wall_us();

	for (int i = 0; i < batch->op->count; i++) {
		struct ledger_item *item = &batch->op->item[i];
		struct entry *entry = arena_zalloc(arena, 1, sizeof(*entry));
		item->fate = LEDGER_BUSY;
		item->entry = NULL;
		if (!entry_unpack(item->bytes, item->len, arena, entry)) {
			reject_item(batch, item, "the bytes are not a valid entry");
			continue;
		}
		item->entry = entry;
		if (entry->started_at_us < now_us - DAYS_BACK * DAY_US ||
			entry->started_at_us > now_us + DAYS_AHEAD * DAY_US)
			reject_item(batch, item, "started_at is outside the accepted days");
		else
			batch->item[batch->count++] = item;
	}
	if (batch->count)
		qsort(batch->item, (size_t)batch->count, sizeof(struct ledger_item *), ledger_order);
}

static bool ensure_days(struct batch *batch, struct err *err)
{
	int64_t *times = arena_zalloc(&batch->scratch, (size_t)batch->count + 1, sizeof(*times));
	int made;

	for (int i = 0; i < batch->count; i++)
		times[i] = batch->item[i]->entry->started_at_us;
	return ledger_days_ensure(batch->ledger, batch->link, times, batch->count, &made, err);
}

/*
 * Tries to lock every partition among items[0..count) and sets `locked` for those that no other writer holds. This only
 * saves work: without it, two writers would do the same work and one of them for nothing.
 */
static bool begin_locked(struct batch *batch, struct ledger_item **items, int count, struct err *err)
{
	PG_ARGS args = {0};
	PGresult *results[3];
	char timeout[64];
	bool wanted[256] = {false};
	int array = pg_arg_array(&args, PG_INT4);
	const struct pg_statement statements[] = {
		{.sql = "BEGIN"},
		{.sql = pg_timeout_sql(batch->link, timeout)},
		{.sql = "SELECT p FROM unnest($1::int[]) p WHERE pg_try_advisory_xact_lock(1651864435, p)",
			.args = &args},
	};
	bool ok;

	memset(batch->locked, 0, 256 * sizeof(*batch->locked));
	for (int i = 0; i < count; i++)
		wanted[items[i]->partition & 255] = true;
	for (int p = 0; p < 256; p++) {
		if (wanted[p])
			pg_array_int(&args, array, p);
	}
	ok = pg_pipeline(batch->link, statements, 3, results, err);
	if (!ok)
		return false;
	for (int row = 0; row < PQntuples(results[2]); row++)
		batch->locked[pg_i64(results[2], row, 0)] = true;
	pg_results_clear(results, 3);
	return true;
}

/* Writes items[0..count) in one transaction, except those whose partition another writer has locked. */
static bool write_try(struct batch *batch, struct ledger_item **items, int count, struct err *err)
{
	struct ledger_item **ours = arena_zalloc(&batch->scratch, (size_t)count, sizeof(struct ledger_item *));
	int n = 0;

	if (!begin_locked(batch, items, count, err))
		return false;
	for (int i = 0; i < count; i++) {
		items[i]->fate = LEDGER_BUSY;
		if (batch->locked[items[i]->partition & 255])
			ours[n++] = items[i];
	}
	if (n == 0)
		return pg_exec(batch->link, "ROLLBACK", NULL, err);
	return ledger_groups(batch->link, ours, n, batch->op->op.arena, err) &&
	       (batch->repeats ? ledger_insert(batch->link, ours, n, &batch->scratch, err)
			       : ledger_copy(batch->link, ours, n, err)) &&
	       ledger_older_windows(batch->link, ours, n, &batch->scratch, err) &&
	       ledger_sum_and_commit(batch->link, ours, n, &batch->scratch, err);
}

/*
 * Usually no row exists, and COPY takes half the time of INSERT ... ON CONFLICT. When one does (after a crash, or a lost
 * marker), the transaction starts over and looks at each row.
 */
static bool write_once(struct batch *batch, struct ledger_item **items, int count, struct err *err)
{
	if (write_try(batch, items, count, err))
		return true;
	if (batch->repeats || !ledger_meets_rows(batch->link))
		return false;
	batch->repeats = true;
	pg_link_tidy(batch->link);
	return pg_link_ready(batch->link, err) && write_try(batch, items, count, err);
}

static bool write_span(struct batch *batch, struct ledger_item **items, int count, struct err *err)
{
	int half;

	if (count == 0 || write_once(batch, items, count, err))
		return true;
	pg_link_tidy(batch->link);
	if (!pg_refused_data(batch->link))
		return false;
	if (!pg_link_ready(batch->link, err))
		return false;
	if (count == 1) {
		reject_item(batch, items[0], err->text);
		return true;
	}
	half = count / 2;
	return write_span(batch, items, half, err) && write_span(batch, items + half, count - half, err);
}

/* A batch may be refused because another process dropped a partition: asks for the partitions again, then halves. */
static bool write_all(struct batch *batch, struct err *err)
{
	if (!ensure_days(batch, err))
		return false;
	if (batch->count == 0 || write_once(batch, batch->item, batch->count, err))
		return true;
	pg_link_tidy(batch->link);
	if (!pg_refused_data(batch->link) || !pg_link_ready(batch->link, err))
		return false;
	ledger_days_forget(batch->ledger);
	return ensure_days(batch, err) && write_span(batch, batch->item, batch->count, err);
}

static bool write_rejects(struct batch *batch, struct err *err)
{
	PG_ARGS args = {0};
	int origins, reasons, bytes;
	bool ok;

	if (batch->rejected == 0)
		return true;
	origins = pg_arg_array(&args, PG_TEXT);
	reasons = pg_arg_array(&args, PG_TEXT);
	bytes = pg_arg_array(&args, PG_BYTES);
	for (int i = 0; i < batch->rejected; i++) {
		const struct reject *reject = &batch->reject[i];
		pg_array_text(&args, origins, reject->item->origin);
		pg_array_text(&args, reasons, reject->reason);
		pg_array_bytes(&args, bytes, reject->item->bytes, reject->item->len);
	}
	ok = pg_exec(batch->link,
		"INSERT INTO ledger_rejects (origin, reason, bytes) SELECT * FROM unnest($1::text[], $2::text[], "
		"$3::bytea[]) ON CONFLICT DO NOTHING",
		&args, err);
	for (int i = 0; ok && i < batch->rejected; i++) {
		metric_inc(METRIC_ledger_rejects_total, 0, 0);
		log_error("an outbox entry was rejected and is kept in ledger_rejects",
			F("origin", batch->reject[i].item->origin), F("why", batch->reject[i].reason));
	}
	return ok;
}

static void count_fates(const struct batch *batch, int64_t took_us)
{
	int64_t written = 0, repeats = 0, now_us = clock_wall_us();

	for (int i = 0; i < batch->op->count; i++) {
		const struct ledger_item *item = &batch->op->item[i];

		repeats += item->fate == LEDGER_REPEAT || item->fate == LEDGER_DOUBLE;
		if (item->fate != LEDGER_WRITTEN)
			continue;
		written++;
		/* Two clocks: Redis's says when it happened. */
		metric_observe(
			METRIC_ledger_lag_seconds, 0, 0, now_us > item->entry->at_us ? now_us - item->entry->at_us : 0);
	}
	if (repeats)
		batch->ledger->careful = CAREFUL_BATCHES;
	metric_add(METRIC_ledger_rows_total, 0, 0, written);
	metric_add(METRIC_ledger_repeats_total, 0, 0, repeats);
	metric_observe(METRIC_ledger_batch_rows, 0, 0, batch->op->count);
	metric_observe(METRIC_ledger_batch_seconds, 0, 0, took_us);
}

bool ledger_run_write(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct ledger_job *own = container_of(job, struct ledger_job, job);
	struct ledger_write *op = container_of(own->op, struct ledger_write, op);
	int64_t start_us = clock_mono_us();
	bool locked[256], ok;
	struct batch batch = {.ledger = own->ledger, .link = link, .op = op, .locked = locked};
	size_t count = (size_t)op->count + 1;

	if (own->ledger->careful > 0) {
		own->ledger->careful--;
		batch.repeats = true;
	}
	batch.item = arena_zalloc(&batch.scratch, count, sizeof(struct ledger_item *));
	batch.reject = arena_zalloc(&batch.scratch, count, sizeof(*batch.reject));
	decode(&batch);
	ok = write_all(&batch, err) && write_rejects(&batch, err);
	if (ok)
		count_fates(&batch, clock_mono_us() - start_us);
	arena_release(&batch.scratch);
	return ok;
}
