"""Several servers, and servers that go and come back."""
import asyncio

import grpc
from accounts import bucket, per_day, used, user_with
from conftest import addresses, until
from scripted import fail, scripted

from bursar import Bursar, BursarError
from bursar._core import channels


async def test_calls_take_turns_between_two_workers(fleet):
    before = [one.metric("checks_total") for one in fleet.bursards]
    async with Bursar(",".join(addresses(fleet))) as bursar:
        for number in range(10):
            await bursar.check(user=f"turn-{number}")
    after = [one.metric("checks_total") for one in fleet.bursards]
    assert [now - then for now, then in zip(after, before)] == [5, 5]


async def test_a_server_that_is_gone_is_left_out_and_found_again(start_own, errors):
    both = start_own(2)
    async with Bursar(addresses(both), on_error=errors) as bursar:
        user = await user_with(bursar, bucket(1000))
        both.bursards[0].kill()
        for _ in range(20):
            assert (await bursar.check(user=user)).allowed
        both.bursards[0].start()

        async def first_is_asked():
            await bursar.check(user=user)
            return both.bursards[0].metric("checks_total") > 0

        await until(first_is_asked)


async def test_bursard_restarted_under_a_running_client_is_a_delay_and_no_error(own, errors):
    async with Bursar(addresses(own), on_error=errors, timeout_ms=60_000) as bursar:
        user = await user_with(bursar, per_day(100_000))
        done, stop = [], asyncio.Event()

        async def bot():
            while not stop.is_set():
                async with bursar.run(user=user) as job:
                    job.usage(usage={"input_tokens": 1})
                done.append(job.recorded)

        bots = [asyncio.create_task(bot()) for _ in range(5)]
        for end in (own.bursards[0].stop, own.bursards[0].kill):
            await until(lambda so_far=len(done): len(done) >= so_far + 20)
            await asyncio.to_thread(end)
            await asyncio.to_thread(own.bursards[0].start)
        await until(lambda so_far=len(done): len(done) >= so_far + 20)
        stop.set()
        await asyncio.gather(*bots)
        # What waited in the spool is delivered too, and nothing is counted twice.
        await until(lambda: _settled(bursar, user))
        assert await used(bursar, user) == len(done)


async def _settled(bursar, user):
    return not (await bursar.admin.list_reservations(user=user)).reservations


async def test_every_look_for_a_server_is_made_with_a_fresh_channel_and_at_most_half_a_second_later(monkeypatch):
    """gRPC's own back-off grows with each failure of a channel; a fresh one has none. No clock: the pauses are read as they are asked for."""
    pauses, lines, made, sleep = [], [], channels.Line, asyncio.sleep

    class Counted(made):
        def __init__(self, *words):
            super().__init__(*words)
            lines.append(self)

    async def short(seconds):
        pauses.append(seconds)
        await sleep(0)

    async with scripted() as server:
        port = server.port
    monkeypatch.setattr(channels, "Line", Counted)
    monkeypatch.setattr(channels.asyncio, "sleep", short)
    async with Bursar(f"127.0.0.1:{port}") as bursar:
        asked = asyncio.create_task(bursar.check(user="ann"))
        async with asyncio.timeout(60):
            while len(pauses) < 20:
                await sleep(0.001)
        assert len(lines) >= 15 and max(pauses) <= channels.LONGEST_LOOK_S <= 0.5
        monkeypatch.setattr(channels.asyncio, "sleep", sleep)
        async with scripted(port) as server:
            assert (await asked).allowed, "one call waits through the whole outage"


async def test_no_attempt_is_used_up_while_no_server_is_there():
    async with scripted() as server:
        port = server.port
    async with Bursar(f"127.0.0.1:{port}", attempts=2, timeout_ms=60_000) as bursar:
        asked = [asyncio.create_task(bursar.check(user="ann")) for _ in range(3)]
        done, _ = await asyncio.wait(asked, timeout=1)
        assert not done
        async with scripted(port):
            assert all(check.allowed for check in await asyncio.gather(*asked))


async def test_a_server_that_is_about_to_stop_is_left_at_once():
    async def draining(_, context):
        await fail(context, grpc.StatusCode.UNAVAILABLE, "the server stops", reason="DRAINING")

    async with scripted() as one, scripted() as two:
        one.script["Check"] = draining
        async with Bursar([one.address, two.address]) as bursar:
            for _ in range(6):
                assert (await bursar.check(user="ann")).allowed
        assert len(two.of("Check")) == 6


async def test_a_closed_client_makes_no_calls():
    async with scripted() as server:
        bursar = Bursar(server.address)
        assert (await bursar.check(user="ann")).allowed
        await bursar.close()
        try:
            await bursar.check(user="ann")
        except BursarError as error:
            assert error.code == "CANCELLED"
        assert len(server.of("Check")) == 1


def test_a_client_outlives_its_loop(fleet):
    bursar = Bursar(addresses(fleet))
    for _ in range(2):
        assert asyncio.run(bursar.check(user="loops")).allowed
