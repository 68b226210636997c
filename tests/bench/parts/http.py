"""CPU of bursard for a check over HTTP beside the same over gRPC, and for a watcher over either."""
import re
import subprocess
import sys
import tempfile

import measuring.watchers
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


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


class Watchers:
    """Watchers in a process of their own; `heard` is how many messages they have read."""

    def __init__(self, carrier, server):
        address = server.http_addr if carrier == "http" else server.grpc_addr
        self.process = subprocess.Popen([sys.executable, measuring.watchers.__file__, carrier, address, str(WATCHERS)],
                                        stdout=subprocess.PIPE, text=True)

    def heard(self, least=0):
        """Once it is at least so many."""
        for line in self.process.stdout:
            if int(line) >= least:
                return int(line)
        raise RuntimeError("the watchers have ended")

    def stop(self):
        self.process.kill()
        self.process.wait()


def watched(server, carrier, load):
    """µs of bursard's CPU a message, while checks run; and by how many KiB a watcher makes it larger."""
    before = resident_kib(server.pid)
    watchers = Watchers(carrier, server)
    try:
        watchers.heard(WATCHERS)
        grown = resident_kib(server.pid) - before
        ends = []

        def until_some():
            ends.append(watchers.heard())
            load()
            ends.append(watchers.heard(ends[0] + 3 * WATCHERS))
        used = cpu_us({"server": server.pid}, 1, until_some)
        return {"message": used["server"] / (ends[1] - ends[0]), "kib": grown / WATCHERS}
    finally:
        watchers.stop()


def run(bench):
    calls, seconds = bench.scaled(30_000), 2 if bench.quick else 6
    with bench.bursard(roles="serve,http") as (server, redis):
        bench.wide_tier(server)
        pids = {"server": server.pid, "redis": redis.pid}

        def load(count):
            return bench.load(server.grpc_addr, calls=count, in_flight=CONNECTIONS)
        load(5000)
        found = interleave(bench.rounds, {
            "grpc": lambda _: cpu_us(pids, calls, lambda: load(calls)),
            "http": lambda _: over_http(server, pids, seconds),
        })
        fans = interleave(bench.rounds, {
            carrier: lambda _, carrier=carrier: watched(server, carrier, lambda: load(calls // 10)) for carrier in ("grpc", "http")})
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
        *((f"memory of {WATCHERS} watchers over {carrier}, KiB each, the first time", f"{fans[carrier][0]['kib']:.0f}") for carrier in fans),
    ])
