"""Slots of a pool: the queue, the lease, and how both survive."""
import asyncio
import random
import time

import grpc
import pytest
from accounts import bucket, held, in_pool, per_day, pool, used, user_with
from conftest import addresses, until
from harness import Proxy
from scripted import fail, scripted

from bursar import Bursar, BursarError, Denied, LeaseLost
from bursar.v1 import limiter_pb2


def granted(request, fence=7, lease_us=30_000_000, **fields):
    check = limiter_pb2.CheckResponse(allowed=True, request_id=request.check.request_id, reservation="r")
    return limiter_pb2.AcquireResponse(check=check, granted=limiter_pb2.Granted(lease="l", fence=fence, lease_us=lease_us, **fields))


async def test_a_slot_is_held_by_one_and_the_queue_is_told(bursar):
    one_slot = await pool(bursar)
    first, second = await user_with(bursar, bucket(10)), await user_with(bursar, bucket(10))
    told, fences = [], []
    async with one_slot.slot(user=first) as slot:
        fences.append(slot.fence)

        async def wait():
            async with one_slot.slot(user=second, on_queued=told.append) as later:
                fences.append(later.fence)
                later.usage(usage={"input_tokens": 5})
            return later.recorded

        waiting = asyncio.create_task(wait())
        await until(lambda: told)
        assert told[0].position == 1 and told[0].type == "queued" and await in_pool(bursar, one_slot) == (1, 1)
        slot.usage(usage={"input_tokens": 1})
    recorded = await waiting
    assert fences[0] < fences[1] and recorded.released and recorded.tokens == 5
    await until(lambda: _empty(bursar, one_slot))
    assert not await held(bursar, first) and not await held(bursar, second)


async def _empty(bursar, of):
    return await in_pool(bursar, of) == (0, 0)


async def test_a_slow_callback_delays_nothing_and_sees_the_newest_place(bursar):
    one_slot = await pool(bursar)
    users = [await user_with(bursar, bucket(10)) for _ in range(2)]
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(queued):
        begun.set()
        await go_on.wait()

    async with one_slot.slot(user=users[0]):
        waiting = asyncio.create_task(_through(one_slot, users[1], on_queued=slow))
        await begun.wait()
    await waiting
    go_on.set()


async def _through(of, user, **words):
    async with of.slot(user=user, **words) as slot:
        return slot


async def test_a_callback_that_fails_is_told_and_harms_nobody(fleet):
    told = []
    async with Bursar(addresses(fleet)[0], on_error=told.append) as bursar:
        one_slot = await pool(bursar)
        users = [await user_with(bursar, bucket(10)) for _ in range(2)]
        async with one_slot.slot(user=users[0]):
            waiting = asyncio.create_task(_through(one_slot, users[1], on_queued=lambda queued: 1 / 0))
            await until(lambda: told)
        await waiting
    assert isinstance(told[0], ZeroDivisionError)


async def test_a_limit_refuses_before_the_queue(bursar):
    one_slot = await pool(bursar)
    user = await user_with(bursar, bucket(0))
    with pytest.raises(Denied) as denied:
        await _through(one_slot, user)
    assert denied.value.check.message


async def test_a_full_queue_says_when_to_come_again(bursar):
    one_slot = await pool(bursar, queue_limit=1)
    users = [await user_with(bursar, bucket(10)) for _ in range(3)]
    async with one_slot.slot(user=users[0]):
        second = asyncio.create_task(_through(one_slot, users[1]))
        await until(lambda: _waits(bursar, one_slot))
        with pytest.raises(BursarError) as full:
            await _through(one_slot, users[2])
        assert (full.value.code, full.value.reason) == ("RESOURCE_EXHAUSTED", "POOL_QUEUE_FULL") and full.value.retry_after_ms > 0
    await second


async def _waits(bursar, of):
    return (await in_pool(bursar, of))[1] == 1


