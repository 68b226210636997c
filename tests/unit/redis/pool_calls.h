/* Calls of the pool's functions on the test's Redis, and the parts of their answers that tests look at. */
#ifndef TESTS_POOL_CALLS_H
#define TESTS_POOL_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/pool.h"
#include "lib/test.h"
#include "store/pools.h"

/* The settings for the next calls_configure; calls_open sets those of pool_settings_default. */
extern struct pool_settings calls_settings;
/* The bytes of the last answer after status and time. */
extern struct buf calls_answer;
extern int64_t calls_now; /* ms: the time in the answer */

/* An empty Redis with the test's library, its clock at 1,000,000 ms; no pool yet. */
void calls_open(int slots);
void calls_close(void);

void calls_step(int64_t ms);
void calls_run_id(const char *id);

/* These return the status. `worker` is "" if a call has none. */
int calls_configure(void);
/* A state that is made needs an epoch then; calls_configure gives it one, as its first ever. */
int calls_configure_new(const char *birth);
/*
 * Asks whether an epoch is needed (enum pool_want). Sets calls_claim to the claim and calls_known to the greatest
 * epoch.
 */
int calls_want(void);
extern char calls_claim[128];
extern uint32_t calls_known;
/* Gives an epoch; returns what is needed then. */
int calls_epoch(const char *claim, uint32_t epoch, bool first);
/* Deletes all keys of the pool. */
void calls_wipe(void);
/* Overwrites the stored number of the last grant. */
void calls_store_fence(uint32_t fence);
/* Rewrites the state as an earlier version of Bursar would have written it. */
void calls_store_form(uint8_t form);
int calls_acquire(const char *worker, const char *user, const char *id, int priority, int cap, int seats);
int calls_acquire_within(
	const char *worker, const char *user, const char *id, int priority, int cap, int seats, uint32_t wait_ms);
int calls_release(const char *worker, const char *user, const char *id, struct pool_fence fence, bool only_mine);
int calls_cancel(const char *worker, const char *user, const char *id, int outcome, bool only_mine);
/* The code of the one renewal. */
int calls_renew(const char *worker, const char *user, const char *id, struct pool_fence fence);
/* The code of the one place. */
int calls_sync(const char *worker, const char *user, const char *id, bool goodbye);
int calls_tick(void);
int calls_resume(void);
/* With lists of up to 10 rows; `user` is "" for everybody's. */
int calls_stats(const char *user);

/* An integer in the answer. */
uint64_t calls_uint(size_t at, size_t bytes);
/* For answers like GRANTED or DONE: the fence at that offset. */
struct pool_fence calls_fence(size_t at);
/* What the answer's tail at that offset grants: "user/id user/id"; static. */
const char *calls_tail(size_t at);
/* Listen as that worker; the next message it got, after the pool's names: a tail as in calls_tail; static. */
void calls_listen(const char *worker);
const char *calls_heard(void);
/* The fence of a request as stored. */
struct pool_fence calls_stored_fence(const char *user, const char *id);
/* The requests with a lease, in order of expiry: "user/id user/id"; static. */
const char *calls_leases(void);

/* What most tests begin and end with, and do. The worker that asks is ME. */
#define ME "000000000000000a"
int calls_setup(void **state);
int calls_teardown(void **state);
#define WITH_CALLS(name) TEST_WITH(name, calls_setup, calls_teardown)
void calls_configure_ok(void);
int calls_ask(const char *user, int priority);

#endif
