"""CheckStream: many checks over one stream, each with an answer of its own, and what happens when either side stops."""
import collections
import itertools
import json
import random
import signal
import threading

import grpc
import pytest

from bots import Bots, failed, unique
from check_streams import WAIT, Stream
from harness import protos, until as wait_until
from test_open_streams import BOT, Keys

Code = grpc.StatusCode


def until(condition, what="the condition of the test"):
    return wait_until(condition, what, timeout=WAIT)


@pytest.fixture
def stream(bots):
    made = Stream(bots)
    yield made
    made.close()
    made.rest()


def in_messages(items, chance, most=500):
    """The items in messages of random sizes."""
    items = iter(items)
    while part := list(itertools.islice(items, chance.randint(1, most))):
        yield part


def test_what_is_sent_together_is_answered_with_the_ids_that_were_given(bots, stream):
    user = bots.user_with(bots.calendar("day", "requests", 3))
    stream.send(*(stream.item(number, user) for number in (9, 2**64 - 1, 0, 7)))
    answers = stream.answers(4)
    assert set(answers) == {9, 2**64 - 1, 0, 7}
    assert sorted(answer.response.allowed for answer in answers.values()) == [False, True, True, True]
    denied = next(answer.response for answer in answers.values() if not answer.response.allowed)
    assert failed(denied) == {"day"} and denied.message and denied.headers


def test_an_item_that_waits_holds_up_no_other(bots, stream, stack):
    """A user whom nobody knows is looked up in PostgreSQL, which waits for us; the other one is decided by Redis alone."""
    known, unknown = unique("known"), unique("unknown")
    assert stream.ask(known).response.allowed
    with stack.sql() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE accounts")
        stream.send(stream.item(1, unknown), stream.item(2, known))
        assert [answer.id for answer in stream.next()] == [2]
        cursor.execute("COMMIT")
    assert stream.answers(1)[1].response.allowed


def test_ten_thousand_items_are_decided_like_single_checks(bots, stream):
    chance = random.Random(18)
    limits = {bots.user_with(bots.calendar("day", "requests", most)): most for most in (chance.randint(1, 400) for _ in range(40))}
    users = chance.choices(list(limits), k=10_000)
    reader = threading.Thread(target=lambda: answers.update(stream.answers(len(users))))
    answers = {}
    reader.start()
    for part in in_messages((stream.item(number, user, request_id=f"r{number}") for number, user in enumerate(users)), chance):
        stream.send(*part)
    reader.join(WAIT)
    assert len(answers) == len(users) and not any(answer.HasField("error") for answer in answers.values())
    allowed = collections.Counter(users[number] for number, answer in answers.items() if answer.response.allowed)
    assert allowed == {user: min(limits[user], users.count(user)) for user in limits if user in users}
    assert {user: bots.used(user, "day") for user in allowed} == allowed
    for number in chance.sample(range(len(users)), 200):  # a repeat says the same, and counts nothing
        answer, again = answers[number].response, bots.check(users[number], timeout=WAIT, request_id=f"r{number}")
        assert (again.allowed, again.repeat, again.reservation) == (answer.allowed, answer.allowed, answer.reservation)
    assert {user: bots.used(user, "day") for user in allowed} == allowed


def same(answer):
    """An answer without its times and its own ids."""
    return (answer.allowed, answer.reason, answer.permanent, answer.tier, answer.held_tokens, answer.held_cost_nano_usd, answer.state,
            answer.repeat, answer.unpriced, answer.quality, [(row.limit.name, row.used, row.failed) for row in answer.limits],
            sorted(header.name for header in answer.headers))


