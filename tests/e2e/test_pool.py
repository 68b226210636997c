"""The priority pool over real gRPC: who is granted when, what callers are told, and what happens to their places."""
import os
import signal
import subprocess
import threading
import time

import grpc
import pytest
from harness import protos, until
from harness.paths import program

from bots import fails_with, unique
from streams import WAIT, Caller, holds, waits

STREAM, EXPLICIT = 1, 2
SECOND = 1_000_000
Code = grpc.StatusCode


@pytest.fixture
def callers():
    """Starts streams; all are closed after the test."""
    started = []

    def start(bots, user, **fields):
        started.append(Caller(bots, user, **fields))
        return started[-1]

    yield start
    for caller in started:
        caller.close()


@pytest.fixture
def serve(start_bursard, fleet_at):
    """serve(slots=1, ...) starts a bursard, and answers it and the fleet at it."""
    def start(slots=1, **options):
        server = start_bursard(max_concurrent_agents=slots, **options)
        return server, fleet_at(server.grpc_addr)

    return start


@pytest.fixture
def one(serve):
    """One bursard of one worker whose pool has one slot."""
    return serve(slots=1, workers=1)[1]


def user_of(bots, priority=1, concurrent=10, limits=(), **tier):
    """A fresh user on a fresh tier of that priority and cap, without limits unless given."""
    tier_name, user = unique("tier"), unique("user")
    bots.tier(tier_name, *limits, pool_priority=priority, pool_concurrent=concurrent, **tier)
    bots.account(user, tier=tier_name)
    return user


def put_pool(bots, name="", **fields):
    return bots.admin.PutPool(bots.admin_pb.PutPoolRequest(
        ref=bots.admin_pb.PoolRef(tenant=bots.tenant, name=name), **fields), timeout=10)


def release(bots, lease):
    return bots.limiter.Release(bots.limiter_pb.ReleaseRequest(lease=lease), timeout=10)


def renew(bots, lease):
    return bots.limiter.Renew(bots.limiter_pb.RenewRequest(lease=lease), timeout=10)


def record(bots, lease, **fields):
    return bots.limiter.Record(bots.limiter_pb.RecordRequest(
        lease=lease, usage=bots.types.TokenUsage(input_tokens=3, output_tokens=4), **fields), timeout=10)


# -- the first answer

def test_a_denial_is_the_answer_of_check_and_ends_the_stream(one, callers):
    user = user_of(one, limits=[one.bucket("tight", "requests", 1)])
    assert one.check(user).allowed
    denied = callers(one, user, verbose=True)
    assert denied.ended() == Code.OK and denied.events() == ["denied"]
    asked = one.check(user, verbose=True)
    assert not denied.check.allowed and not denied.check.reservation
    assert (denied.check.reason, denied.check.binding.limit.name, denied.check.tier) == (
        asked.reason, asked.binding.limit.name, asked.tier)
    assert [s.limit.name for s in denied.check.limits] == [s.limit.name for s in asked.limits]
    assert denied.check.retry_after_us > 0 and denied.check.message


def test_a_free_slot_is_granted_at_once(one, callers):
    holder = callers(one, user_of(one), request_id="r1")
    granted = holder.granted()
    assert holder.events() == ["granted"]
    assert holder.check.allowed and holder.check.reservation and holder.check.request_id == "r1"
    assert granted.lease and granted.fence > 0 and not granted.repeat and granted.waited_us == 0
    assert holder.check.started_at_us < granted.expires_at_us
    assert granted.lease_us == 30 * SECOND


@pytest.mark.parametrize("field,fields", [
    ("seats", {"seats": 100_001}), ("seats", {"seats": -1}), ("pool", {"pool": "No Pool!"}), ("mode", {"mode": 9}),
    ("max_wait_us", {"max_wait_us": 999_999}), ("check.user", {"user": ""})])
def test_what_does_not_fit_is_refused_with_its_field(bots, callers, field, fields):
    caller = callers(bots, **{"user": "ann", **fields})
    assert caller.ended() == Code.INVALID_ARGUMENT
    assert caller.detail("BadRequest").field_violations[0].field == field


