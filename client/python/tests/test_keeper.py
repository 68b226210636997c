"""What a process holds is extended while it lives, and free again soon after it died."""
import grpc
from conftest import until
from scripted import fail, scripted

from bursar import Bursar
from bursar.v1 import limiter_pb2


def of(server, check):
    """How far a reservation was extended, each time."""
    return [request.reservation_ttl_us for request in server.of("Renew") if request.reservation.handle == check.reservation]


def client(server, **options):
    return Bursar(server.address, **{"gather": False, "orphan_ms": 1_000, "timeout_ms": 60_000, "attempt_ms": 60_000, **options})


async def test_what_runs_is_extended_until_it_is_recorded_or_given_back_the_longer_it_runs_the_further():
    async with scripted() as server, client(server) as bursar:
        first, second, third = [await bursar.check(user="ann") for _ in range(3)]
        assert [request.reservation_ttl_us for request in server.of("Check")] == [1_000_000] * 3
        await until(lambda: len(of(server, second)) == len(of(server, third)) == 1)
        await bursar.record(second, usage={}, keep_open=True)
        await bursar.cancel(third)
        await until(lambda: len(of(server, first)) >= 3 and len(of(server, second)) >= 3)
        await bursar.record(second, usage={}, attempt=1)
        counts = [len(of(server, second)), len(of(server, third))]
        before = len(of(server, first))
        await until(lambda: len(of(server, first)) > before)
        assert [len(of(server, second)), len(of(server, third))] == counts
        assert of(server, first)[0] == 1_000_000 < of(server, first)[-1]


async def test_what_would_not_outlive_the_process_is_not_extended_nor_is_it_with_orphan_ms_0():
    async with scripted() as server:
        async with client(server) as bursar:
            long = await bursar.check(user="ann")
            await bursar.check(user="ann", reservation_ttl_ms=1_000)
            await until(lambda: len(of(server, long)) == 2)
            assert len(server.of("Renew")) == 2
        async with client(server, orphan_ms=0) as never:
            await never.check(user="ann")
            await never.check(user="ann", reservation_ttl_ms=5_000)
        assert [request.reservation_ttl_us for request in server.of("Check")][2:] == [0, 5_000_000]


async def test_a_repeat_is_extended_by_the_process_whose_check_came_first():
    async with scripted() as server, client(server) as bursar:
        first = await bursar.check(user="ann")

        async def again(request, _):
            return limiter_pb2.CheckResponse(allowed=True, request_id=request.request_id, reservation="another", repeat=True)

        server.script["Check"] = again
        repeat = await bursar.check(user="ann", request_id="known")
        await until(lambda: len(of(server, first)) == 2)
        assert repeat.reservation == "another" and not of(server, repeat)


async def test_one_that_has_ended_is_not_asked_for_again_one_that_no_server_answers_for_is():
    async with scripted() as server, client(server, attempts=1) as bursar:
        ended, waits = await bursar.check(user="ann"), await bursar.check(user="ann")

        async def renew(request, context):
            if request.reservation.handle == ended.reservation:
                await fail(context, grpc.StatusCode.FAILED_PRECONDITION, "no longer open")
            elif len(of(server, waits)) == 1:
                await fail(context, grpc.StatusCode.UNAVAILABLE, reason="STORE")
            return limiter_pb2.RenewResponse()

        server.script["Renew"] = renew
        await until(lambda: len(of(server, waits)) >= 3)
        assert len(of(server, ended)) == 1


async def test_a_client_that_is_closed_leaves_what_is_open_for_as_long_as_it_may_run():
    async with scripted() as server:
        async with client(server, orphan_ms=60_000) as bursar:
            check = await bursar.check(user="ann", reservation_ttl_ms=120_000)
        [us] = of(server, check)
        assert 60_000_000 < us <= 120_000_000
