/*
 * ledger_writer CONNINFO: rows per second of the ledger writer (exactly once, roll-ups, windows, bucket levels,
 * accounts) compared with a COPY of the same rows into the same table, both in transactions of 1,000 rows; then of
 * several writers at once, each with its own partitions. Prints a JSON object for each number of users and of writers.
 * The CPU is that of PostgreSQL's backends, if they run on this machine. Migrates the database and empties its ledger.
 */
#include <inttypes.h>
#include <pthread.h>
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
#define WRITERS_MAX 4

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

/* The CPU that the backends of other connections to this database have used so far, in microseconds. */
static int64_t backends_cpu_us(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *result = PQexec(conn, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
					"pid <> pg_backend_pid() AND backend_type = 'client backend'");
	int64_t sum_ns = 0;

	for (int row = 0; row < PQntuples(result); row++) {
		char path[64];
		int64_t ns;
		snprintf(path, sizeof(path), "/proc/%s/schedstat", PQgetvalue(result, row, 0));
		FILE *file = fopen(path, "r");
		if (file && fscanf(file, "%" SCNd64, &ns) == 1)
			sum_ns += ns;
		if (file)
			fclose(file);
	}
	PQclear(result);
	PQfinish(conn);
	return sum_ns / 1000;
}

/*
 * A record of a user with eight limits, like those of the shipped tiers, in one of 200 teams of one org. The org has a
 * bucket, which all writers want.
 */
static void make_item(struct ledger_item *item, struct arena *arena, int number, int user)
{
	int64_t now_us = clock_wall_us();
	struct entry entry = {.kind = ENTRY_RECORD,
		.final = true,
		.at_us = now_us,
		.started_at_us = now_us,
		.amounts = {1, 900, 250, 4250000, NULL},
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
			.meters = {.count = {[METER_INPUT] = 900, [METER_OUTPUT] = 250}}}};
	struct entry_part *part = &entry.part[0];
	struct buf buf = {0};

	entry.info.user = arena_printf(arena, "user-%06d", user);
	entry.info.request_id = arena_printf(arena, "0198f3c2-7d1e-7000-8000-%012d", number);
	entry.info.account[0] = (struct entry_account){ACCOUNT_USER, entry.info.user};
	entry.info.account[1] = (struct entry_account){ACCOUNT_TEAM, arena_printf(arena, "team-%03d", user % 200)};
	entry.info.account[2] = (struct entry_account){ACCOUNT_ORG, "org"};
	for (int k = 0; k < entry.info.accounts; k++) {
		entry.part[k].present = true;
		entry.part[k].clock_us = now_us;
		for (int u = 0; u < WINDOW_COUNT; u++)
			entry.part[k].window_start[u] = now_us - now_us % DAY_US;
	}
	part->buckets = BUCKETS;
	part->bucket = arena_zalloc(arena, BUCKETS, sizeof(*part->bucket));
	for (int i = 0; i < BUCKETS; i++)
		part->bucket[i] = (struct entry_bucket){(uint32_t)(i + 1) * 777, now_us + number, 0, 3, 1};
	entry.part[2].buckets = 1;
	entry.part[2].bucket = part->bucket;
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

/* One writer on a thread of its own: it has the users, and with them the partitions, whose number it is modulo `of`. */
struct writer {
	const char *conninfo;
	int number, of, users;
	pthread_t thread;
	pthread_barrier_t *begin, *end;
	struct arena arena;
	struct ledger_item *items; /* a batch more than is measured: the first one connects and makes the partition */
};

static void make_items(struct writer *writer)
{
	int count = BATCH * (BATCHES / writer->of + 1);

	writer->items = mem_zalloc((size_t)count, sizeof(*writer->items));
	for (int i = 0; i < count; i++) {
		int number = i * writer->of + writer->number;
		int user = (int)(hash64(&number, sizeof(number)) % (unsigned)writer->users);
		user -= user % writer->of - writer->number;
		make_item(&writer->items[i], &writer->arena, number, user);
	}
}

static void write_batch(struct ledger_store *ledger, uv_loop_t *loop, struct ledger_item *items)
{
	struct arena arena = {0};
	struct ledger_write op = {.op = {.arena = &arena, .done = write_done}, .count = BATCH, .item = items};

	ledger->ops->write(ledger, &op);
	while (!op.op.ok)
		uv_run(loop, UV_RUN_ONCE);
	for (int i = 0; i < BATCH; i++)
		if (items[i].fate != LEDGER_WRITTEN)
			die("an entry was not written");
	arena_release(&arena);
}