def test_more_seats_than_slots_are_refused(one, callers):
    assert callers(one, user_of(one), seats=2).ended() in (Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION)


def test_a_lease_or_a_reservation_is_given_and_is_one(bots):
    pb, answer = bots.limiter_pb, bots.check(unique("user"))
    fails_with(Code.INVALID_ARGUMENT, bots.limiter.Release, pb.ReleaseRequest(), timeout=10)
    fails_with(Code.INVALID_ARGUMENT, bots.limiter.Release, pb.ReleaseRequest(lease="nonsense"), timeout=10)
    for call, request in ((bots.limiter.Renew, pb.RenewRequest), (bots.limiter.Cancel, pb.CancelRequest)):
        fails_with(Code.INVALID_ARGUMENT, call, request(), timeout=10)
        fails_with(Code.INVALID_ARGUMENT, call, request(lease="x", reservation=bots.ref(answer)), timeout=10)
    fails_with(Code.INVALID_ARGUMENT, bots.limiter.Record, pb.RecordRequest(usage={}), timeout=10)


def test_a_record_with_the_lease_of_another_request_is_refused(one, callers):
    lease = holds(callers(one, user_of(one))).granted().lease
    error = fails_with(Code.INVALID_ARGUMENT, record, one, lease, reservation=one.ref(one.check(user_of(one))))
    assert "lease" in error.details()


# -- the queue

def test_the_queue_tells_places_and_grants_in_order(one, callers):
    holder = holds(callers(one, user_of(one)))
    queue = [waits(callers(one, user_of(one))) for _ in range(3)]
    assert [caller.queued().position for caller in queue] == [1, 2, 3]
    assert all(caller.messages[0].check.allowed for caller in queue)
    first = queue[0].queued()
    assert first.wait_until_us > first.waited_us and first.reason != 0
    for caller in queue:
        holder.close()
        holder = holds(caller)
        assert not any(later.of("granted") for later in queue[queue.index(caller) + 1:])
        assert not caller.messages[-1].HasField("check"), "the check is told once"
    fences = [caller.granted().fence for caller in queue]
    assert fences == sorted(set(fences))


def test_the_place_of_a_user_behind_a_hundred_others_is_told(one, callers):
    pb = one.admin_pb
    put_pool(one, "long", slots=1, estimate_us=SECOND, predicted_wait_max_us=300 * SECOND)
    crowd = [user_of(one) for _ in range(102)]
    last = user_of(one)
    holds(callers(one, crowd[0], pool="long", request_id="first"))
    for user in crowd[1:]:
        waits(callers(one, user, pool="long"))
    for request in ("b", "a"):
        waits(callers(one, last, pool="long", request_id=request))

    def stats(**fields):
        return one.admin.GetPoolStats(pb.GetPoolStatsRequest(ref=pb.PoolRef(tenant=one.tenant, name="long"), **fields), timeout=10)

    everybody = stats(rows=100)
    assert everybody.waiting == 103 and [row.position for row in everybody.waiters] == list(range(1, 101))
    assert last not in [row.user for row in everybody.waiters] and not everybody.HasField("of_user")
    found = stats(rows=100, user=last)
    assert [(row.user, row.request_id, row.position) for row in found.waiters] == [(last, "b", 102), (last, "a", 103)]
    assert 0 < found.waiters[0].eta_us <= found.waiters[1].eta_us and not found.leases_held
    assert found.of_user == pb.PoolUser(user=last, waiting=2) and found.waiting == 103
    holder = stats(rows=1, user=crowd[0])
    assert [row.request_id for row in holder.leases_held] == ["first"] and not holder.waiters
    assert holder.of_user == pb.PoolUser(user=crowd[0], running=1)
    assert stats(user=last).of_user.waiting == 2 and not stats(user=last).waiters
    nobody = stats(rows=5, user=unique("user"))
    assert not nobody.waiters and not nobody.leases_held and nobody.of_user.waiting == 0


