"""From a slot's release to the next caller's grant, beside a Redis round trip; memory of a stream that waits.

All callers of a pool of one slot are in one process, in Python.
"""
import statistics
import time

from harness import protos
from measuring.figures import column, spread, table
from measuring.processes import resident_kib

HOUR_US = 3600 * 1_000_000
PER_CONNECTION = 500


class Streams:
    def __init__(self, bots):
        self.bots, self.more, self.serial, self.open = bots, [], 0, []
        self.pb, admin = self.bots.limiter_pb, self.bots.admin_pb
        self.bots.admin.PutPool(admin.PutPoolRequest(
            ref=admin.PoolRef(), estimate_us=1000, predicted_wait_max_us=HOUR_US, wait_max_us=HOUR_US, queue_limit=1_000_000,
            level_queue_limit=1_000_000), timeout=10)

    def acquire(self, bots=None):
        self.serial += 1
        check = self.bots.request(f"user-{self.serial}", request_id="r")
        return (bots or self.bots).limiter.Acquire(self.pb.AcquireRequest(check=check))

    def idle(self, count):
        """So many more wait, each told so once; a connection carries only so many streams."""
        for _ in range(0, count, PER_CONNECTION):
            self.more.append(self.bots.at(self.bots.address))
            self.open += [self.acquire(self.more[-1]) for _ in range(PER_CONNECTION)]
            for stream in self.open[-PER_CONNECTION:]:
                assert next(stream).HasField("queued")

    def close(self):
        for stream in self.open:
            stream.cancel()
        for bots in (*self.more, self.bots):
            bots.close()


def granted(stream):
    for message in stream:
        if message.HasField("granted"):
            return message.granted.lease
    raise RuntimeError("the stream ended without a grant")


def microseconds(work):
    began = time.perf_counter()
    result = work()
    return (time.perf_counter() - began) * 1e6, result


def hand_offs(streams, redis, count):
    """{what: (p50, p99) in microseconds}, each measured in turn: a PING, a Release alone, and one until the next caller's grant."""
    seen = {"a Redis PING from Python": [], "a Release until its answer (nobody waits)": [], "a Release until the next caller's grant": []}
    ping, release, hand_off = seen.values()
    limiter, pb = streams.bots.limiter, streams.pb
    for _ in range(count):
        ping.append(microseconds(redis.client.ping)[0])

        holder = streams.acquire()
        lease = granted(holder)
        release.append(microseconds(lambda lease=lease: limiter.Release(pb.ReleaseRequest(lease=lease)))[0])

        holder, waiter = streams.acquire(), None
        lease = granted(holder)
        waiter = streams.acquire()
        assert next(waiter).HasField("queued")
        took, (answer, lease) = microseconds(
            lambda lease=lease, waiter=waiter: (limiter.Release.future(pb.ReleaseRequest(lease=lease)), granted(waiter)))
        hand_off.append(took)
        answer.result()
        limiter.Release(pb.ReleaseRequest(lease=lease))
    return {what: (statistics.median(values), sorted(values)[count * 99 // 100]) for what, values in seen.items()}


def run(bench):
    count, waiting = bench.scaled(200), bench.scaled(4000)
    with bench.bursard(roles="serve,http", max_concurrent_agents=1) as (server, redis):
        streams = Streams(bench.bots(server))
        rounds = [hand_offs(streams, redis, count) for _ in range(bench.rounds)]
        streams.open.append(streams.acquire())
        granted(streams.open[-1])
        before = resident_kib(server.pid)
        streams.idle(waiting)
        each = (resident_kib(server.pid) - before) / waiting
        streams.close()
    rows = []
    for what in rounds[0]:
        for name, at in (("p50", 0), ("p99", 1)):
            rows.append((f"{what}, {name}, µs", spread(column(column(rounds, what), at), 0)))
    rows.append(("bursard, resident, per waiting stream", f"{each:.1f} KiB"))
    table("Handing a slot on", "handoff", rows)
