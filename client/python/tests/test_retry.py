"""Calls that get no answer are made again, under the same id; an answer never is."""
import asyncio
import time

import grpc
import pytest
from accounts import bucket, used, user_with
from conftest import addresses, until
from harness import Proxy
from scripted import fail, scripted

from bursar import Bursar, BursarError
from bursar._core import channels
from bursar.v1 import admin_pb2, limiter_pb2

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


async def test_a_check_whose_answer_was_lost_is_repeated_and_counts_once(bursar, fleet):
    user = await user_with(bursar, bucket(10))
    host, port = addresses(fleet)[0].split(":")
    proxy = Proxy((host, int(port)))
    try:
        async with Bursar(proxy.address, timeout_ms=30_000) as behind:
            await behind.status(user=user)  # connected
            proxy.hold_answers()
            asked = asyncio.create_task(behind.check(user=user))
            await until(lambda: used(bursar, user))
            proxy.drop()
            proxy.thaw()
            check = await asked
            assert check.allowed and check.repeat, "the server knows the id already"
            assert await used(bursar, user) == 1
            await behind.record(check, usage={"input_tokens": 1})
    finally:
        proxy.close()


async def test_an_id_is_new_only_on_its_first_attempt():
    async def once(request, context):
        if len(server.calls) == 1:
            await fail(context, UNAVAILABLE, "the store is away")
        return await server.check(request, context)

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Check"] = once
        await bursar.check(user="ann")
        first, again = server.of("Check")
        assert first.request_id == again.request_id and len(first.request_id) == 32
        assert (first.request_id_is_new, again.request_id_is_new) == (True, False)
        await bursar.check(user="ann", request_id="mine")
        assert server.of("Check")[-1].request_id == "mine" and not server.of("Check")[-1].request_id_is_new


async def test_a_denial_is_an_answer_and_is_not_asked_again():
    async def deny(*_):
        return limiter_pb2.CheckResponse(allowed=False, reason=2, retry_after_us=1_000_000, message="No.")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Check"] = deny
        check = await bursar.check(user="ann")
        assert (check.allowed, check.reason, check.retry_after_ms, check.message) == (False, "quota", 1000, "No.")
        assert len(server.calls) == 1


@pytest.mark.parametrize("words", [{"retry_ms": 400}, {"pushback_ms": 400}], ids=["RetryInfo", "pushback"])
async def test_no_attempt_is_made_before_the_server_wants_it(words):
    times = []

    async def busy(request, context):
        times.append(time.monotonic())
        if len(times) == 1:
            await fail(context, UNAVAILABLE, "busy", **words)
        return await server.check(request, context)

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Check"] = busy
        assert (await bursar.check(user="ann")).allowed
        assert times[1] - times[0] >= 0.4


async def test_a_wait_beyond_the_deadline_is_told_at_once():
    async def busy(_, context):
        await fail(context, UNAVAILABLE, "busy", retry_ms=3_600_000, reason="STARTING")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Check"] = busy
        with pytest.raises(BursarError) as failure:
            await bursar.check(user="ann")
        assert (failure.value.code, failure.value.retry_after_ms, failure.value.reason) == ("UNAVAILABLE", 3_600_000, "STARTING")
        assert len(server.calls) == 1


async def test_attempts_are_bounded():
    async def away(_, context):
        await fail(context, UNAVAILABLE, "the store is away")

    async with scripted() as server, Bursar(server.address, attempts=3) as bursar:
        server.script["Check"] = away
        with pytest.raises(BursarError, match="the store is away"):
            await bursar.check(user="ann")
        assert len(server.calls) == 3


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "INTERNAL", "FAILED_PRECONDITION"])
async def test_other_codes_are_told_at_once(code):
    async def refuse(_, context):
        await fail(context, grpc.StatusCode[code], "no")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Check"] = refuse
        with pytest.raises(BursarError) as failure:
            await bursar.check(user="ann")
        assert failure.value.code == code and failure.value.from_server and len(server.calls) == 1


async def test_a_silent_server_costs_an_attempt_and_the_next_address_answers():
    async def silent(*_):
        await asyncio.sleep(3600)

    async with scripted() as one, scripted() as two:
        one.script["Check"] = silent
        async with Bursar([one.address, two.address], attempt_ms=200) as bursar:
            for _ in range(4):
                assert (await bursar.check(user="ann")).allowed
            assert len(two.calls) == 4


async def test_a_server_that_connects_and_never_answers_is_looked_for_less_and_less_often(monkeypatch):
    pauses, sleep = [], asyncio.sleep

    async def silent(*_):
        await sleep(3600)

    async def noted(seconds):
        pauses.append(seconds)
        await sleep(0)

    async with scripted() as one, scripted() as two:
        one.script["Check"] = silent
        async with Bursar([one.address, two.address], attempt_ms=50, gather=False, orphan_ms=0) as bursar:
            monkeypatch.setattr(channels.random, "uniform", lambda low, high: high)
            monkeypatch.setattr(channels.asyncio, "sleep", noted)
            while len(one.calls) < 6:
                assert (await bursar.check(user="ann")).allowed
            monkeypatch.undo()
    looks = sorted(pause for pause in pauses if pause in (0.05, 0.1, 0.2, 0.4, 0.5))
    assert looks[-2:] == [0.5, 0.5], pauses


async def test_a_call_that_would_make_a_second_thing_is_made_once():
    async def away(_, context):
        await fail(context, UNAVAILABLE, "the answer was lost")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["CreateKey"] = away
        with pytest.raises(BursarError):
            await bursar.admin.create_key()
        assert len(server.calls) == 1


async def test_a_reset_and_an_adjustment_have_an_id_of_their_own(bursar):
    user = await user_with(bursar, bucket(10))
    await bursar.record(await bursar.check(user=user), usage={"input_tokens": 1})
    assert not (await bursar.admin.reset(ref=admin_pb2.AccountRef(id=user), reason="test")).repeat
    adjusted = await bursar.admin.adjust_ledger(user=user, requests=-1, reason="test")
    assert len(adjusted.adjustment_id) == 32