def test_a_higher_tier_is_shown_ahead_and_served_first(one, callers):
    holder = holds(callers(one, user_of(one)))
    low = waits(callers(one, user_of(one, priority=1)))
    high = waits(callers(one, user_of(one, priority=10)))
    assert [level.priority for level in high.queued().ahead][:1] == [10]
    holder.close()
    holds(high)
    assert not low.of("granted")


def test_a_user_at_his_cap_waits_for_himself_and_lets_others_pass(serve, callers):
    _, bots = serve(slots=2, workers=1)
    capped = user_of(bots, concurrent=1)
    holds(callers(bots, capped))
    second = waits(callers(bots, capped))
    assert second.queued().reason == bots.types.WAIT_REASON_OWN_CAP
    holds(callers(bots, user_of(bots)))
    assert not second.of("granted")


def test_places_are_told_at_most_once_a_second(one, callers):
    holds(callers(one, user_of(one)))
    waiter = waits(callers(one, user_of(one)))
    others = []
    while len(waiter.of("queued")) < 3:
        told = len(waiter.of("queued"))
        if others:
            others.pop().close()
        else:
            others.append(waits(callers(one, user_of(one, priority=10))))
        until(lambda seen=told: len(waiter.of("queued")) > seen, "news of the queue", timeout=WAIT)
    gaps = [later - sooner for sooner, later in zip(waiter.times, waiter.times[1:])]
    assert min(gaps) > 0.8, gaps


def test_a_closed_stream_hands_its_slot_on_at_once_also_to_another_bursard(serve, callers):
    fleets = [serve(workers=1)[1] for _ in range(2)]
    users = [[user_of(fleets[0]) for _ in range(6)], [user_of(fleets[0]) for _ in range(6)]]
    for kind, sides in (("one worker", (0, 0)), ("two bursards", (0, 1))):
        holder, spent = holds(callers(fleets[sides[0]], users[0][0])), 0.0
        for hand in range(1, 6):
            waiter = waits(callers(fleets[sides[hand % 2]], users[hand % 2][hand]))
            since = time.monotonic()
            holder.call.cancel()
            holder = holds(waiter)
            spent += time.monotonic() - since
        # By polling every 2 s each would take about as long, being closed right after the last look.
        assert spent < 4, f"{kind}: five hand-offs took {spent:.1f} s"
        holder.close()


def test_a_waiter_who_gives_up_gets_his_reservation_back(one, callers, until):
    holds(callers(one, user_of(one)))
    user = user_of(one, limits=[one.calendar("day", "requests", 10)])
    waiter = waits(callers(one, user))
    assert one.used(user, "day") == 1
    waiter.close()
    until(lambda: one.used(user, "day") == 0)


# -- the end of a lease

def test_a_record_with_the_lease_releases_the_slot(one, callers):
    put_pool(one, lease_us=6 * SECOND)  # a holder learns of it when its lease is renewed: every third of it
    holder = holds(callers(one, user_of(one)))
    waiter = waits(callers(one, user_of(one)))
    lease = holder.granted().lease
    kept = record(one, lease, keep_open=True)
    assert not kept.released and kept.tokens == 7 and not kept.late
    assert not waiter.of("granted")
    answer = record(one, lease, attempt=1)
    assert answer.released and not answer.late and not answer.repeat
    assert answer.request_id == holder.check.request_id
    holds(waiter)
    assert holder.ended() == Code.OK
    again = record(one, lease, attempt=1)
    assert again.repeat and again.released


def test_a_batch_of_records_releases_too(one, callers):
    pb, holder = one.limiter_pb, holds(callers(one, user_of(one)))
    waiter = waits(callers(one, user_of(one)))
    answer = one.limiter.RecordBatch(pb.RecordBatchRequest(items=[
        pb.RecordRequest(lease=holder.granted().lease, usage={}), pb.RecordRequest(lease="nonsense", usage={})]), timeout=10)
    assert answer.items[0].response.released
    assert answer.items[1].error.field == "lease"
    holds(waiter)


