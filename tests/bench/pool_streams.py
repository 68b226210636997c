"""Callers of a pool of one slot, all in one process: how long it takes until a freed slot is the next one's."""
import time

from harness import protos

HOUR_US = 3600 * 1_000_000
PER_CONNECTION = 500


class Streams:
    def __init__(self, bots, server):
        self.bots, self.more, self.serial, self.open = bots(protos, server.grpc_addr), [], 0, []
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


def hand_offs(streams, redis, rounds):
    """Microseconds, each measured in turn: a PING, a Release call alone, and from its sending until the next one's grant."""
    seen = {"Redis PING from Python": [], "a Release until its answer (nobody waits)": [], "a Release until the next caller's grant": []}
    ping, release, hand_off = seen.values()
    limiter, pb = streams.bots.limiter, streams.pb
    for _ in range(rounds):
        began = time.perf_counter()
        redis.client.ping()
        ping.append((time.perf_counter() - began) * 1e6)

        holder = streams.acquire()
        lease = granted(holder)
        began = time.perf_counter()
        limiter.Release(pb.ReleaseRequest(lease=lease))
        release.append((time.perf_counter() - began) * 1e6)

        holder, waiter = streams.acquire(), None
        lease = granted(holder)
        waiter = streams.acquire()
        assert next(waiter).HasField("queued")
        began = time.perf_counter()
        answer = limiter.Release.future(pb.ReleaseRequest(lease=lease))
        lease = granted(waiter)
        hand_off.append((time.perf_counter() - began) * 1e6)
        answer.result()
        limiter.Release(pb.ReleaseRequest(lease=lease))
    streams.open.append(streams.acquire())
    granted(streams.open[-1])
    return seen
