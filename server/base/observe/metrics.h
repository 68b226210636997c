/* What this process counts about itself; shown at /metrics in the Prometheus text format. */
#ifndef BURSAR_BASE_OBSERVE_METRICS_H
#define BURSAR_BASE_OBSERVE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The label sets: V(set, NAME, "shown"). They are bounded, and all their cells exist from the start. A row here creates
 * the enumerator METRIC_<SET>_<NAME>. The last value of each set collects everything out of range.
 */
#define METRIC_SET_NONE(V) V(NONE, NONE, "")
#define METRIC_SET_DECISION(V) V(DECISION, ALLOWED, "allowed") V(DECISION, DENIED, "denied") V(DECISION, ERROR, "error")
#define METRIC_SET_REASON(V) \
	V(REASON, NONE, "none") \
	V(REASON, SUSPENDED, "suspended") \
	V(REASON, QUOTA, "quota") \
	V(REASON, BUDGET, "budget") \
	V(REASON, REQUEST_RATE, "request_rate") \
	V(REASON, TOKEN_RATE, "token_rate") \
	V(REASON, COST_RATE, "cost_rate") \
	V(REASON, CONCURRENCY, "concurrency") \
	V(REASON, OTHER, "other")
#define METRIC_SET_CERTAINTY(V) \
	V(CERTAINTY, LOCAL, "local") \
	V(CERTAINTY, BLIND, "blind") V(CERTAINTY, CLOSED, "closed") V(CERTAINTY, PROVISIONAL, "provisional")
#define METRIC_SET_RECORD(V) \
	V(RECORD, SETTLED, "settled") \
	V(RECORD, ATTEMPT, "attempt") \
	V(RECORD, REPEATED, "repeated") \
	V(RECORD, LATE, "late") \
	V(RECORD, UNRESERVED, "unreserved") \
	V(RECORD, REFUSED, "refused")
#define METRIC_SET_ACQUIRED(V) \
	V(ACQUIRED, AT_ONCE, "at_once") \
	V(ACQUIRED, WAITED, "waited") \
	V(ACQUIRED, AGAIN, "again") \
	V(ACQUIRED, REFUSED, "refused") \
	V(ACQUIRED, TIMED_OUT, "timed_out") \
	V(ACQUIRED, LOST, "lease_lost")
/* In the order of enum pool_why. */
#define METRIC_SET_WHY(V) \
	V(WHY, OTHER, "other") \
	V(WHY, OWN_CAP, "own_cap") \
	V(WHY, LEVEL_SHARE, "level_share") \
	V(WHY, LEARNING, "learning") \
	V(WHY, RESIZE, "resize") \
	V(WHY, PAUSED, "paused") \
	V(WHY, PARKED, "parked")
#define METRIC_SET_REDIS_ERROR(V) \
	V(REDIS_ERROR, DEADLINE, "deadline") \
	V(REDIS_ERROR, LOST, "lost") \
	V(REDIS_ERROR, BREAKER, "breaker") \
	V(REDIS_ERROR, REFUSED, "refused")
/* In the order of enum quality (service/request/check.h), after "none" for no answer. */
#define METRIC_SET_QUALITY(V) \
	V(QUALITY, NONE, "none") \
	V(QUALITY, EXACT, "exact") \
	V(QUALITY, LOCAL, "local") \
	V(QUALITY, BLIND, "blind") \
	V(QUALITY, PROVISIONAL, "provisional") \
	V(QUALITY, REMEMBERED, "remembered") \
	V(QUALITY, OTHER, "other")
/* The loop of the ledger role, then those of the workers: METRIC_LOOP_0 + index. */
#define METRIC_SET_LOOP(V) \
	V(LOOP, LEDGER, "ledger") \
	V(LOOP, 0, "0") \
	V(LOOP, 1, "1") \
	V(LOOP, 2, "2") \
	V(LOOP, 3, "3") \
	V(LOOP, 4, "4") \
	V(LOOP, 5, "5") \
	V(LOOP, 6, "6") \
	V(LOOP, 7, "7") \
	V(LOOP, 8, "8") \
	V(LOOP, 9, "9") \
	V(LOOP, 10, "10") \
	V(LOOP, 11, "11") \
	V(LOOP, 12, "12") \
	V(LOOP, 13, "13") \
	V(LOOP, 14, "14") V(LOOP, 15, "15") V(LOOP, OTHER, "other")
