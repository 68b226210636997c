"""What a decision costs: CPU of the client, of bursard and of Redis, beside the library `limits` on the same Redis.

    tests/clients/run_python --bench [--decisions N] [--rounds N]

Every side decides about requests of 1,000 users with three limits each (a minute, an hour, a day), asked by 1, 10 or 100 callers at
once, each of whom waits for its answer. Sides are measured in turns; a figure is the median of the rounds. BURSAR_BUILD names the build of
bursard, which should be one without sanitizers. PostgreSQL's CPU does not count: checks do not use it.
"""
import argparse
import asyncio
import itertools
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "client" / "python" / "tests")]

import limits  # noqa: E402
import limits.aio  # noqa: E402
from accounts import bucket, per_day  # noqa: E402
from harness import Bursard, Postgres, Redis  # noqa: E402

from bursar import Bursar  # noqa: E402
from bursar.v1 import admin_pb2  # noqa: E402

USERS = [f"user-{number}" for number in range(1000)]


def cpu_of(pid):
    """Seconds, of all its threads."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class Stores:
    def __init__(self):
        self.redis, self.postgres = Redis(), Postgres()
        self.bursard = Bursard(self.redis, self.postgres.database(), workers=1, account_cache=16384)

    def cpu(self):
        return time.process_time(), cpu_of(self.bursard.pid), cpu_of(self.redis.pid)

    def end(self):
        self.bursard.stop()
        self.redis.kill()
        self.postgres.stop()


def by_bursar(gather, record, keeps=False):
    """A side: opens a client, and returns what decides and what closes it. `keeps`: with a folder for the spool."""
    async def opened(stores):
        folder = tempfile.TemporaryDirectory(prefix="bursar-bench-") if keeps else None
        bursar = Bursar(stores.bursard.grpc_addr, gather=gather, spool=folder.name if folder else None)
        await bursar.admin.put_tier(tier=admin_pb2.Tier(name="bench", limits=[
            bucket(1_000_000, period_us=60_000_000, name="minute"), bucket(10_000_000, name="hour"), per_day(100_000_000, name="day")]))
        await bursar.admin.put_tenant(tenant=admin_pb2.Tenant(id="default", default_tier="bench"))

        async def decide(user):
            check = await bursar.check(user=user)
            assert check.allowed
            if record:
                await bursar.record(check, usage={"input_tokens": 1})

        async def close():
            await bursar.close()
            if folder:
                folder.cleanup()

        return decide, close
    return opened


async def by_limits(stores):
    """Three fixed windows, the cheapest kind that `limits` has: three scripts of Redis, one after another."""
    storage = limits.aio.storage.RedisStorage(f"async+redis+unix://{stores.redis.socket}", implementation="redispy")
    limiter = limits.aio.strategies.FixedWindowRateLimiter(storage)
    three = [limits.RateLimitItemPerMinute(1_000_000), limits.RateLimitItemPerHour(10_000_000), limits.RateLimitItemPerDay(100_000_000)]

    async def decide(user):
        for limit in three:
            assert await limiter.hit(limit, user)

    async def close():
        pass

    return decide, close


SIDES = {"bursar, gathered": by_bursar(True, False), "bursar, one by one": by_bursar(False, False),
         "bursar, gathered, with the record": by_bursar(True, True),
         "bursar, gathered, with the record in a folder": by_bursar(True, True, keeps=True), "limits": by_limits}


async def load(decide, callers, decisions):
    users = itertools.cycle(USERS)
    left = iter(range(decisions))

    async def caller():
        for _ in left:
            await decide(next(users))

    await asyncio.gather(*(caller() for _ in range(callers)))


async def measured(stores, side, callers, decisions):
    """(microseconds of CPU a decision: client, bursard, Redis; decisions a second)."""
    decide, close = await SIDES[side](stores)
    await load(decide, callers, max(decisions // 5, len(USERS)))
    before, began = stores.cpu(), time.monotonic()
    await load(decide, callers, decisions)
    took = time.monotonic() - began
    spent = [(after - then) / decisions * 1e6 for after, then in zip(stores.cpu(), before)]
    await close()
    return [*spent, decisions / took]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    stores = Stores()
    print("| callers | | client | bursard | Redis | all, us of CPU a decision | of `limits` | decisions a second |")
    print("|---|---|---|---|---|---|---|---|")
    try:
        for callers in (1, 10, 100):
            rounds = {side: [] for side in SIDES}
            for number in range(options.rounds):
                for side in list(SIDES) if number % 2 == 0 else reversed(SIDES):
                    rounds[side].append(asyncio.run(measured(stores, side, callers, options.decisions)))
            for side in SIDES:
                client, server, redis, rate = (statistics.median(column) for column in zip(*rounds[side]))
                part = statistics.median(sum(one[:3]) / sum(other[:3]) for one, other in zip(rounds[side], rounds["limits"]))
                print(f"| {callers} | {side} | {client:.0f} | {server:.0f} | {redis:.0f} | {client + server + redis:.0f} | {part:.2f} | {rate:.0f} |",
                      flush=True)
    finally:
        stores.end()


if __name__ == "__main__":
    main()
