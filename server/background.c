/* Each role has PostgreSQL threads of its own: an evaluation never waits for a batch of the ledger, nor the other way round. */
#include "background.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/observe/log.h"
#include "deliver/deliver.h"
#include "domain/alert/lanes.h"
#include "service/alerts/role.h"
#include "service/ledger/role.h"

/* SEND_MS: when the process stops, what is being sent has so long to end; a destination that does not answer must not hold it up. */
enum { ROLE_THREADS = 2, SEND_MS = 3000 };

struct background {
	struct background_options options;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	uv_timer_t overdue;
	struct pg_threads *ledger_threads, *alerts_threads;
	struct outbox_store *outbox;
	struct ledger_store *ledger; /* of both: it has the leases */
	struct alerts_store *alerts;
	struct deliverer *deliverer;
	struct ledger_role *ledger_role; /* NULL: the process does not have it */
	struct alerts_role *alerts_role; /* likewise */
	int roles; /* running */
};

static void on_stop_closed(uv_handle_t *handle)
{
	struct background *background = handle->data;

	deliver_free(background->deliverer);
	redis_outbox_free(background->outbox);
	pg_ledger_free(background->ledger);
	pg_alerts_free(background->alerts);
	background->options.close(background->options.arg);
}

/* Often called from within a store's last callback, so the stores are closed later, from the loop. */
static void on_role_stopped(void *arg)
{
	struct background *background = arg;

	if (--background->roles > 0)
		return;
	uv_close((uv_handle_t *)&background->overdue, NULL);
	uv_close((uv_handle_t *)&background->stop, on_stop_closed);
}

static void on_overdue(uv_timer_t *handle)
{
	struct background *background = handle->data;

	deliver_abort(background->deliverer);
}

static void on_stop(uv_async_t *handle)
{
	struct background *background = handle->data;

	if (background->ledger_role)
		ledger_role_stop(background->ledger_role, on_role_stopped, background);
	if (background->alerts_role) {
		uv_timer_start(&background->overdue, on_overdue, SEND_MS, 0);
		alerts_role_stop(background->alerts_role, on_role_stopped, background);
	}
}

static void *run(void *arg)
{
	struct background *background = arg;

	uv_run(&background->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&background->loop) != 0)
		log_error("the loop of the roles ended with open handles");
	return NULL;
}

static void ledger_start(struct background *background, struct worker *worker)
{
	background->roles++;
	background->ledger_role = ledger_role_start(&(struct ledger_role_options){
		.worker = worker, .outbox = background->outbox, .ledger = background->ledger});
}

static void alerts_start(struct background *background, struct worker *worker)
{
	background->alerts = pg_alerts_new(background->alerts_threads, &background->loop);
	background->roles++;
	background->alerts_role = alerts_role_start(&(struct alerts_role_options){
		.worker = worker,
		.outbox = background->outbox,
		.ledger = background->ledger,
		.alerts = background->alerts,
		.deliverer = background->deliverer,
	});
}

/* What an option can make impossible. */
static bool parts_open(struct background *background, struct err *err)
{
	const struct conf *conf = background->options.conf;
	struct redis_options redis = background->options.redis;

	redis.loop = &background->loop;
	redis.timeout_us = 0; /* the outbox's own default: nobody waits for it */
	background->ledger_threads = pg_threads_new(conf->postgres, ROLE_THREADS, err);
	background->alerts_threads =
		background->ledger_threads ? pg_threads_new(conf->postgres, ROLE_THREADS, err) : NULL;
	if (!background->alerts_threads)
		return false;
	if (conf->roles & conf_roles_alerts)
		background->deliverer = deliver_new(conf, &background->loop, ALERT_LANES, err);
	if ((conf->roles & conf_roles_alerts) && !background->deliverer)
		return false;
	background->outbox = redis_outbox_new(&redis, err);
	return background->outbox != NULL;
}

struct background *background_start(const struct background_options *options, struct err *err)
{
	struct background *background = mem_zalloc(1, sizeof(*background));
	struct worker *worker;

	background->options = *options;
	if (uv_loop_init(&background->loop) != 0 || uv_async_init(&background->loop, &background->stop, on_stop) != 0 ||
		uv_timer_init(&background->loop, &background->overdue) != 0)
		mem_exhausted(sizeof(background->loop));
	background->stop.data = background->overdue.data = background;
	if (!parts_open(background, err)) {
		background_free(background);
		return NULL;
	}
	background->ledger = pg_ledger_new(background->ledger_threads, &background->loop);
	worker = options->open(&background->loop, background->outbox, background->ledger_threads, options->arg);
	if (options->conf->roles & conf_roles_ledger)
		ledger_start(background, worker);
	if (options->conf->roles & conf_roles_alerts)
		alerts_start(background, worker);
	if (pthread_create(&background->thread, NULL, run, background) != 0)
		abort();
	pthread_setname_np(background->thread, "bursar-roles");
	return background;
}

void background_stop(struct background *background)
{
	uv_async_send(&background->stop);
	pthread_join(background->thread, NULL);
}

void background_free(struct background *background)
{
	if (!background)
		return;
	pg_threads_free(background->alerts_threads);
	pg_threads_free(background->ledger_threads);
	free(background);
}