def test_an_item_is_answered_in_full_as_check_answers_it(bots, stream):
    chance, pair = random.Random(4), [unique("single"), unique("streamed")]
    tier = unique("tier")
    bots.tier(tier, bots.calendar("day", "tokens", 40_000), bots.calendar("calls", "requests", 60), bots.calendar("spend", "cost", 30_000_000))
    for user in pair:
        bots.account(user, tier=tier)
    for number in range(120):
        fields = {"model": chance.choice(["gpt-4o", "gpt-4o-mini", ""]), "input_tokens": chance.randint(0, 900), "verbose": chance.random() < 0.3,
                  "max_output_tokens": chance.randint(0, 300), "headers": chance.random() < 0.3, "request_id": f"q{chance.randint(0, 100)}"}
        streamed = stream.ask(pair[1], **fields)
        try:
            assert same(streamed.response) == same(bots.check(pair[0], timeout=WAIT, **fields)), number
        except grpc.RpcError as error:
            assert streamed.error.code == error.code().value[0], number


def test_an_error_concerns_its_item_only(bots, stream):
    user = bots.user_with(bots.calendar("day", "requests", 100))
    assert stream.ask(user, request_id="once", input_tokens=1).response.allowed
    bad = {1: (stream.item(1, ""), Code.INVALID_ARGUMENT, "check.user"), 2: (stream.pb.StreamedCheck(id=2), Code.INVALID_ARGUMENT, "check"),
           3: (stream.item(3, user, settle=True), Code.INVALID_ARGUMENT, "check.settle"),
           4: (stream.item(4, user, request_id="once", input_tokens=2), Code.ALREADY_EXISTS, ""),
           5: (stream.item(5, user, timeout_us=61_000_000), Code.INVALID_ARGUMENT, "timeout_us"),
           6: (stream.item(6, user, input_tokens=1, cached_input_tokens=2), Code.INVALID_ARGUMENT, "check.cached_input_tokens")}
    stream.send(*(item for item, _, _ in bad.values()), stream.item(7, user))
    answers = stream.answers(7)
    assert answers[7].response.allowed
    assert {number: (answers[number].error.code, answers[number].error.field) for number in bad} == {
        number: (code.value[0], field) for number, (_, code, field) in bad.items()}
    assert stream.ask(user).response.allowed and bots.used(user, "day") == 3


@pytest.mark.parametrize("message, text", [
    (b"", "items: must have 1 to 1000 items, not 0"), (b"\x0a\x00" * 1001, "items: must have 1 to 1000 items, not 1001"),
    (b"\xff\xff", "the message is not a well-formed CheckStreamRequest"), (b"\x0a\x02\x12\x09", "an item is not a well-formed StreamedCheck"),
    (b"\x0a\x04\x12\x02\x12\x09", "an item is not a well-formed StreamedCheck")])
def test_what_is_no_message_ends_the_stream_once_the_others_are_answered(bots, message, text):
    user, pb = unique("user"), bots.limiter_pb
    good = pb.CheckStreamRequest(items=[pb.StreamedCheck(id=5, check=bots.request(user))]).SerializeToString()
    call = bots.channel.stream_stream("/bursar.v1.Limiter/CheckStream")(iter([good, message]), timeout=WAIT)
    assert [answer.id for answer in pb.CheckStreamResponse.FromString(next(call)).items] == [5]
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert (caught.value.code(), caught.value.details()) == (Code.INVALID_ARGUMENT, text)


def test_a_message_that_is_too_large_ends_the_stream(bots):
    call = bots.channel.stream_stream("/bursar.v1.Limiter/CheckStream")(iter([b"\x0a" * (2 << 20)]), timeout=WAIT)
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert caught.value.code() == Code.RESOURCE_EXHAUSTED


def test_closing_the_sending_side_brings_all_answers_and_then_the_end(bots):
    stream, user = Stream(bots), bots.user_with(bots.calendar("day", "requests", 1000))
    for first in range(0, 600, 100):
        stream.send(*(stream.item(number, user) for number in range(first, first + 100)))
    stream.close()
    assert set(stream.rest()) == set(range(600)) and stream.code() == Code.OK
    empty = Stream(bots)
    empty.close()
    assert empty.rest() == {} and empty.code() == Code.OK
    assert bots.used(user, "day") == 600


