/* The outbox store: what the ledger role sees of Redis. */
#include <string.h>

#include "domain/record/entry.h"
#include "lib/test.h"
#include "redis_bench.h"

static struct redis_bench bench;
static struct outbox_store *outbox;
static struct buf info;
static bool came;

static void op_came(struct outbox_op *op)
{
	(void)op;
	came = true;
	uv_stop(&bench.loop);
}

static void limits_came(struct limits_op *op)
{
	(void)op;
	came = true;
	uv_stop(&bench.loop);
}

static void wait_for_answer(void)
{
	while (!came)
		uv_run(&bench.loop, UV_RUN_ONCE);
	came = false;
}

#define ASK(method_, op_) \
	do { \
		(op_)->op.arena = &bench.arena; \
		(op_)->op.done = op_came; \
		outbox->ops->method_(outbox, op_); \
		wait_for_answer(); \
		assert_true((op_)->op.ok); \
	} while (0)

#define DECIDE(method_, op_) \
	do { \
		(op_)->op.arena = &bench.arena; \
		(op_)->op.done = limits_came; \
		bench.limits->ops->method_(bench.limits, op_); \
		wait_for_answer(); \
	} while (0)

static bool is_healthy(struct redis_bench *b)
{
	(void)b;
	return redis_outbox_ready(outbox, NULL);
}

static void make_info(const char *request_id)
{
	struct entry_info made = {.tenant = "acme",
		.user = "ann",
		.request_id = request_id,
		.accounts = 1,
		.account[0] = {.kind = ACCOUNT_USER, .id = "ann"}};

	buf_reset(&info);
	entry_info_pack(&made, &info);
}

static int open_bench(void **state)
{
	struct redis_options options = {.loop = &bench.loop};

	(void)state;
	redis_bench_open(&bench, 5000000);
	options.url = redis_server_url();
	outbox = redis_outbox_new(&options, NULL);
	redis_bench_until(&bench, is_healthy);
	redis_bench_seed(&bench, "ann");
	came = false;
	return 0;
}

static int close_bench(void **state)
{
	(void)state;
	redis_outbox_free(outbox);
	redis_bench_close(&bench);
	buf_release(&info);
	return 0;
}

static void hold(const char *request_id, int64_t ttl_us)
{
	struct limits_check op;

	make_info(request_id);
	redis_bench_check(&bench, &op, "ann", request_id);
	op.ttl_us = ttl_us;
	op.info = (const uint8_t *)info.data;
	op.info_len = info.len;
	DECIDE(check, &op);
	assert_int_equal(op.op.status, LIMITS_OK);
}

static void settle(const char *request_id)
{
	struct limits_settle op = {.tenant = "acme",
		.user = "ann",
		.request_id = request_id,
		.count = 1,
		.expected[0] = redis_bench_expected(&bench, "ann"),
		.final = true,
		.used = {.input = 10, .output = 5, .cost = 1000}};

	make_info(request_id);
	op.info = (const uint8_t *)info.data;
	op.info_len = info.len;
	DECIDE(record, &op);
	assert_int_equal(op.op.status, LIMITS_OK);
}

static void use_up(const char *request_id)
{
	hold(request_id, 60000000);
	settle(request_id);
}

static int rings;

static void on_ring(void *arg)
{
	(*(int *)arg)++;
}

static bool has_rung(struct redis_bench *b)
{
	(void)b;
	return rings > 0;
}

static bool tells(struct redis_bench *b)
{
	(void)b;
	return outbox->ops->when_any(outbox, on_ring, &rings);
}

TEST_WITH(it_tells_of_an_entry_once, open_bench, close_bench)
{
	rings = 0;
	assert_false(outbox->ops->when_any(outbox, NULL, NULL));
	redis_bench_until(&bench, tells);
	hold("a", 60000000);
	assert_int_equal(rings, 0);
	settle("a");
	redis_bench_until(&bench, has_rung);
	use_up("b");
	use_up("c");
	assert_int_equal(rings, 1);
}

TEST_WITH(it_tells_at_once_of_an_entry_that_is_there, open_bench, close_bench)
{
	rings = 0;
	use_up("a");
	redis_bench_until(&bench, tells);
	redis_bench_until(&bench, has_rung);
}

TEST_WITH(who_no_longer_waits_is_told_nothing, open_bench, close_bench)
{
	int others = 0;

	rings = 0;
	redis_bench_until(&bench, tells);
	assert_true(outbox->ops->when_any(outbox, on_ring, &others));
	use_up("a");
	while (others == 0)
		uv_run(&bench.loop, UV_RUN_ONCE);
	assert_int_equal(rings, 0);
	assert_true(outbox->ops->when_any(outbox, on_ring, &rings));
	outbox->ops->when_any(outbox, NULL, NULL);
	use_up("b");
	assert_int_equal(rings, 0);
}

static int partition(void)
{
	return partition_of(ACCOUNT_USER, "acme", "ann");
}