#define METRIC_SET_SPANS_LOST(V) V(SPANS_LOST, FULL, "full") V(SPANS_LOST, UNSENT, "unsent")
#define METRIC_SET_DROPPED(V) V(DROPPED, LATE, "late") V(DROPPED, ROOM, "room")
/* In the order of enum alert_kind (domain/alert/alert.h), from THRESHOLD on; of enum alert_severity; of enum alert_channel_kind. */
#define METRIC_SET_ALERT(V) \
	V(ALERT, THRESHOLD, "threshold") \
	V(ALERT, PROJECTED, "projected") \
	V(ALERT, ANOMALY, "anomaly") \
	V(ALERT, DENIAL, "denial") \
	V(ALERT, SUSPENDED, "suspended") \
	V(ALERT, TIER, "tier") \
	V(ALERT, STARVING, "starving") \
	V(ALERT, LEDGER_LAG, "ledger_lag") \
	V(ALERT, DRIFT, "drift") \
	V(ALERT, PRICES_OLD, "prices_old") \
	V(ALERT, UNPRICED, "unpriced") \
	V(ALERT, KEY_ENDS, "key_ends") \
	V(ALERT, OTHER, "other")
#define METRIC_SET_SEVERITY(V) \
	V(SEVERITY, INFO, "info") V(SEVERITY, WARNING, "warning") V(SEVERITY, CRITICAL, "critical")
#define METRIC_SET_CHANNEL(V) \
	V(CHANNEL, WEBHOOK, "webhook") \
	V(CHANNEL, EMAIL, "email") \
	V(CHANNEL, SLACK, "slack") \
	V(CHANNEL, DISCORD, "discord") \
	V(CHANNEL, TEAMS, "teams") \
	V(CHANNEL, TELEGRAM, "telegram") \
	V(CHANNEL, COMMAND, "command") \
	V(CHANNEL, OTHER, "other")
/* In the order of enum deliver_outcome (store/deliver.h). */
#define METRIC_SET_OUTCOME(V) \
	V(OUTCOME, DELIVERED, "delivered") \
	V(OUTCOME, RETRY, "retry") V(OUTCOME, DEAD, "dead") V(OUTCOME, ABORTED, "aborted")
#define METRIC_SET_CODE(V) \
	V(CODE, OK, "OK") \
	V(CODE, CANCELLED, "CANCELLED") \
	V(CODE, UNKNOWN, "UNKNOWN") \
	V(CODE, INVALID_ARGUMENT, "INVALID_ARGUMENT") \
	V(CODE, DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED") \
	V(CODE, NOT_FOUND, "NOT_FOUND") \
	V(CODE, ALREADY_EXISTS, "ALREADY_EXISTS") \
	V(CODE, PERMISSION_DENIED, "PERMISSION_DENIED") \
	V(CODE, RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED") \
	V(CODE, FAILED_PRECONDITION, "FAILED_PRECONDITION") \
	V(CODE, ABORTED, "ABORTED") \
	V(CODE, OUT_OF_RANGE, "OUT_OF_RANGE") \
	V(CODE, UNIMPLEMENTED, "UNIMPLEMENTED") \
	V(CODE, INTERNAL, "INTERNAL") \
	V(CODE, UNAVAILABLE, "UNAVAILABLE") \
	V(CODE, DATA_LOSS, "DATA_LOSS") \
	V(CODE, UNAUTHENTICATED, "UNAUTHENTICATED")

/* S(set, "label"). The sets whose values are named at run time follow below. */
#define METRIC_LABEL_SETS(S) \
	S(NONE, "") \
	S(DECISION, "decision") \
	S(REASON, "reason") \
	S(CERTAINTY, "certainty") \
	S(RECORD, "result") \
	S(ACQUIRED, "result") \
	S(WHY, "why") \
	S(REDIS_ERROR, "cause") \
	S(QUALITY, "quality") \
	S(LOOP, "loop") \
	S(SPANS_LOST, "why") \
	S(DROPPED, "why") \
	S(ALERT, "kind") \
	S(SEVERITY, "severity") \
	S(CHANNEL, "channel_kind") \
	S(OUTCOME, "outcome") \
	S(CODE, "code")

/*
 * The sets METHOD, TIER and INTERFACE, which are named at run time but bounded all the same: names that do not fit
 * share the last value, "other".
 */
enum { METRIC_METHOD_MAX = 96, METRIC_TIER_MAX = 32, METRIC_INTERFACE_MAX = 16 };
/* The first value of TIER and INTERFACE: there is no tier, or no interface. */
enum { METRIC_TIER_NONE, METRIC_INTERFACE_NONE = 0 };