def test_a_cancel_with_the_lease_gives_both_back(one, callers):
    user = user_of(one, limits=[one.calendar("day", "requests", 10)])
    holder = holds(callers(one, user))
    answer = one.limiter.Cancel(one.limiter_pb.CancelRequest(lease=holder.granted().lease), timeout=10)
    assert answer.state == one.types.RESERVATION_STATE_CANCELLED and not answer.repeat
    assert one.used(user, "day") == 0
    holds(callers(one, user_of(one)))


def test_an_explicit_lease_outlives_its_stream_until_it_is_released(one, callers):
    holder = callers(one, user_of(one), mode=EXPLICIT)
    granted = holder.granted()
    assert holder.ended() == Code.OK
    waiter = waits(callers(one, user_of(one)))
    renewed = renew(one, granted.lease)
    assert renewed.lease_expires_at_us >= granted.expires_at_us and renewed.expires_at_us > renewed.lease_expires_at_us
    assert not waiter.of("granted")
    released = release(one, granted.lease)
    assert not released.repeat and released.held_us > 0
    assert holds(waiter).granted().fence > granted.fence
    again = release(one, granted.lease)
    assert again.repeat and again.held_us == 0
    fails_with(Code.FAILED_PRECONDITION, renew, one, granted.lease)


def test_an_abandoned_explicit_lease_ends_by_itself(one, callers):
    put_pool(one, lease_us=6 * SECOND)
    granted = callers(one, user_of(one), mode=EXPLICIT).granted()
    assert granted.lease_us == 6 * SECOND
    waiter = waits(callers(one, user_of(one)))
    assert waiter.granted().waited_us <= 20 * SECOND
    fails_with(Code.FAILED_PRECONDITION, renew, one, granted.lease)


def test_who_polls_comes_again_for_his_place(one, callers):
    holder = holds(callers(one, user_of(one)))
    user = user_of(one)
    polls = [callers(one, user, poll=True, mode=EXPLICIT, request_id="poll") for _ in range(1)]
    assert polls[0].ended() == Code.OK and polls[0].events() == ["queued"]
    behind = waits(callers(one, user_of(one)))
    polls.append(callers(one, user, poll=True, mode=EXPLICIT, request_id="poll"))
    assert polls[1].ended() == Code.OK and polls[1].events() == ["queued"]
    assert polls[1].queued().position == 1 and polls[1].check.repeat
    holder.close()
    deadline = time.monotonic() + WAIT
    while polls[-1].events() != ["granted"]:
        polls.append(callers(one, user, poll=True, mode=EXPLICIT, request_id="poll"))
        assert polls[-1].ended() == Code.OK and time.monotonic() < deadline
    assert not behind.of("granted")
    release(one, polls[-1].granted().lease)
    holds(behind)


# -- lost workers and connections

def test_a_place_is_found_again_on_another_bursard_when_its_own_is_killed(serve, callers):
    doomed, first = serve(workers=1)
    _, second = serve(workers=1)
    holder = holds(callers(second, user_of(second)))
    user = user_of(second)
    lost = waits(callers(first, user, request_id="mine"))
    behind = waits(callers(second, user_of(second)))
    doomed.kill()
    assert lost.ended() == Code.UNAVAILABLE
    found = waits(callers(second, user, request_id="mine"))
    assert found.check.repeat and found.queued().position == 1
    holder.close()
    holds(found)
    assert not behind.of("granted")


def test_a_second_stream_of_the_same_request_takes_it_over(one, callers):
    user, waiting = user_of(one), user_of(one)
    holder = holds(callers(one, user, request_id="held"))
    waiter = waits(callers(one, waiting, request_id="waits"))
    later_holder = holds(callers(one, user, request_id="held"))
    assert later_holder.granted().repeat and later_holder.granted().fence == holder.granted().fence
    assert holder.ended() == Code.ABORTED and holder.detail("ErrorInfo").reason == "TAKEN_OVER"
    later_waiter = waits(callers(one, waiting, request_id="waits"))
    assert waiter.ended() == Code.ABORTED and waiter.detail("ErrorInfo").reason == "TAKEN_OVER"
    later_holder.close()
    holds(later_waiter)


