"""Watch: those who may see a decision see it, whichever bursard made it; nobody else does."""
import collections
import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time

import grpc
import pytest
from harness import program, protos

from bots import Bots, fails_with, unique
from streams import Caller, holds, waits

Code = grpc.StatusCode
WAIT = 60
CHECK, RECORD, CANCEL, GRANT, REFUSAL = range(1, 6)


class Watch:
    """A Watch, read by a thread: its answers, and their sum."""

    def __init__(self, fleet, secret=None, **fields):
        fields.setdefault("interval_us", 100_000)
        self.answers, self.events, self.code, self.error = [], [], None, None
        self.totals, self.denied_by = collections.Counter(), collections.Counter()
        self.changed = threading.Condition()
        metadata = [("authorization", "Bearer " + secret)] if secret else None
        self.call = fleet.admin.Watch(fleet.admin_pb.WatchRequest(**fields), metadata=metadata)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for answer in self.call:
                with self.changed:
                    self.take(answer)
        except grpc.RpcError as error:
            with self.changed:
                self.code, self.error = error.code(), error
                self.changed.notify_all()

    def take(self, answer):
        self.answers.append(answer)
        self.events += answer.events
        for field, value in answer.totals.ListFields():
            if field.name != "denied_by":
                self.totals[field.name] += value
        for row in answer.totals.denied_by:
            self.denied_by[row.reason] += row.count
        self.changed.notify_all()

    def wait(self, condition, what):
        with self.changed:
            self.changed.wait_for(lambda: condition(self) or self.code is not None, WAIT)
            assert condition(self), f"no {what} within {WAIT} s: {self.totals}, {self.answers[-1:]}, {self.code} {self.error}"
        return self

    def hears(self, workers):
        """All of them tell what they decide."""
        return self.wait(lambda self: self.answers and self.answers[-1].workers == workers, f"{workers} workers")

    def ended(self):
        self.wait(lambda self: self.code is not None, "end")
        return self.code

    def close(self):
        self.call.cancel()
        self.thread.join(WAIT)


@pytest.fixture
def watch():
    started = []

    def start(fleet, **fields):
        started.append(Watch(fleet, **fields))
        return started[-1]

    yield start
    for one in started:
        one.close()


def published(stack):
    """How often anything was published."""
    return stack.redis.info("commandstats").get("cmdstat_publish", {"calls": 0})["calls"]


def test_who_watches_at_one_sees_what_another_decides(two_fleets, watch):
    here, there = two_fleets
    seen = watch(here).hears(4)
    user = there.user_with(there.bucket("once", "requests", 1))
    first = there.check(user, request_id="first", interface="telegram", model="gpt-5.4", input_tokens=1000, max_output_tokens=500)
    assert not there.check(user, request_id="second", interface="web").allowed
    there.record(first, input_tokens=900, output_tokens=100, model="gpt-5.4")
    other = there.check(unique("user"), request_id="third")
    there.cancel(other)
    seen.wait(lambda watch: watch.totals["cancels"], "cancel")
    allowed, denied, recorded = (next(event for event in seen.events if event.user == user and matches(event)) for matches in (
        lambda event: event.allowed, lambda event: event.kind == CHECK and not event.allowed, lambda event: event.kind == RECORD))
    assert (allowed.request_id, allowed.interface, allowed.model, allowed.tenant) == ("first", "telegram", "gpt-5.4", "default")
    assert allowed.input_tokens == 1000 and allowed.output_tokens == 500 and allowed.cost_nano > 0
    assert allowed.quality == here.types.QUALITY_EXACT and allowed.tier.startswith("tier-") and ":" in allowed.server
    assert (denied.request_id, denied.reason, denied.limit) == ("second", here.types.REASON_REQUEST_RATE, "once")
    assert denied.account_kind == here.types.ACCOUNT_KIND_USER and denied.stands_for_milli == 1000
    assert (recorded.input_tokens, recorded.output_tokens, recorded.model) == (900, 100, "gpt-5.4") and recorded.cost_nano > 0
    assert seen.totals["allowed"] == 2 and seen.totals["denied"] == 1 and seen.totals["records"] == 1
    assert seen.totals["cost_nano"] == recorded.cost_nano and seen.totals["input_tokens"] == 900
    assert seen.denied_by == {here.types.REASON_REQUEST_RATE: 1}
    assert all(answer.complete and not answer.left_out and not answer.gap for answer in seen.answers)
    assert [event.at_us for answer in seen.answers for event in answer.events] == sorted(event.at_us for event in seen.events)


