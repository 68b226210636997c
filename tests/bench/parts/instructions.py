"""Instructions, by callgrind: of bursard for an echo, a check, an item of CheckBatch and a check with its record, and of Redis for a check.

They repeat where times do not. With --beside, those of both builds. Starting up does not count; what a server does by itself
meanwhile does, and is shown for a second without calls.
"""
import contextlib
import time

import harness
from measuring.calls_of_redis import captured_check, commands, send
from measuring.callgrind import CountedBursard, CountedProcess, CountedRedis
from measuring.figures import interleave, ratio, spread, table


def thousands(process, calls, work):
    """A side of a comparison: thousand instructions a call of work(), which is warm."""
    work()
    return lambda _: process.count(work) / calls / 1000


def of_servers(bench, builds):
    """{what: thousand instructions a call of each round}; what: an echo, and check, item, pair and idle of each build."""
    calls, batches, seconds = bench.scaled(5000), bench.scaled(20), 2
    with contextlib.ExitStack() as stack:
        echo, echo_address = stack.enter_context(bench.echo(CountedProcess))
        sides = {"echo": thousands(echo, calls, lambda: bench.load(echo_address, calls=calls, in_flight=64))}
        for name, build in builds.items():
            server, _ = stack.enter_context(build.bursard(kinds=(CountedBursard, harness.Redis), roles="serve,http"))
            build.wide_tier(server)
            address = server.grpc_addr
            sides["check", name] = thousands(server, calls, lambda address=address: bench.load(address, calls=calls, in_flight=64))
            sides["item", name] = thousands(server, batches * 500,
                                            lambda address=address: bench.load(address, calls=batches, batch=500, in_flight=4))
            sides["pair", name] = thousands(server, calls, lambda address=address: bench.load(address, calls=calls, in_flight=64, record=True))
            sides["priced", name] = thousands(
                server, calls, lambda address=address: bench.load(address, calls=calls, in_flight=64, record=True, model="gpt-4o-mini"))
            sides["idle", name] = thousands(server, seconds, lambda: time.sleep(seconds))
        return interleave(bench.rounds, sides)


def of_redis(bench, builds):
    """The same of the scripts of nothing and of one bucket, and of each build's check."""
    calls, sides = bench.scaled(4000), {}
    with contextlib.ExitStack() as stack:
        for name, build in builds.items():
            server, redis = stack.enter_context(build.bursard(kinds=(harness.Bursard, CountedRedis), roles="serve,http"))
            build.wide_tier(server)
            for what, make in commands(redis, captured_check(build, server, redis)).items():
                sides[what, name] = thousands(redis, calls, lambda redis=redis, make=make: send(redis, make, calls))
        return interleave(bench.rounds, sides)


def run(bench):
    builds = {"": bench, **({", the other build": bench.beside} if bench.beside else {})}
    found, redis = of_servers(bench, builds), of_redis(bench, builds)
    rows = [("echo RPC", spread(found["echo"]))]
    for name in builds:
        rows += [(f"check of eight limits{name}", spread(found["check", name])),
                 (f"**check / echo**{name}", ratio(found["check", name], found["echo"], 3)),
                 (f"check inside CheckBatch of 500{name}", spread(found["item", name])),
                 (f"check and record{name}", spread(found["pair", name])),
                 (f"check and record of a model with a price{name}", spread(found["priced", name])),
                 (f"bursard, a second without calls{name}", spread(found["idle", name])),
                 (f"Redis, script `return 1`{name}", spread(redis["nothing", name])),
                 (f"Redis, script of one bucket in a hash{name}", spread(redis["bucket", name])),
                 (f"Redis, check{name}", spread(redis["check", name])),
                 (f"**Redis, check / one bucket**{name}", ratio(redis["check", name], redis["bucket", name], 3))]
    if bench.beside:
        rows += [(f"**{what}, this build / the other**", ratio(figures[side, ""], figures[side, ", the other build"], 3))
                 for what, figures, side in (("check", found, "check"), ("check inside CheckBatch", found, "item"),
                                         ("check and record", found, "pair"),
                                         ("check and record of a model with a price", found, "priced"), ("Redis, check", redis, "check"))]
    table("Thousand instructions per call", "instructions", rows)
