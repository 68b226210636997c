"""CPU of a decision from Node (client, server and Redis): checks gathered and alone, beside rate-limiter-flexible with three limits.

Each caller asks again as soon as it has its answer. Bursar has three limits too, and once eight, with the cost held; with the record a decision is two calls, and in a folder (of the
spool) the record is on disk before it is sent. rate-limiter-flexible is a RateLimiterUnion of three RateLimiterRedis, in the same
Redis; `pipelined` is the same with ioredis's automatic pipelining, which is off by default. Needs client/node, built with its development
packages: tests/clients/run_node does that.
"""
import contextlib
import json
import pathlib
import subprocess
import sys

from measuring.bench import NEVER
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_seconds

PACKAGE = pathlib.Path(__file__).parents[3] / "client/node"
CONCURRENT = (1, 10, 100)
SIDES = ("gathered", "alone", "recorded", "kept", "priced", "flexible", "pipelined")
NAMES = {"gathered": "Bursar, gathered", "alone": "Bursar, each alone", "recorded": "Bursar, gathered, with the record",
         "kept": "Bursar, gathered, with the record in a folder", "priced": "Bursar, gathered, eight limits and a price", "flexible": "rate-limiter-flexible",
         "pipelined": "rate-limiter-flexible, pipelined"}
CALLS = {1: 4000, 10: 10000, 100: 30000}


@contextlib.contextmanager
def decider(side, server, redis, concurrent):
    """decide(calls): the CPU, in µs, of this many decisions, by process."""
    place = redis.socket if side in ("flexible", "pipelined") else server.grpc_addr
    process = subprocess.Popen(["node", str(PACKAGE / "bench/decide.mjs"), side, place, str(concurrent)], cwd=PACKAGE,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def decide(calls):
        before = {"server": cpu_seconds(server.pid), "redis": cpu_seconds(redis.pid)}
        process.stdin.write(f"{calls}\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())
        assert said["denied"] == 0, said
        used = {"server": cpu_seconds(server.pid) - before["server"], "redis": cpu_seconds(redis.pid) - before["redis"]}
        used = {name: seconds * 1e6 / calls for name, seconds in used.items()}
        used["client"] = said["cpu_us"] / calls
        return {**used, "all": sum(used.values())}

    try:
        assert process.stdout.readline() == "ready\n"
        yield decide
    finally:
        process.stdin.close()
        process.wait()


def rows_of(concurrent, found):
    for side, rounds in found.items():
        yield (f"{concurrent}, {NAMES[side]}", *(spread(column(rounds, part)) for part in ("client", "server", "redis", "all")),
               ratio(column(found["flexible"], "all"), column(rounds, "all"), 1))


def run(bench):
    if not (PACKAGE / "dist/esm/index.js").exists() or not (PACKAGE / "node_modules/rate-limiter-flexible").exists():
        print("bench: node is left out: client/node is not built (tests/clients/run_node)", file=sys.stderr)
        return
    rows = []
    with bench.bursard(roles="serve,http") as (server, redis):
        bots = bench.bots(server)
        bots.tier("free", bots.bucket("rpm", "requests", 10**9), bots.bucket("tpm", "tokens", 10**12), bots.calendar("rpd", "requests", NEVER))
        bots.close()
        bench.wide_tier(server, tenant="wide")
        for concurrent in CONCURRENT:
            with contextlib.ExitStack() as stack:
                sides = {side: stack.enter_context(decider(side, server, redis, concurrent)) for side in SIDES}
                found = interleave(bench.rounds, {side: lambda _, decide=decide, calls=bench.scaled(CALLS[concurrent]): decide(calls)
                                                  for side, decide in sides.items()})
            rows += rows_of(concurrent, found)
    table("CPU of a decision from Node, µs", "node", rows,
          ("concurrent callers", "client", "bursard", "Redis", "all three", "times less than rate-limiter-flexible"))