def test_a_draining_bursard_sends_its_callers_elsewhere_and_they_lose_nothing(serve, callers):
    stopped, first = serve(workers=1)
    _, second = serve(workers=1)
    user, waiting = user_of(first), user_of(first)
    holder = holds(callers(first, user, request_id="held"))
    waiter = waits(callers(first, waiting, request_id="waits"))
    behind = waits(callers(second, user_of(first)))
    stopped.popen.send_signal(signal.SIGTERM)
    assert holder.ended() == Code.UNAVAILABLE and waiter.ended() == Code.UNAVAILABLE
    again = holds(callers(second, user, request_id="held"))
    assert again.granted().repeat and again.granted().fence == holder.granted().fence
    found = waits(callers(second, waiting, request_id="waits"))
    again.close()
    holds(found)
    assert not behind.of("granted")


def test_a_caller_who_is_silently_gone_is_noticed_within_seconds(one, callers):
    user = user_of(one)
    silent = subprocess.Popen([program("bursar"), "run", "--user", user, "--", "sh", "-c", "echo runs; exec sleep 600"],
                              env={**os.environ, "BURSAR_ADDR": one.address}, stdout=subprocess.PIPE, text=True,
                              start_new_session=True)
    try:
        assert silent.stdout.readline() == "runs\n"
        waiter = waits(callers(one, user_of(one)))
        os.killpg(silent.pid, signal.SIGSTOP)
        assert waiter.granted().waited_us < 25 * SECOND, "a lease alone would have been kept for ever by its open stream"
    finally:
        os.killpg(silent.pid, signal.SIGKILL)
        silent.communicate()


# -- refusals