def test_slots_of_pools_are_seen_when_they_are_granted_and_refused(two_fleets, watch):
    here, there = two_fleets
    pool, user = unique("pool"), unique("user")
    here.tier("priority", pool_concurrent=10)
    here.account(user, tier="priority")
    here.admin.PutPool(here.admin_pb.PutPoolRequest(ref=here.admin_pb.PoolRef(name=pool), slots=1, queue_limit=1))
    seen = watch(here, kinds=[GRANT, REFUSAL], interval_us=100_000).hears(4)
    callers = []
    try:
        callers.append(holds(Caller(here, user, pool=pool)))
        callers.append(waits(Caller(here, user, pool=pool)))
        callers.append(Caller(here, user, pool=pool))
        assert callers[2].ended() == Code.RESOURCE_EXHAUSTED
        callers[0].close()
        holds(callers[1])
        seen.wait(lambda watch: watch.totals["grants"] == 2 and watch.totals["refusals"] == 1, "grants and refusal")
    finally:
        for caller in callers:
            caller.close()
    refused = next(event for event in seen.events if event.kind == REFUSAL)
    assert refused.cause.endswith("QUEUE_FULL") and refused.pool == pool and refused.user == user
    granted = [event for event in seen.events if event.kind == GRANT]
    assert [event.waited_us > 0 for event in granted] == [False, True]


def test_filters_leave_out_what_was_not_asked_for(bots, watch):
    user, other = bots.user_with(bots.bucket("two", "requests", 2)), unique("user")
    watches = {name: watch(bots, **fields).hears(2) for name, fields in {
        "user": {"user": user}, "interface": {"interface": "web"}, "model": {"model": "gpt-5.4"}, "denied": {"denied": True},
        "reason": {"reason": bots.types.REASON_SUSPENDED}, "kinds": {"kinds": [RECORD, CANCEL]}, "none": {"max_events": 0},
        "all": {}}.items()}
    answers = [bots.check(user, interface="web", request_id="1"), bots.check(user, model="gpt-5.4", request_id="2"),
               bots.check(user, request_id="3"), bots.check(other, request_id="4")]
    bots.record(answers[0])
    bots.cancel(answers[3])
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(other)))
    assert not bots.check(other, request_id="5").allowed
    for one in watches.values():
        one.wait(lambda watch: watch.totals["allowed"] == 3 and watch.totals["denied"] == 2, "all decisions")
    shown = {name: sorted((event.kind, event.request_id) for event in one.events) for name, one in watches.items()}
    assert shown["user"] == [(CHECK, "1"), (CHECK, "2"), (CHECK, "3"), (RECORD, "1")]
    assert shown["interface"] == [(CHECK, "1")]
    assert shown["model"] == [(CHECK, "2")]
    assert shown["denied"] == [(CHECK, "3"), (CHECK, "5")]
    assert shown["reason"] == [(CHECK, "5")]
    assert shown["kinds"] == [(RECORD, "1"), (CANCEL, "4")]
    assert shown["none"] == [] and sum(answer.left_out for answer in watches["none"].answers) == 7
    assert len(shown["all"]) == 7
    assert all(answer.complete for name, one in watches.items() if name != "none" for answer in one.answers)


def test_a_viewer_sees_nothing_of_another_tenant(bots, watch):
    pb = bots.admin_pb
    operator = bots.admin.CreateKey(pb.CreateKeyRequest(role=5)).secret

    def make(role, tenant):
        return bots.admin.CreateKey(pb.CreateKeyRequest(role=role, tenant=tenant), metadata=[("authorization", "Bearer " + operator)]).secret

    ours, theirs, bot, their_bot = make(3, "ours"), make(3, "theirs"), make(2, "ours"), make(2, "theirs")
    watches = [watch(bots, secret=ours).hears(2), watch(bots, secret=ours, user="ann").hears(2),
               watch(bots, secret=operator, all_tenants=True).hears(2), watch(bots, secret=theirs).hears(2)]
    for secret, count in ((bot, 1), (their_bot, 7)):
        for _ in range(count):
            bots.limiter.Check(bots.limiter_pb.CheckRequest(user="ann"), timeout=20, metadata=[("authorization", "Bearer " + secret)])
    watches[2].wait(lambda watch: watch.totals["allowed"] + watch.totals["denied"] == 8, "all decisions")
    watches[3].wait(lambda watch: watch.totals["allowed"] + watch.totals["denied"] == 7, "their decisions")
    for one in watches[:2]:
        after = len(one.answers) + 3
        one.wait(lambda watch, after=after: len(watch.answers) >= after and watch.events, "more answers")
        assert one.totals["allowed"] + one.totals["denied"] == 1 and [event.tenant for event in one.events] == ["ours"]
    refused = [{"tenant": "theirs"}, {"tenant": "theirs", "user": "ann"}, {"all_tenants": True}]
    assert [watch(bots, secret=ours, **fields).ended() for fields in refused] == [Code.PERMISSION_DENIED] * 3
    assert watch(bots, secret=bot).ended() == Code.PERMISSION_DENIED
    assert watch(bots).ended() == Code.UNAUTHENTICATED


