"""Redis is rebuilt from PostgreSQL: once, whoever asks, and nothing that was settled is forgotten."""
import threading

from bots import unique


def test_after_a_loss_of_all_redis_data_the_settled_use_still_counts(bots, stack):
    user = bots.user_with(bots.calendar("day", "tokens", 100), bots.calendar("requests", "requests", 10))
    for _ in range(4):
        bots.record(bots.check(user, input_tokens=1, max_output_tokens=1), input_tokens=20)
    bots.drained()
    stack.redis.flushall()
    assert bots.used(user, "day") == 80 and bots.used(user, "requests") == 4
    assert not bots.check(user, input_tokens=11, max_output_tokens=10).allowed
    assert bots.check(user, input_tokens=10, max_output_tokens=10).allowed


def test_many_workers_seed_an_empty_redis_once(two_fleets, stack):
    bots = two_fleets[0]
    user = bots.user_with(bots.calendar("requests", "requests", 200))
    for _ in range(10):
        bots.record(bots.check(user), input_tokens=1)
    bots.drained()
    stack.redis.flushall()
    barrier, allowed = threading.Barrier(32), []

    def caller(index):
        barrier.wait()
        for _ in range(10):
            allowed.append(two_fleets[index % 2].check(user, timeout=30).allowed)

    threads = [threading.Thread(target=caller, args=(i,)) for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 190
    assert bots.used(user, "requests") == 200


def test_an_account_dropped_while_its_entries_are_undrained_keeps_its_use(bots, stack):
    user = bots.user_with(bots.calendar("requests", "requests", 12))
    for _ in range(10):
        bots.record(bots.check(user), input_tokens=1)
    for key in stack.redis.scan_iter(match="b:{p*}:a:u:*"):
        if key.endswith(b"/" + user.encode()):
            stack.redis.delete(key)
    assert [bots.check(user, timeout=30).allowed for _ in range(3)] == [True, True, False]


def test_a_reset_stays_after_a_loss_of_redis_data(bots, stack):
    user = bots.user_with(bots.calendar("day", "tokens", 100))
    bots.record(bots.check(user, input_tokens=50, max_output_tokens=50), input_tokens=100)
    bots.admin.Reset(bots.admin_pb.ResetRequest(ref=bots.key(user)), timeout=10)
    bots.record(bots.check(user, input_tokens=5, max_output_tokens=5), input_tokens=10)
    bots.drained()
    stack.redis.flushall()
    assert bots.used(user, "day") == 10


def test_expired_reservations_still_count_after_a_loss_of_redis_data(bots, stack, until):
    user = bots.user_with(bots.calendar("requests", "requests", 10), bots.level("open", 10))
    for _ in range(3):
        bots.check(user, reservation_ttl_us=1_000_000)
    until(lambda: bots.used(user, "open") == 0)
    bots.drained()
    stack.redis.flushall()
    assert bots.used(user, "requests") == 3


def test_a_suspension_survives_the_loss_of_redis_data(bots, stack):
    user = unique("user")
    bots.check(user)
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(user)), timeout=10)
    stack.redis.flushall()
    assert not bots.check(user, timeout=30).allowed


def test_a_change_made_while_redis_had_no_record_outlives_a_seed_of_what_was_before(two_fleets, stack, until):
    here, there = two_fleets
    user = unique("user")
    here.check(user)
    record, = [key for key in stack.redis.scan_iter(match="b:{p*}:a:u:*") if key.endswith(b"/" + user.encode())]
    before = stack.redis.dump(record)
    stack.redis.delete(record)
    here.admin.Suspend(here.admin_pb.SuspendRequest(ref=here.key(user)), timeout=10)
    stack.redis.restore(record, 0, before)  # by a worker that had read PostgreSQL before the change
    until(lambda: there.check(user).reason == there.types.REASON_SUSPENDED)


def test_a_batch_of_known_and_unknown_users_is_read_while_it_is_answered(two_fleets, stack):
    here, there = two_fleets
    known = [unique("known") for _ in range(60)]
    for user in known:
        here.check(user)
    for turn in range(20):
        users = [name for user in known for name in (user, unique("stranger"), user)]
        batch = there.limiter_pb.CheckBatchRequest(
            items=[there.request(user, input_tokens=1, max_output_tokens=1) for user in users[:90]])
        for item, user in zip(there.limiter.CheckBatch(batch, timeout=30).items, users):
            assert not item.HasField("error") or "new users" in item.error.message, (turn, user, item)


def test_use_is_seeded_by_a_tier_that_is_younger_than_the_workers_catalog(two_fleets, stack):
    here, there = two_fleets
    user = here.user_with(here.calendar("day", "tokens", 100))
    here.record(here.check(user, input_tokens=1, max_output_tokens=1), input_tokens=80)
    here.drained()
    stack.redis.flushall()
    tier = unique("tier")
    here.tier(tier, here.calendar("day", "tokens", 200))
    here.admin.SetTier(here.admin_pb.SetTierRequest(ref=here.key(user), tier=tier), timeout=10)
    assert there.check(user, input_tokens=60, max_output_tokens=40).allowed
    assert not there.check(user, input_tokens=60, max_output_tokens=40).allowed
    assert here.used(user, "day") == 180
