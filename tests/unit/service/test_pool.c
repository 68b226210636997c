/*
 * The pool manager on fake stores: what callers are told and what is given back, whatever the store answers and when.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fake_pools.h"
#include "fakes.h"
#include "lib/test.h"
#include "service/pool/private.h"

#define SECOND INT64_C(1000000)
#define NOW_US (INT64_C(1700000000) * SECOND)

struct bench {
	struct fake fake;
	struct fake_pools pools;
	struct pool_manager *manager;
	void (*wait_start)(struct timers *timers, struct wait *wait, int64_t delay_us);
	struct wait *turn; /* the manager's timer, which fires when the test says so */
	struct admin_store admin;
	struct pool_open *opening; /* the epoch requested from PostgreSQL */
};

struct caller {
	struct acquisition acquisition;
	int queued, granted, draining, ended;
};

static struct bench *bench;
static const struct pool_fence FENCE = {7, 9};

static void start_wait(struct timers *timers, struct wait *wait, int64_t delay_us)
{
	if (delay_us == TURN_US)
		bench->turn = wait;
	else
		bench->wait_start(timers, wait, delay_us);
}

static void pool_opens(struct admin_store *store, struct pool_open *op)
{
	(void)store;
	bench->opening = op;
}

static int setup(void **state)
{
	static const struct admin_store_ops ops = {.pool_open = pool_opens};

	(void)state;
	bench = mem_zalloc(1, sizeof(*bench));
	fake_init(&bench->fake);
	fake_pools_init(&bench->pools);
	bench->wait_start = bench->fake.timers.start;
	bench->fake.timers.start = start_wait;
	bench->admin.ops = &ops;
	bench->fake.worker->parts.admin = &bench->admin;
	bench->fake.worker->parts.pools = &bench->pools.store;
	bench->manager = manager_new(bench->fake.worker, &bench->pools.store);
	return 0;
}

/* Drops everything still open, as when a server stops while its store is away. */
static int teardown(void **state)
{
	struct pool_op *op;

	(void)state;
	manager_stop(bench->manager);
	while ((op = fake_pools_pending(&bench->pools, CALL_ANY)))
		fake_pools_answer(&bench->pools, op, POOL_FAILED);
	fake_run(&bench->fake);
	manager_free(bench->manager);
	fake_release(&bench->fake);
	free(bench);
	return 0;
}

static void turn(void)
{
	struct wait *wait = bench->turn;

	assert_non_null(wait);
	bench->turn = NULL;
	wait->due(wait);
}

static void on_event(struct acquisition *acquisition, enum acquire_event event)
{
	struct caller *caller = container_of(acquisition, struct caller, acquisition);

	caller->queued += event == ACQUIRE_QUEUED;
	caller->granted += event == ACQUIRE_GRANTED;
	caller->draining += event == ACQUIRE_DRAINING;
}

static void on_ended(struct acquisition *acquisition)
{
	container_of(acquisition, struct caller, acquisition)->ended++;
	check_release(&acquisition->check);
}

/* Ann asks for a slot; her check has not been answered yet. */
static struct caller *asks(const char *request_id)
{
	struct caller *caller = arena_zalloc(&bench->fake.arena, 1, sizeof(*caller));

	caller->acquisition = (struct acquisition){
		.check.question = fake_question("ann", request_id, 1000, 500),
		.pool = "",
		.seats = 1,
		.mode = LEASE_STREAM,
		.event = on_event,
		.ended = on_ended,
	};
	acquire_start(&caller->acquisition, bench->manager, &bench->fake.arena);
	return caller;
}

/* Her limits allow it, so the pool is asked. */
static struct caller *admitted(const char *request_id)
{
	struct caller *caller = asks(request_id);

	fake_run(&bench->fake);
	assert_non_null(fake_pools_pending(&bench->pools, CALL_ACQUIRE));
	return caller;
}

