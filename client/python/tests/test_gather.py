"""Calls that are made together go together, and each keeps its own answer."""
import asyncio

import grpc
import pytest
from accounts import bucket, user_with
from scripted import fail, scripted

from bursar import Bursar, BursarError
from bursar.v1 import limiter_pb2


async def test_checks_of_one_turn_go_as_one_batch():
    async with scripted() as server, Bursar(server.address) as bursar:
        checks = await asyncio.gather(*(bursar.check(user=f"u{number}") for number in range(50)))
        assert [check.user for check in checks] == [f"u{number}" for number in range(50)]
        assert all(check.reservation == "r-" + check.request_id for check in checks), "each has its own answer"
        assert [name for name, _ in server.calls] == ["CheckBatch"]


async def test_one_check_alone_is_a_plain_check():
    async with scripted() as server, Bursar(server.address) as bursar:
        await bursar.check(user="ann")
        assert [name for name, _ in server.calls] == ["Check"]


async def test_what_comes_while_a_call_is_under_way_is_gathered():
    held = asyncio.Event()

    async def slow(request, context):
        await held.wait()
        return await server.check(request, context)

    async with scripted() as server, Bursar(server.address, gather={"delay_ms": 60_000, "items": 3}) as bursar:
        server.script["Check"] = slow
        first = asyncio.create_task(bursar.check(user="first"))
        while not server.calls:
            await asyncio.sleep(0.001)
        later = []
        for number in range(2):
            later.append(asyncio.create_task(bursar.check(user=f"later-{number}")))
            await asyncio.sleep(0.005)
        assert len(server.calls) == 1, "they wait for the delay, for more of them, or for the end of the call"
        held.set()
        await asyncio.gather(first, *later)
        assert [name for name, _ in server.calls] == ["Check", "CheckBatch"]


async def test_a_batch_has_at_most_so_many_items():
    async with scripted() as server, Bursar(server.address, gather={"items": 20}) as bursar:
        await asyncio.gather(*(bursar.check(user="ann") for _ in range(50)))
        assert sorted(len(batch.items) for batch in server.of("CheckBatch")) == [10, 20, 20], "they may arrive in any order"


async def test_gathering_can_be_turned_off():
    async with scripted() as server, Bursar(server.address, gather=False) as bursar:
        await asyncio.gather(*(bursar.check(user="ann") for _ in range(3)))
        assert [name for name, _ in server.calls] == ["Check"] * 3


async def test_each_caller_of_a_batch_has_its_own_answer_and_error(bursar):
    denied = await user_with(bursar, bucket(0))
    allowed = await user_with(bursar, bucket(5))
    answers = await asyncio.gather(bursar.check(user=allowed), bursar.check(user=denied), bursar.check(user=""),
                                   bursar.check(user=allowed, input_tokens=-1), return_exceptions=True)
    assert answers[0].allowed and answers[0].tier
    assert not answers[1].allowed and answers[1].reason == "request_rate" and answers[1].limits[0].failed
    assert isinstance(answers[2], BursarError) and (answers[2].code, answers[2].field) == ("INVALID_ARGUMENT", "user")
    assert isinstance(answers[3], BursarError) and answers[3].field == "input_tokens"
    assert (await bursar.status(user=allowed)).limits[0].used == 1


async def test_only_the_items_that_failed_are_asked_again():
    async def half(request, context):
        if len(server.of("CheckBatch")) > 1:
            return await server.checkbatch(request, context)
        items = [limiter_pb2.CheckItem(response=await server.check(one, context)) for one in request.items]
        items[1] = limiter_pb2.CheckItem(error=limiter_pb2.ItemError(code=14, message="the store is away"))
        items[2] = limiter_pb2.CheckItem(error=limiter_pb2.ItemError(code=14, message="the store is away"))
        return limiter_pb2.CheckBatchResponse(items=items)

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["CheckBatch"] = half
        checks = await asyncio.gather(*(bursar.check(user=f"u{number}") for number in range(4)))
        assert all(check.allowed for check in checks)
        first, again = server.of("CheckBatch")
        assert [item.user for item in again.items] == ["u1", "u2"]
        assert [item.request_id for item in again.items] == [item.request_id for item in first.items[1:3]]
        assert not any(item.request_id_is_new for item in again.items) and all(item.request_id_is_new for item in first.items)


async def test_a_cancelled_caller_does_not_disturb_the_others():
    arrived, held = asyncio.Event(), asyncio.Event()

    async def slow(request, context):
        arrived.set()
        await held.wait()
        return await server.checkbatch(request, context)

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["CheckBatch"] = slow
        one, other = asyncio.create_task(bursar.check(user="one")), asyncio.create_task(bursar.check(user="other"))
        await arrived.wait()
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        held.set()
        assert (await other).allowed
        await bursar.close()
        assert [request.reservation.handle for request in server.of("Cancel")] == ["r-" + server.of("CheckBatch")[0].items[0].request_id]


async def test_a_failed_batch_fails_each_of_its_callers():
    async def refuse(_, context):
        await fail(context, grpc.StatusCode.UNAUTHENTICATED, "no such key")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["CheckBatch"] = refuse
        answers = await asyncio.gather(bursar.check(user="a"), bursar.check(user="b"), return_exceptions=True)
        assert [answer.code for answer in answers] == ["UNAUTHENTICATED"] * 2 and len(server.calls) == 1


async def test_records_are_gathered_too():
    async with scripted() as server, Bursar(server.address) as bursar:
        checks = await asyncio.gather(*(bursar.check(user="ann") for _ in range(3)))
        results = await asyncio.gather(*(bursar.record(check, usage={"input_tokens": number}) for number, check in enumerate(checks)))
        assert [result.tokens for result in results] == [0, 1, 2]
        assert [name for name, _ in server.calls] == ["CheckBatch", "RecordBatch"]
