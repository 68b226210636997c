/* The pool's functions in a Redis of the test's own: cases for each function, status and rule of docs/pool-store.md. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "pool_calls.h"

#define OTHER "000000000000000b"
#define SECOND INT64_C(1000000)

enum { GRANTED_TAIL = 29, RELEASED_TAIL = 7, CANCELLED_TAIL = 1, GRANTED_DRAIN = 22 };

static void resize(int slots)
{
	calls_settings.gen++;
	calls_settings.slots = slots;
	calls_configure_ok();
}

static void release(const char *user)
{
	assert_int_equal(calls_release(ME, user, "1", calls_stored_fence(user, "1"), false), POOL_OK);
}

/* The pool has its two slots, which ann and bob hold. */
static void both_slots_taken(void)
{
	calls_configure_ok();
	calls_ask("ann", 1);
	calls_ask("bob", 1);
}

WITH_CALLS(a_pool_without_settings_is_absent)
{
	assert_int_equal(calls_ask("ann", 1), POOL_ABSENT);
	assert_int_equal(calls_tick(), POOL_ABSENT);
	assert_int_equal(calls_stats(""), POOL_ABSENT);
	assert_int_equal(calls_answer.len, 0);
}

WITH_CALLS(configure_takes_newer_settings_only)
{
	calls_configure_ok();
	assert_int_equal(calls_uint(4, 1), 1);
	assert_int_equal(calls_configure(), POOL_NOTHING);
	assert_int_equal(calls_uint(0, 4), 1);
	calls_settings.gen = 2;
	assert_int_equal(calls_ask("ann", 1), POOL_BEHIND);
	assert_int_equal(calls_tick(), POOL_BEHIND);
	calls_configure_ok();
	assert_int_equal(calls_uint(4, 1), 0);
	assert_int_equal(calls_ask("ann", 1), POOL_GRANTED);
}

WITH_CALLS(a_free_slot_is_granted_at_once)
{
	struct pool_fence first;

	calls_configure_ok();
	assert_int_equal(calls_ask("ann", 1), POOL_GRANTED);
	first = calls_fence(0);
	assert_int_equal(calls_uint(8, 7), 1000000 + calls_settings.lease_us / 1000);
	assert_string_equal(calls_tail(GRANTED_TAIL), "");
	assert_int_equal(calls_ask("ann", 1), POOL_GRANTED); /* repeated: the same lease */
	assert_int_equal(calls_fence(0).fence, first.fence);
	assert_int_equal(calls_ask("bob", 1), POOL_GRANTED);
	assert_true(calls_fence(0).fence > first.fence);
	assert_int_equal(calls_ask("cat", 1), POOL_QUEUED);
	assert_int_equal(calls_uint(0, 4), 1);
	assert_int_equal(calls_uint(25, 1), WHY_LEVEL_SHARE);
	assert_int_equal(calls_acquire(ME, "ann", "1", 1, 2, 2), POOL_CONFLICT);
}

WITH_CALLS(a_request_that_can_never_run_is_invalid)
{
	calls_configure_ok();
	assert_int_equal(calls_acquire(ME, "ann", "1", 1, 9, 3), POOL_INVALID);
	assert_int_equal(calls_uint(0, 1), 1);
	assert_int_equal(calls_acquire(ME, "ann", "1", 1, 1, 2), POOL_INVALID);
	assert_int_equal(calls_uint(0, 1), 2);
}

WITH_CALLS(the_call_that_frees_a_slot_assigns_it)
{
	struct pool_fence fence;

	both_slots_taken();
	calls_ask("cat", 1);
	fence = calls_stored_fence("ann", "1");
	calls_step(1500);
	assert_int_equal(
		calls_release(ME, "ann", "1", (struct pool_fence){fence.epoch, fence.fence + 7}, false), POOL_FENCED);
	assert_int_equal(calls_release(OTHER, "ann", "1", fence, true), POOL_MOVED);
	assert_int_equal(calls_release(ME, "zoe", "1", fence, false), POOL_UNKNOWN);
	assert_int_equal(calls_release(ME, "ann", "1", fence, false), POOL_OK);
	assert_int_equal(calls_uint(0, 7), 1500);
	assert_string_equal(calls_tail(RELEASED_TAIL), "cat/1");
	assert_int_equal(calls_release(ME, "ann", "1", fence, false), POOL_REPEAT);
	assert_int_equal(calls_ask("ann", 1), POOL_DONE);
	assert_int_equal(calls_uint(0, 1), OUTCOME_RELEASED);
	assert_int_equal(calls_renew(ME, "ann", "1", fence), POOL_DONE);
	assert_int_equal(calls_sync(ME, "cat", "1", false), POOL_GRANTED);
	fence = calls_stored_fence("cat", "1");
	assert_int_equal(calls_renew(OTHER, "cat", "1", fence), POOL_MOVED);
	assert_int_equal(calls_renew(ME, "cat", "1", (struct pool_fence){fence.epoch, 1}), POOL_FENCED);
	assert_int_equal(calls_renew(ME, "cat", "1", fence), 0);
	assert_int_equal(calls_renew("", "cat", "1", fence), 0);
	assert_int_equal(calls_renew(ME, "zoe", "1", fence), POOL_UNKNOWN);
}