static struct pool_acquire *question(void)
{
	struct pool_op *op = fake_pools_pending(&bench->pools, CALL_ACQUIRE);

	assert_non_null(op);
	op->now_us = NOW_US;
	return container_of(op, struct pool_acquire, op);
}

/* The pool answers that the caller waits. */
static void queues(struct caller *caller)
{
	struct pool_acquire *op = question();

	op->position = 3;
	op->enqueued_at_us = NOW_US;
	op->wait_until_us = NOW_US + 300 * SECOND;
	fake_pools_answer(&bench->pools, &op->op, POOL_QUEUED);
	assert_int_equal(caller->queued, 1);
}

static struct caller *waits(const char *request_id)
{
	struct caller *caller = admitted(request_id);

	queues(caller);
	return caller;
}

static struct caller *holds(const char *request_id, int64_t lease_us)
{
	struct caller *caller = admitted(request_id);
	struct pool_acquire *op = question();

	op->fence = FENCE;
	op->enqueued_at_us = NOW_US;
	op->expires_at_us = NOW_US + lease_us;
	fake_pools_answer(&bench->pools, &op->op, POOL_GRANTED);
	assert_int_equal(caller->granted, 1);
	return caller;
}

static void answer(enum pools_call call, enum pool_status status)
{
	struct pool_op *op = fake_pools_pending(&bench->pools, call);

	assert_non_null(op);
	op->now_us = NOW_US;
	fake_pools_answer(&bench->pools, op, status);
	fake_run(&bench->fake);
}

/* RESERVATION_NONE: as if the request had never existed. */
static enum reservation_state reservation(const char *request_id)
{
	for (int i = 0; i < bench->fake.markers; i++)
		if (strcmp(bench->fake.marker[i].request_id, request_id) == 0)
			return bench->fake.marker[i].reservation.state;
	return RESERVATION_NONE;
}

#define WITH_WAITERS(name) TEST_WITH(name, setup, teardown)

WITH_WAITERS(a_hint_is_acknowledged_before_the_caller_hears_of_it)
{
	struct caller *caller = waits("r1");
	struct pool_renew *renew;

	fake_pools_hint(&bench->pools, "ann", "r1", FENCE);
	assert_int_equal(caller->granted, 0);
	renew = container_of(fake_pools_pending(&bench->pools, CALL_RENEW), struct pool_renew, op);
	assert_int_equal(renew->count, 1);
	assert_int_equal(renew->item[0].grant.fence.fence, FENCE.fence);
	renew->item[0].status = POOL_OK;
	renew->item[0].expires_at_us = NOW_US + 30 * SECOND;
	answer(CALL_RENEW, POOL_OK);
	assert_int_equal(caller->granted, 1);
	assert_non_null(caller->acquisition.lease);
	acquire_close(&caller->acquisition);
	assert_int_equal(caller->ended, 1);
	answer(CALL_RELEASE, POOL_OK);
	assert_int_equal(reservation("r1"), RESERVATION_OPEN); /* it stays open, to be recorded */
}

WITH_WAITERS(a_grant_lost_before_its_acknowledgement_is_asked_for_again)
{
	struct caller *caller = waits("r1");
	struct pool_renew *renew;

	fake_pools_hint(&bench->pools, "ann", "r1", FENCE);
	renew = container_of(fake_pools_pending(&bench->pools, CALL_RENEW), struct pool_renew, op);
	renew->item[0].status = POOL_UNKNOWN;
	answer(CALL_RENEW, POOL_OK);
	assert_int_equal(caller->granted, 0);
	assert_int_equal(caller->ended, 0);
	assert_non_null(fake_pools_pending(&bench->pools, CALL_ACQUIRE));
	acquire_close(&caller->acquisition);
}

