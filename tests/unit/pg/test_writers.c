/*
 * Two writers at once with the same entries in opposite order: no deadlock, every row once, correct sums. 10,000
 * batches in all, or 40,000 with BURSAR_LONG=1 in the environment.
 */
#include <stdlib.h>

#include "lib/test.h"
#include "pg_entries.h"
#include "pg_server.h"

#define ENTRIES 12 /* of a batch */
#define USERS 5

struct writer {
	struct ledger_write op;
	struct arena arena;
	struct ledger_item item[ENTRIES];
	int batch, step; /* the next one, and where to go from there */
	int left, written, failed;
};

/*
 * Batch b has requests b*6 to b*6+11, half of which are also in the neighbouring batches. The second writer takes them
 * from the end, under its own partitions, so that the lock on partitions does not keep the two apart.
 */
static void fill(struct writer *writer, int partition)
{
	arena_reset(&writer->arena);
	for (int i = 0; i < ENTRIES; i++) {
		struct entry entry;
		int request = writer->batch * (ENTRIES / 2) + i;
		int at = writer->step > 0 ? i : ENTRIES - 1 - i;
		entry_example(&entry, &writer->arena, arena_printf(&writer->arena, "u%d", request % USERS),
			arena_printf(&writer->arena, "r%d", request));
		entry_groups(&entry, request % 2 ? "odd" : "even", "all");
		item_pack(&writer->item[at], &writer->arena, &entry, arena_printf(&writer->arena, "g:%d", request));
		writer->item[at].partition = partition;
	}
}

static void submit(struct writer *writer);

static void write_done(struct ledger_op *op)
{
	struct writer *writer = container_of(container_of(op, struct ledger_write, op), struct writer, op);

	bench.waiting--;
	writer->failed += !op->ok;
	if (!op->ok)
		print_message("%s\n", op->err.text);
	for (int i = 0; i < ENTRIES && op->ok; i++) {
		writer->written += writer->item[i].fate == LEDGER_WRITTEN;
		writer->failed += writer->item[i].fate != LEDGER_WRITTEN && writer->item[i].fate != LEDGER_REPEAT;
	}
	writer->batch += writer->step;
	if (--writer->left > 0)
		submit(writer);
}

static void submit(struct writer *writer)
{
	fill(writer, writer->step > 0 ? 1 : 2);
	writer->op = (struct ledger_write){
		.op = {.arena = &writer->arena, .done = write_done}, .count = ENTRIES, .item = writer->item};
	bench.waiting++;
	bench.ledger->ops->write(bench.ledger, &writer->op);
}

ON_BENCH(two_writers_in_opposite_order_write_every_row_once)
{
	int batches = getenv("BURSAR_LONG") ? 20000 : 5000;
	long long rows = (long long)(batches + 1) * (ENTRIES / 2);
	struct writer writers[2] = {{.step = 1, .left = batches}, {.step = -1, .left = batches, .batch = batches - 1}};

	submit(&writers[0]);
	submit(&writers[1]);
	pg_bench_run();
	assert_int_equal(writers[0].failed + writers[1].failed, 0);
	assert_int_equal(writers[0].written + writers[1].written, rows);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM ledger"), rows);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(cost_nano) FROM usage_daily"), rows * 1000);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(requests) FROM usage_monthly"), rows);
	assert_int_equal(pg_server_ask_number(bench.db, SHARED_DIFFERENCES), 0);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(input + output) FROM usage_windows WHERE kind = 1"),
		rows * 15);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM accounts"), USERS);
	assert_int_equal(pg_server_ask_number(
				 bench.db, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"),
		0);
	for (int i = 0; i < 2; i++)
		arena_release(&writers[i].arena);
}

TEST_GROUP(pg_bench_start, NULL);
