/*
 * Threads with a connection to PostgreSQL each. A job runs from top to bottom on one of them and blocks; its callback
 * runs on the loop that submitted it.
 *
 * Why threads and not libpq's asynchronous calls on the worker's loop: PostgreSQL is the cold path (a lookup before an
 * account's first decision, administration, the ledger). Blocking code reads in the order in which things happen,
 * transactions with several answers included, and nothing a worker does at speed waits for it.
 *
 * What comes out works through a transaction pooler: no session locks, no named statements, no LISTEN, and settings of
 * the session only as `SET LOCAL`.
 */
#ifndef BURSAR_PG_LINK_THREADS_H
#define BURSAR_PG_LINK_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/list.h"

struct pg_link; /* a connection on its thread: pg/link/link.h */
struct pg_threads;
struct pg_inbox; /* where finished jobs arrive on a loop */

/* `threads` connections (1..64) to `conninfo` (libpq's), opened when the first jobs come. ERR_INVALID when conninfo cannot
 * be read. PostgreSQL need not be there. */
struct pg_threads *pg_threads_new(const char *conninfo, int threads, struct err *err);

/* Jobs that wait fail with ERR_UNAVAILABLE, those that run are broken off; joins the threads. The callbacks still come
 * on their loops. Free the pool before the inboxes. */
void pg_threads_free(struct pg_threads *threads);

/* On the loop's thread. pg_inbox_free closes its handle and frees when the loop runs next; no job of it may be open. */
struct pg_inbox *pg_inbox_new(uv_loop_t *loop);
void pg_inbox_free(struct pg_inbox *inbox);

/* Embedded by the caller, alive until `done`, which comes once, on the inbox's loop, never before submit has returned. */
struct pg_job {
	/* On a thread of the pool. False: the link's transaction, if any, is rolled back by the pool. Where the connection turns out
	 * to be gone before the first answer it runs again (pg_link_run in pg/link/link.h), so it makes its answers from the start. */
	bool (*run)(struct pg_job *job, struct pg_link *link, struct err *err);
	void (*done)(struct pg_job *job);
	int64_t deadline_us; /* clock_mono_us; 0 = 30 s from now. Waiting, connecting and running end by it. */
	bool repeatable; /* to do it twice is to do it once: it only reads, or a key decides */
	bool ok;
	struct err err; /* ERR_UNAVAILABLE: PostgreSQL is away; ERR_DEADLINE; else what run said */
	struct list queue;
	struct pg_inbox *inbox;
};
void pg_threads_submit(struct pg_threads *threads, struct pg_inbox *inbox, struct pg_job *job);

#endif
