"""What a client decides while no server answers."""
import asyncio

import grpc
import pytest
from accounts import per_day, used, user_with
from conftest import addresses, until
from scripted import fail, scripted

from bursar import Bursar, BursarError, Share
from bursar._core.fail import USERS, Buckets


async def nobody():
    async with scripted() as server:
        return server.address


async def test_closed_is_an_error():
    async with Bursar(await nobody(), fail_after_ms=100) as bursar:
        with pytest.raises(BursarError) as failure:
            await bursar.check(user="ann")
    assert failure.value.code == "UNAVAILABLE" and not failure.value.from_server


async def test_open_lets_pass_and_says_so(errors):
    async with Bursar(await nobody(), fail="open", fail_after_ms=100, interface="telegram") as bursar:
        check = await bursar.check(user="ann", model="gpt-5")
    assert (check.allowed, check.quality, check.degraded, check.reservation) == (True, "none", True, "")
    assert check.interface == "telegram" and len(check.request_id) == 32 and check.started_at_us > 0


async def test_what_ran_without_a_server_is_recorded_later(own, errors):
    async with Bursar(addresses(own), fail="open", fail_after_ms=300, attempt_ms=300, timeout_ms=60_000, on_error=errors) as bursar:
        user = await user_with(bursar, per_day(100), per_day(10_000, "TOKENS"))
        await asyncio.to_thread(own.bursards[0].stop)
        async with bursar.run(user=user, model="gpt-5", input_tokens=70, max_output_tokens=30) as estimated:
            pass
        async with bursar.run(user=user, model="gpt-5") as told:
            told.usage(usage={"input_tokens": 7})
        assert estimated.recorded.queued and told.recorded.queued
        with pytest.raises(ZeroDivisionError):
            async with bursar.run(user=user, model="gpt-5"):
                raise ZeroDivisionError
        await asyncio.to_thread(own.bursards[0].start)
        await until(lambda: _all_used(bursar, user))
        assert {one.dimension: one.used for one in (await bursar.status(user=user)).limits} == {"requests": 2, "tokens": 107}


async def _all_used(bursar, user):
    return await used(bursar, user) == 2


async def test_what_the_server_lets_pass_without_its_store_is_recorded_later(start_own, errors):
    own = start_own(redis_timeout_ms=200)
    async with Bursar(addresses(own), attempt_ms=2_000, on_error=errors) as bursar:
        user = await user_with(bursar, per_day(100), per_day(10_000, "TOKENS"))
        await bursar.record(await bursar.check(user=user), usage={"input_tokens": 1})
        own.redis.kill()
        async with bursar.run(user=user, model="gpt-5") as job:
            job.usage(usage={"input_tokens": 7})
        assert job.check.quality == "local" and job.check.degraded and job.recorded.queued
        await asyncio.to_thread(own.redis.start)
        async with bursar.run(user=user) as again:
            again.usage(usage={"input_tokens": 1})
        await until(lambda: _delivered(bursar))


async def _delivered(bursar):
    return not bursar._running.outbox._spool.count()


async def test_a_share_lets_each_user_have_so_many():
    async with Bursar(await nobody(), fail={"share": {"requests_per_minute": 2}}, fail_after_ms=50) as bursar:
        ann = [await bursar.check(user="ann") for _ in range(3)]
        assert [check.allowed for check in ann] == [True, True, False]
        assert ann[2].reason == "request_rate" and 0 < ann[2].retry_after_ms <= 30_001 and ann[2].message
        assert (await bursar.check(user="bob")).allowed


async def test_a_server_that_refuses_is_not_away():
    async def refuse(_, context):
        await fail(context, grpc.StatusCode.UNAUTHENTICATED, "no such key")

    async with scripted() as server, Bursar(server.address, fail="open") as bursar:
        server.script["Check"] = refuse
        with pytest.raises(BursarError, match="no such key"):
            await bursar.check(user="ann")


async def test_a_silent_server_is_like_none():
    async def silent(*_):
        await asyncio.sleep(3600)

    async with scripted() as server, Bursar(server.address, fail="open", fail_after_ms=100) as bursar:
        server.script["Check"] = silent
        assert (await bursar.check(user="ann")).quality == "none"


def test_a_bucket_fills_again_evenly():
    buckets = Buckets(6)
    assert [buckets.take("ann", 0) for _ in range(7)] == [0] * 6 + [10]
    assert buckets.take("ann", 9.5) == pytest.approx(0.5)
    assert buckets.take("ann", 10) == 0
    assert buckets.take("ann", 10) == pytest.approx(10)


def test_buckets_of_the_users_seen_last_are_kept():
    buckets = Buckets(1)
    for number in range(USERS + 1):
        buckets.take(f"u{number}", 0)
    assert buckets.take("u0", 0) == 0, "forgotten"
    assert buckets.take(f"u{USERS}", 0) == 60


def test_a_share_must_let_something_pass():
    with pytest.raises(BursarError, match="fail: requests_per_minute"):
        Bursar(fail=Share(0))
