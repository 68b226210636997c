"""CPU of bursard for a check over HTTP beside the same over gRPC, and for a watcher over either."""
import asyncio
import contextlib
import subprocess
import tempfile
import threading

import grpc
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us

CONNECTIONS = 100
WATCHERS = 1000

# The checks of tests/bench/load.c, as JSON. `done` prints how many were answered.
WRK = """
local n = 0
wrk.method, wrk.path = "POST", "/v1/check"
wrk.headers["Content-Type"] = "application/json"
request = function()
	n = n + 1
	wrk.body = string.format('{"user":"user-%d","model":"gpt-4o","input_tokens":100,"max_output_tokens":50}', n % 1000)
	return wrk.format()
end
done = function(summary) io.stderr:write(summary.requests, " ", summary.errors.status, "\\n") end
"""


def over_http(server, pids, seconds):
    """{process: µs a check} of a closed loop of wrk's; its number of calls depends on the machine."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK)
        script.flush()
        answered = []

        def load():
            done = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, f"http://{server.http_addr}"],
                                  check=True, capture_output=True, text=True)
            answered.extend(int(word) for word in done.stderr.split()[-2:])
        used = cpu_us(pids, 1, load)
    calls, errors = answered
    assert calls and not errors, f"{errors} of {calls} checks were not answered with 200"
    return {process: figure / calls for process, figure in used.items()}


async def read_events(address, heard, stop):
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /v1/watch?interval_us=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while not stop.is_set() and (line := await reader.readline()):
            heard[0] += line.startswith(b"data:")
    writer.close()


async def read_messages(bots, stub, heard, stop):
    with contextlib.suppress(grpc.RpcError):
        async for _ in stub.Watch(bots.admin_pb.WatchRequest(interval_us=1_000_000)):
            heard[0] += 1
            if stop.is_set():
                break


async def watch_all(server, bots, carrier, heard, stop):
    async with grpc.aio.insecure_channel(server.grpc_addr) as channel:
        stub = bots.stubs.admin_pb2_grpc.AdminStub(channel)
        readers = [asyncio.ensure_future(read_events(server.http_addr, heard, stop) if carrier == "http"
                                         else read_messages(bots, stub, heard, stop)) for _ in range(WATCHERS)]
        while not stop.is_set():
            await asyncio.sleep(0.1)
        for reader in readers:
            reader.cancel()


def watched(server, bots, pids, carrier, calls, load):
    """µs of bursard's CPU a message, while checks run."""
    heard, stop = [0], threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(watch_all(server, bots, carrier, heard, stop)))
    thread.start()
    try:
        while heard[0] < WATCHERS:
            stop.wait(0.1)
        before = heard[0]
        used = cpu_us(pids, 1, lambda: load(calls))
        return {"message": used["server"] / max(1, heard[0] - before)}
    finally:
        stop.set()
        thread.join()


def run(bench):
    calls, seconds = bench.scaled(30_000), 2 if bench.quick else 6
    with bench.bursard(roles="serve,http") as (server, redis):
        bench.wide_tier(server)
        pids = {"server": server.pid, "redis": redis.pid}
        bots = bench.bots(server)

        def load(count):
            return bench.load(server.grpc_addr, calls=count, in_flight=CONNECTIONS)
        load(5000)
        found = interleave(bench.rounds, {
            "grpc": lambda _: cpu_us(pids, calls, lambda: load(calls)),
            "http": lambda _: over_http(server, pids, seconds),
        })
        fans = interleave(bench.rounds, {
            carrier: lambda _, carrier=carrier: watched(server, bots, pids, carrier, calls, load) for carrier in ("grpc", "http")})
        bots.close()
    grpc_us, http_us = (column(found[side], "server") for side in ("grpc", "http"))
    all_grpc, all_http = ([row["server"] + row["redis"] for row in found[side]] for side in ("grpc", "http"))
    fan_grpc, fan_http = (column(fans[side], "message") for side in ("grpc", "http"))
    table("HTTP beside gRPC", "http", [
        ("check over gRPC, µs of bursard", spread(grpc_us)),
        ("check over HTTP, µs of bursard", spread(http_us)),
        ("**HTTP / gRPC, bursard**", ratio(http_us, grpc_us)),
        ("**HTTP / gRPC, bursard and Redis**", ratio(all_http, all_grpc)),
        (f"{WATCHERS} watchers over gRPC, µs of bursard a message, with the checks that are watched", spread(fan_grpc)),
        (f"{WATCHERS} watchers over HTTP", spread(fan_http)),
        ("**HTTP / gRPC, a watcher's message**", ratio(fan_http, fan_grpc)),
    ])
