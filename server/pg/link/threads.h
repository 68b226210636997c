/*
 * Threads that each have a connection to PostgreSQL. A job runs on one of them from start to end and may block; its
 * callback runs on the loop that submitted it.
 *
 * Threads are used instead of libpq's asynchronous calls on the worker's loop because PostgreSQL is the cold path (the
 * lookup before an account's first decision, administration, the ledger). Blocking code reads in the order in which
 * things happen, even in transactions with several answers, and nothing on a worker's fast path waits for it.
 *
 * Everything works through a transaction pooler: there are no session locks, no named statements and no LISTEN, and
 * session settings use `SET LOCAL` only.
 */
#ifndef BURSAR_PG_LINK_THREADS_H
#define BURSAR_PG_LINK_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/list.h"
#include "base/observe/spans.h"

struct pg_link; /* a connection on its thread: pg/link/link.h */
struct pg_threads;
struct pg_inbox; /* delivers finished jobs to a loop */

/*
 * `threads` connections (1..64) to `conninfo` (libpq's), opened when the first jobs arrive. ERR_INVALID when conninfo
 * is malformed. PostgreSQL need not be available.
 */
struct pg_threads *pg_threads_new(const char *conninfo, int threads, struct err *err);

/*
 * Fails waiting jobs with ERR_UNAVAILABLE, aborts running ones and joins the threads. The callbacks still run on their
 * loops. Call it before freeing the inboxes.
 */
void pg_threads_free(struct pg_threads *self);

/* To be called on the loop's thread. pg_inbox_free frees when the loop next runs; no job of the inbox may be open. */
struct pg_inbox *pg_inbox_new(uv_loop_t *loop);
void pg_inbox_free(struct pg_inbox *inbox);

/* Embedded by the caller; must live until `done` has run: once, on the inbox's loop, after submit has returned. */
struct pg_job {
	/*
	 * Runs on one of the threads. When it returns false, an open transaction of the link is rolled back. It runs
	 * again if the connection turns out to be gone before the first answer (pg_link_run in pg/link/link.h), so it
	 * must build its results from scratch.
	 */
	bool (*run)(struct pg_job *job, struct pg_link *link, struct err *err);
	void (*done)(struct pg_job *job);
	int64_t deadline_us; /* clock_mono_us; 0 = 30 s from now. Covers waiting, connecting and running. */
	bool repeatable; /* idempotent: it only reads, or its writes are keyed */
	bool ok;
	struct err err; /* ERR_UNAVAILABLE: PostgreSQL is away; ERR_DEADLINE; otherwise the error of `run` */
	struct list queue;
	struct pg_inbox *inbox;
	struct asked asked;
};
void pg_threads_submit(struct pg_threads *self, struct pg_inbox *inbox, struct pg_job *job);

#endif
