/* One set of stores per loop: each worker of the gRPC server has one, and so have the roles in the background. */
#include "wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/health/health.h"
#include "background.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/observe/process.h"
#include "ops/loop_time.h"
#include "pg/link/migrate.h"
#include "pg/stores.h"
#include "redis/stores.h"
#include "rpc/timers.h"
#include "service/worker/alert_log.h"
#include "service/worker/key_log.h"
#include "service/pool/pool.h"
#include "service/pool/board.h"
#include "service/worker/shared.h"
#include "service/events/events.h"
#include "service/watch/watch.h"
#include "service/request/publish.h"
#include "service/worker/worker.h"
#include "service/cache/zones.h"

enum { LOOK_MS = 250, LOOKUP_THREADS = 2 };
/* How long goodbye messages may stay in flight. Losing one only delays its waiters by a few seconds. */
enum { GOODBYE_MS = 100, LAST_WRITE_MS = 10 };
/* How long to wait for debts to Redis to be paid, at most the drain time; the rest ends with its reservations. */
#define OWED_US INT64_C(2000000)

/* The stores and parts of one loop. */
struct bench {
	struct limits_store *limits;
	struct pools_store *pools; /* gRPC workers only; NULL in the background, where there is no manager either */
	struct watch_store *watch; /* likewise */
	struct changes_store *changes; /* likewise; NULL if no denials are to be remembered */
	struct outbox_store *outbox; /* in the background only */
	struct accounts_store *accounts;
	struct admin_store *admin;
	struct timers *timers;
	struct worker *worker;
	struct pool_rounds *rounds; /* on one loop of the process only */
	unsigned loop; /* the loop's value in the label set LOOP */
	struct loop_time time;
	uv_timer_t look; /* updates `ready` from the links, which only this loop may ask */
	atomic_bool ready;
	pthread_mutex_t lock; /* protects `why` */
	struct err why; /* the reason for not being ready */
	bool open;
	int64_t owed_until_us; /* clock_mono_us: closes then, even if something is still owed to Redis */
};

struct wire {
	const struct conf *conf;
	char name[96]; /* "host:pid", shown to watchers */
	struct pg_threads *threads; /* for administration and reports */
	struct pg_threads *lookup_threads; /* for a check's lookups, so that they never wait behind a report */
	struct catalog_source *catalog;
	unsigned workers;
	struct bench *benches; /* one for each worker, then that of the background */
	struct background *background; /* NULL: this process has none of its roles */
};

static void on_look(uv_timer_t *timer)
{
	struct bench *bench = timer->data;
	struct err why = {0};
	bool ready = redis_limits_ready(bench->limits, &why) &&
		     (!bench->pools || redis_pools_ready(bench->pools, &why)) &&
		     (!bench->outbox || redis_outbox_ready(bench->outbox, &why));

	pthread_mutex_lock(&bench->lock);
	bench->why = why;
	pthread_mutex_unlock(&bench->lock);
	atomic_store(&bench->ready, ready);
	if (bench->worker->manager)
		health_look(bench->worker);
	loop_time_look(&bench->time, bench->loop, LOOK_MS * 1000);
}

static struct redis_options redis_options_of(const struct wire *wire, uv_loop_t *loop)
{
	const struct conf *conf = wire->conf;

	return (struct redis_options){
		.loop = loop,
		.url = conf->redis,
		.tls_ca = conf->redis_tls_ca,
		.timeout_us = conf->redis_timeout_ms * 1000,
		.idempotency_window_us = conf->idempotency_window_s * 1000000,
		.expired_charge_estimate = conf->expired_charges == conf_expired_charges_estimate,
		.changes_ms = conf->denial_memory_ms,
	};
}

/* wire_start has already checked the URL, so opening cannot fail here. */
static void redis_open(struct bench *bench, const struct redis_options *options, bool serves)
{
	struct redis_options patient = *options;
	struct err err;

	patient.timeout_us = 0; /* the pools' own default: a caller that queues has time */
	bench->limits = redis_limits_new(options, &err);
	bench->pools = bench->limits && serves ? redis_pools_new(&patient, &err) : NULL;
	bench->watch = bench->pools ? redis_watch_new(&patient, bench->pools) : NULL;
	if (!bench->limits || (serves && !bench->pools)) {
		log_error("Redis cannot be used", F("why", err.text));
		abort();
	}
	bench->changes = serves && options->changes_ms ? redis_changes_new(options, bench->limits) : NULL;
}

