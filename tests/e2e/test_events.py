"""Limiter.Events: what happened to the users of a tenant, in order, at least once, to those who may know it."""
import contextlib

import grpc
import pytest

from alert_events import (ANOMALY, DENIAL, DRIFT, RULE, STARVING, TEAM, THRESHOLD, TIER, USER, HttpStream, Stream, happen)
from bots import fails_with, unique
from test_keys import THEIRS, House
from web import Door

Code = grpc.StatusCode
MANY = 10_000


@pytest.fixture
def read():
    with contextlib.ExitStack() as closed:
        yield lambda fleet, **fields: closed.enter_context(contextlib.closing(Stream(fleet, **fields)))


@pytest.fixture
def database(postgres):
    return postgres


def test_what_happens_comes_in_order_after_a_first_message(bots, read, database):
    happen(database, 3)
    stream = read(bots).begun()
    assert not stream.events and stream.cursor > 1
    happen(database, 5)
    events = stream.has(5)
    assert stream.numbers() == [1, 2, 3, 4, 5]
    assert [event.cursor for event in events] == sorted({event.cursor for event in events})
    event = events[0]
    assert (event.tenant, event.account, event.account_kind, event.kind) == ("default", "ann", USER, TIER)
    assert (event.before, event.after, event.rule) == ("free", "pro", RULE) and event.text and event.at_us


def test_a_stream_says_that_there_is_nothing_new(bots, read):
    stream = read(bots, kinds=[ANOMALY])
    stream.wait(lambda: stream.messages >= 2, "second message")
    assert not stream.events and stream.cursor > 0