def test_nobody_waits_longer_than_the_pools_wait_max(one, callers, until):
    put_pool(one, wait_max_us=2 * SECOND, predicted_wait_max_us=2 * SECOND, estimate_us=SECOND // 100)
    holds(callers(one, user_of(one)))
    user = user_of(one, limits=[one.calendar("day", "requests", 10)])
    waiter = waits(callers(one, user))
    assert waiter.ended() == Code.RESOURCE_EXHAUSTED
    assert waiter.detail("ErrorInfo").reason == "WAIT_MAX" and waiter.detail("RetryInfo") is not None
    until(lambda: one.used(user, "day") == 0)


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again(one, callers):
    put_pool(one, user_queue_limit=1)
    holds(callers(one, user_of(one)))
    user = user_of(one, limits=[one.calendar("day", "requests", 10)])
    waits(callers(one, user))
    refused = callers(one, user)
    assert refused.ended() == Code.RESOURCE_EXHAUSTED and not refused.messages
    assert refused.detail("ErrorInfo").domain == "bursar" and refused.detail("ErrorInfo").reason == "USER_QUEUE_FULL"
    retry = refused.detail("RetryInfo").retry_delay
    assert retry.seconds * SECOND + retry.nanos // 1000 > 0
    assert one.used(user, "day") == 1


def test_a_wait_that_would_outlast_the_callers_deadline_is_refused_at_once(one, callers):
    holds(callers(one, user_of(one)))
    refused = callers(one, user_of(one), timeout=10)  # one slot, held for 30 s as far as anybody knows
    assert refused.ended() == Code.RESOURCE_EXHAUSTED and not refused.messages
    assert refused.detail("ErrorInfo").reason == "PREDICTED_WAIT"
    assert refused.detail("RetryInfo").retry_delay.seconds > 10


def test_a_smaller_pool_asks_holders_to_end_and_kills_none(serve, callers):
    _, bots = serve(slots=2, workers=1)
    put_pool(bots, lease_us=6 * SECOND)
    older, newer = [holds(callers(bots, user_of(bots))) for _ in range(2)]
    put_pool(bots, slots=1, lease_us=6 * SECOND)
    assert newer.wait("draining").finish_by_us > newer.granted().expires_at_us - 6 * SECOND
    assert older.code is None and newer.code is None and not older.of("draining")


# -- what an admin sees and does

def test_an_admin_sees_who_runs_and_who_waits(one, callers):
    holder, waiter = user_of(one, priority=5), user_of(one)
    holds(callers(one, holder))
    waits(callers(one, waiter))
    request = one.admin_pb.GetPoolStatsRequest(ref=one.admin_pb.PoolRef(), rows=10)
    stats = one.admin.GetPoolStats(request, timeout=10)
    assert (stats.slots, stats.running, stats.leases, stats.waiting, stats.granted_at_once) == (1, 1, 1, 1, 1)
    assert [row.user for row in stats.leases_held] == [holder] and [row.user for row in stats.waiters] == [waiter]
    assert {level.priority: (level.running, level.waiting) for level in stats.levels} == {5: (1, 0), 1: (0, 1)}
    stream = one.admin.WatchPool(request, timeout=WAIT)
    assert [next(stream).waiting for _ in range(2)] == [1, 1]
    stream.cancel()


def test_what_ran_out_is_seen_to_be_over_though_nobody_uses_the_pool_any_more(one, callers, until):
    put_pool(one, lease_us=6 * SECOND)
    callers(one, user_of(one), mode=EXPLICIT).granted()
    request = one.admin_pb.GetPoolStatsRequest(ref=one.admin_pb.PoolRef())

    def stats():
        return one.admin.GetPoolStats(request, timeout=10)

    assert (stats().running, stats().expired) == (1, 0)
    until(lambda: stats().expired == 1 and stats().running == 0)


def test_a_paused_pool_grants_nothing_until_it_goes_on(one, callers):
    put_pool(one, paused=True)
    waiter = waits(callers(one, user_of(one)))
    assert waiter.queued().reason == one.types.WAIT_REASON_PAUSED
    assert one.admin.GetPoolStats(one.admin_pb.GetPoolStatsRequest(ref=one.admin_pb.PoolRef()), timeout=10).paused
    put_pool(one, paused=False)
    holds(waiter)


def test_the_metrics_show_the_whole_pool_and_what_this_bursard_did(serve, callers, until):
    server, bots = serve(slots=1, workers=1)
    holds(callers(bots, user_of(bots, priority=5)))
    waits(callers(bots, user_of(bots)))

    def shows(*lines):
        text = server.http("/metrics")[1]
        return all(line in text for line in lines)

    name = '{tenant="default",pool="agent-execution"'
    until(lambda: shows(f"bursar_pool_slots{name}}} 1", f"bursar_pool_running{name}}} 1",
                        f'bursar_pool_waiting{name},priority="1"}} 1'))
    assert shows('bursar_acquires_total{result="at_once"} 1', "bursar_acquire_wait_seconds_count 1")


# -- all at once

def test_twenty_callers_on_two_slots_of_two_bursards_are_never_more_than_two(serve, callers):
    fleets = [serve(slots=2, workers=2)[1] for _ in range(2)]
    users = [user_of(fleets[0], priority=priority) for priority in (1, 5, 10, 1)]
    # By the default of 30 s a job, the last ones would be told to come again later.
    fleets[0].admin.PutPool(protos.admin_pb2.PutPoolRequest(ref=protos.admin_pb2.PoolRef(), estimate_us=SECOND // 10), timeout=10)
    lock, running, most, fences, failures = threading.Lock(), 0, 0, [], []

    def run(number):
        nonlocal running, most
        try:
            caller = callers(fleets[number % 2], users[number % 4])
            lease = caller.granted()
            with lock:  # for no longer than this caller knows of its slot: the store frees the slot after the caller says so
                running += 1
                most = max(most, running)
                fences.append(lease.fence)
            fleets[number % 2].admin.ListPools(protos.admin_pb2.ListPoolsRequest(), timeout=10)
            with lock:
                running -= 1
            record(fleets[number % 2], lease.lease, keep_open=True)
            caller.close()
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * WAIT)
    assert not failures, failures
    assert most <= 2 and len(set(fences)) == 20