static struct worker *bench_open(struct bench *bench, struct wire *wire, uv_loop_t *loop, struct pg_threads *lookups,
	struct pg_threads *threads, bool serves)
{
	struct redis_options options = redis_options_of(wire, loop);

	redis_open(bench, &options, serves);
	bench->accounts = pg_accounts_new(lookups, loop);
	bench->admin = pg_admin_new(threads, loop);
	bench->timers = loop_timers_new(loop);
	bench->worker = worker_new(&(struct worker_parts){
		.limits = bench->limits,
		.pools = bench->pools,
		.watch = bench->watch,
		.changes = bench->changes,
		.accounts = bench->accounts,
		.admin = bench->admin,
		.catalog = wire->catalog,
		.timers = bench->timers,
		.conf = wire->conf,
		.workers = wire->conf->live_workers ? (int)wire->conf->live_workers : (int)wire->workers,
		.owner = bench,
		.ready = wire_ready,
		.ready_arg = wire,
	});
	if (serves) {
		bench->worker->manager = manager_new(bench->worker, bench->pools);
		bench->worker->publisher = publisher_new(bench->worker, wire->name);
	}
	uv_timer_init(loop, &bench->look);
	bench->look.data = bench;
	uv_timer_start(&bench->look, on_look, 0, LOOK_MS);
	bench->open = true;
	return bench->worker;
}

static void stores_close(struct bench *bench)
{
	pool_rounds_stop(bench->rounds);
	bench->rounds = NULL;
	uv_close((uv_handle_t *)&bench->look, NULL);
	redis_pools_free(bench->pools);
	redis_watch_free(bench->watch);
	redis_changes_free(bench->changes);
	redis_limits_free(bench->limits);
	pg_accounts_free(bench->accounts);
	pg_admin_free(bench->admin);
	loop_timers_free(bench->timers);
	manager_free(bench->worker->manager);
	watch_hub_free(bench->worker->hub);
	event_hub_free(bench->worker->events);
	publisher_free(bench->worker->publisher);
	worker_free(bench->worker);
	bench->open = false;
}

/* Keeps the loop's stores alive until pending PostgreSQL writes have reported back to this loop. */
static void on_goodbye_said(uv_timer_t *timer)
{
	struct bench *bench = timer->data;

	bool owes = redis_limits_owed(bench->limits) > 0 && clock_mono_us() < bench->owed_until_us;

	if (key_log_stop(bench->worker->key_log) && alert_log_stop(bench->worker->alert_log) &&
		shared_stop(bench->worker->shared) && event_hub_stop(bench->worker->events) &&
		!bench->worker->epochs_asked && !owes)
		stores_close(bench);
	else
		uv_timer_start(timer, on_goodbye_said, LAST_WRITE_MS, 0);
}

/* The manager stops first, because it still needs its store. */
static void bench_close(struct bench *bench)
{
	int64_t drain_us = bench->worker->parts.conf->drain_ms * 1000;

	atomic_store(&bench->ready, false);
	bench->owed_until_us = clock_mono_us() + (drain_us < OWED_US ? drain_us : OWED_US);
	if (!bench->worker->manager) {
		stores_close(bench);
		return;
	}
	key_log_stop(bench->worker->key_log);
	alert_log_stop(bench->worker->alert_log);
	shared_stop(bench->worker->shared);
	manager_stop(bench->worker->manager);
	publisher_stop(bench->worker->publisher);
	uv_timer_start(&bench->look, on_goodbye_said, GOODBYE_MS, 0);
}

void *wire_worker_open(uv_loop_t *loop, unsigned index, void *arg)
{
	struct wire *wire = arg;
	struct bench *bench = &wire->benches[index];
	struct worker *worker = bench_open(bench, wire, loop, wire->lookup_threads, wire->threads, true);

	bench->loop = METRIC_LOOP_0 + index;
	if (index == 0)
		bench->rounds = pool_rounds_start(worker);
	return worker;
}

void wire_worker_close(void *arg)
{
	struct worker *worker = arg;
	bench_close(worker->parts.owner);
}

