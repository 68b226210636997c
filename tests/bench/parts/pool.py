"""What the pool's functions cost Redis with 1,000, 10,000 and 100,000 waiting, and how much memory a waiter takes."""
import contextlib
import pathlib
import struct

import harness
from measuring.figures import column, interleave, ratio, spread, table

ROOT = pathlib.Path(__file__).resolve().parents[3]
KEYS = "cfg st req usr wait ready since age lease wk own gc".split()
LEVELS = ((1, 1), (5, 3), (10, 10))  # priority, cap
SUFFIX = "bench000"
WORKER = b"00000000000000aa"
HOUR_MS = 3600 * 1000
GRANTED, TAIL_OF_RELEASE = 20, 15


def library():
    """The pool's functions as bursard loads them, with the real clock."""
    folder = ROOT / "lua" / "pool"
    names = [line for line in (folder / "ORDER").read_text().splitlines() if line and line[0] != "#"]
    return "".join((folder / name).read_text() for name in names).replace("@V@", SUFFIX)


def named(*texts):
    return b"".join(struct.pack("<H", len(text)) + text for text in texts)


def read_tail(answer, at):
    """The grants (user, request, epoch, fence) that an answer ends with."""
    (count,), at, grants = struct.unpack_from("<H", answer, at), at + 2, []
    for _ in range(count):
        texts = []
        for _ in range(2):
            (size,) = struct.unpack_from("<H", answer, at)
            texts.append(answer[at + 2:at + 2 + size])
            at += 2 + size
        grants.append((*texts, *struct.unpack_from("<II", answer, at)))
        at += 8
    return grants


class Pool:
    """A pool whose limits never refuse, called as one worker; requests come of three tiers in turn."""

    def __init__(self, redis, slots):
        redis.execute_command("FUNCTION", "LOAD", "REPLACE", library())
        self.redis, self.serial = redis, 0
        self.keys = [12] + ["b:{pool:default/bench}:" + key for key in KEYS]
        limits = (slots, 2000000, 2000000, 2000000)
        times = (HOUR_MS, HOUR_MS, 30000, 300000, HOUR_MS, 120000, 5, 240000, HOUR_MS, HOUR_MS, 1, 5000, 60000)
        redis.execute_command(*self.command("configure", struct.pack("<B18IBBB", 1, 1, *limits, *times, 2, 0, 0), "bench"))
        claim = redis.execute_command(*self.command("epoch", struct.pack("<IB", 0, 0), ""))[15:]
        redis.execute_command(*self.command("epoch", struct.pack("<IB", 1, 1), claim))

    def command(self, name, *args):
        return ["FCALL", f"bursar_pool_{name}_{SUFFIX}", *self.keys, *args]

    def send(self, commands):
        pipe = self.redis.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return pipe.execute()

    def acquire(self, count):
        """So many more come; the leases of those who were granted at once."""
        commands, names = [], []
        for _ in range(count):
            self.serial += 1
            priority, cap = LEVELS[self.serial % 3]
            name = b"user-%06d-%d" % (self.serial // 15, self.serial % 3), b"request-%08d" % self.serial
            names.append(name)
            commands.append(self.command("acquire", struct.pack("<IBIIIB", 1, priority, cap, 1, HOUR_MS, 0), WORKER, *name))
        return [(*name, *struct.unpack_from("<II", answer, 8))
                for name, answer in zip(names, self.send(commands)) if answer[0] == GRANTED]

    def release(self, leases):
        """The leases that these made free."""
        answers = self.send(self.command("release", struct.pack("<IIB", epoch, fence, 0), WORKER, user, request)
                            for user, request, epoch, fence in leases)
        return [grant for answer in answers for grant in read_tail(answer, TAIL_OF_RELEASE)]

    def renew(self, leases, times=1):
        packed = b"".join(named(user, request) + struct.pack("<II", epoch, fence) for user, request, epoch, fence in leases)
        self.send([self.command("renew", WORKER, struct.pack("<H", len(leases)) + packed)] * times)

    def cost(self, work):
        """CPU microseconds of Redis a call, over what `work` calls; and what that answered."""
        self.redis.execute_command("CONFIG", "RESETSTAT")
        result = work()
        row = self.redis.info("commandstats")["cmdstat_fcall"]
        return row["usec"] / row["calls"], result


class Queue:
    """A pool in a Redis of its own with about so many waiting."""

    def __init__(self, redis, waiters, slots=50):
        self.pool = Pool(redis, slots)
        self.held = self.pool.acquire(slots)
        empty = redis.info("memory")["used_memory"]
        for _ in range(waiters // 1000):
            self.pool.acquire(1000)
        self.bytes_each = (redis.info("memory")["used_memory"] - empty) / waiters

    def round(self, _):
        """{operation: microseconds a call}; as many come as go."""
        enqueue = self.pool.cost(lambda: self.pool.acquire(100))[0]
        release, self.held = self.pool.cost(lambda: self.pool.release(self.held))
        self.pool.renew(self.held)  # acknowledged, so that the next ones only prolong
        renew = self.pool.cost(lambda: self.pool.renew(self.held, times=20))[0] / len(self.held)
        return {"enqueue": enqueue, "release and grant": release, "renew, each of a batch of 50": renew}


def run(bench):
    lengths, queues = (1000, 10_000) if bench.quick else (1000, 10_000, 100_000), {}
    with contextlib.ExitStack() as stack:
        for waiters in lengths:
            redis = harness.Redis()
            stack.callback(redis.kill)
            queues[waiters] = Queue(redis.client, waiters)
        found = interleave(2 * bench.rounds, {waiters: queue.round for waiters, queue in queues.items()})
    rows = []
    for what in found[lengths[0]][0]:
        for waiters in lengths:
            rows.append((f"Redis, {what}, {waiters:,} waiting, µs a call", spread(column(found[waiters], what))))
            if waiters > lengths[0]:
                rows.append((f"**{what}: {waiters:,} / {lengths[0]:,}**", ratio(column(found[waiters], what), column(found[lengths[0]], what))))
    rows.append((f"Redis, bytes per waiter at {lengths[-1]:,}", f"{queues[lengths[-1]].bytes_each:.0f}"))
    table("The pool's functions", "pool", rows)
