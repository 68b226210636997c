/* The base of a test of messages of alerts: the bench of PostgreSQL with the alerts store, channels, pending events, claims and their ends. */
#ifndef TESTS_ALERT_BENCH_H
#define TESTS_ALERT_BENCH_H

#include "base/units.h"
#include "pg_bench.h"
#include "pg_server.h"
#include "store/alerts.h"

#define NOW INT64_C(1795435200000000) /* 2026-11-23 12:00 UTC */
#define NOW_SQL "timestamptz '2026-11-23 12:00 UTC'"
#define CLAIM_US (15 * SECOND_US)

/* For the current test. */
extern struct alerts_store *alerts;

int alert_bench_open(void **state);
int alert_bench_close(void **state);
#define ON_ALERTS(name) TEST_WITH(name, alert_bench_open, alert_bench_close)

void run_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define ask(...) pg_server_ask(bench.db, __VA_ARGS__)
#define ask_number(...) pg_server_ask_number(bench.db, __VA_ARGS__)

/* A channel that answers at once, and whose rate is no limit to these tests; `more` sets other columns. */
void put_channel(const char *name, const char *more);
/* Events with the ids first..last, pending for the channel from NOW on. */
void put_events(const char *name, int first, int last, int severity);

struct alerts_claim claim_at(int64_t now_us, int limit);
/* The same beside lanes in use. */
struct alerts_claim claim_beside(int64_t now_us, const struct alert_lanes *lanes);

/* What became of a message of the claim: an attempt that took a second. */
struct alerts_finish finish_of(
	const struct alerts_claim *claim, int i, int64_t now_us, enum alerts_fate what, int64_t pause_us);
void run_finish(struct alerts_finish *op);
/* The same at once, a second after the claim. */
void delivered(const struct alerts_claim *claim, int i);
void failed(const struct alerts_claim *claim, int i, int64_t pause_us);

#endif
