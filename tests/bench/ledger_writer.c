/*
 * ledger_writer CONNINFO: rows per second of the ledger writer (exactly once, roll-ups, windows, bucket levels,
 * accounts) compared with a COPY of the same rows into the same table, both in transactions of 1,000 rows. Prints a JSON
 * object for each number of users. Migrates the database and empties its ledger.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <uv.h>

#include "base/clock.h"
#include "base/crypto/hash.h"
#include "base/list.h"
#include "base/units.h"
#include "pg/link/migrate.h"
#include "pg/stores.h"

#define BATCH 1000
#define BATCHES 30
#define BUCKETS 3

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "ledger_writer: %s\n", what);
	exit(1);
}

static void run_sql(const char *conninfo, const char *sql)
{
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		die(PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
}

/* A record of a user with eight limits, like those of the shipped tiers, in one of 200 teams of one org. */
static void make_item(struct ledger_item *item, struct arena *arena, int number, int users)
{
	int64_t now_us = clock_wall_us();
	int user = (int)(hash64(&number, sizeof(number)) % (unsigned)users);
	struct entry entry = {.kind = ENTRY_RECORD,
		.final = true,
		.at_us = now_us,
		.started_at_us = now_us,
		.amounts = {1, 900, 250, 4250000},
		.info = {.tenant = "bench",
			.interface = user % 2 ? "telegram" : "web",
			.model = "openai/gpt-5.6",
			.tier = "pro",
			.provider = "openai",
			.price_model = "gpt-5.6",
			.reason = "",
			.actor = "",
			.accounts = 3},
		.usage = {.model = "gpt-5.6",
			.provider = "openai",
			.price_model = "gpt-5.6",
			.mode = "",
			.tokens = {.count = {[TOKEN_INPUT] = 900, [TOKEN_OUTPUT] = 250}}}};
	struct entry_part *part = &entry.part[0];
	struct buf buf = {0};

	entry.info.user = arena_printf(arena, "user-%06d", user);
	entry.info.request_id = arena_printf(arena, "0198f3c2-7d1e-7000-8000-%012d", number);
	entry.info.account[0] = (struct entry_account){ACCOUNT_USER, entry.info.user};
	entry.info.account[1] = (struct entry_account){ACCOUNT_TEAM, arena_printf(arena, "team-%03d", user % 200)};
	entry.info.account[2] = (struct entry_account){ACCOUNT_ORG, "org"};
	part->present = true;
	part->clock_us = now_us;
	part->buckets = BUCKETS;
	part->bucket = arena_zalloc(arena, BUCKETS, sizeof(*part->bucket));
	for (int u = 0; u < WINDOW_COUNT; u++)
		part->window_start[u] = now_us - now_us % DAY_US;
	for (int i = 0; i < BUCKETS; i++)
		part->bucket[i] = (struct entry_bucket){(uint32_t)(i + 1) * 777, now_us + number, 0, 3, 1};
	entry_pack(&entry, &buf);
	*item = (struct ledger_item){.partition = user % 256, .len = buf.len};
	item->bytes = (const uint8_t *)arena_strndup(arena, buf_str(&buf), buf.len);
	item->origin = arena_printf(arena, "0123456789abcdef:1795392000000-%d", number);
	buf_release(&buf);
}

static void write_done(struct ledger_op *op)
{
	if (!op->ok)
		die(op->err.text);
}

/* How many microseconds the writer takes for all batches, without the time to build them. */
static int64_t measure_writer(const char *conninfo, int users)
{
	struct arena arena = {0};
	struct ledger_item *items = mem_zalloc(BATCH, sizeof(*items));
	struct err err;
	uv_loop_t loop;
	int64_t took_us = 0;

	uv_loop_init(&loop);
	struct pg_threads *threads = pg_threads_new(conninfo, 1, &err);
	if (!threads)
		die(err.text);
	struct ledger_store *ledger = pg_ledger_new(threads, &loop);
	for (int batch = -1; batch < BATCHES; batch++) {
		arena_reset(&arena);
		for (int i = 0; i < BATCH; i++)
			make_item(&items[i], &arena, (batch + 1) * BATCH + i, users);
		struct ledger_write op = {.op = {.arena = &arena, .done = write_done}, .count = BATCH, .item = items};
		int64_t start_us = clock_mono_us();
		ledger->ops->write(ledger, &op);
		while (!op.op.ok)
			uv_run(&loop, UV_RUN_ONCE);
		if (batch >= 0) /* the first batch connects and creates the day's partition */
			took_us += clock_mono_us() - start_us;
	}
	pg_threads_free(threads);
	pg_ledger_free(ledger);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	arena_release(&arena);
	free(items);
	return took_us;
}

/* The ledger's rows in the format of COPY. */
static char *copy_out(const char *conninfo, size_t *size)
{
	PGconn *conn = PQconnectdb(conninfo);
	struct buf all = {0};
	char *line;
	int n;

	PQclear(PQexec(conn, "COPY (SELECT * FROM ledger) TO STDOUT"));
	while ((n = PQgetCopyData(conn, &line, 0)) > 0) {
		buf_put(&all, line, (size_t)n);
		PQfreemem(line);
	}
	PQclear(PQgetResult(conn));
	PQfinish(conn);
	*size = all.len;
	return all.data;
}

static int64_t measure_copy(const char *conninfo, const char *rows, size_t size)
{
	PGconn *conn = PQconnectdb(conninfo);
	const char *at = rows, *end = rows + size;
	int64_t start_us = clock_mono_us();

	while (at < end) {
		const char *stop = at;
		for (int i = 0; i < BATCH && stop < end; i++)
			stop = (const char *)memchr(stop, '\n', (size_t)(end - stop)) + 1;
		PQclear(PQexec(conn, "COPY ledger FROM STDIN"));
		if (PQputCopyData(conn, at, (int)(stop - at)) != 1 || PQputCopyEnd(conn, NULL) != 1)
			die(PQerrorMessage(conn));
		PGresult *result = PQgetResult(conn);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			die(PQerrorMessage(conn));
		PQclear(result);
		while ((result = PQgetResult(conn)))
			PQclear(result);
		at = stop;
	}
	PQfinish(conn);
	return clock_mono_us() - start_us;
}

int main(int argc, char **argv)
{
	static const int users[] = {100, 1000, 100000};
	struct buf out = {0};
	struct err err;

	if (argc != 2)
		die("usage: ledger_writer CONNINFO");
	if (!migrate_run(argv[1], MIGRATE_UP, &out, &err))
		die(err.text);
	buf_release(&out);
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		size_t size;
		run_sql(argv[1], "TRUNCATE ledger, usage_daily, usage_monthly, usage_shared_daily, usage_windows, "
				 "token_buckets");
		double writer_s = (double)measure_writer(argv[1], users[i]) / 1e6;
		char *rows = copy_out(argv[1], &size);
		run_sql(argv[1], "TRUNCATE ledger");
		double copy_s = (double)measure_copy(argv[1], rows, size) / 1e6;
		free(rows);
		double written = BATCH * BATCHES, copied = BATCH * (BATCHES + 1);
		printf("{\"users\": %d, \"writer_per_second\": %.0f, \"copy_per_second\": %.0f}\n", users[i],
			written / writer_s, copied / copy_s);
	}
	return 0;
}
