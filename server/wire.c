/* One set of stores per loop: each worker of the gRPC server has one, and so has the ledger role on its own thread. */
#include "wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/health/health.h"
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
#include "service/worker/key_log.h"
#include "service/ledger/role.h"
#include "service/pool/pool.h"
#include "service/pool/board.h"
#include "service/worker/shared.h"
#include "service/watch/watch.h"
#include "service/request/publish.h"
#include "service/worker/worker.h"
#include "service/cache/zones.h"

enum { LOOK_MS = 100, LOOKUP_THREADS = 2 };
/* How long goodbye messages may stay in flight. Losing one only delays its waiters by a few seconds. */
enum { GOODBYE_MS = 100, LAST_WRITE_MS = 10 };
/* How long to wait for debts to Redis to be paid, at most the drain time; the rest ends with its reservations. */
#define OWED_US INT64_C(2000000)

/* The stores and parts of one loop. */
struct bench {
	struct limits_store *limits;
	struct pools_store *pools; /* gRPC workers only; NULL for the ledger role, which has no manager either */
	struct watch_store *watch; /* likewise */
	struct changes_store *changes; /* likewise; NULL if no denials are to be remembered */
	struct outbox_store *outbox; /* the ledger role only */
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
	struct pg_threads *ledger_threads; /* for the ledger role */
	struct catalog_source *catalog;
	unsigned workers;
	struct bench *benches; /* one for each worker, then the ledger role's */

	/* The ledger role's thread. */
	pthread_t thread;
	bool threaded;
	uv_loop_t loop;
	uv_async_t stop;
	struct outbox_store *outbox;
	struct ledger_store *ledger;
	struct ledger_role *role;
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
	publisher_free(bench->worker->publisher);
	worker_free(bench->worker);
	bench->open = false;
}

/* Keeps the loop's stores alive until pending PostgreSQL writes have reported back to this loop. */
static void on_goodbye_said(uv_timer_t *timer)
{
	struct bench *bench = timer->data;

	bool owes = redis_limits_owed(bench->limits) > 0 && clock_mono_us() < bench->owed_until_us;

	if (key_log_stop(bench->worker->key_log) && shared_stop(bench->worker->shared) &&
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

static void on_stop_closed(uv_handle_t *handle)
{
	struct wire *wire = handle->data;

	redis_outbox_free(wire->outbox);
	pg_ledger_free(wire->ledger);
	bench_close(&wire->benches[wire->workers]);
}

/* Often called from within a store's last callback, so the stores are closed later, from the loop. */
static void on_role_stopped(void *arg)
{
	struct wire *wire = arg;

	uv_close((uv_handle_t *)&wire->stop, on_stop_closed);
}

static void on_stop(uv_async_t *handle)
{
	struct wire *wire = handle->data;

	ledger_role_stop(wire->role, on_role_stopped, wire);
}

static void *ledger_run(void *arg)
{
	struct wire *wire = arg;

	uv_run(&wire->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&wire->loop) != 0)
		log_error("the ledger role's loop ended with open handles");
	return NULL;
}

static bool ledger_start(struct wire *wire, struct err *err)
{
	struct redis_options options = redis_options_of(wire, &wire->loop);

	options.timeout_us = 0; /* the outbox's own default: nobody waits for it */
	wire->ledger_threads = pg_threads_new(wire->conf->postgres, 2, err);
	if (!wire->ledger_threads)
		return false;
	if (uv_loop_init(&wire->loop) != 0 || uv_async_init(&wire->loop, &wire->stop, on_stop) != 0)
		mem_exhausted(sizeof(wire->loop));
	wire->stop.data = wire;
	wire->outbox = redis_outbox_new(&options, err);
	if (!wire->outbox)
		return false;
	wire->benches[wire->workers].outbox = wire->outbox;
	wire->ledger = pg_ledger_new(wire->ledger_threads, &wire->loop);
	wire->role = ledger_role_start(&(struct ledger_role_options){
		.worker = bench_open(&wire->benches[wire->workers], wire, &wire->loop, wire->ledger_threads,
			wire->ledger_threads, false),
		.outbox = wire->outbox,
		.ledger = wire->ledger,
	});
	wire->threaded = pthread_create(&wire->thread, NULL, ledger_run, wire) == 0;
	if (!wire->threaded)
		return err_set(err, ERR_INTERNAL, "cannot start a thread for the ledger role");
	pthread_setname_np(wire->thread, "bursar-ledger");
	return true;
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
	if (wire->catalog && (!(conf->roles & conf_roles_ledger) || ledger_start(wire, err)))
		return wire;
	wire_stop(wire);
	return NULL;
}

void wire_stop(struct wire *wire)
{
	if (!wire)
		return;
	if (wire->threaded) {
		uv_async_send(&wire->stop);
		pthread_join(wire->thread, NULL);
	}
	if (wire->catalog)
		pg_catalog_stop(wire->catalog);
	pg_threads_free(wire->ledger_threads);
	pg_threads_free(wire->lookup_threads);
	pg_threads_free(wire->threads);
	free(wire->benches);
	free(wire);
}

bool wire_probe_redis(struct buf *reason, void *arg)
{
	struct wire *wire = arg;

	for (unsigned i = 0; i < wire->workers + (wire->threaded ? 1 : 0); i++) {
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