def steady(bots, figure):
    """The figure, when it has not changed while a server did a number of other things, one after the other."""
    seen = []

    def settled():
        bots.status("somebody")
        seen.append(figure())
        return len(seen) > 40 and seen[-40] == seen[-1]

    until(settled, "the figure to stay as it is")
    return seen[-1]


def narrow(server):
    """A stub whose streams have windows of 64 KiB, as HTTP/2 begins with."""
    channel = grpc.insecure_channel(server.grpc_addr, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)])
    return channel, protos.limiter_pb2_grpc.LimiterStub(channel)


def test_a_reader_who_stops_is_not_read_from_and_goes_on_where_they_stopped(start_bursard, fleet_at):
    """The server begins no items while answers wait, however many are sent; they stay in the connection's windows. Others are served."""
    server, items = start_bursard(workers=1, answer_timeout_ms=0), 40_000
    bots, (channel, limiter) = fleet_at(server.grpc_addr), narrow(server)
    user, pb = bots.user_with(bots.calendar("day", "requests", 10**6)), bots.limiter_pb
    # Items that were read keep their places in the queue while nobody reads answers.
    messages = (pb.CheckStreamRequest(items=[pb.StreamedCheck(id=first + i, check=bots.request(user, verbose=True), timeout_us=60_000_000)
                                             for i in range(20)]) for first in range(0, items, 20))
    call = limiter.CheckStream(messages, timeout=240)
    until(lambda: server.metric("checks_total") > 0)
    assert steady(bots, lambda: server.metric("checks_total")) < 4000
    found = [answer.id for message in call for answer in message.items]
    assert sorted(found) == list(range(items)) and bots.used(user, "day") == items
    channel.close()


def test_a_reader_who_never_comes_back_is_cut_off_and_what_they_were_not_told_goes_back(start_bursard, fleet_at):
    server = start_bursard(workers=1, answer_timeout_ms=1000)
    bots, (channel, limiter) = fleet_at(server.grpc_addr), narrow(server)
    user = bots.user_with(bots.calendar("day", "requests", 10**6), bots.level("open", 10**6))
    pb = bots.limiter_pb
    messages = (pb.CheckStreamRequest(items=[pb.StreamedCheck(id=first + i, check=bots.request(user, verbose=True)) for i in range(20)])
                for first in itertools.count(step=20))
    call = limiter.CheckStream(messages, timeout=WAIT)
    until(lambda: server.metric("answers_dropped_total", why="late") == 1)
    until(lambda: server.metric("redis_owed") == 0 and server.metric("grpc_calls_open") == 0)
    allowed = 0
    with pytest.raises(grpc.RpcError) as caught:
        for message in call:
            allowed += sum(answer.response.allowed for answer in message.items)
    assert caught.value.code() == Code.RESOURCE_EXHAUSTED
    # What the window held was delivered, as far as the server can tell; all that came after it is free again.
    held = bots.figures(user)[(bots.types.ACCOUNT_KIND_USER, "open")].held
    assert allowed <= held < server.metric("checks_total", decision="allowed")
    channel.close()


STOPS = "the server is stopping: reconnect"


