"""The pool's real functions in a real Redis, at a time that is set: what the simulation calls, as one worker."""
import pathlib
import struct

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYS = "cfg st req usr wait ready since age lease wk own gc".split()
SUFFIX, WORKER = "sim00000", b"00000000000000aa"
EPOCH_US = 1_700_000_000 * 1_000_000
AGE_MS, AGE_EVERY, WAIT_MAX_MS = 120_000, 5, 300_000
SHED, GRANTED, QUEUED = 1, 20, 21
TIMED_OUT = 4
AT_ANSWER, AT_GRANTED_TAIL, AT_QUEUED_LEVELS, AT_RELEASED_TAIL, AT_CANCELLED_TAIL, AT_SYNC_LEVELS = 8, 37, 34, 15, 9, 23


def library():
    folder = ROOT / "lua" / "pool"
    names = [line for line in (folder / "ORDER").read_text().splitlines() if line and line[0] != "#"]
    paths = [ROOT / "tests" / "lua" / "pool_clock.lua" if name == "clock.lua" else folder / name for name in names]
    return "".join(path.read_text() for path in paths).replace("@V@", SUFFIX)


def text(value):
    return struct.pack("<H", len(value)) + value


class Answer:
    """Reads an answer from front to back."""

    def __init__(self, data, at=AT_ANSWER):
        self.data, self.at = data, at

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def time(self):
        self.at += 7
        return int.from_bytes(self.data[self.at - 7:self.at], "little", signed=True)

    def text(self):
        (size,) = self.take("H")
        self.at += size
        return self.data[self.at - size:self.at]

    def levels(self):
        (count,) = self.take("B")
        self.at += 9 * count
        return self

    def grants(self):
        return [(self.text(), self.text(), *self.take("II")) for _ in range(self.take("H")[0])]


class Pool:
    def __init__(self, redis, slots):
        self.redis, self.now_us = redis, EPOCH_US
        redis.flushall()
        redis.execute_command("FUNCTION", "LOAD", "REPLACE", library())
        self.keys = [len(KEYS)] + ["b:{pool:default/sim}:" + key for key in KEYS]
        self.since = self.keys[1 + KEYS.index("since")]
        # The defaults of a pool, but for its slots; queues are as long as they get.
        limits = (slots, 1_000_000, 1_000_000, 0)
        times = (30_000, 5_000, 30_000, 300_000, 6_000, AGE_MS, AGE_EVERY, 240_000, 150_000, WAIT_MAX_MS, 30_000, 5_000, 60_000)
        self.call("configure", struct.pack("<B18IBBB", 1, 1, *limits, *times, 2, 0, 0), "sim")
        claim = Answer(self.call("epoch", struct.pack("<IB", 0, 0), ""), 13).text()
        self.call("epoch", struct.pack("<IB", 1, 1), claim)
        self.oldest = None  # (user, ms since which the head of the queue is eligible)

    def at(self, seconds):
        self.now_us = EPOCH_US + round(seconds * 1e6)

    def call(self, name, *args):
        """One call, and after it the head that has been eligible longest."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.set("b:clock", self.now_us)
        pipe.execute_command("FCALL", f"bursar_pool_{name}_{SUFFIX}", *self.keys, *args)
        pipe.zrange(self.since, 0, 0, withscores=True)
        _, answer, first = pipe.execute()
        self.oldest = first[0] if first else None
        return answer

    def oldest_is_aged(self):
        return self.oldest and self.now_us / 1000 - self.oldest[1] > AGE_MS

    def acquire(self, user, request, priority, cap):
        """(status, fence or wait end or None, grants to others)."""
        answer = self.call("acquire", struct.pack("<IBIIIB", 1, priority, cap, 1, 0, 0), WORKER, user, request)
        if answer[0] == GRANTED:
            return GRANTED, Answer(answer).take("II"), Answer(answer, AT_GRANTED_TAIL).grants()
        if answer[0] == QUEUED:
            at = Answer(answer)
            at.take("I")
            at.time()
            return QUEUED, (at.time() * 1000 - EPOCH_US) / 1e6, Answer(answer, AT_QUEUED_LEVELS).levels().grants()
        assert answer[0] == SHED, answer
        return SHED, None, []

    def release(self, user, request, fence):
        answer = self.call("release", struct.pack("<IIB", *fence, 0), WORKER, user, request)
        assert answer[0] == 0, answer
        return Answer(answer, AT_RELEASED_TAIL).grants()

    def time_out(self, user, request):
        answer = self.call("cancel", struct.pack("<BB", 0, TIMED_OUT), WORKER, user, request)
        return Answer(answer, AT_CANCELLED_TAIL).grants() if answer[0] == 0 else []

    def renew(self, leases):
        for at in range(0, len(leases), 256):
            batch = leases[at:at + 256]
            packed = b"".join(text(user) + text(request) + struct.pack("<II", *fence) for user, request, fence in batch)
            answer = self.call("renew", WORKER, struct.pack("<H", len(batch)) + packed)
            assert answer[0] == 0 and all(answer[10 + 15 * i] == 0 for i in range(len(batch))), answer

    def sync(self):
        """(grants, how many waiters are told of as starving)."""
        at = Answer(self.call("sync", struct.pack("<IB", 1, 0), WORKER, struct.pack("<H", 0)), AT_SYNC_LEVELS)
        assert at.levels().take("H") == (0,)
        return at.grants(), at.take("H")[0]