#define METRIC_LABEL_ENUM_(set, name, text) METRIC_##set##_##name,
#define METRIC_SET_ENUM_(set, label) enum { METRIC_SET_##set(METRIC_LABEL_ENUM_) METRIC_##set##_COUNT };
METRIC_LABEL_SETS(METRIC_SET_ENUM_)
#undef METRIC_SET_ENUM_
#undef METRIC_LABEL_ENUM_
enum {
	METRIC_METHOD_COUNT = METRIC_METHOD_MAX,
	METRIC_TIER_COUNT = METRIC_TIER_MAX,
	METRIC_INTERFACE_COUNT = METRIC_INTERFACE_MAX,
};

enum metric {
#define METRIC(name, type, a, b, help) METRIC_##name,
#include "base/observe/metrics.def"
#undef METRIC
	METRIC_COUNT,
};

/*
 * Where the values of each metric are in a thread's shard: from its first cell on, as many for each pair of labels as
 * its type takes. It is here so that the compiler knows the cell, and counting costs a few instructions.
 */
enum { METRIC_BUCKETS = 17 };
enum {
	METRIC_CELLS_COUNTER = 1,
	METRIC_CELLS_GAUGE = 1,
	METRIC_CELLS_SECONDS = 1,
	METRIC_CELLS_TIME = METRIC_BUCKETS + 1,
	METRIC_CELLS_SIZE = METRIC_BUCKETS + 1,
};
enum {
#define METRIC(name, type, a, b, help) \
	METRIC_FIRST_##name, \
		METRIC_LAST_##name = \
			METRIC_FIRST_##name + METRIC_##a##_COUNT * METRIC_##b##_COUNT * METRIC_CELLS_##type - 1,
#include "base/observe/metrics.def"
#undef METRIC
	METRIC_CELL_COUNT,
};
struct metric_place {
	unsigned first, counts[2], cells;
};
static const struct metric_place metric_places[] = {
#define METRIC(name, type, a, b, help) \
	{METRIC_FIRST_##name, {METRIC_##a##_COUNT, METRIC_##b##_COUNT}, METRIC_CELLS_##type},
#include "base/observe/metrics.def"
#undef METRIC
};

/* The cells of this thread; NULL until metric_shard_open has made them. */
extern _Thread_local _Atomic int64_t *metric_own;
void metric_shard_open(void);

static inline unsigned metric_cell(enum metric metric, unsigned a, unsigned b)
{
	const struct metric_place *place = &metric_places[metric];

	if (a >= place->counts[0])
		a = place->counts[0] - 1;
	if (b >= place->counts[1])
		b = place->counts[1] - 1;
	return place->first + (a * place->counts[1] + b) * place->cells;
}

/* Plain loads and stores, atomic only for the sake of threads that print. */
static inline void metric_cell_add(unsigned cell, int64_t n)
{
	if (!metric_own)
		metric_shard_open();
	atomic_store_explicit(&metric_own[cell], atomic_load_explicit(&metric_own[cell], memory_order_relaxed) + n,
		memory_order_relaxed);
}

/*
 * `a` and `b` are values of the metric's label sets, 0 where it has none. Thread-safe; takes no lock and allocates only
 * on a thread's first call. metric_add is for counters, and for gauges that several threads raise and lower.
 */
static inline void metric_add(enum metric metric, unsigned a, unsigned b, int64_t n)
{
	metric_cell_add(metric_cell(metric, a, b), n);
}

static inline void metric_inc(enum metric metric, unsigned a, unsigned b)
{
	metric_add(metric, a, b, 1);
}

/* Sets a gauge; of several threads the last wins. Do not combine it with metric_add on the same gauge. */
void metric_set(enum metric metric, unsigned a, unsigned b, int64_t value);

/* Adds one observation to a histogram: microseconds for TIME, a count for SIZE. */
void metric_observe(enum metric metric, unsigned a, unsigned b, int64_t value);

/* The sum over all threads: a counter's or gauge's value, a histogram's number of observations. */
int64_t metric_value(enum metric metric, unsigned a, unsigned b);

/* Names the next value of the METHOD set and returns it; `name` is borrowed forever. The same name gets the same value. */
unsigned metrics_method(const char *name);

/*
 * The value of the TIER set for a tier of this name, which admins choose. The first names keep their values as long as
 * the process runs, because counters must not change their labels. Takes a lock: call it when tiers are loaded.
 */
unsigned metrics_tier(const char *name);

/* Names the values of the INTERFACE set: comma-separated. Once, before other threads start. */
void metrics_interfaces(const char *names);

/* The value of the INTERFACE set for what a caller sent, which never becomes a label by itself. Takes no lock. */
unsigned metrics_interface(const char *name);

/* Appends a label's value with what Prometheus wants escaped. */
void metrics_put_label(struct buf *out, const char *text);

/* Appends all metrics in the Prometheus text format, version 0.0.4. Rows with label sets show only non-zero cells. */
void metrics_print(struct buf *out);

#endif