WITH_CALLS(cancel_ends_whatever_it_is)
{
	both_slots_taken();
	calls_ask("cat", 1);
	calls_ask("dan", 1);
	assert_int_equal(calls_cancel(ME, "zoe", "1", OUTCOME_CANCELLED, false), POOL_UNKNOWN);
	assert_int_equal(calls_cancel(OTHER, "cat", "1", OUTCOME_CANCELLED, true), POOL_MOVED);
	assert_int_equal(calls_cancel(ME, "cat", "1", OUTCOME_CANCELLED, true), POOL_OK);
	assert_int_equal(calls_uint(0, 1), 1);
	assert_int_equal(calls_cancel(ME, "cat", "1", OUTCOME_CANCELLED, true), POOL_REPEAT);
	assert_int_equal(calls_cancel(ME, "ann", "1", OUTCOME_CANCELLED, false), POOL_OK);
	assert_int_equal(calls_uint(0, 1), 2);
	assert_string_equal(calls_tail(CANCELLED_TAIL), "dan/1");
	assert_int_equal(calls_ask("cat", 1), POOL_QUEUED); /* never granted, so the id may queue again */
}

WITH_CALLS(three_tiers_share_by_weight)
{
	static const char tiers[] = "epf";
	static const int priority[] = {10, 5, 1};
	char user[16] = "h";
	char order[20] = "";

	calls_settings.slots = 1;
	calls_settings.age_us = calls_settings.wait_max_us = calls_settings.predicted_wait_max_us = 86400 * SECOND;
	calls_settings.estimate_us = 30 * SECOND;
	calls_configure_ok();
	calls_ask("h", 50);
	for (int i = 0; i < 12; i++)
		for (int tier = 0; tier < 3; tier++) {
			snprintf(user, sizeof(user), "%c%d", tiers[tier], i);
			assert_int_equal(calls_ask(user, priority[tier]), POOL_QUEUED);
		}
	strcpy(user, "h");
	for (int i = 0; i < 19; i++) {
		const char *next;

		calls_step(30000);
		release(user);
		next = calls_tail(RELEASED_TAIL);
		snprintf(user, sizeof(user), "%.*s", (int)strcspn(next, "/"), next);
		order[i] = user[0];
	}
	/* tags rise by 3, 6 and 30 s after a grant; at equal tags the higher priority goes first */
	assert_string_equal(order, "epfeepeepeepeepeepf");
}

WITH_CALLS(the_longest_eligible_goes_when_the_lane_is_due)
{
	calls_settings.slots = 1;
	calls_settings.age_every = 2;
	calls_settings.lease_us = 3600 * SECOND;
	calls_configure_ok();
	calls_ask("h", 10);
	calls_ask("old", 1);
	calls_step(calls_settings.age_us / 1000);
	calls_ask("a", 10);
	calls_ask("b", 10);
	release("h"); /* one grant (h) since the last aged one; this is the second */
	assert_string_equal(calls_tail(RELEASED_TAIL), "old/1");
	release("old");
	assert_string_equal(calls_tail(RELEASED_TAIL), "a/1");
}

WITH_CALLS(nothing_passes_a_wide_head)
{
	both_slots_taken();
	assert_int_equal(calls_acquire(ME, "wide", "1", 1, 2, 2), POOL_QUEUED);
	assert_int_equal(calls_ask("cat", 1), POOL_QUEUED);
	release("ann");
	assert_string_equal(calls_tail(RELEASED_TAIL), "");
	assert_int_equal(calls_sync(ME, "wide", "1", false), POOL_QUEUED);
	release("bob");
	assert_string_equal(calls_tail(RELEASED_TAIL), "wide/1");
}