WITH_WAITERS(a_pool_that_does_not_answer_is_asked_again_and_the_reservation_stays)
{
	struct caller *caller = admitted("r1");

	answer(CALL_ACQUIRE, POOL_FAILED);
	assert_int_equal(caller->ended, 0);
	assert_int_equal(reservation("r1"), RESERVATION_OPEN);
	caller->acquisition.state->again_at_us = 1;
	turn();
	assert_int_equal(bench->pools.made[CALL_ACQUIRE], 2);
	queues(caller);
	acquire_close(&caller->acquisition);
}

WITH_WAITERS(a_pool_that_never_answers_leaves_the_request_to_come_again)
{
	struct caller *caller = admitted("r1");

	caller->acquisition.state->give_up_us = 1;
	answer(CALL_ACQUIRE, POOL_FAILED);
	assert_int_equal(caller->ended, 1);
	assert_int_equal(caller->acquisition.flow.err.code, ERR_UNAVAILABLE);
	assert_int_equal(reservation("r1"), RESERVATION_OPEN);
	assert_int_equal(bench->pools.made[CALL_CANCEL], 0);
}

WITH_WAITERS(a_caller_who_leaves_while_the_pool_is_away_is_removed_and_the_reservation_returned)
{
	struct caller *caller = admitted("r1");

	acquire_close(&caller->acquisition);
	assert_int_equal(caller->ended, 1);
	answer(CALL_ACQUIRE, POOL_FAILED);
	answer(CALL_CANCEL, POOL_UNKNOWN);
	assert_int_equal(reservation("r1"), RESERVATION_NONE);
}

/* Redis may be away for the cancel too: the store then cancels later, and must know for which check. */
WITH_WAITERS(what_a_waiter_leaves_is_owed_to_the_store)
{
	struct caller *caller = admitted("r1");

	acquire_close(&caller->acquisition);
	answer(CALL_ACQUIRE, POOL_FAILED);
	answer(CALL_CANCEL, POOL_UNKNOWN);
	assert_true(bench->fake.owed > 0);
	assert_int_equal(bench->fake.owed, caller->acquisition.check.op.nonce);
}

WITH_WAITERS(a_release_that_is_not_answered_is_repeated)
{
	struct caller *caller = holds("r1", 30 * SECOND);
	struct acquire_state *it = caller->acquisition.state;

	acquire_close(&caller->acquisition);
	answer(CALL_RELEASE, POOL_FAILED);
	it->again_at_us = 1;
	turn();
	assert_int_equal(bench->pools.made[CALL_RELEASE], 2);
	answer(CALL_RELEASE, POOL_OK);
	assert_int_equal(reservation("r1"), RESERVATION_OPEN);
}

WITH_WAITERS(a_hint_of_a_request_that_nobody_here_has_ends_nothing)
{
	struct caller *caller = waits("r1");

	fake_pools_hint(&bench->pools, "ann", "r0", FENCE);
	fake_pools_hint(&bench->pools, "ben", "r1", FENCE);
	assert_int_equal(bench->pools.made[CALL_CANCEL] + bench->pools.made[CALL_RELEASE], 0);
	assert_int_equal(bench->pools.made[CALL_RENEW], 0);
	acquire_close(&caller->acquisition);
}

WITH_WAITERS(a_server_that_stops_during_the_check_says_so_after_it)
{
	struct caller *caller = asks("r1");

	acquire_drain(&caller->acquisition);
	assert_int_equal(caller->ended, 0);
	fake_run(&bench->fake);
	assert_int_equal(caller->ended, 1);
	assert_string_equal(caller->acquisition.flow.err.reason, "DRAINING");
	assert_int_equal(bench->pools.made[CALL_ACQUIRE], 0);
	assert_int_equal(reservation("r1"), RESERVATION_OPEN); /* the caller comes again with the same id */
}