static struct outbox_drain drained(void)
{
	struct outbox_drain op = {.partition = partition(), .limit = 100};

	ASK(drain, &op);
	return op;
}

static struct outbox_counters counted(void)
{
	struct outbox_counters op = {.kind = ACCOUNT_USER, .tenant = "acme", .id = "ann"};

	ASK(counters, &op);
	return op;
}

static void entry_of(const struct outbox_drain *op, int i, struct entry *out)
{
	assert_true(i < op->count);
	assert_true(entry_unpack(op->entry[i].bytes, op->entry[i].len, &bench.arena, out));
}

#define WITH_BENCH(name) TEST_WITH(name, open_bench, close_bench)

WITH_BENCH(a_record_waits_until_it_is_acknowledged)
{
	struct outbox_waiting waiting = {0};
	struct outbox_drain drain;
	struct outbox_ack ack = {.partition = partition()};
	struct entry entry;

	hold("r1", 60000000);
	settle("r1");
	hold("r2", 60000000);
	settle("r2");
	ASK(waiting, &waiting);
	assert_int_equal(waiting.entries, 2);
	assert_int_equal(waiting.count, 1);
	assert_int_equal(waiting.waiting[0].partition, partition());
	drain = drained();
	assert_int_equal(drain.count, 2);
	assert_int_equal(strlen(drain.generation), 16);
	assert_string_equal(drain.entry[0].id, waiting.waiting[0].oldest);
	entry_of(&drain, 0, &entry);
	assert_int_equal(entry.kind, ENTRY_RECORD);
	assert_string_equal(entry.info.request_id, "r1");
	assert_int_equal(entry.amounts.requests, 1);
	assert_int_equal(entry.amounts.cost, 1000);
	assert_true(entry.part[0].window_start[WINDOW_DAY] > 0);

	ack.last = drain.entry[0].id;
	ASK(ack, &ack);
	assert_int_equal(ack.forgotten, 1);
	drain = drained();
	assert_int_equal(drain.count, 1);
	entry_of(&drain, 0, &entry);
	assert_string_equal(entry.info.request_id, "r2");
}

WITH_BENCH(a_double_charge_is_taken_back_once)
{
	struct outbox_drain drain;
	struct outbox_takeback op = {.partition = partition()};
	struct entry entry;

	hold("r1", 60000000);
	settle("r1");
	assert_int_equal(counted().window[0].settled, 1);
	drain = drained();
	entry_of(&drain, 0, &entry);
	op.id = drain.entry[0].id;
	op.entry = &entry;
	ASK(takeback, &op);
	assert_true(op.taken);
	assert_int_equal(counted().window[0].settled, 0);
	ASK(takeback, &op);
	assert_false(op.taken);
	assert_int_equal(drained().count, 0);
}

WITH_BENCH(a_reservation_whose_time_is_over_is_swept)
{
	struct outbox_sweep op = {.partition = partition(), .limit = 10};
	struct outbox_overdue overdue;
	struct outbox_drain drain;
	struct entry entry;

	hold("r1", 1);
	hold("r2", 60000000);
	assert_int_equal(counted().window[0].held, 2);
	ASK(overdue, &overdue);
	assert_int_equal(overdue.count, 1);
	assert_int_equal(overdue.partition[0], partition());
	ASK(sweep, &op);
	assert_int_equal(op.expired, 1);
	assert_false(op.more);
	assert_int_equal(counted().window[0].held, 1);
	assert_int_equal(counted().window[0].settled, 1);
	drain = drained();
	entry_of(&drain, 0, &entry);
	assert_int_equal(entry.kind, ENTRY_EXPIRY);
	assert_int_equal(entry.amounts.requests, 1);
	ASK(sweep, &op);
	assert_int_equal(op.expired, 0);
	ASK(overdue, &overdue);
	assert_int_equal(overdue.count, 0);
}

WITH_BENCH(a_counter_is_raised_and_never_lowered)
{
	struct outbox_counters before = counted();
	struct outbox_raise op = {.kind = ACCOUNT_USER, .tenant = "acme", .id = "ann", .count = 1};

	op.window[0].limit_id = before.window[0].limit_id;
	op.window[0].window_start = before.window[0].window_start;
	op.window[0].seen = before.window[0].settled + 1;
	op.window[0].known = 500;
	ASK(raise, &op);
	assert_int_equal(op.raised, 0); /* something was settled since */
	op.window[0].seen = before.window[0].settled;
	ASK(raise, &op);
	assert_int_equal(op.raised, 1);
	op.window[0].seen = 500;
	op.window[0].known = 400;
	ASK(raise, &op);
	assert_int_equal(op.raised + op.lowered, 0);
	op.window[0].known = 900;
	op.window[0].window_start -= 86400000000;
	ASK(raise, &op);
	assert_int_equal(op.raised, 0);
	assert_int_equal(counted().window[0].settled, 500);
	op.id = "nobody";
	ASK(raise, &op);
	assert_true(op.absent);
}

