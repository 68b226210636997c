/* The roles that serve no callers, ledger and alerts: on one thread with a loop of their own. */
#ifndef BURSAR_BACKGROUND_H
#define BURSAR_BACKGROUND_H

#include <uv.h>

#include "pg/stores.h"
#include "redis/stores.h"
#include "service/worker/worker.h"

struct background_options {
	const struct conf *conf; /* its roles: at least one of the two */
	struct redis_options redis; /* without a loop */
	/* Opens and closes the other stores of the loop, and the worker that the roles share. On the loop's thread, or before it runs. */
	struct worker *(*open)(uv_loop_t *loop, struct outbox_store *outbox, struct pg_threads *threads, void *arg);
	void (*close)(void *arg);
	void *arg;
};

/* Starts the roles and their thread. NULL with `err` set; the process is to end then. */
struct background *background_start(const struct background_options *options, struct err *err);
/* Ends the roles, closes the stores and joins the thread. What is in flight is finished first. */
void background_stop(struct background *background);
/* Frees it; the stores of the options' `open` are gone by then. NULL is fine. */
void background_free(struct background *background);

#endif
