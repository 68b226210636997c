/* Epochs and fences of the pool's functions, in a Redis of the test's own: fences rise whatever Redis forgets. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "pool_calls.h"

/*
 * Neither the operator's command nor the end of learning replaces an epoch, because the earlier one may have been used.
 */
WITH_CALLS(nothing_is_granted_without_an_epoch)
{
	calls_settings.available = true;
	assert_int_equal(calls_configure_new("born"), POOL_OK);
	assert_int_equal(calls_ask("ann", 1), POOL_QUEUED);
	assert_int_equal(calls_uint(25, 1), WHY_LEARNING);
	assert_int_equal(calls_resume(), POOL_OK);
	calls_step(100000);
	assert_int_equal(calls_sync(ME, "ann", "1", false), POOL_QUEUED);
	assert_int_equal(calls_tick(), POOL_OK);
	assert_string_equal(calls_leases(), "");
	assert_int_equal(calls_stats(""), POOL_OK);
	assert_int_equal(calls_uint(4, 7), 1); /* callers see it as still learning */
	calls_want();
	assert_int_equal(calls_epoch(calls_claim, 7, false), EPOCH_KEPT);
	assert_string_equal(calls_leases(), "ann/1");
	assert_int_equal(calls_stored_fence("ann", "1").epoch, 7);
}

/* Two workers asked for an epoch: the smaller one, one for a state that is gone, and an unneeded one are not taken. */
WITH_CALLS(an_epoch_that_comes_late_is_not_taken)
{
	char first[128];

	assert_int_equal(calls_configure_new("born"), POOL_OK);
	calls_want();
	strcpy(first, calls_claim);
	assert_int_equal(calls_epoch("another", 7, true), EPOCH_NEEDED);
	assert_int_equal(calls_epoch(first, 0, true), EPOCH_NEEDED);
	assert_int_equal(calls_epoch(first, 7, true), EPOCH_KEPT);
	assert_int_equal(calls_epoch(first, 8, true), EPOCH_KEPT);
	assert_int_equal(calls_known, 7);
	calls_run_id("two");
	assert_int_equal(calls_epoch(first, 8, true), EPOCH_NEEDED);
	assert_string_not_equal(calls_claim, first);
	assert_int_equal(calls_epoch(calls_claim, 7, true), EPOCH_NEEDED);
	assert_int_equal(calls_epoch(calls_claim, 9, false), EPOCH_KEPT);
	calls_wipe();
	assert_int_equal(calls_configure_new("born again"), POOL_OK);
	assert_int_equal(calls_epoch(calls_claim, 10, false), EPOCH_NEEDED);
	assert_int_equal(calls_known, 0);
}

/* FLUSHALL within the same second, and a clock ten minutes behind: earlier fences are still smaller. */
WITH_CALLS(fences_rise_whatever_is_forgotten)
{
	struct pool_fence before, after;

	calls_configure_ok();
	calls_ask("ann", 1);
	before = calls_fence(0);
	calls_wipe();
	calls_step(-600000);
	assert_int_equal(calls_configure_new("again"), POOL_OK);
	calls_ask("bob", 1);
	calls_want();
	assert_int_equal(calls_epoch(calls_claim, before.epoch + 1, false), EPOCH_KEPT);
	assert_int_equal(calls_ask("bob", 1), POOL_QUEUED); /* it is learning: ann may still hold her slot */
	calls_step((calls_settings.lease_us + calls_settings.learn_margin_us) / 1000);
	assert_int_equal(calls_ask("bob", 1), POOL_GRANTED);
	after = calls_fence(0);
	assert_true(after.epoch > before.epoch);
}

/* The same process with an older copy of the data: a worker's own grant shows it; what a caller says proves nothing. */
WITH_CALLS(a_grant_from_the_future_shows_that_writes_were_lost)
{
	struct pool_fence granted;

	calls_configure_ok();
	calls_ask("ann", 1);
	granted = calls_fence(0);
	granted.fence++;
	assert_int_equal(calls_renew("", "bob", "1", granted), POOL_UNKNOWN);
	assert_int_equal(calls_want(), EPOCH_KEPT);
	assert_int_equal(calls_renew(ME, "bob", "1", calls_stored_fence("ann", "1")), POOL_UNKNOWN);
	assert_int_equal(calls_want(), EPOCH_KEPT);
	assert_int_equal(calls_renew(ME, "bob", "1", granted), POOL_LEARNING);
	assert_int_equal(calls_ask("cat", 1), POOL_QUEUED);
	assert_int_equal(calls_want(), EPOCH_NEEDED);
	assert_int_equal(calls_known, granted.epoch);
	granted.epoch += 5;
	assert_int_equal(calls_epoch(calls_claim, calls_known + 1, true), EPOCH_KEPT);
	assert_int_equal(
		calls_sync(ME, "cat", "1", false), POOL_QUEUED); /* the pool's first claim, and it is learning */
	assert_int_equal(calls_renew(ME, "bob", "1", granted), POOL_LEARNING);
	assert_int_equal(calls_want(), EPOCH_NEEDED);
	assert_int_equal(calls_known, granted.epoch);
}

WITH_CALLS(another_epoch_comes_before_the_numbers_run_out)
{
	struct pool_fence fence;

	calls_settings.slots = 8;
	calls_configure_ok();
	calls_ask("ann", 1);
	calls_store_fence(0x7fffffff);
	calls_ask("bob", 1);
	assert_int_equal(calls_want(), EPOCH_WANTED);
	assert_int_equal(calls_ask("cat", 1), POOL_GRANTED); /* in the meantime it goes on granting */
	calls_store_fence(0xfffffffd);
	assert_int_equal(calls_ask("dan", 1), POOL_GRANTED);
	assert_int_equal(calls_ask("eve", 1), POOL_GRANTED);
	fence = calls_fence(0);
	assert_int_equal(fence.fence, 0xffffffff);
	assert_int_equal(calls_ask("fay", 1), POOL_QUEUED);
	assert_int_equal(calls_want(), EPOCH_NEEDED);
	assert_int_equal(calls_epoch(calls_claim, fence.epoch + 1, false), EPOCH_KEPT);
	assert_string_equal(calls_leases(), "fay/1 ann/1 bob/1 cat/1 dan/1 eve/1");
	assert_int_equal(calls_stored_fence("fay", "1").epoch, fence.epoch + 1);
	assert_int_equal(calls_stored_fence("fay", "1").fence, 1);
}

/* Earlier versions made their epochs by the clock: PostgreSQL learns the latest one, and nobody waits for that. */
WITH_CALLS(the_state_of_an_earlier_version_goes_on_and_wants_an_epoch)
{
	calls_configure_ok();
	calls_store_form(1);
	assert_int_equal(calls_want(), EPOCH_WANTED);
	calls_store_form(1);
	assert_int_equal(calls_ask("ann", 1), POOL_GRANTED);
	assert_int_equal(calls_want(), EPOCH_WANTED);
	assert_int_equal(calls_epoch(calls_claim, calls_known + 1, false), EPOCH_KEPT);
	assert_int_equal(calls_ask("bob", 1), POOL_GRANTED);
	assert_true(calls_fence(0).epoch > calls_stored_fence("ann", "1").epoch);
}