static void seed_provisional(const char *user)
{
	struct limits_birth birth = {.kind = ACCOUNT_USER, .tenant = "acme", .id = user};
	struct limits_seed seed = {
		.expected = redis_bench_expected(&bench, user), .profile = &bench.profile, .provisional = true};

	DECIDE(birth, &birth);
	memcpy(seed.generation, birth.generation, sizeof(seed.generation));
	seed.now_us = birth.op.now_us;
	DECIDE(seed, &seed);
	assert_int_equal(seed.op.status, LIMITS_OK);
}

static struct outbox_counters counted_of(const char *user)
{
	struct outbox_counters op = {.kind = ACCOUNT_USER, .tenant = "acme", .id = user};

	ASK(counters, &op);
	return op;
}

/* One request was settled between reading and writing, and the ledger already had it. */
static struct outbox_counters adopt_while_it_moves(const char *user)
{
	struct limits_check check;
	struct limits_settle use = {.tenant = "acme",
		.user = user,
		.request_id = "m1",
		.count = 1,
		.expected[0] = redis_bench_expected(&bench, user),
		.final = true};
	struct limits_adopt adopt = {
		.expected = redis_bench_expected(&bench, user), .count = 1, .limit[0].known = 7, .even_if_moved = true};

	make_info("m1");
	redis_bench_check(&bench, &check, user, "m1");
	check.info = use.info = (const uint8_t *)info.data;
	check.info_len = use.info_len = info.len;
	DECIDE(check, &check);
	assert_int_equal(check.op.status, LIMITS_UNSEEDED);
	adopt.limit[0].id = check.op.unseeded[0].limit[0].id;
	check.provisional_ok = true;
	DECIDE(check, &check);
	DECIDE(record, &use);
	assert_int_equal(use.op.status, LIMITS_OK);
	DECIDE(adopt, &adopt);
	assert_int_equal(adopt.op.status, LIMITS_OK);
	return counted_of(user);
}

WITH_BENCH(what_was_seeded_while_it_moved_is_lowered_once)
{
	struct outbox_raise op = {.kind = ACCOUNT_USER, .tenant = "acme", .id = "bea", .count = 1};
	struct outbox_counters now;

	seed_provisional("bea");
	now = adopt_while_it_moves("bea");
	assert_true(now.high);
	assert_int_equal(now.window[0].settled, 8);
	op.window[0].limit_id = now.window[0].limit_id;
	op.window[0].window_start = now.window[0].window_start;
	op.window[0].seen = op.window[0].known = 7;
	ASK(raise, &op);
	assert_int_equal(op.lowered, 0); /* something was settled since */
	assert_true(counted_of("bea").high);
	op.window[0].seen = 8;
	ASK(raise, &op);
	assert_int_equal(op.lowered, 1);
	now = counted_of("bea");
	assert_false(now.high);
	assert_int_equal(now.window[0].settled, 7);
	op.window[0].seen = 7;
	op.window[0].known = 6;
	ASK(raise, &op);
	assert_int_equal(op.lowered, 0);
}

WITH_BENCH(a_reset_is_an_entry_and_counts_once)
{
	struct limits_reset op = {.request_id = "z1", .expected = redis_bench_expected(&bench, "ann")};
	struct outbox_drain drain;
	struct entry entry;

	hold("r1", 60000000);
	settle("r1");
	make_info("z1");
	op.info = (const uint8_t *)info.data;
	op.info_len = info.len;
	DECIDE(reset, &op);
	assert_int_equal(op.op.status, LIMITS_OK);
	assert_int_equal(op.lost[0], 1);
	DECIDE(reset, &op);
	assert_int_equal(op.op.status, LIMITS_REPEAT);
	assert_int_equal(op.lost[0], 1);
	assert_int_equal(counted().window[0].settled, 0);
	drain = drained();
	assert_int_equal(drain.count, 2);
	entry_of(&drain, 1, &entry);
	assert_int_equal(entry.kind, ENTRY_RESET);
	assert_int_equal(entry.lost[0].used, 1);
}

/* A record expires once nothing in it counts any more, and a marker when its window has ended. */
WITH_BENCH(what_is_no_longer_needed_has_a_time_to_live)
{
	struct buf key = {0};
	redisReply *reply;

	hold("r1", 60000000);
	buf_putf(&key, "b:{p%d}:q:acme/ann/r1", partition());
	reply = redisCommand(bench.direct, "PTTL %s", buf_str(&key));
	assert_int_equal(reply->integer, -1);
	freeReplyObject(reply);
	settle("r1");
	reply = redisCommand(bench.direct, "PTTL %s", buf_str(&key));
	assert_in_range(reply->integer, 800000, 900000);
	freeReplyObject(reply);
	buf_reset(&key);
	buf_putf(&key, "b:{p%d}:a:u:acme/ann", partition());
	reply = redisCommand(bench.direct, "PTTL %s", buf_str(&key));
	assert_true(reply->integer > 600000);
	freeReplyObject(reply);
	buf_release(&key);
}