class Persistent(threading.Thread):
    """Sends a user's items without a pause, in messages of some; what is not answered when a stream ends is sent to the next server."""

    def __init__(self, name, addresses):
        super().__init__(daemon=True)
        self.user, self.stopping = name, threading.Event()
        self.fleets = itertools.cycle([Bots(protos, address, patient=True) for address in addresses])
        self.numbers, self.waiting, self.answers, self.ends, self.problems = itertools.count(), {}, {}, collections.Counter(), []
        self.unsure = set()  # had no answer when a stream ended without the server's word
        self.start()

    def take(self, more):
        for answer in more:
            repeat = answer.response.repeat and answer.id not in self.unsure
            if answer.HasField("error") or not answer.response.allowed or repeat or answer.id in self.answers:
                self.problems.append(answer)
            self.answers[answer.id] = answer.response.reservation
            del self.waiting[answer.id]

    def one_stream(self):
        stream = Stream(next(self.fleets))
        if self.waiting:
            stream.send(*self.waiting.values())
        while not self.stopping.is_set():
            numbers = [next(self.numbers) for _ in range(7)]
            items = [stream.item(number, self.user, request_id=str(number), input_tokens=1) for number in numbers]
            self.waiting.update(zip(numbers, items))
            stream.send(*items)
            if len(self.waiting) > 100 and not self.read(stream):
                return
        stream.close()
        while self.read(stream):
            pass

    def read(self, stream):
        more = stream.next()
        if more is None:
            told = stream.error and stream.error.details() == STOPS
            self.ends[(stream.code(), told)] += 1
            if not told:
                self.unsure.update(self.waiting)
            return False
        self.take(more)
        return True

    def run(self):
        try:
            while self.waiting or not self.stopping.is_set():
                self.one_stream()
        except Exception as error:  # the test's thread raises it
            self.problems.append(error)


def test_servers_that_stop_under_load_lose_no_item_and_decide_none_that_they_do_not_answer(start_bursard, fleet_at):
    """Nothing that a server has left unanswered is a repeat at the next one: it had not been decided. Only who was still sending when the
    connection was closed, and whom that cost the end of what had arrived, cannot know."""
    servers = [start_bursard(workers=2) for _ in range(2)]
    bots = fleet_at(servers[0].grpc_addr)
    users = [bots.user_with(bots.calendar("day", "requests", 10**7)) for _ in range(4)]
    addresses = [server.grpc_addr for server in servers]
    callers = [Persistent(user, order) for user, order in zip(users, itertools.cycle([addresses, addresses[::-1]]))]
    for _, server in zip(range(4), itertools.cycle(servers)):
        before = [len(caller.answers) for caller in callers]
        until(lambda: any(caller.problems for caller in callers)
              or all(len(caller.answers) > n + 200 for caller, n in zip(callers, before)))
        server.stop()
        server.start()
    for caller in callers:
        caller.stopping.set()
        caller.join(WAIT)
        assert not caller.problems and not caller.waiting, (caller.problems[:3], len(caller.waiting))
        assert {code for code, _ in caller.ends} <= {Code.OK, Code.UNAVAILABLE}
    assert sum(caller.ends[(Code.UNAVAILABLE, True)] for caller in callers) >= len(callers)
    bots = fleet_at(servers[0].grpc_addr)
    for caller in callers:
        assert sorted(caller.answers) == list(range(len(caller.answers)))
        assert bots.used(caller.user, "day") == len(caller.answers)


def test_a_stopping_server_says_where_to_go_after_the_last_answer(start_bursard, fleet_at):
    server = start_bursard(lame_duck_ms=60_000, drain_ms=60_000)
    bots = fleet_at(server.grpc_addr)
    stream, user = Stream(bots), bots.user_with(bots.calendar("day", "requests", 1000))
    assert stream.ask(user).response.allowed
    server.signal(signal.SIGTERM)
    assert stream.rest() == {} and stream.code() == Code.UNAVAILABLE
    assert stream.error.details() == "the server is stopping: reconnect"
    late = Stream(bots)
    late.send(late.item(1, user))
    assert late.rest() == {} and late.code() == Code.UNAVAILABLE
    server.signal(signal.SIGTERM)  # enough waited


@pytest.fixture
def keys(two_fleets):
    return Keys(two_fleets, until)


def test_streams_of_two_tenants_stay_apart(keys):
    ours, theirs = (Stream(keys.there, keys.known(BOT, tenant=tenant).secret) for tenant in ("ours", "theirs"))
    user, pb = unique("user"), ours.pb
    for stream in (ours, theirs):
        stream.send(*(pb.StreamedCheck(id=number, check=pb.CheckRequest(user=user, request_id=str(number))) for number in range(5)),
                    pb.StreamedCheck(id=5, check=pb.CheckRequest(user=user, tenant="theirs" if stream is ours else "ours")))
    for stream in (ours, theirs):
        answers = stream.answers(6)
        assert [answers[number].response.allowed for number in range(5)].count(True) == 3  # of the free tier, each for itself
        assert answers[5].error.code == Code.PERMISSION_DENIED.value[0] and "tenant" in answers[5].error.message
        stream.close()
        assert stream.rest() == {} and stream.code() == Code.OK