WITH_CALLS(an_own_cap_holds_back_its_user_alone)
{
	calls_configure_ok();
	assert_int_equal(calls_acquire(ME, "ann", "1", 1, 1, 1), POOL_GRANTED);
	assert_int_equal(calls_acquire(ME, "ann", "2", 1, 1, 1), POOL_QUEUED);
	assert_int_equal(calls_uint(25, 1), WHY_OWN_CAP);
	assert_int_equal(calls_ask("bob", 1), POOL_GRANTED);
	release("bob");
	assert_string_equal(calls_tail(RELEASED_TAIL), "");
	assert_int_equal(calls_acquire(ME, "ann", "2", 5, 2, 1), POOL_GRANTED); /* a higher cap applies at once */
}

WITH_CALLS(a_resize_takes_effect_at_once)
{
	calls_configure_ok();
	calls_ask("pro", 5);
	calls_step(10);
	calls_ask("free", 1);
	calls_ask("cat", 1);
	resize(3);
	assert_int_equal(calls_sync(ME, "cat", "1", false), POOL_GRANTED);
	assert_int_equal(calls_renew(ME, "cat", "1", calls_stored_fence("cat", "1")), 0);
	resize(1);
	assert_int_equal(calls_ask("cat", 1), POOL_GRANTED); /* the two with the lowest priority must end */
	assert_int_equal(calls_uint(GRANTED_DRAIN, 7), calls_now + calls_settings.drain_us / 1000);
	assert_int_equal(calls_ask("free", 1), POOL_GRANTED);
	assert_int_not_equal(calls_uint(GRANTED_DRAIN, 7), 0);
	assert_int_equal(calls_ask("pro", 5), POOL_GRANTED);
	assert_int_equal(calls_uint(GRANTED_DRAIN, 7), 0);
	assert_int_equal(calls_ask("dan", 1), POOL_QUEUED);
	assert_int_equal(calls_uint(25, 1), WHY_RESIZE);
	release("cat");
	assert_string_equal(calls_tail(RELEASED_TAIL), "");
	release("free");
	assert_string_equal(calls_tail(RELEASED_TAIL), "");
	release("pro");
	assert_string_equal(calls_tail(RELEASED_TAIL), "dan/1");
}

WITH_CALLS(a_paused_pool_grants_nothing)
{
	calls_settings.paused = true;
	calls_configure_ok();
	assert_int_equal(calls_ask("ann", 1), POOL_QUEUED);
	assert_int_equal(calls_uint(25, 1), WHY_PAUSED);
	calls_settings.paused = false;
	resize(2);
	assert_string_equal(calls_leases(), "ann/1");
}

WITH_CALLS(another_process_learns_before_it_grants)
{
	struct pool_fence before, after;
	int64_t left = (calls_settings.lease_us + calls_settings.learn_margin_us) / 1000;

	calls_configure_ok();
	calls_ask("ann", 1);
	before = calls_fence(0);
	calls_run_id("two");
	assert_int_equal(calls_ask("bob", 1), POOL_QUEUED); /* though a slot is free */
	assert_int_equal(calls_uint(25, 1), WHY_LEARNING);
	assert_int_equal(calls_renew(ME, "ann", "1", before), 0);
	assert_int_equal(calls_renew(ME, "lost", "1", before), POOL_LEARNING);
	calls_step(left - 1);
	assert_int_equal(calls_sync(ME, "bob", "1", false), POOL_QUEUED);
	assert_int_equal(calls_uint(7, 7), 1);
	assert_int_equal(calls_uint(14, 1), EPOCH_NEEDED);
	assert_int_equal(calls_want(), EPOCH_NEEDED);
	assert_int_equal(calls_known, before.epoch);
	assert_int_equal(calls_epoch(calls_claim, before.epoch + 1, false), EPOCH_KEPT);
	assert_int_equal(calls_sync(ME, "bob", "1", false), POOL_QUEUED);
	calls_step(1);
	assert_int_equal(calls_sync(ME, "bob", "1", false), POOL_GRANTED);
	after = calls_stored_fence("bob", "1");
	assert_true(after.epoch > before.epoch);
	assert_int_equal(calls_renew(ME, "lost", "1", before), POOL_UNKNOWN);
}

