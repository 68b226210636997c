"""With --beside DIR only: CPU of bursard and of Redis for a check and an item of CheckBatch, of this build and of the other.

Each build's bursard has its own Redis, with its own functions, and its own database; the same programs load both. The echo
is this build's.
"""
import contextlib

from measuring.calls_of_redis import captured_check, send
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us


class Side:
    """One build: what its server and its Redis use."""

    def __init__(self, bench, build, server, redis):
        self.bench, self.server, self.redis = bench, server, redis
        build.wide_tier(server)
        self.captured = captured_check(build, server, redis)
        bench.load(server.grpc_addr, calls=5000)

    def check(self, calls):
        return self._loaded(calls, calls=calls, in_flight=100)

    def batch(self, batches):
        return self._loaded(batches * 500, calls=batches, batch=500, in_flight=4)

    def _loaded(self, checks, **load):
        pids = {"server": self.server.pid, "redis": self.redis.pid}
        return cpu_us(pids, checks, lambda: self.bench.load(self.server.grpc_addr, **load))

    def replay(self, calls):
        return cpu_us({"redis": self.redis.pid}, calls, lambda: send(self.redis, self.captured.command, calls))


def run(bench):
    calls, batches, replays = bench.scaled(30_000), bench.scaled(100), bench.scaled(16_000)
    with contextlib.ExitStack() as stack:
        echo, address = stack.enter_context(bench.echo())
        bench.load(address, calls=5000)
        builds = {name: Side(bench, build, *stack.enter_context(build.bursard(roles="serve,http")))
                  for name, build in (("this", bench), ("other", bench.beside))}
        sides = {"echo": lambda _: cpu_us({"server": echo.pid}, calls, lambda: bench.load(address, calls=calls, in_flight=100))}
        for name, side in builds.items():
            sides["check", name] = lambda _, side=side: side.check(calls)
        for name, side in builds.items():
            sides["batch", name] = lambda _, side=side: side.batch(batches)
        for name, side in builds.items():
            sides["replay", name] = lambda _, side=side: side.replay(replays)
        found = interleave(bench.rounds, sides)
    echo, rows = column(found["echo"], "server"), []
    rows.append(("echo RPC, µs", spread(echo), "", ""))
    for what, side, process in (("check, µs", "check", "server"), ("check inside CheckBatch of 500, µs", "batch", "server"),
                                ("Redis, µs a check", "check", "redis"), ("Redis, µs a check inside CheckBatch", "batch", "redis"),
                                ("Redis, µs a check, pipelined by 16", "replay", "redis")):
        ours, others = (column(found[side, name], process) for name in ("this", "other"))
        rows.append((what, spread(ours), spread(others), ratio(ours, others)))
        if (side, process) == ("check", "server"):
            rows.append(("check / echo", ratio(ours, echo), ratio(others, echo), ""))
    table(f"This build beside {bench.beside.build}", f"--beside {bench.beside.build}", rows,
          ("what", "this build", "the other", "**this / other**"))