async def test_cancelling_a_task_in_the_queue_leaves_nothing_behind(bursar):
    one_slot = await pool(bursar)
    users = [await user_with(bursar, bucket(10)) for _ in range(2)]
    async with one_slot.slot(user=users[0]):
        waiting = asyncio.create_task(_through(one_slot, users[1]))
        await until(lambda: _waits(bursar, one_slot))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        async def gone():
            return await in_pool(bursar, one_slot) == (1, 0) and not await held(bursar, users[1]) and await used(bursar, users[1]) == 0

        await until(gone)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whenever_tasks_are_cancelled_nothing_stays_held_or_queued(fleet, errors, seed):
    chance, told = random.Random(seed), 0
    async with Bursar(addresses(fleet)[0], on_error=errors) as bursar:
        three = await pool(bursar, slots=3)
        user = await user_with(bursar, per_day(1_000_000, "TOKENS"), pool_concurrent=3)

        async def work(pause_s):
            nonlocal told
            async with three.slot(user=user, input_tokens=1, max_output_tokens=1) as slot:
                slot.usage(usage={"input_tokens": 1})
                told += 1
                await asyncio.sleep(pause_s)

        tasks = []
        for _ in range(100):
            task = asyncio.create_task(work(chance.uniform(0, 0.02)))
            asyncio.get_running_loop().call_later(chance.uniform(0, 0.5), task.cancel)
            tasks.append(task)
            if chance.random() < 0.3:
                await asyncio.sleep(chance.uniform(0, 0.01))
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        refused = {error.code for error in ended if isinstance(error, BursarError)}
        assert {type(end) for end in ended} <= {type(None), asyncio.CancelledError, BursarError} and refused <= {"RESOURCE_EXHAUSTED"}
    async with Bursar(addresses(fleet)[0]) as bursar:
        async def free():
            return await in_pool(bursar, three) == (0, 0) and not await held(bursar, user)

        await until(free)
        assert await used(bursar, user) == told > 0


async def test_a_block_that_fails_gives_slot_and_reservation_back(bursar):
    one_slot = await pool(bursar)
    user = await user_with(bursar, bucket(10))
    with pytest.raises(ZeroDivisionError):
        async with one_slot.slot(user=user):
            raise ZeroDivisionError
    await until(lambda: _empty(bursar, one_slot))
    assert await used(bursar, user) == 0 and not await held(bursar, user)


async def test_every_event_can_be_read_and_leaving_gives_back(bursar):
    one_slot = await pool(bursar)
    users = [await user_with(bursar, bucket(10)) for _ in range(2)]
    seen = []
    async with one_slot.acquire(user=users[0]) as first:
        async for event in first:
            assert event.type == "granted" and event.check.reservation
            break
        waiting = asyncio.create_task(_read(one_slot, users[1], seen))
        await until(lambda: seen)
        await bursar.cancel(lease=event.lease)
    await waiting
    assert seen[0] == "queued" and seen[-1] == "granted"
    await until(lambda: _empty(bursar, one_slot))


async def _read(of, user, seen):
    async for event in of.acquire(user=user):
        seen.append(event.type)
        if event.type == "granted":
            break


async def test_place_and_lease_survive_a_broken_connection_and_a_restart(own, errors):
    async with Bursar(addresses(own), on_error=errors, timeout_ms=60_000) as bursar:
        one_slot = await pool(bursar)
        users = [await user_with(bursar, bucket(10)) for _ in range(2)]
        events, fences = [], []

        async def holder():
            async with one_slot.slot(user=users[0], on_reconnecting=events.append) as slot:
                fences.append(slot.fence)
                await leave.wait()
                assert not slot.lost.is_set()
                slot.usage(usage={"input_tokens": 1})
            return slot.recorded

        async def waiter():
            async with one_slot.slot(user=users[1], on_queued=events.append, patience_ms=60_000) as slot:
                fences.append(slot.fence)

        leave = asyncio.Event()
        holding = asyncio.create_task(holder())
        await until(lambda: fences)
        waiting = asyncio.create_task(waiter())
        await until(lambda: events)
        await asyncio.to_thread(own.bursards[0].stop)
        await asyncio.to_thread(own.bursards[0].start)

        async def back():
            return await in_pool(bursar, one_slot) == (1, 1)

        await until(back)
        assert len(fences) == 1, "the waiter still waits"
        assert any(event.type == "reconnecting" for event in events)
        leave.set()
        assert (await holding).released
        await waiting
        assert fences[0] < fences[1]
        await until(lambda: _empty(bursar, one_slot))


async def test_who_takes_a_lease_over_cancels_the_first_holder(fleet, errors):
    async with Bursar(addresses(fleet)[0], on_error=errors) as bursar:
        await _take_over(bursar)