/* Writes lost in the fail-over may have reclaimed it and given its slot to another caller; tests/model found that. */
WITH_CALLS(a_lease_that_had_run_out_is_not_prolonged_after_a_fail_over)
{
	struct pool_fence fence;

	calls_configure_ok();
	calls_ask("ann", 1);
	fence = calls_fence(0);
	calls_step(calls_settings.lease_us / 1000);
	calls_run_id("two");
	assert_int_equal(calls_renew(ME, "ann", "1", fence), POOL_LEARNING);
	assert_int_equal(calls_ask("ann", 1), POOL_DONE);
	assert_string_equal(calls_leases(), "");
}

WITH_CALLS(an_operator_ends_learning)
{
	assert_int_equal(calls_configure_new("born"), POOL_OK);
	assert_int_equal(calls_ask("ann", 1), POOL_QUEUED);
	calls_want();
	assert_int_equal(calls_epoch(calls_claim, 42, false), EPOCH_KEPT);
	assert_string_equal(calls_leases(), "");
	assert_int_equal(calls_resume(), POOL_OK);
	assert_string_equal(calls_leases(), "ann/1");
	assert_int_equal(calls_stored_fence("ann", "1").epoch, 42);
}

WITH_CALLS(a_pool_that_prefers_to_go_on_does_not_learn)
{
	calls_settings.available = true;
	calls_configure_ok();
	calls_ask("ann", 1);
	calls_run_id("two");
	calls_want();
	calls_epoch(calls_claim, calls_known + 1, false);
	assert_int_equal(calls_ask("bob", 1), POOL_GRANTED);
	assert_true(calls_fence(0).epoch > calls_stored_fence("ann", "1").epoch);
}

WITH_CALLS(a_parked_request_keeps_its_place)
{
	both_slots_taken();
	assert_int_equal(calls_acquire(OTHER, "cat", "1", 1, 1, 1), POOL_QUEUED);
	assert_int_equal(calls_ask("dan", 1), POOL_QUEUED);
	assert_int_equal(calls_sync(OTHER, "cat", "1", true), POOL_QUEUED); /* goodbye */
	assert_int_equal(calls_sync(ME, "cat", "1", false), POOL_MOVED);
	assert_int_equal(calls_ask("cat", 1), POOL_QUEUED); /* its caller came to another worker */
	release("ann");
	assert_string_equal(calls_tail(RELEASED_TAIL), "cat/1");
}

WITH_CALLS(a_parked_request_that_nobody_fetches_is_gone)
{
	both_slots_taken();
	calls_acquire(OTHER, "cat", "1", 1, 1, 1);
	calls_sync(OTHER, "cat", "1", true);
	calls_step(calls_settings.grace_us / 1000);
	calls_tick();
	assert_int_equal(calls_sync(ME, "cat", "1", false), POOL_DONE);
	assert_int_equal(calls_ask("cat", 1), POOL_GRANTED); /* the leases of ann and bob have ended too */
}

WITH_CALLS(a_dead_workers_grant_goes_on)
{
	calls_settings.slots = 1;
	calls_configure_ok();
	calls_ask("ann", 1);
	calls_acquire(OTHER, "cat", "1", 1, 1, 1);
	calls_ask("dan", 1);
	calls_listen(OTHER);
	release("ann");
	assert_string_equal(calls_tail(RELEASED_TAIL), ""); /* it belonged to another worker, so it was published */
	assert_string_equal(calls_heard(), "cat/1");
	assert_string_equal(calls_leases(), "cat/1");
	calls_step(calls_settings.ack_us / 1000);
	assert_int_equal(calls_tick(), POOL_OK);
	assert_string_equal(calls_leases(), "dan/1");
	assert_int_equal(calls_cancel(ME, "dan", "1", OUTCOME_UNDELIVERED, false), POOL_OK);
	assert_string_equal(calls_leases(), ""); /* cat is parked */
	assert_int_equal(calls_sync(OTHER, "cat", "1", false), POOL_GRANTED); /* its worker is alive after all */
}

WITH_CALLS(a_lease_ends_only_when_it_is_reclaimed)
{
	struct pool_fence fence;

	calls_configure_ok();
	calls_ask("ann", 1);
	fence = calls_fence(0);
	calls_step(calls_settings.lease_us / 1000);
	assert_int_equal(calls_renew(ME, "ann", "1", fence), 0);
	calls_step(calls_settings.lease_us / 1000);
	calls_tick();
	assert_int_equal(calls_renew(ME, "ann", "1", fence), POOL_DONE);
	assert_int_equal(calls_ask("ann", 1), POOL_DONE);
	assert_int_equal(calls_uint(0, 1), OUTCOME_EXPIRED);
	calls_step(calls_settings.tombstone_us / 1000);
	calls_tick();
	assert_int_equal(calls_ask("ann", 1), POOL_GRANTED);
}

