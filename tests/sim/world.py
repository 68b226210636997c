"""
A discrete-event simulation: users come, wait, run and go, in simulated time; the pool that decides is the real one. Messages take no
time and nothing fails: what is seen is the policy.
"""
import collections
import heapq
import itertools
import math
import random

from pool import AGE_EVERY, GRANTED, QUEUED, Pool
from scenarios import LENGTH_S, MEAN_HOLD_S, SLOTS

RENEW_S, SYNC_S, BUCKET_S = 10, 2, 120
SIGMA = math.sqrt(math.log(2))  # a lognormal hold whose deviation is as large as its mean


class Seen:
    """What became of the requests of one tier."""

    def __init__(self, tier):
        self.tier = tier
        self.came = self.refused = self.timed_out = 0
        self.waits = []
        self.seat_s = 0.0
        self.by_bucket = collections.Counter()
        self.by_user = collections.Counter()

    def ran(self, user, began, ended):
        self.seat_s += ended - began
        self.by_user[user] += ended - began
        while began < ended:
            bucket = int(began // BUCKET_S)
            until = min(ended, (bucket + 1) * BUCKET_S)
            self.by_bucket[bucket] += until - began
            began = until


class AgedLane:
    """The head that has been eligible longest, once aged, is served by the k-th grant from now."""

    def __init__(self):
        self.head, self.grants, self.longest, self.heads = None, 0, 0, 0

    def after_call(self, pool, grants):
        if self.head:
            self.grants += grants
            self.longest = max(self.longest, self.grants - (0 if self.head == pool.oldest else self.extra(grants)))
        if not pool.oldest_is_aged():
            self.head = None
        elif self.head != pool.oldest:
            self.head, self.grants = pool.oldest, 0
            self.heads += 1

    @staticmethod
    def extra(grants):
        """Of the call that served it, only one grant is sure to have been needed."""
        return max(grants - 1, 0)


class World:
    def __init__(self, redis, scenario, seed):
        self.scenario, self.chance = scenario, random.Random(f"{scenario.name}{seed}")
        self.pool = Pool(redis, SLOTS)
        self.seen = {tier.name: Seen(tier) for tier in scenario.tiers}
        self.lane, self.starving, self.most = AgedLane(), 0, 0
        self.events, self.order, self.now = [], itertools.count(), 0.0
        self.waiting, self.running = {}, {}  # (user, request) -> what it was when it came, what it is
        self.others = []  # waits of the tier's other users after a burst

    def soon(self, seconds, what, *args):
        heapq.heappush(self.events, (self.now + seconds, next(self.order), what, args))

    def run(self):
        for tier in self.scenario.tiers:
            self.soon(self.gap(tier), self.arrive, tier)
        if self.scenario.burst:
            self.soon(self.scenario.burst.at_s, self.burst)
        self.soon(RENEW_S, self.renew)
        self.soon(SYNC_S, self.sync)
        while self.events[0][0] < LENGTH_S:
            self.now, _, what, args = heapq.heappop(self.events)
            self.pool.at(self.now)
            what(*args)
        for (user, _), (seen, began, *_) in self.running.items():
            seen.ran(user, began, LENGTH_S)
        return self

    def gap(self, tier):
        return self.chance.expovariate(tier.load * SLOTS / MEAN_HOLD_S)

    def arrive(self, tier):
        user = b"%s-%d" % (tier.name.encode(), self.chance.randrange(tier.users))
        self.come(tier, user, self.chance.lognormvariate(math.log(MEAN_HOLD_S) - SIGMA * SIGMA / 2, SIGMA))
        self.soon(self.gap(tier), self.arrive, tier)

    def burst(self):
        burst = self.scenario.burst
        tier = self.seen[burst.tier].tier
        for _ in range(burst.requests):
            self.come(tier, b"%s-burst" % tier.name.encode(), burst.hold_s)

    def come(self, tier, user, hold_s):
        seen, request = self.seen[tier.name], b"r%d" % next(self.order)
        seen.came += 1
        status, what, grants = self.pool.acquire(user, request, tier.priority, tier.cap)
        if status == GRANTED:
            self.start(user, request, what, seen, self.now, hold_s)
        elif status == QUEUED:
            self.waiting[user, request] = seen, self.now, hold_s
            self.soon(what - self.now, self.give_up, user, request)
        else:
            seen.refused += 1
        self.take(grants, status == GRANTED)

    def take(self, grants, one_more=False):
        """Grants are acknowledged at once; their callers begin."""
        self.lane.after_call(self.pool, len(grants) + one_more)
        if not grants:
            return
        for user, request, *fence in grants:
            self.start(user, request, fence, *self.waiting.pop((user, request)))
        self.pool.renew([(user, request, fence) for user, request, *fence in grants])

    def start(self, user, request, fence, seen, came, hold_s):
        seen.waits.append(self.now - came)
        if self.scenario.burst and self.now > self.scenario.burst.at_s and seen.tier.name == self.scenario.burst.tier \
                and not user.endswith(b"-burst"):
            self.others.append(self.now - came)
        self.running[user, request] = seen, self.now, fence
        self.most = max(self.most, len(self.running))
        self.soon(hold_s, self.finish, user, request)

    def finish(self, user, request):
        seen, began, fence = self.running.pop((user, request))
        seen.ran(user, began, self.now)
        self.take(self.pool.release(user, request, fence))

    def give_up(self, user, request):
        if (user, request) not in self.waiting:
            return
        self.waiting.pop((user, request))[0].timed_out += 1
        self.take(self.pool.time_out(user, request))

    def renew(self):
        self.pool.renew([(user, request, fence) for (user, request), (_, _, fence) in self.running.items()])
        self.soon(RENEW_S, self.renew)

    def sync(self):
        grants, starving = self.pool.sync()
        self.starving += starving
        self.take(grants)
        self.soon(SYNC_S, self.sync)

    # What is asked of a run that is over.

    def utilisation(self):
        return sum(seen.seat_s for seen in self.seen.values()) / SLOTS / LENGTH_S

    def share(self, name):
        return 100 * self.seen[name].seat_s / sum(seen.seat_s for seen in self.seen.values())

    def lane_kept(self):
        return self.lane.longest <= AGE_EVERY
