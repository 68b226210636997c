"""Records that cannot be delivered wait, and arrive once."""
import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys

import grpc
import pytest
from accounts import held, per_day, used, user_with
from conftest import addresses, until
from scripted import fail, scripted

from bursar import Bursar, BursarError, Spool
from bursar._core.ids import now_us
from bursar.v1 import limiter_pb2

# A bot that is killed while its record waits.
BOT = """
import asyncio, sys
from bursar import Bursar

async def main(address, user, folder):
    bursar = Bursar(address, spool=folder)
    check = await bursar.check(user=user, model="gpt-5")
    print("checked", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await bursar.record(check, usage={"input_tokens": 7})
    print("recorded", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""


# One that is killed in mid-answer, and one whose server says nothing.
ANSWERING = """
import asyncio, sys
from bursar import Bursar

async def main(address, user, folder):
    bursar = Bursar(address, spool=folder, orphan_ms=5_000)
    async with bursar.run(user=user, model="gpt-5", input_tokens=100) as job:
        job.usage(usage={"input_tokens": 70})
        job.usage(usage={"input_tokens": 7})
        print(job.check.request_id, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""
RECORDING = """
import asyncio, sys
from bursar import Bursar

async def main(address, user, folder):
    bursar = Bursar(address, spool=folder, attempt_ms=60_000, timeout_ms=60_000)
    checks = await asyncio.gather(*(bursar.check(user=user) for _ in range(3)))
    print("checked", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.gather(*(bursar.record(check, usage={"input_tokens": 7}) for check in checks))

asyncio.run(main(*sys.argv[1:]))
"""


def started(program, *words):
    return subprocess.Popen([sys.executable, "-c", program, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()


def waiting(folder, ending=".json"):
    return sorted(path.name for path in pathlib.Path(folder).iterdir() if path.name.endswith(ending))


async def test_a_record_of_a_killed_bot_is_delivered_once_by_the_next_one(own, tmp_path, errors):
    address = addresses(own)[0]
    async with Bursar(address, on_error=errors, timeout_ms=60_000) as bursar:
        user = await user_with(bursar, per_day(1000, "TOKENS"))
        bot = subprocess.Popen([sys.executable, "-c", BOT, address, user, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert await asyncio.to_thread(bot.stdout.readline) == "checked\n"
            await asyncio.to_thread(own.bursards[0].stop)
            bot.stdin.write("\n")
            bot.stdin.flush()
            await until(lambda: waiting(tmp_path))  # from the first attempt on: the bot has not given up yet
        finally:
            bot.send_signal(signal.SIGKILL)
            bot.wait()
        await asyncio.to_thread(own.bursards[0].start)
        kept = [(tmp_path / name).read_text() for name in waiting(tmp_path)]
        async with Bursar(address, spool=str(tmp_path), on_error=errors):
            await until(lambda: not waiting(tmp_path))
        assert await used(bursar, user) == 7 and not await held(bursar, user)
        # Once more, as if the bot had died between the answer and the removal.
        (tmp_path / f"{now_us():016}-again-0.json").write_text(kept[0])
        async with Bursar(address, spool=str(tmp_path), on_error=errors):
            await until(lambda: not waiting(tmp_path))
        assert await used(bursar, user) == 7


async def test_a_bot_that_is_killed_while_a_server_says_nothing_to_its_records_loses_none(own, tmp_path, errors):
    address = addresses(own)[0]
    async with Bursar(address, on_error=errors, timeout_ms=60_000, attempt_ms=60_000) as bursar:
        user = await user_with(bursar, per_day(1000, "TOKENS"))
        bot = started(RECORDING, address, user, tmp_path)
        try:
            assert await asyncio.to_thread(bot.stdout.readline) == "checked\n"
            own.bursards[0].signal(signal.SIGSTOP)
            bot.stdin.write("\n")
            bot.stdin.flush()
            await until(lambda: waiting(tmp_path, ".batch"))
        finally:
            kill(bot)
            own.bursards[0].signal(signal.SIGCONT)
        async with Bursar(address, spool=str(tmp_path), on_error=errors, timeout_ms=60_000):
            await until(lambda: not list(tmp_path.iterdir()))
        assert await used(bursar, user) == 21 and not await held(bursar, user)


async def test_what_a_bot_had_told_is_charged_once_when_it_is_killed_in_mid_answer_and_its_reservation_ends_soon(own, tmp_path, errors):
    address = addresses(own)[0]
    async with Bursar(address, on_error=errors, timeout_ms=60_000) as bursar:
        user = await user_with(bursar, per_day(10_000, "TOKENS"))
        bot = started(ANSWERING, address, user, tmp_path)
        try:
            assert await asyncio.to_thread(bot.stdout.readline)
            await until(lambda: own.bursards[0].metric("renewals_total") >= 1)
            await until(lambda: len(waiting(tmp_path, ".batch")) == 2)
            assert await held(bursar, user)
        finally:
            kill(bot)
        async with Bursar(address, spool=str(tmp_path), on_error=errors, timeout_ms=60_000):
            await until(lambda: not list(tmp_path.iterdir()))
        await until(lambda: _nothing_held(bursar, user))
        assert await used(bursar, user) == 77


async def test_records_are_on_disk_while_they_are_on_their_way_those_of_a_call_in_one_file(tmp_path, errors):
    async with scripted() as server, Bursar(server.address, spool=str(tmp_path), on_error=errors, attempt_ms=60_000, timeout_ms=60_000) as bursar:
        answered = asyncio.Event()

        async def later(request, context):
            await answered.wait()
            return await server.recordbatch(request, context)

        server.script["RecordBatch"] = later
        records = [asyncio.create_task(bursar.record(f"h{number}", usage={"input_tokens": number})) for number in range(3)]
        await until(lambda: server.of("RecordBatch"))
        [name] = waiting(tmp_path, ".batch")
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        kept = limiter_pb2.RecordBatchRequest.FromString((tmp_path / name).read_bytes())
        assert kept == server.of("RecordBatch")[0] and len(kept.items) == 3
        answered.set()
        await asyncio.gather(*records)
        await until(lambda: not list(tmp_path.iterdir()))


async def test_what_a_process_had_on_its_way_is_delivered_by_the_next_one_and_a_file_that_is_none_is_told(tmp_path):
    items = [limiter_pb2.RecordRequest(reservation={"handle": f"h{number}"}, usage={"input_tokens": number}, attempt=number, lease="l")
             for number in range(2)]
    (tmp_path / "0000000000000001-0a0b0c0d-0.batch").write_bytes(limiter_pb2.RecordBatchRequest(items=items).SerializeToString())
    (tmp_path / "0000000000000002-0a0b0c0d-1.batch").write_bytes(b"")
    (tmp_path / "0000000000000003-0a0b0c0d-2.batch").write_bytes(b"cut")
    told = []
    async with scripted() as server, Bursar(server.address, spool=str(tmp_path), on_error=told.append):
        await until(lambda: server.of("RecordBatch") and not waiting(tmp_path))
        assert [(one.reservation.handle, one.usage.input_tokens, one.attempt, one.lease) for one in server.of("RecordBatch")[0].items] == [
            ("h0", 0, 0, ""), ("h1", 1, 1, "")]
    assert waiting(tmp_path, ".bad") == ["0000000000000002-0a0b0c0d-1.batch.bad", "0000000000000003-0a0b0c0d-2.batch.bad"]
    assert [error.code for error in told] == ["DATA_LOSS", "DATA_LOSS"]


async def test_what_the_disk_does_not_let_be_taken_up_stays_for_the_next_start_and_is_told(tmp_path):
    name = "0000000000000001-0a0b0c0d-0.batch"
    (tmp_path / name).mkdir()
    told = []
    async with scripted() as server, Bursar(server.address, spool=str(tmp_path), on_error=told.append):
        await until(lambda: told)
    assert [error.code for error in told] == ["UNAVAILABLE"] and name in str(told[0])
    assert (tmp_path / name).exists()


async def test_a_record_waits_in_memory_and_is_delivered_when_the_server_is_back(own, errors):
    async with Bursar(addresses(own), on_error=errors, timeout_ms=60_000, attempt_ms=300) as bursar:
        user = await user_with(bursar, per_day(1000, "TOKENS"))
        check = await bursar.check(user=user)
        await asyncio.to_thread(own.bursards[0].stop)
        assert (await bursar.record(check, usage={"input_tokens": 7})).queued
        await asyncio.to_thread(own.bursards[0].start)
        await until(lambda: _nothing_held(bursar, user))
        assert await used(bursar, user) == 7


async def _nothing_held(bursar, user):
    return not await held(bursar, user)


async def test_a_file_is_the_record_as_proto3_json_and_nobody_else_reads_it(tmp_path):
    async with scripted() as server:
        port = server.port
    async with Bursar(f"127.0.0.1:{port}", spool={"directory": str(tmp_path / "new")}, attempt_ms=50) as bursar:
        result = await bursar.record(user="ann", request_id="a/b 1", started_at_us=5, provider_usage={"prompt_tokens": 2}, model="gpt-5", attempt=3)
        assert result.queued and result.request_id == "a/b 1"
    [name] = waiting(tmp_path / "new")
    micros, rest = name.split("-", 1)
    assert len(micros) == 16 and rest == "a_b_1-3.json" and abs(int(micros) - now_us()) < 600_000_000
    assert json.loads((tmp_path / "new" / name).read_text()) == {
        "reservation": {"user": "ann", "requestId": "a/b 1", "startedAtUs": "5"}, "model": "gpt-5", "attempt": 3,
        "providerUsage": {"json": '{"prompt_tokens":2}'}}
    assert (tmp_path / "new" / name).stat().st_mode & 0o777 == 0o600


async def test_what_another_language_wrote_is_delivered_in_order(tmp_path):
    for number in range(3):
        (tmp_path / f"{1_000 + number:016}-id{number}-0.json").write_text(json.dumps(
            {"reservation": {"handle": f"h{number}"}, "usage": {"input_tokens": number, "outputTokens": 1}, "laterField": True}))
    (tmp_path / ".half-written").write_text("{")
    async with scripted() as server, Bursar(server.address, spool=str(tmp_path)):
        await until(lambda: not waiting(tmp_path))
        [batch] = server.of("RecordBatch")
        assert [(one.reservation.handle, one.usage.input_tokens) for one in batch.items] == [("h0", 0), ("h1", 1), ("h2", 2)]


async def test_what_the_server_refuses_and_what_cannot_be_read_is_put_aside(tmp_path):
    told = []
    for number, text in enumerate(['{"reservation": {"handle": "good"}, "usage": {}}', '{"reservation": {"handle": "bad"}, "usage": {}}', "{"]):
        (tmp_path / f"{number:016}-id-0.json").write_text(text)

    async def refuse(request, context):
        answer = await server.recordbatch(request, context)
        answer.items[1].CopyFrom(limiter_pb2.RecordItem(error=limiter_pb2.ItemError(code=3, field="reservation.handle", message="is not one")))
        return answer

    async with scripted() as server:
        server.script["RecordBatch"] = refuse
        async with Bursar(server.address, spool=str(tmp_path), on_error=told.append):
            await until(lambda: not waiting(tmp_path))
    assert waiting(tmp_path, ".refused") == ["0000000000000001-id-0.refused"] and waiting(tmp_path, ".bad") == ["0000000000000002-id-0.bad"]
    assert sorted(error.field or str(error) for error in told) == ["0000000000000002-id-0.json is not a record, and was put aside",
                                                                   "reservation.handle"]


async def test_a_record_that_spoils_the_call_of_all_is_found(tmp_path):
    told = []
    for number in range(4):
        (tmp_path / f"{number:016}-id-0.json").write_text(json.dumps({"reservation": {"handle": f"h{number}"}, "usage": {}}))

    async def spoilt(request, context):
        if "h2" in [one.reservation.handle for one in request.items]:
            await fail(context, grpc.StatusCode.INVALID_ARGUMENT, "cannot be read")
        return await server.recordbatch(request, context)

    async with scripted() as server:
        server.script["RecordBatch"] = spoilt
        async with Bursar(server.address, spool=str(tmp_path), on_error=told.append):
            await until(lambda: not waiting(tmp_path))
    assert waiting(tmp_path, ".refused") == ["0000000000000002-id-0.refused"] and [str(error) for error in told] == ["cannot be read"]


async def test_records_with_much_usage_go_in_calls_that_a_server_takes(bursar, tmp_path, fleet, errors):
    user = await user_with(bursar, per_day(1_000_000, "TOKENS"))
    checks = await asyncio.gather(*(bursar.check(user=user) for _ in range(40)))
    long = {"usage": {"prompt_tokens": 1, "completion_tokens": 1}, "x": "y" * 60_000}
    results = await asyncio.gather(*(bursar.record(check, provider_usage=long, provider="openai") for check in checks))
    assert [result.tokens for result in results] == [2] * 40
    for number in range(40):
        (tmp_path / f"{number:016}-id-0.json").write_text(json.dumps(
            {"reservation": {"user": user, "requestId": f"long-{number}", "startedAtUs": str(now_us())},
             "providerUsage": {"provider": "openai", "json": json.dumps(long)}}))
    async with Bursar(addresses(fleet)[0], spool=str(tmp_path), on_error=errors):
        await until(lambda: not waiting(tmp_path))
    assert await used(bursar, user) == 160


async def test_a_record_waits_while_the_key_is_refused():
    told = []

    async def refuse(_, context):
        await fail(context, grpc.StatusCode.UNAUTHENTICATED, "the key has expired")

    async with scripted() as server:
        server.script["Record"] = server.script["RecordBatch"] = refuse
        async with Bursar(server.address, on_error=told.append) as bursar:
            assert (await bursar.record(user="ann", usage={"input_tokens": 1})).queued
            await until(lambda: told)
            assert told[0].code == "UNAUTHENTICATED"
            server.script.clear()
            await until(lambda: server.of("RecordBatch") and not bursar._running.outbox._spool.count())


async def test_an_invalid_record_is_told_to_its_caller_and_not_kept(bursar, tmp_path, fleet, errors):
    async with Bursar(addresses(fleet)[0], spool=str(tmp_path), on_error=errors) as with_folder:
        with pytest.raises(BursarError) as failure:
            await with_folder.record("no-handle", usage={"input_tokens": 1})
    assert failure.value.code == "INVALID_ARGUMENT" and not waiting(tmp_path)


async def test_a_full_spool_is_told_and_the_record_is_refused(tmp_path):
    told = []
    async with scripted() as server:
        port = server.port
    for spool, expected in ((Spool(str(tmp_path), records=2), "2 records"), (Spool(str(tmp_path / "small"), bytes=10), "0 records")):
        async with Bursar(f"127.0.0.1:{port}", spool=spool, attempt_ms=50, on_error=told.append) as bursar:
            for number in range(2 if spool.records == 2 else 0):
                assert (await bursar.record(user="ann", request_id=f"r{number}", usage={})).queued
            with pytest.raises(BursarError):
                await bursar.record(user="ann", request_id="one-more", usage={})
            assert told[-1].reason == "SPOOL_FULL" and expected in str(told[-1])
    assert len(waiting(tmp_path)) == 2


async def test_what_waits_in_memory_when_the_client_closes_is_told():
    told = []
    async with scripted() as server:
        port = server.port
    async with Bursar(f"127.0.0.1:{port}", attempt_ms=50, on_error=told.append) as bursar:
        assert (await bursar.record(user="ann", usage={"input_tokens": 1})).queued
    assert [error.code for error in told] == ["DATA_LOSS"]


async def test_a_cancelled_caller_does_not_lose_its_record():
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request, context):
        arrived.set()
        await go_on.wait()
        return await server.record(request, context)

    async with scripted() as server:
        server.script["Record"] = slow
        async with Bursar(server.address) as bursar:
            task = asyncio.create_task(bursar.record(user="ann", usage={"input_tokens": 1}))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert len(server.calls) == 1


async def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    told = []
    async with scripted() as server:
        port = server.port
    async with Bursar(f"127.0.0.1:{port}", spool=str(tmp_path), attempt_ms=50, on_error=told.append) as bursar:
        os.rename(tmp_path, f"{tmp_path}-away")
        with pytest.raises(BursarError):
            await bursar.record(user="ann", usage={"input_tokens": 1})
        os.rename(f"{tmp_path}-away", tmp_path)
    assert "SPOOL_FULL" in [getattr(error, "reason", "") for error in told]