async def _take_over(bursar):
    one_slot = await pool(bursar)
    user = await user_with(bursar, bucket(10))
    lost = []
    with pytest.raises(LeaseLost) as loss:
        async with one_slot.slot(user=user, request_id="same", on_lost=lost.append) as slot:
            async with one_slot.acquire(user=user, request_id="same") as other:
                async for event in other:
                    assert event.fence == slot.fence
                    await asyncio.sleep(3600)
    assert loss.value.reason == "TAKEN_OVER" and (loss.value.code, slot.lost.is_set()) == ("ABORTED", True)
    await until(lambda: lost)
    assert asyncio.current_task().cancelling() == 0


async def test_a_lease_that_no_server_renews_is_lost_before_it_ends():
    async def once(request, context):
        if len(server.calls) == 1:
            yield granted(request, lease_us=2_300_000)
        await fail(context, grpc.StatusCode.UNAVAILABLE, "away")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Acquire"] = once
        with pytest.raises(LeaseLost):
            async with bursar.pool().slot(user="ann"):
                await asyncio.sleep(3600)
        assert {request.check.request_id for request in server.of("Acquire")} == {server.of("Acquire")[0].check.request_id}


async def test_a_lease_is_lost_in_time_although_the_new_stream_is_silent():
    async def silent(request, context):
        if len(server.calls) == 1:
            yield granted(request, lease_us=2_500_000)
            await fail(context, grpc.StatusCode.UNAVAILABLE, "away")
        await asyncio.sleep(3600)

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Acquire"] = silent
        began = time.monotonic()
        with pytest.raises(LeaseLost):
            async with bursar.pool().slot(user="ann"):
                await asyncio.sleep(3600)
        assert time.monotonic() - began < 60


async def test_another_fence_after_a_reconnection_is_another_lease():
    async def other(request, context):
        yield granted(request, fence=len(server.calls))
        if len(server.calls) == 1:
            await fail(context, grpc.StatusCode.UNAVAILABLE, "away")
        await asyncio.sleep(3600)

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Acquire"] = other
        with pytest.raises(LeaseLost):
            async with bursar.pool().slot(user="ann"):
                await asyncio.sleep(3600)


async def test_a_holder_who_does_not_want_to_be_cancelled_is_told():
    async def once(request, context):
        if len(server.calls) == 1:
            yield granted(request, lease_us=2_200_000)
        await fail(context, grpc.StatusCode.UNAVAILABLE, "away")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Acquire"] = once
        with pytest.raises(LeaseLost):
            async with bursar.pool().slot(user="ann", cancel_on_lost=False) as slot:
                await slot.lost.wait()
                slot.usage(usage={"input_tokens": 4})
        assert server.of("Record")[0].usage.input_tokens == 4, "what was used is recorded all the same"


async def test_a_pool_that_shrinks_asks_to_finish():
    async def drains(request, _):
        yield granted(request)
        yield limiter_pb2.AcquireResponse(draining=limiter_pb2.Draining(finish_by_us=5))
        await asyncio.sleep(3600)

    told = []
    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Acquire"] = drains
        async with bursar.pool().slot(user="ann", on_draining=told.append) as slot:
            await until(lambda: told)
            assert slot.draining.finish_by_us == 5
            slot.usage(usage={"input_tokens": 1})
        assert server.of("Record")[0].lease == "l"


async def test_a_place_is_given_up_when_no_server_answers_in_time():
    async with scripted() as server:
        port = server.port
    async with Bursar(f"127.0.0.1:{port}") as bursar:
        with pytest.raises(BursarError) as away:
            await _through(bursar.pool(), "ann", patience_ms=300)
    assert away.value.code == "UNAVAILABLE"


async def test_a_connection_that_breaks_costs_a_place_nothing(bursar, fleet):
    one_slot = await pool(bursar)
    users = [await user_with(bursar, bucket(10)) for _ in range(2)]
    host, port = addresses(fleet)[0].split(":")
    proxy = Proxy((host, int(port)))
    told, again = [], []
    try:
        async with one_slot.slot(user=users[0]), Bursar(proxy.address) as behind:
            waiting = asyncio.create_task(_through(behind.pool(one_slot.name), users[1], on_queued=told.append, on_reconnecting=again.append))
            await until(lambda: told)
            proxy.drop()
            await until(lambda: again)
            await until(lambda: _waits(bursar, one_slot))
            waiting.cancel()
            await asyncio.wait([waiting])
    finally:
        proxy.close()