def check_many(fleets, users, count):
    """Checks in batches, at all bursards at once; how many were allowed, and denied."""
    outcome = collections.Counter()

    def call(fleet, part):
        items = [fleet.request(users[i % len(users)], request_id=f"{part}-{i}") for i in range(count)]
        for at in range(0, count, 500):
            answer = fleet.limiter.CheckBatch(fleet.limiter_pb.CheckBatchRequest(items=items[at:at + 500]), timeout=WAIT)
            for item in answer.items:
                outcome["allowed" if item.response.allowed else "denied"] += 1

    threads = [threading.Thread(target=call, args=(fleet, f"{unique('part')}")) for fleet in fleets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def test_under_load_events_are_sampled_and_sums_are_exact(two_fleets, watch):
    here, there = two_fleets
    alice = here.user_with(here.bucket("many", "requests", 1000))
    users = [here.user_with(here.bucket("few", "requests", 50)) for _ in range(9)] + [alice]
    seen, of_alice = watch(here, max_events=20).hears(4), watch(there, user=alice, max_events=500).hears(4)
    made = check_many([here, there], users, 4000)
    assert made["allowed"] + made["denied"] == 8000 and made["denied"] > 1000
    for one in (seen, of_alice):
        one.wait(lambda watch: watch.totals["allowed"] + watch.totals["denied"] >= 8000, "all decisions")
        assert {name: one.totals[name] for name in made} == made
        assert sum(one.denied_by.values()) == made["denied"] and not any(answer.gap for answer in one.answers)
    assert len(seen.events) < 8000 and not all(answer.complete for answer in seen.answers)
    stood_for = sum(event.stands_for_milli for event in seen.events) / 1000
    assert abs(stood_for - 8000) < 100, stood_for  # thousandths are rounded down
    assert {event.user for event in of_alice.events} == {alice}
    told = len(of_alice.events) + sum(answer.left_out for answer in of_alice.answers)
    assert abs(told - 800) < 20 and (len(of_alice.events) == 800) == all(answer.complete for answer in of_alice.answers)


def test_nothing_is_published_while_nobody_watches(two_fleets, watch, stack, until):
    here, there = two_fleets
    check_many(two_fleets, [unique("user")], 100)
    assert published(stack) == 0
    seen = watch(here).hears(4)
    there.check(unique("user"))
    seen.wait(lambda watch: watch.events, "event")
    assert published(stack) > 0
    seen.close()
    until(lambda: stack.redis.pubsub_channels("b:w*") == [])

    def at_rest():
        before = published(stack)
        time.sleep(1.5)  # workers that still tell would do so at least once a second
        return published(stack) == before

    until(at_rest)
    before = published(stack)
    check_many(two_fleets, [unique("user")], 100)
    time.sleep(0.5)
    assert published(stack) == before


def test_a_watch_outlives_redis_and_says_that_there_was_a_gap(bots, watch, stack):
    seen = watch(bots).hears(2)
    bots.check(unique("user"))
    seen.wait(lambda watch: watch.totals["allowed"] == 1, "decision")
    stack.redis_server.kill()
    stack.redis_server.start()
    seen.wait(lambda watch: any(answer.gap for answer in watch.answers), "gap")
    seen.wait(lambda watch: watch.answers[-1].workers == 2 and not watch.answers[-1].gap, "workers that are heard again")
    user = unique("user")
    bots.check(user)
    seen.wait(lambda watch: any(event.user == user for event in watch.events), "later decision")


def test_a_watch_ends_when_its_server_stops_and_the_last_decisions_are_told(start_bursard, watch):
    servers = [start_bursard(workers=1) for _ in range(2)]
    here, there = (Bots(protos, server.grpc_addr) for server in servers)
    seen, ended = watch(here).hears(2), watch(there, interval_us=10_000_000)
    ended.wait(lambda watch: watch.answers, "answer")
    user = unique("user")
    there.check(user)
    servers[1].stop()
    assert ended.ended() == Code.UNAVAILABLE
    seen.wait(lambda watch: any(event.user == user for event in watch.events), "last decision")
    here.close()
    there.close()


def test_a_watch_ends_with_its_key(bots, watch):
    pb = bots.admin_pb
    operator = [("authorization", "Bearer " + bots.admin.CreateKey(pb.CreateKeyRequest(role=5)).secret)]
    made = bots.admin.CreateKey(pb.CreateKeyRequest(role=3), metadata=operator)
    seen = watch(bots, secret=made.secret).hears(2)
    bots.admin.RevokeKey(pb.RevokeKeyRequest(id=made.key.id), metadata=operator)
    assert seen.ended() == Code.UNAUTHENTICATED and seen.error.details() == "the key was revoked"


def test_a_slow_reader_misses_no_sum(bots, watch):
    held = bots.admin.Watch(bots.admin_pb.WatchRequest(interval_us=100_000, max_events=500))
    assert next(held).totals.allowed == 0  # and then nothing is read for long
    others = watch(bots).hears(2)
    for _ in range(5):
        check_many([bots], [unique("user") for _ in range(50)], 2000)
    others.wait(lambda watch: watch.totals["allowed"] + watch.totals["denied"] == 10_000, "all decisions")
    sums = 0
    while sums < 10_000:
        answer = next(held)
        sums += answer.totals.allowed + answer.totals.denied
        assert len(answer.events) <= 500
    assert sums == 10_000
    held.cancel()


def test_what_is_asked_for_wrongly_is_refused_with_its_field(bots):
    for field, fields in (("interval_us", {"interval_us": 1000}), ("max_events", {"max_events": 501}), ("kinds", {"kinds": [9]}),
                          ("user", {"user": "a\nb"}), ("all_tenants", {"all_tenants": True, "user": "ann"}), ("reason", {"reason": 77})):
        call = bots.admin.Watch(bots.admin_pb.WatchRequest(**fields))
        error = fails_with(Code.INVALID_ARGUMENT, next, call)
        assert error.details().startswith(field), error.details()


def test_only_so_many_watch_one_worker(start_bursard):
    server = start_bursard(workers=1, max_watchers=3)
    fleet = Bots(protos, server.grpc_addr)
    calls = [fleet.admin.Watch(fleet.admin_pb.WatchRequest(interval_us=10_000_000)) for _ in range(3)]
    for call in calls:
        next(call)
    fails_with(Code.RESOURCE_EXHAUSTED, next, fleet.admin.Watch(fleet.admin_pb.WatchRequest()))
    for call in calls:
        call.cancel()
    fleet.close()


def test_the_command_ends_well_on_ctrl_c(bursard, bots, until):
    command = subprocess.Popen([program("bursar"), "watch", "--addr", bursard.grpc_addr], stdout=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: [lines.append(line) for line in command.stdout], daemon=True)
    reader.start()
    user = unique("user")

    def seen():
        bots.check(user)
        return any(user in line for line in lines)

    until(seen)
    command.send_signal(signal.SIGINT)
    assert command.wait(WAIT) == 0


def test_top_gives_the_terminal_back(bursard, until):
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    for end in (b"q", b"\x03"):
        command = subprocess.Popen(["setsid", "--ctty", program("bursar"), "top", "--addr", bursard.grpc_addr], stdin=slave,
                                   stdout=slave, stderr=slave)
        shown = b""
        while b"per second" not in shown.lower():
            assert select.select([master], [], [], WAIT)[0], shown
            shown += os.read(master, 4096)
        assert shown.startswith(b"\x1b[?1049h") and not termios.tcgetattr(slave)[3] & termios.ICANON
        os.write(master, end)
        until(lambda command=command: drained(master) and command.poll() is not None)
        assert command.returncode == 0 and termios.tcgetattr(slave) == before
    os.close(slave)
    os.close(master)


def drained(terminal):
    """What a terminal was written is read: nobody waits for it."""
    while select.select([terminal], [], [], 0)[0]:
        os.read(terminal, 4096)
    return True