static void *writer_run(void *arg)
{
	struct writer *writer = arg;
	struct err err;
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct pg_threads *threads = pg_threads_new(writer->conninfo, 1, &err);
	if (!threads)
		die(err.text);
	struct ledger_store *ledger = pg_ledger_new(threads, &loop);
	write_batch(ledger, &loop, writer->items);
	pthread_barrier_wait(writer->begin);
	pthread_barrier_wait(writer->begin); /* the backends' CPU is read in between */
	for (int batch = 1; batch <= BATCHES / writer->of; batch++)
		write_batch(ledger, &loop, &writer->items[batch * BATCH]);
	pthread_barrier_wait(writer->end);
	pthread_barrier_wait(writer->end);
	pg_threads_free(threads);
	pg_ledger_free(ledger);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return NULL;
}

struct row_cost {
	double wall_us, cpu_us; /* for each row */
};

/* Empties the ledger and writes BATCHES to it, without the time to build the entries. */
static struct row_cost measure_writers(const char *conninfo, int writers, int users)
{
	static struct writer writer[WRITERS_MAX];
	pthread_barrier_t begin, end;
	int rows = BATCHES / writers * writers * BATCH;
	int64_t took_us, cpu_us;

	run_sql(conninfo, "TRUNCATE ledger, usage_daily, usage_monthly, usage_shared_daily, usage_windows, "
			  "token_buckets");
	pthread_barrier_init(&begin, NULL, (unsigned)writers + 1);
	pthread_barrier_init(&end, NULL, (unsigned)writers + 1);
	for (int i = 0; i < writers; i++) {
		writer[i] = (struct writer){
			.conninfo = conninfo, .number = i, .of = writers, .users = users, .begin = &begin, .end = &end};
		make_items(&writer[i]);
		pthread_create(&writer[i].thread, NULL, writer_run, &writer[i]);
	}
	pthread_barrier_wait(&begin);
	cpu_us = backends_cpu_us(conninfo);
	took_us = clock_mono_us();
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&end);
	took_us = clock_mono_us() - took_us;
	cpu_us = backends_cpu_us(conninfo) - cpu_us;
	pthread_barrier_wait(&end);
	for (int i = 0; i < writers; i++) {
		pthread_join(writer[i].thread, NULL);
		arena_release(&writer[i].arena);
		free(writer[i].items);
	}
	pthread_barrier_destroy(&begin);
	pthread_barrier_destroy(&end);
	return (struct row_cost){(double)took_us / rows, (double)cpu_us / rows};
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

static void copy_batches(PGconn *conn, const char *rows, size_t size)
{
	const char *at = rows, *end = rows + size;

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
}

/* Empties the ledger and copies what it had to it. */
static struct row_cost measure_copy(const char *conninfo)
{
	size_t size;
	char *rows = copy_out(conninfo, &size);
	run_sql(conninfo, "TRUNCATE ledger");
	PGconn *conn = PQconnectdb(conninfo);
	double count = BATCH * (BATCHES + 1);
	int64_t cpu_us = backends_cpu_us(conninfo), start_us = clock_mono_us();

	copy_batches(conn, rows, size);
	int64_t took_us = clock_mono_us() - start_us;
	cpu_us = backends_cpu_us(conninfo) - cpu_us;
	PQfinish(conn);
	free(rows);
	return (struct row_cost){(double)took_us / count, (double)cpu_us / count};
}

static void compare_with_copy(const char *conninfo)
{
	static const int users[] = {100, 1000, 100000};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		struct row_cost writer = measure_writers(conninfo, 1, users[i]), copy = measure_copy(conninfo);

		printf("{\"users\": %d, \"writer_per_second\": %.0f, \"copy_per_second\": %.0f, \"writer_cpu_us\": %.1f, "
		       "\"copy_cpu_us\": %.1f}\n",
			users[i], 1e6 / writer.wall_us, 1e6 / copy.wall_us, writer.cpu_us, copy.cpu_us);
	}
}

static void compare_writers(const char *conninfo)
{
	for (int writers = 1; writers <= WRITERS_MAX; writers *= 2) {
		struct row_cost cost = measure_writers(conninfo, writers, 100000);

		printf("{\"writers\": %d, \"per_second\": %.0f, \"cpu_us\": %.1f}\n", writers, 1e6 / cost.wall_us,
			cost.cpu_us);
	}
}

int main(int argc, char **argv)
{
	struct buf out = {0};
	struct err err;

	if (argc != 2)
		die("usage: ledger_writer CONNINFO");
	if (!migrate_run(argv[1], MIGRATE_UP, &out, &err))
		die(err.text);
	buf_release(&out);
	compare_with_copy(argv[1]);
	compare_writers(argv[1]);
	return 0;
}