WITH_CALLS(time_never_goes_back)
{
	int64_t before;

	calls_configure_ok();
	calls_ask("ann", 1);
	before = calls_now;
	calls_step(-5000);
	calls_tick();
	assert_int_equal(calls_now, before);
	calls_step(calls_settings.lease_us / 1000 - 1); /* and then continues at the clock's rate */
	calls_tick();
	assert_string_equal(calls_leases(), "ann/1");
	calls_step(1);
	calls_tick();
	assert_string_equal(calls_leases(), "");
}

WITH_CALLS(a_starving_waiter_is_reported_once)
{
	size_t end;

	calls_settings.lease_us = 3600 * SECOND;
	calls_settings.wait_max_us = 3600 * SECOND;
	both_slots_taken();
	calls_ask("cat", 1);
	calls_step(calls_settings.starve_us / 1000);
	assert_int_equal(calls_sync(ME, "cat", "1", false), POOL_QUEUED);
	end = calls_answer.len;
	assert_memory_equal(calls_answer.data + end - 17, "\3\0cat\1\0", 7);
	assert_int_equal(calls_uint(end - 1, 1), WHY_LEVEL_SHARE);
	calls_step(1000);
	calls_sync(ME, "cat", "1", false);
	assert_int_equal(calls_uint(calls_answer.len - 2, 2), 0);
}

WITH_CALLS(too_many_are_shed)
{
	calls_settings.queue_limit = 3;
	calls_settings.level_queue_limit = 2;
	calls_settings.user_queue_limit = 1;
	both_slots_taken();
	assert_int_equal(calls_ask("cat", 1), POOL_QUEUED);
	assert_int_equal(calls_acquire(ME, "cat", "2", 1, 1, 1), POOL_SHED);
	assert_int_equal(calls_uint(0, 1), SHED_USER_QUEUE);
	assert_int_equal(calls_ask("dan", 1), POOL_QUEUED);
	assert_int_equal(calls_ask("eve", 1), POOL_SHED);
	assert_int_equal(calls_uint(0, 1), SHED_LEVEL_QUEUE);
	assert_true(calls_uint(1, 7) >= 1000);
	assert_int_equal(calls_ask("fay", 5), POOL_QUEUED);
	assert_int_equal(calls_ask("gil", 10), POOL_SHED);
	assert_int_equal(calls_uint(0, 1), SHED_POOL_QUEUE);
}

WITH_CALLS(what_cannot_be_served_in_time_is_shed)
{
	both_slots_taken();
	assert_int_equal(calls_acquire_within(ME, "cat", "1", 1, 1, 1, 100), POOL_SHED);
	assert_int_equal(calls_uint(0, 1), SHED_PREDICTED);
	for (int i = 3; i < 17; i++) {
		char user[2] = {(char)('a' + i), '\0'};

		calls_settings.predicted_wait_max_us = 86400 * SECOND;
		if (i == 3)
			resize(2);
		calls_ask(user, i);
	}
	assert_int_not_equal(calls_ask("x", 90), POOL_SHED);
	assert_int_equal(calls_ask("y", 91), POOL_SHED);
	assert_int_equal(calls_uint(0, 1), SHED_LEVELS);
}

WITH_CALLS(a_waiter_whose_time_is_over_is_not_granted)
{
	both_slots_taken();
	assert_int_equal(calls_acquire_within(ME, "cat", "1", 1, 1, 1, 60000), POOL_QUEUED);
	calls_step(60000);
	release("ann");
	assert_string_equal(calls_tail(RELEASED_TAIL), "");
	assert_int_equal(calls_sync(ME, "cat", "1", false), POOL_DONE);
}

WITH_CALLS(stats_say_how_it_is)
{
	calls_configure_ok();
	calls_ask("ann", 1);
	calls_ask("bob", 5);
	calls_ask("cat", 1);
	calls_step(2000);
	assert_int_equal(calls_stats(""), POOL_OK);
	assert_int_equal(calls_uint(11, 4), 2); /* slots */
	assert_int_equal(calls_uint(16, 4), 2); /* seats running */
	assert_int_equal(calls_uint(24, 4), 1); /* waiting */
	assert_int_equal(calls_uint(40, 7), 2000); /* oldest wait */
	assert_int_equal(calls_uint(54 + 15, 7), 2); /* granted at once */
}
