"""What becomes of a call whose answer is lost or late: nothing stays held, nobody is allowed by what holds nothing, no first try is
called a repeat.

Redis is stopped until the calls have been given up, or the proxy in front of it holds its answers back until it has done what they
ask. The tests wait for these events, not for so long."""
import contextlib
import json
import queue
import signal
import subprocess

import grpc
import pytest

from harness import Bursard, Postgres, Proxy, Redis, program, protos, until
from harness.bursard import stop_all
from bots import Bots, unique

PATIENCE = 60


class House:
    """A bursard of one worker, behind a proxy before Redis."""

    def __init__(self, redis_timeout_ms):
        self.redis, self.postgres = Redis(), Postgres()
        self.database = self.postgres.database()
        self.proxy = Proxy(self.redis.socket)
        self.server = Bursard("redis://" + self.proxy.address, self.database, workers=1, redis_timeout_ms=redis_timeout_ms)
        self.bots = Bots(protos, self.server.grpc_addr)

    def user(self, *limits):
        """Of a tier that refuses while Redis is away; known to Redis."""
        bots, tier, user = self.bots, unique("tier"), unique("user")
        bots.tier(tier, *limits, fail_policy="FAIL_POLICY_CLOSED")
        bots.account(user, tier=tier)
        self.cancel(self.check(user, unique("first")))
        return user

    def asked(self, call):
        """The answer; while Redis is too slow for this machine, asked again as callers are told to."""
        def answer():
            try:
                return call()
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                return None

        return until(answer, "an answer", timeout=PATIENCE)

    def check(self, user, request_id, **fields):
        return self.asked(lambda: self.bots.check(user, timeout=PATIENCE, request_id=request_id, **fields))

    def cancel(self, answer):
        return self.asked(lambda: self.bots.cancel(answer))

    def record(self, answer, **usage):
        return self.asked(lambda: self.bots.record(answer, timeout=PATIENCE, **usage))

    def heard(self):
        """Bursard has read all that these callers have sent before: what one connection carries comes in order."""
        with pytest.raises(grpc.RpcError) as error:
            self.bots.channel.unary_unary("/tests.Nobody/Knows")(b"", timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED

    def sent(self, how, requests, timeout):
        """The call that makes these checks; a stream stays open."""
        pb = self.bots.limiter_pb
        if how == "check":
            return self.bots.limiter.Check.future(requests[0], timeout=timeout)
        if how == "batch":
            return self.bots.limiter.CheckBatch.future(pb.CheckBatchRequest(items=requests), timeout=timeout)
        left = queue.SimpleQueue()
        left.put(pb.CheckStreamRequest(items=[pb.StreamedCheck(check=request, timeout_us=PATIENCE * 1_000_000) for request in requests]))
        return self.bots.limiter.CheckStream(iter(left.get, None), timeout=timeout)

    def checking(self, user, request_id, **fields):
        return self.bots.limiter.Check.future(self.bots.request(user, request_id=request_id, **fields), timeout=PATIENCE)

    def open(self):
        """Open reservations of everybody."""
        return sum(self.redis.client.zcard(key) for key in self.redis.client.keys("b:*:due"))

    def state(self, request_id):
        """Of a request's marker; 0: there is none."""
        keys = self.redis.client.keys(f"b:*:q:*/{request_id}")
        marker = self.redis.client.get(keys[0]) if keys else None
        return marker[1] if marker else 0

    def done_and_given_up(self, user, request_id):
        """Has a check given up that Redis has done, and lets nothing pass from then on. False: Redis was too late for it."""
        self.proxy.hold_answers()
        call = self.checking(user, request_id)
        until(lambda: self.state(request_id) == 1 or call.done(), "the check being done", timeout=PATIENCE)
        self.proxy.freeze()
        assert call.exception().code() == grpc.StatusCode.UNAVAILABLE
        return self.state(request_id) == 1

    def nothing_owed(self):
        until(lambda: self.server.metric("redis_owed") == 0, "everything that was given up to be given back", timeout=PATIENCE)

    def stalled(self, calls):
        """Stops Redis, makes the calls, and lets it go on when all of them have been answered. The answers; None: UNAVAILABLE."""
        self.redis.signal(signal.SIGSTOP)
        try:
            futures = [call() for call in calls]
            answers = []
            for future in futures:
                error = future.exception()
                assert error is None or error.code() == grpc.StatusCode.UNAVAILABLE, error
                answers.append(None if error else future.result())
        finally:
            self.redis.signal(signal.SIGCONT)
        return answers

    def close(self):
        self.redis.signal(signal.SIGCONT)
        self.proxy.thaw()
        self.bots.close()
        try:
            stop_all([self.server], self.redis, self.postgres)
        finally:
            self.proxy.close()


@pytest.fixture(scope="module")
def hasty():
    with contextlib.closing(House(redis_timeout_ms=60)) as house:
        yield house


@pytest.fixture
def patient():
    with contextlib.closing(House(redis_timeout_ms=20000)) as house:
        yield house


def test_checks_that_were_given_up_in_a_stall_hold_nothing(hasty):
    user = hasty.user(hasty.bots.calendar("day", "requests", 1000), hasty.bots.level("open", 1000))
    answers = hasty.stalled([lambda i=i: hasty.checking(user, f"s{i}-{user}") for i in range(40)])
    assert answers == [None] * 40
    hasty.nothing_owed()
    until(lambda: hasty.open() == 0, "nothing to be held", timeout=PATIENCE)
    assert hasty.asked(lambda: hasty.bots.figures(user))[(hasty.bots.types.ACCOUNT_KIND_USER, "day")].used == 0


@pytest.mark.parametrize("leave", ["cancel", "deadline"])
@pytest.mark.parametrize("how", ["check", "batch", "stream"])
def test_checks_whose_callers_left_before_the_answer_hold_nothing(patient, how, leave):
    """Redis has decided, bursard has not answered yet: the caller leaves, and what it will never hear of goes back."""
    bots, ids = patient.bots, [unique("left") for _ in range(1 if how == "check" else 3)]
    user = patient.user(bots.calendar("day", "requests", 1000), bots.level("open", 1000))
    patient.proxy.hold_answers()
    requests = [bots.request(user, request_id=name) for name in ids]
    timeout = 2 if leave == "deadline" else PATIENCE
    call = patient.sent(how, requests, timeout)
    until(lambda: all(patient.state(name) == 1 for name in ids), "the checks being done", timeout=PATIENCE)
    if leave == "cancel":
        call.cancel()
    until(call.done, "the caller having left", timeout=PATIENCE)
    patient.heard()
    patient.proxy.thaw()
    until(lambda: patient.open() == 0, "nothing to be held", timeout=PATIENCE)
    assert [patient.state(name) for name in ids] == [0] * len(ids)
    assert patient.asked(lambda: bots.figures(user))[(bots.types.ACCOUNT_KIND_USER, "day")].used == 0


def test_an_answer_that_was_read_stays_when_the_same_request_is_asked_again_by_somebody_who_leaves(patient):
    bots, name = patient.bots, unique("twice")
    user = patient.user(bots.calendar("day", "requests", 1000))
    answer = patient.check(user, name)
    patient.proxy.hold_answers()
    again = patient.checking(user, name)
    until(lambda: patient.server.metric("grpc_calls_open") == 1, "the second call being there", timeout=PATIENCE)
    again.cancel()
    patient.heard()
    patient.proxy.thaw()
    until(lambda: patient.server.metric("grpc_calls_open") == 0, "the second call being over", timeout=PATIENCE)
    patient.nothing_owed()
    assert patient.state(name) == 1
    assert not patient.record(answer, input_tokens=1).repeat


def test_callers_who_repeat_their_ids_after_stalls_never_get_more_than_the_limit(hasty):
    bots = hasty.bots
    user = hasty.user(bots.calendar("day", "requests", 3))
    waiting, answers = [f"c{i}-{user}" for i in range(15)], {}
    for _ in range(4):
        for request_id, answer in zip(waiting, hasty.stalled([lambda r=r: hasty.checking(user, r) for r in waiting])):
            if answer:
                answers[request_id] = answer
        waiting = [request_id for request_id in waiting if request_id not in answers]
    for request_id in waiting:
        answers[request_id] = hasty.check(user, request_id)
    allowed = [answer for answer in answers.values() if answer.allowed]
    assert all(a.quality == bots.types.QUALITY_EXACT for a in answers.values())
    assert len(allowed) == 3 and all(a.state == bots.types.RESERVATION_STATE_OPEN for a in allowed)
    hasty.nothing_owed()
    assert hasty.open() == 3
    assert not any(hasty.record(answer, input_tokens=1).late for answer in allowed)


def test_the_command_line_is_never_allowed_by_what_was_taken_back(hasty):
    user = hasty.user(hasty.bots.calendar("day", "requests", 1000))
    ids = [f"l{i}-{user}" for i in range(6)]
    gave_up = hasty.server.metric("redis_errors_total", cause="deadline")
    hasty.redis.signal(signal.SIGSTOP)
    calls = [subprocess.Popen([program("bursar"), "check", user, "--id", request_id, "--addr", hasty.server.grpc_addr, "--json",
                               "--timeout", "20s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for request_id in ids]
    until(lambda: hasty.server.metric("redis_errors_total", cause="deadline") > gave_up, "a check to be given up", timeout=PATIENCE)
    hasty.redis.signal(signal.SIGCONT)
    for request_id, call in zip(ids, calls):
        out, _ = call.communicate(timeout=PATIENCE)
        if call.returncode == 0:
            answer = json.loads(out)
            assert answer["allowed"] and answer["state"] == "RESERVATION_STATE_OPEN", answer
            assert hasty.state(request_id) == 1
        else:
            assert call.returncode != 1, out  # not denied either: refused, to be asked again
    hasty.nothing_owed()
    assert hasty.open() == sum(call.returncode == 0 for call in calls)
    for request_id in ids:
        hasty.cancel(hasty.check(user, request_id))


def test_a_check_that_was_done_and_given_up_goes_back_over_the_next_connection(hasty):
    user = hasty.user(hasty.bots.calendar("day", "requests", 1000))
    request_id, done = unique("lost"), False
    for _ in range(20):
        done = hasty.done_and_given_up(user, request_id)
        hasty.proxy.drop()
        hasty.proxy.thaw()
        hasty.nothing_owed()
        assert hasty.state(request_id) == 0 and hasty.open() == 0
        if done:
            break
    assert done


def test_a_reservation_that_was_asked_for_again_goes_back_when_nobody_had_an_answer(hasty):
    user = hasty.user(hasty.bots.calendar("day", "requests", 1000))
    request_id, listener = unique("again"), hasty.redis.client.pubsub()
    hasty.redis.client.config_set("notify-keyspace-events", "Eg")
    listener.psubscribe("__keyevent@0__:del")
    for _ in range(20):
        hasty.proxy.hold_answers()
        calls = [hasty.checking(user, request_id) for _ in range(3)]
        assert all(call.exception().code() == grpc.StatusCode.UNAVAILABLE for call in calls)
        hasty.proxy.thaw()
        hasty.nothing_owed()
        assert hasty.state(request_id) == 0 and hasty.open() == 0
        if any(str(request_id).encode() in message["data"] for message in iter(lambda: listener.get_message(timeout=0.05), None)
               if message["type"] == "pmessage"):
            listener.close()
            return
    raise AssertionError("no check was done before it was given up")


def test_the_first_try_is_no_repeat_though_its_answer_was_lost(patient):
    bots = patient.bots
    user = patient.user(bots.calendar("day", "tokens", 10**6))

    def lost(call, state):
        """The call's answer, the first of which is lost on the way from Redis."""
        patient.proxy.hold_answers()
        future = call()
        until(lambda: patient.state(request_id) == state, "Redis having done it", timeout=PATIENCE)
        patient.proxy.drop()
        patient.proxy.thaw()
        return future.result(timeout=PATIENCE)

    def settling(method, message, **fields):
        return lambda: method.future(message(reservation=bots.ref(check), **fields), timeout=PATIENCE)

    request_id = unique("first")
    check = lost(lambda: patient.checking(user, request_id, input_tokens=100, max_output_tokens=50), 1)
    assert check.allowed and not check.repeat and check.held_tokens == 150
    record = lost(settling(bots.limiter.Record, bots.limiter_pb.RecordRequest, usage=bots.types.TokenUsage(input_tokens=40)), 2)
    assert not record.repeat and not record.late and (record.tokens, record.released_tokens) == (40, 110)
    again = bots.record(check, input_tokens=40)
    assert again.repeat and (again.tokens, again.released_tokens) == (40, 0)
    request_id = unique("second")
    check = bots.check(user, request_id=request_id, input_tokens=100, max_output_tokens=50)
    cancel = lost(settling(bots.limiter.Cancel, bots.limiter_pb.CancelRequest), 3)
    assert not cancel.repeat and cancel.released_tokens == 150
    assert bots.cancel(check).repeat
    assert bots.used(user, "day") == 40


def test_what_is_owed_is_given_back_before_the_end():
    house = House(redis_timeout_ms=60)
    try:
        user = house.user(house.bots.calendar("day", "requests", 1000))
        request_id = unique("end")
        for _ in range(20):
            if house.done_and_given_up(user, request_id):
                break
            house.proxy.thaw()
            house.nothing_owed()
        assert house.state(request_id) == 1
        house.server.signal(signal.SIGTERM)
        until(lambda: "bursard is stopping" in house.server.log(), "the end to begin")
        house.proxy.drop()
        house.proxy.thaw()
        assert house.server.wait(PATIENCE) == 0
        assert house.open() == 0
    finally:
        house.close()
