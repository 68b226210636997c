"""Events: in order, over deaths of servers, and again if the body of the loop did not end."""
import asyncio
import threading

import grpc
import pytest
from accounts import unique
from conftest import addresses, until
from scripted import fail, scripted

from bursar import Bursar, BursarError
from bursar.blocking import Bursar as Blocking
from bursar.v1 import alerts_pb2, types_pb2


def happen(of, user, count=1):
    """That many events of the user, numbered from 1 on by their `used`."""
    of.database.query(
        "INSERT INTO alert_events (seq, at, tenant, rule, kind, severity, account_kind, account, limit_name, percent, used, amount) "
        "SELECT nextval('alert_seq'), now(), 'default', 'users', 1, 1, 1, %s, 'requests_per_day', 80, n, 50 FROM generate_series(1, %s) n "
        "RETURNING seq", user, count)


async def test_an_event_says_what_happened_to_whom(bursar, fleet):
    user = unique("events")
    happen(fleet, user)
    async for event in bursar.events(from_start=True, user=user, kinds=["threshold", "tier"]):
        break
    assert (event.kind, event.severity, event.user, event.account_kind) == ("threshold", "info", user, "user")
    assert (event.limit, event.percent, event.used, event.amount) == ("requests_per_day", 80, 1, 50)
    assert event.text and event.cursor > 0 and event.raw.id > 0


async def test_the_loop_goes_on_over_deaths_of_servers_in_order_without_a_gap(own):
    user, got, lost = unique("events"), [], []
    happen(own, user, 300)
    async with Bursar(addresses(own)) as bursar:
        async for event in bursar.events(from_start=True, user=user, on_reconnecting=lost.append):
            got.append(event.used)
            if event.used in (10, 200):
                await asyncio.to_thread(own.bursards[0].restart)
            if event.used == 300:
                break
    assert got == [*range(1, 301)] and lost and lost[0].code in ("UNAVAILABLE", "CANCELLED")


async def test_an_event_whose_body_did_not_end_comes_again(bursar, fleet):
    user, kept = unique("events"), 0
    happen(fleet, user, 3)
    with pytest.raises(ZeroDivisionError):
        async for event in bursar.events(from_start=True, user=user):
            if event.used == 2:
                raise ZeroDivisionError
            kept = event.cursor
    async with bursar.events(after=kept, user=user) as events:
        assert [(await anext(events)).used for _ in range(2)] == [2, 3]
        assert kept < events.cursor


async def test_a_stream_that_breaks_is_continued_behind_the_last_message():
    def message(cursor, **event):
        return alerts_pb2.EventsResponse(cursor=cursor, event=alerts_pb2.AlertEvent(cursor=cursor, **event) if event else None)

    async with scripted() as server:
        async def answer(request, context):
            turn = len(server.of("Events"))
            if turn == 1:
                yield message(7)
                await fail(context, grpc.StatusCode.UNAVAILABLE, "made to fail", reason="DRAINING")
            elif turn == 2:
                await fail(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "too many", reason="TOO_MANY_WATCH")
            elif turn == 3:
                yield message(7)
                yield message(9, kind=alerts_pb2.ALERT_KIND_TIER, account_kind=types_pb2.ACCOUNT_KIND_TEAM)
            else:
                yield message(12, kind=99)

        server.script["Events"], why, got = answer, [], []
        async with Bursar(server.address) as bursar:
            async for event in bursar.events(on_reconnecting=lambda error: why.append(error.code)):
                got.append((event.cursor, event.kind, event.account_kind, event.user))
                if event.cursor == 12:
                    break
        assert [request.after for request in server.of("Events")] == [0, 7, 7, 9]
        assert why == ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "UNAVAILABLE"]
        assert got == [(9, "tier", "team", ""), (12, "", "", "")]


@pytest.mark.parametrize("there", [True, False])
async def test_the_loop_ends_with_its_client(own, there):
    if not there:
        await asyncio.to_thread(own.bursards[0].kill)
    bursar, lost = Bursar(addresses(own)), []

    async def read():
        return [event async for event in bursar.events(on_reconnecting=lost.append)]

    reading = asyncio.create_task(read())
    if there:
        await until(lambda: own.bursards[0].metric("grpc_calls_open") > 0)
    else:
        await until(lambda: lost)
    await bursar.close()
    assert await reading == []


async def test_a_loop_that_is_cancelled_is_cancelled(own):
    async with Bursar(addresses(own)) as bursar:
        reading = asyncio.create_task(anext(bursar.events()))
        await until(lambda: own.bursards[0].metric("grpc_calls_open") > 0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until(lambda: own.bursards[0].metric("grpc_calls_open") == 0)


async def test_what_trying_again_does_not_help_is_raised(bursar):
    for words, field in (({"kinds": ["drift"]}, "kinds[0]"), ({"after": 10**12}, "after")):
        with pytest.raises(BursarError) as caught:
            await anext(bursar.events(**words))
        assert (caught.value.code, caught.value.field) == ("INVALID_ARGUMENT", field)
    with pytest.raises(BursarError, match="'tears' is not a kind of event"):
        bursar.events(kinds=["tears"])


def test_threads_have_the_same_loop(own):
    user, got = unique("events"), []
    happen(own, user, 20)
    client = Blocking(addresses(own))

    def read():
        for event in client.events(from_start=True, user=user):
            got.append(event.used)
            if event.used == 5:
                own.bursards[0].restart()
            if event.used == 20:
                ended.set()

    ended = threading.Event()
    reading = threading.Thread(target=read)
    reading.start()
    assert ended.wait(60)
    client.close()
    reading.join(60)
    assert got == [*range(1, 21)] and not reading.is_alive()
    again = next(iter(Blocking(addresses(own)).events(from_start=True, user=user)))
    assert again.used == 1
