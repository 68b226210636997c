/* Messages of alerts in a PostgreSQL of the test's own (alert_bench.h). */
#include "alert_bench.h"

#include <stdio.h>

struct alerts_store *alerts;

int alert_bench_open(void **state)
{
	pg_bench_open(state);
	alerts = pg_alerts_new(bench.threads, &bench.loop);
	return 0;
}

int alert_bench_close(void **state)
{
	pg_alerts_free(alerts);
	return pg_bench_close(state);
}

void run_sql(const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_true(pg_server_exec(bench.db, text));
}

void put_channel(const char *name, const char *more)
{
	run_sql("INSERT INTO alert_channels (tenant, name, kind, target, rate_per_minute, prompt, secret) VALUES ('acme', '%s', 1, "
		"'https://example.org', 6000, true, '{\"secrets\": [\"whsec_a\", \"whsec_b\"]}')",
		name);
	if (more[0])
		run_sql("UPDATE alert_channels SET %s WHERE name = '%s'", more, name);
}

void put_events(const char *name, int first, int last, int severity)
{
	run_sql("INSERT INTO alert_events (id, at, tenant, rule, kind, severity, account_kind, account) SELECT i, " NOW_SQL
		", 'acme', 'limits', 1, %d, 1, 'ann' FROM generate_series(%d, %d) i",
		severity, first, last);
	run_sql("INSERT INTO alert_pending (tenant, channel, event, not_before) SELECT 'acme', '%s', i, " NOW_SQL
		" FROM generate_series(%d, %d) i",
		name, first, last);
}

static void op_done(struct alerts_op *op)
{
	if (!op->ok)
		print_message("%s\n", op->err.text);
	bench.waiting--;
}

static struct alerts_claim run_claim(int64_t now_us, int limit, struct alert_lanes lanes)
{
	struct alerts_claim op = {
		.op = {.arena = &bench.arena, .done = op_done},
		.limit = limit,
		.lanes = lanes,
		.now_us = now_us,
		.claim_us = CLAIM_US,
		.give_up_us = DAY_US,
	};

	bench.waiting++;
	alerts->ops->claim(alerts, &op);
	pg_bench_run();
	assert_true(op.op.ok);
	return op;
}

struct alerts_claim claim_at(int64_t now_us, int limit)
{
	return run_claim(now_us, limit, (struct alert_lanes){0});
}

struct alerts_claim claim_beside(int64_t now_us, const struct alert_lanes *lanes)
{
	return run_claim(now_us, ALERT_LANES - lanes->used, *lanes);
}

struct alerts_finish finish_of(
	const struct alerts_claim *claim, int i, int64_t now_us, enum alerts_fate what, int64_t pause_us)
{
	return (struct alerts_finish){
		.op = {.arena = &bench.arena, .done = op_done},
		.id = claim->message[i].id,
		.claimed_until_us = claim->now_us + claim->claim_us,
		.now_us = now_us,
		.took_us = SECOND_US,
		.status = what == FINISH_DELIVERED ? 204 : 503,
		.error = what == FINISH_DELIVERED ? "" : "HTTP 503",
		.what = what,
		.pause_us = pause_us,
	};
}

void run_finish(struct alerts_finish *op)
{
	bench.waiting++;
	alerts->ops->finish(alerts, op);
	pg_bench_run();
	assert_true(op->op.ok);
}

void delivered(const struct alerts_claim *claim, int i)
{
	struct alerts_finish op = finish_of(claim, i, claim->now_us + SECOND_US, FINISH_DELIVERED, 0);

	run_finish(&op);
}

void failed(const struct alerts_claim *claim, int i, int64_t pause_us)
{
	struct alerts_finish op = finish_of(claim, i, claim->now_us + SECOND_US, FINISH_LATER, pause_us);

	run_finish(&op);
}