def test_a_stream_ends_when_its_key_is_revoked_and_another_goes_on(keys):
    leaked, good = keys.known(BOT, tenant="ours"), keys.known(BOT, tenant="ours")
    ends, stays = Stream(keys.there, leaked.secret), Stream(keys.there, good.secret)
    for stream in (ends, stays):
        stream.send(stream.pb.StreamedCheck(id=1, check=stream.pb.CheckRequest(user="ann")))
        assert stream.answers(1)[1].HasField("response")
    keys.revoke(leaked)
    assert ends.rest() == {} and ends.code() == Code.UNAUTHENTICATED and ends.error.details() == "the key was revoked"
    stays.send(stays.pb.StreamedCheck(id=2, check=stays.pb.CheckRequest(user="ann")))
    assert stays.answers(1)[2].HasField("response")
    stays.close()
    assert stays.rest() == {} and stays.code() == Code.OK


def test_an_item_is_given_up_in_its_own_time_and_holds_nothing_then(stack, start_bursard, fleet_at):
    server = start_bursard(workers=1, redis_timeout_ms=60_000)
    bots, tier, user = fleet_at(server.grpc_addr), unique("tier"), unique("user")
    bots.tier(tier, bots.calendar("day", "requests", 100), fail_policy="FAIL_POLICY_CLOSED")
    bots.account(user, tier=tier)
    stream = Stream(bots)
    assert stream.ask(user).response.allowed
    stack.redis_server.signal(signal.SIGSTOP)
    stream.send(stream.item(2, user, timeout_us=50_000))
    assert stream.answers(1)[2].error.code == Code.DEADLINE_EXCEEDED.value[0]
    stack.redis_server.signal(signal.SIGCONT)
    until(lambda: server.metric("redis_owed") == 0)
    until(lambda: bots.used(user, "day") == 1)
    stream.send(stream.item(3, user))
    assert stream.answers(1)[3].response.allowed
    stream.close()
    assert stream.rest() == {}


def test_items_are_counted_and_traced_as_checks(start_bursard, fleet_at):
    server = start_bursard(workers=1, log_format="json")
    bots, user = fleet_at(server.grpc_addr), unique("user")
    whole, own = (f"00-{random.getrandbits(128):032x}-{random.getrandbits(64) | 1:016x}-00" for _ in range(2))
    before = server.metric("checks_total")
    stream = Stream(bots, metadata=[("traceparent", whole)])
    stream.send(*(stream.item(number, user, request_id=str(number)) for number in range(3)))
    stream.answers(3)
    stream.send(stream.item(3, user), stream.item(4, user, traceparent=own))
    stream.answers(2)
    stream.close()
    assert stream.rest() == {} and stream.code() == Code.OK
    until(lambda: server.metric("grpc_calls_total", method="/bursar.v1.Limiter/CheckStream", code="OK") == 1)
    assert server.metric("checks_total") == before + 5
    denials = [json.loads(line) for line in server.log().splitlines() if "check denied" in line]
    assert sorted(line["trace_id"] for line in denials) == sorted(text.split("-")[1] for text in (whole, own))


def test_a_stream_that_does_nothing_keeps_nothing_from_others(bots, stream):
    idle = [Stream(bots) for _ in range(50)]
    user = bots.user_with(bots.calendar("day", "requests", 100))
    assert bots.check(user, timeout=WAIT).allowed and stream.ask(user).response.allowed
    for stream in idle:
        stream.close()
    assert all(stream.rest() == {} and stream.code() == Code.OK for stream in idle)