WITH_WAITERS(a_caller_who_leaves_during_the_check_gets_the_reservation_back)
{
	struct caller *caller = asks("r1");

	acquire_close(&caller->acquisition);
	fake_run(&bench->fake);
	assert_int_equal(caller->ended, 1);
	assert_int_equal(bench->pools.made[CALL_ACQUIRE], 0);
	assert_int_equal(reservation("r1"), RESERVATION_NONE);
}

WITH_WAITERS(a_second_stream_that_leaves_during_its_check_does_not_touch_the_first)
{
	struct caller *first = waits("r1");
	struct caller *second = asks("r1");

	acquire_close(&second->acquisition);
	fake_run(&bench->fake);
	assert_int_equal(second->ended, 1);
	assert_int_equal(first->ended, 0);
	assert_int_equal(reservation("r1"), RESERVATION_OPEN);
	acquire_close(&first->acquisition);
}

WITH_WAITERS(a_second_stream_takes_the_request_over)
{
	struct caller *first = waits("r1");
	struct caller *second = admitted("r1");

	assert_int_equal(first->ended, 1);
	assert_string_equal(first->acquisition.flow.err.reason, "TAKEN_OVER");
	assert_int_equal(bench->pools.made[CALL_CANCEL], 0);
	acquire_close(&second->acquisition);
}

WITH_WAITERS(a_caller_who_returns_while_their_place_is_given_up_keeps_the_reservation)
{
	struct caller *first = waits("r1");
	struct caller *second;

	acquire_close(&first->acquisition);
	second = admitted("r1");
	answer(CALL_CANCEL, POOL_OK);
	assert_int_equal(reservation("r1"), RESERVATION_OPEN);
	queues(second);
	acquire_close(&second->acquisition);
}

WITH_WAITERS(a_refused_caller_may_come_again_with_the_same_id)
{
	struct caller *caller = admitted("r1");

	question()->shed = SHED_PREDICTED;
	question()->retry_after_us = 70 * SECOND;
	answer(CALL_ACQUIRE, POOL_SHED);
	assert_int_equal(caller->ended, 1);
	assert_int_equal(caller->acquisition.flow.err.code, ERR_EXHAUSTED);
	assert_int_equal(caller->acquisition.flow.err.retry_after_us, 70 * SECOND);
	assert_int_equal(reservation("r1"), RESERVATION_NONE);
	caller = waits("r1");
	acquire_close(&caller->acquisition);
}

WITH_WAITERS(a_lease_is_believed_in_for_as_long_as_the_store_said_and_less)
{
	struct caller *caller = holds("r1", 8 * SECOND);
	const struct acquire_state *it = caller->acquisition.state;

	assert_int_equal(it->lease_until_us - it->asked_us, 6 * SECOND);
	assert_int_equal(it->renew_at_us - it->asked_us, 8 * SECOND / 3);
	acquire_close(&caller->acquisition);
}

WITH_WAITERS(a_holder_whose_lease_cannot_be_renewed_is_told_in_time)
{
	struct caller *caller = holds("r1", 1); /* already expired when it arrives */

	turn();
	assert_int_equal(caller->ended, 1);
	assert_int_equal(caller->acquisition.flow.err.code, ERR_ABORTED);
	assert_string_equal(caller->acquisition.flow.err.reason, "LEASE_LOST");
}

WITH_WAITERS(a_reservation_is_renewed_and_given_back_at_once)
{
	struct caller *caller = waits("r1");
	struct acquire_state *it = caller->acquisition.state;

	it->reservation_until_us = 1;
	turn();
	assert_true(it->under_way & OPERATION_RENEW);
	acquire_close(&caller->acquisition);
	fake_pools_answer(&bench->pools, fake_pools_pending(&bench->pools, CALL_CANCEL), POOL_OK);
	assert_int_equal(it->under_way, OPERATION_RENEW | OPERATION_CANCEL);
	fake_run(&bench->fake);
	assert_int_equal(reservation("r1"), RESERVATION_NONE);
}

