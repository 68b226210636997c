"""Latency of a check at 500/s and 5,000/s from when it was due, beside an echo RPC and one function call to Redis.

Calls come at random (Poisson), and a round uses the same seed for all three, so they come at the same times. All programs
share the machine: on one of few cores they wait for each other.
"""
import pathlib

from harness.process import temp_dir
from measuring.calls_of_redis import captured_check, send
from measuring.figures import interleave, spread, table

RATES = (500, 5000)
PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")


def percentile(rounds, span, name):
    return [round[span + "_us"][name] for round in rounds]


def rows_of(rate, found):
    for what, rounds in found.items():
        yield (f"{rate:,}/s, {what}", *(spread(percentile(rounds, "latency", name), 0) for name in PERCENTILES),
               *(spread(percentile(rounds, span, name), 0) for span in ("service", "late") for name in ("p50", "p99")))


def above_rows(rate, found):
    """What a check takes beyond an echo and a function call of its round."""
    for name in ("p50", "p99"):
        echo, check, fcall = (percentile(found[what], "latency", name) for what in ("echo", "check", "FCALL"))
        above = [a - b - c for a, b, c in zip(check, echo, fcall)]
        yield f"{rate:,}/s, {name}: check - echo - FCALL, µs", spread(above, 0, bold=True)


def run(bench):
    seconds = 2 if bench.quick else 10
    command = pathlib.Path(temp_dir("command")) / "check"
    found = {}
    with bench.bursard(roles="serve,http") as (server, redis), bench.echo() as (_, echo_address):
        bench.wide_tier(server)
        check = captured_check(bench, server, redis)
        check.write(command)
        for address in (server.grpc_addr, echo_address):
            bench.load(address, calls=5000)

        def fcalls(rate, seed):
            said = bench.open_loop(seconds, rate, seed=seed, redis=redis.socket, command=command, first=check.reserve(seconds * rate))
            send(redis, check.command, 1, 1)  # they still count
            return said

        for rate in RATES:
            found[rate] = interleave(bench.rounds, {
                "echo": lambda seed, rate=rate: bench.open_loop(seconds, rate, seed=seed, addr=echo_address),
                "check": lambda seed, rate=rate: bench.open_loop(seconds, rate, seed=seed, addr=server.grpc_addr),
                "FCALL": lambda seed, rate=rate: fcalls(rate, seed),
            })
    table("Latency, open loop, µs from when a call was due", "latency", [row for rate in RATES for row in rows_of(rate, found[rate])],
          ("calls", *PERCENTILES, "service p50", "service p99", "sent late p50", "sent late p99"))
    table("Latency above the floor", "latency", [row for rate in RATES for row in above_rows(rate, found[rate])])
