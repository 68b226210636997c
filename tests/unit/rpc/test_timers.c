/* Waits on a libuv loop. */
#include "lib/test.h"

#include <uv.h>

#include "base/list.h"
#include "rpc/timers.h"

/* A wait that begins itself again, without a pause, until it has been due `left` times. */
struct again {
	struct wait wait;
	struct timers *timers;
	int left;
	int turns_before; /* of the loop, when it was last begun */
};

static int turns;

static void on_turn(uv_prepare_t *prepare)
{
	(void)prepare;
	turns++;
}

static void again_due(struct wait *wait)
{
	struct again *again = container_of(wait, struct again, wait);

	assert_true(again->left == 3 || turns > again->turns_before);
	if (--again->left == 0)
		return;
	again->turns_before = turns;
	again->timers->start(again->timers, &again->wait, 0);
}

static void never_due(struct wait *wait)
{
	(void)wait;
	fail_msg("a cancelled wait was due");
}

TEST(a_cancelled_wait_is_never_due_and_the_others_are)
{
	uv_loop_t loop;
	struct again again = {.wait.due = again_due, .left = 1, .turns_before = -1};
	struct wait first = {.due = never_due}, last = {.due = never_due}, unstarted = {.due = never_due};
	struct timers *timers;

	assert_int_equal(uv_loop_init(&loop), 0);
	timers = loop_timers_new(&loop);
	again.timers = timers;
	timers->start(timers, &first, 0);
	timers->start(timers, &again.wait, 1000);
	timers->start(timers, &last, 2000);
	timers->cancel(timers, &first);
	timers->cancel(timers, &last);
	timers->cancel(timers, &unstarted);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(again.left, 0);
	timers->cancel(timers, &again.wait);
	loop_timers_free(timers);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* So that whatever it does in portions lets others have their turn. */
TEST(a_wait_of_no_time_that_begins_in_another_one_is_due_in_a_later_turn)
{
	uv_loop_t loop;
	uv_prepare_t prepare;
	struct again again = {.wait.due = again_due, .left = 3};

	assert_int_equal(uv_loop_init(&loop), 0);
	uv_prepare_init(&loop, &prepare);
	uv_prepare_start(&prepare, on_turn);
	uv_unref((uv_handle_t *)&prepare);
	again.timers = loop_timers_new(&loop);
	again.timers->start(again.timers, &again.wait, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(again.left, 0);
	uv_close((uv_handle_t *)&prepare, NULL);
	loop_timers_free(again.timers);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}