WITH_WAITERS(a_waiter_is_answered_when_their_time_is_up)
{
	struct caller *caller = waits("r1");

	caller->acquisition.state->wait_until_us = 1;
	turn();
	assert_int_equal(caller->ended, 1);
	assert_string_equal(caller->acquisition.flow.err.reason, "WAIT_MAX");
	assert_true(caller->acquisition.flow.err.retry_after_us >= SECOND);
	answer(CALL_CANCEL, POOL_OK);
	assert_int_equal(reservation("r1"), RESERVATION_NONE);
}

/* The store answers whether it needs an epoch. */
static void epoch_answer(enum pool_want want, uint32_t known, const char *claim)
{
	struct pool_op *op = fake_pools_pending(&bench->pools, CALL_EPOCH);
	struct pool_epoch *epoch;

	assert_non_null(op);
	epoch = container_of(op, struct pool_epoch, op);
	epoch->want = want;
	epoch->epoch = known;
	epoch->claim_now = claim;
	answer(CALL_EPOCH, POOL_OK);
}

static void postgresql_answers(bool ok, uint32_t epoch, bool first)
{
	struct pool_open *op = bench->opening;

	assert_non_null(op);
	assert_int_equal(bench->fake.worker->epochs_asked, 1);
	bench->opening = NULL;
	op->job.ok = ok;
	op->epoch = epoch;
	op->first = first;
	if (!ok)
		err_set(&op->job.err, ERR_UNAVAILABLE, "PostgreSQL is away");
	op->job.done(&op->job);
	assert_int_equal(bench->fake.worker->epochs_asked, 0);
}

/* The pool that the caller asks is not there: it is configured, and an epoch above the known one is asked for. */
static void no_pool_is_found(uint32_t known)
{
	answer(CALL_ACQUIRE, POOL_ABSENT);
	answer(CALL_CONFIGURE, POOL_OK);
	epoch_answer(EPOCH_NEEDED, known, "run:birth");
}

WITH_WAITERS(a_caller_who_finds_no_pool_fetches_an_epoch_before_asking_again)
{
	struct caller *caller = admitted("r1");
	struct pool_epoch *given;

	no_pool_is_found(41);
	assert_string_equal(bench->opening->claim, "run:birth");
	assert_int_equal(bench->opening->known, 41);
	postgresql_answers(true, 42, true);
	given = container_of(fake_pools_pending(&bench->pools, CALL_EPOCH), struct pool_epoch, op);
	assert_string_equal(given->claim, "run:birth");
	assert_true(given->epoch == 42 && given->first);
	epoch_answer(EPOCH_KEPT, 42, "run:birth");
	question()->fence = FENCE;
	answer(CALL_ACQUIRE, POOL_GRANTED);
	assert_int_equal(caller->granted, 1);
}

WITH_WAITERS(without_postgresql_the_caller_waits_and_the_epoch_is_fetched_later)
{
	struct caller *caller = admitted("r1");

	no_pool_is_found(0);
	postgresql_answers(false, 0, false);
	question()->why = WHY_LEARNING;
	queues(caller);
	epoch_answer(EPOCH_NEEDED, 0, "run:birth");
	postgresql_answers(true, 1, false);
	epoch_answer(EPOCH_KEPT, 1, "run:birth");
	assert_null(fake_pools_pending(&bench->pools, CALL_EPOCH));
}

WITH_WAITERS(a_caller_who_leaves_while_an_epoch_is_fetched_is_let_go)
{
	struct caller *caller = admitted("r1");

	no_pool_is_found(0);
	acquire_close(&caller->acquisition);
	assert_int_equal(caller->ended, 1);
	postgresql_answers(true, 1, true);
	epoch_answer(EPOCH_KEPT, 1, "run:birth");
	answer(CALL_ACQUIRE, POOL_QUEUED);
	answer(CALL_CANCEL, POOL_OK);
	assert_int_equal(reservation("r1"), RESERVATION_NONE);
}