static struct worker *background_open(
	uv_loop_t *loop, struct outbox_store *outbox, struct pg_threads *threads, void *arg)
{
	struct wire *wire = arg;
	struct bench *bench = &wire->benches[wire->workers];

	bench->outbox = outbox;
	return bench_open(bench, wire, loop, threads, threads, false);
}

static void background_close(void *arg)
{
	struct wire *wire = arg;

	bench_close(&wire->benches[wire->workers]);
}

static bool roles_start(struct wire *wire, struct err *err)
{
	if (!(wire->conf->roles & (conf_roles_ledger | conf_roles_alerts)))
		return true;
	wire->background = background_start(
		&(struct background_options){
			.conf = wire->conf,
			.redis = redis_options_of(wire, NULL),
			.open = background_open,
			.close = background_close,
			.arg = wire,
		},
		err);
	return wire->background != NULL;
}

/* An unreachable database may come back later; a reachable one that this build cannot use is an error. */
static bool stores_check(const struct conf *conf, struct err *err)
{
	struct err why;

	if (!redis_check(conf->redis, conf->redis_tls_ca, &why)) {
		if (why.code != ERR_UNAVAILABLE) {
			*err = why;
			return false;
		}
		log_warn("Redis cannot be used yet", F("why", why.text));
	}
	if (migrate_check(conf->postgres, &why))
		return true;
	if (why.code != ERR_UNAVAILABLE && why.code != ERR_DEADLINE) {
		*err = why;
		return false;
	}
	log_warn("PostgreSQL does not answer yet", F("why", why.text));
	return true;
}

struct wire *wire_start(const struct conf *conf, unsigned workers, struct err *err)
{
	struct wire *wire;

	if (!stores_check(conf, err))
		return NULL;
	wire = mem_zalloc(1, sizeof(*wire));
	wire->conf = conf;
	wire->workers = workers;
	process_name(wire->name, sizeof(wire->name));
	wire->benches = mem_zalloc(workers + 1, sizeof(wire->benches[0]));
	for (unsigned i = 0; i <= workers; i++)
		pthread_mutex_init(&wire->benches[i].lock, NULL);
	wire->threads = pg_threads_new(conf->postgres, (int)conf->pg_threads, err);
	wire->lookup_threads = wire->threads ? pg_threads_new(conf->postgres, LOOKUP_THREADS, err) : NULL;
	wire->catalog =
		wire->lookup_threads ? pg_catalog_start(conf->postgres, (int)conf->max_concurrent_agents, err) : NULL;
	if (wire->catalog && roles_start(wire, err))
		return wire;
	wire_stop(wire);
	return NULL;
}

void wire_stop(struct wire *wire)
{
	if (!wire)
		return;
	if (wire->background)
		background_stop(wire->background);
	if (wire->catalog)
		pg_catalog_stop(wire->catalog);
	background_free(wire->background);
	pg_threads_free(wire->lookup_threads);
	pg_threads_free(wire->threads);
	free(wire->benches);
	free(wire);
}

bool wire_probe_redis(struct buf *reason, void *arg)
{
	struct wire *wire = arg;

	for (unsigned i = 0; i < wire->workers + (wire->background ? 1 : 0); i++) {
		struct bench *bench = &wire->benches[i];

		if (atomic_load(&bench->ready))
			continue;
		pthread_mutex_lock(&bench->lock);
		buf_put_str(reason, bench->why.code ? bench->why.text : "redis: has not answered yet");
		pthread_mutex_unlock(&bench->lock);
		return false;
	}
	return true;
}

bool wire_probe_postgres(struct buf *reason, void *arg)
{
	struct wire *wire = arg;
	bool healthy = pg_catalog_healthy(wire->catalog);

	if (!healthy)
		buf_put_str(reason, "PostgreSQL did not answer the last probe; checks go on, records wait in Redis");
	return healthy && catalog_source_generation(wire->catalog) > 0;
}

bool wire_ready(void *arg)
{
	struct buf reason = {0};
	bool ready = wire_probe_redis(&reason, arg) && wire_probe_postgres(&reason, arg);

	buf_release(&reason);
	return ready;
}

void wire_look(void)
{
	zones_look();
}