def test_a_reader_continues_behind_its_cursor_over_a_kill_of_the_server(bursard, fleet_at, read, database):
    happen(database, MANY)
    first = read(fleet_at(bursard.grpc_addr), from_start=True)
    first.has(MANY // 3)
    bursard.restart()
    assert first.ended() == Code.UNAVAILABLE
    got = len(first.events)
    second = read(fleet_at(bursard.grpc_addr), after=first.events[-1].cursor)
    second.has(MANY - got)
    happen(database)
    second.has(MANY - got + 1)
    assert first.numbers() + second.numbers() == [*range(1, MANY + 1), 1]


def test_ten_thousand_at_once_reach_those_who_read_and_one_who_does_not(bots, read, database):
    quick, slow = read(bots).begun(), read(bots, slow=True).begun()
    happen(database, MANY)
    quick.has(MANY)
    slow.may_read.set()
    slow.has(MANY)
    for stream in (quick, slow):
        assert stream.numbers() == [*range(1, MANY + 1)]


def test_each_stream_has_its_own_filter(two_fleets, read, database):
    user = unique("user")
    streams = {
        "all": read(two_fleets[0]), "ann": read(two_fleets[1], user=user), "denials": read(two_fleets[0], kinds=[DENIAL]),
        "more": read(two_fleets[1], kinds=[ANOMALY, TIER])}
    for stream in streams.values():
        stream.begun()
    happen(database, account=user)
    happen(database, kind=DENIAL)
    happen(database, kind=ANOMALY)
    happen(database, account_kind=TEAM, account=user)
    expected = {"all": [TIER, DENIAL, TIER], "ann": [TIER], "denials": [DENIAL], "more": [TIER, ANOMALY, TIER]}
    for name, stream in streams.items():
        stream.has(len(expected[name]))
    happen(database, account=user, kind=DENIAL)
    for name, more in (("all", [DENIAL]), ("ann", [DENIAL]), ("denials", [DENIAL]), ("more", [])):
        streams[name].has(len(expected[name]) + len(more))
        assert [event.kind for event in streams[name].events] == expected[name] + more, name


def test_a_key_reads_its_own_tenant_and_a_users_key_its_own_user(bots, read, database):
    house = House(bots)
    keys = {role: house.create(role).secret for role in ("user", "bot", "viewer")}
    streams = {role: read(bots, secret=secret, from_start=True) for role, secret in keys.items()}
    for tenant in ("ours", THEIRS, ""):
        for account in ("alice", "bob"):
            happen(database, tenant=tenant, account=account)
    happen(database, tenant="ours", account="red", account_kind=TEAM)
    happen(database, tenant="ours", account="alice", kind=THRESHOLD)
    seen = {role: [(event.tenant, event.account) for event in stream.has(2 if role == "user" else 4)] for role, stream in streams.items()}
    assert seen["user"] == [("ours", "alice")] * 2
    # A bot is not told the names of shared accounts, as in its other answers.
    assert seen["bot"] == [("ours", "alice"), ("ours", "bob"), ("ours", ""), ("ours", "alice")]
    assert seen["viewer"] == [("ours", "alice"), ("ours", "bob"), ("ours", "red"), ("ours", "alice")]
    refused = (("user", {"user": "bob"}), ("user", {"tenant": THEIRS}), ("bot", {"tenant": THEIRS}), ("viewer", {"tenant": THEIRS}),
               ("bot", {"kinds": [STARVING]}))
    for role, fields in refused:
        assert read(bots, secret=keys[role], **fields).ended() == Code.PERMISSION_DENIED, (role, fields)
    read(bots, secret=keys["viewer"], kinds=[STARVING]).begun()


def test_what_cannot_be_read_is_refused_with_the_field(bots):
    events, request = bots.limiter.Events, bots.stubs.alerts_pb2.EventsRequest
    for fields, text in (({"after": 10**9}, "after"), ({"kinds": [DRIFT]}, "kinds[0]"), ({"kinds": [TIER, 0]}, "kinds[1]")):
        error = fails_with(Code.INVALID_ARGUMENT, next, events(request(**fields), timeout=60))
        assert error.details().startswith(text + ":")


def test_a_cursor_older_than_the_oldest_event_continues_with_it(bots, read, database):
    happen(database, 200)
    stream = read(bots, from_start=True)
    early = stream.has(1)[0].cursor
    stream.has(200)
    database.execute("DELETE FROM alert_events WHERE threshold < 150")
    again = read(bots, after=early)
    again.has(51)
    assert again.numbers() == [*range(150, 201)]


def test_a_stream_ends_with_its_key_and_with_the_server(start_bursard, fleet_at, read, database):
    server = start_bursard()
    fleet = fleet_at(server.grpc_addr)
    house = House(fleet)
    leaked, good = house.create("bot"), house.create("bot")
    streams = [read(fleet, secret=answer.secret).begun() for answer in (leaked, good)]
    house.operator.RevokeKey(house.pb.RevokeKeyRequest(id=leaked.key.id))
    assert streams[0].ended() == Code.UNAUTHENTICATED
    happen(database, tenant="ours")
    streams[1].has(1)
    server.stop()
    assert streams[1].ended() == Code.UNAVAILABLE


def test_a_stream_outlives_a_crash_of_postgresql(bots, read, database, postgres_server):
    stream = read(bots).begun()
    postgres_server.restart()
    happen(database, 2)
    stream.has(2)
    assert stream.numbers() == [1, 2]


def test_over_http_the_cursor_is_the_id_of_the_event_and_continues_it(bursard, database):
    door = Door(bursard.http_addr)
    happen(database, 3)
    with contextlib.closing(HttpStream(door, "/v1/events?from_start=true", Accept="text/event-stream")) as stream:
        assert stream.response.headers.get_content_type() == "text/event-stream"
        messages = [stream.event() for _ in range(4)]
    assert [message[1].get("event", {}).get("threshold") for message in messages] == [None, "1", "2", "3"]
    assert all(number == message["cursor"] for number, message in messages)
    with contextlib.closing(HttpStream(door, "/v1/events?from_start=true", **{"Last-Event-ID": messages[2][0]})) as stream:
        again = [stream.event() for _ in range(2)]
    assert again[0][0] == messages[2][0] and again[1][1]["event"]["threshold"] == "3"
    lines = HttpStream(door, f"/v1/events?after={messages[1][0]}&kinds=tier", Accept="application/x-ndjson")
    with contextlib.closing(lines):
        assert "event" not in lines.line() and [lines.line()["event"]["threshold"] for _ in range(2)] == ["2", "3"]
    assert door("GET", "/v1/events", **{"Last-Event-ID": "x"}).status == 400
